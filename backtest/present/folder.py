"""Results folders are written under a temporary name and renamed when complete."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from backtest.interrupts import finished, held
from backtest.types import ResultsError

STAMPED = f"{'[0-9]' * 8}T{'[0-9]' * 6}Z"  # how the names begin


@dataclass(frozen=True)
class ResultsFolder:
    """Where results are written, the folder's name once it is complete, and its stamp (UTC)."""

    partial: Path
    final: Path
    stamp: str


@contextmanager
def results_folder(out: Path, name: str) -> Iterator[ResultsFolder]:
    """A `.partial` folder, renamed to `out/<UTC>_<name>` at the block's end, removed if it fails.

    The stamp has seconds; a second run of the same name within a second waits for the next one.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with partial_folder(out, name) as folder:
            yield folder
            with held():
                os.rename(folder.partial, folder.final)
                finished.append(str(folder.final))
    except OSError as error:
        raise _write_error(out, error) from error


@contextmanager
def partial_folder(parent: Path, name: str) -> Iterator[ResultsFolder]:
    """A `.partial` folder that is gone at the block's end; locked until then (see `abandoned`)."""
    folder: ResultsFolder | None = None
    lock = None
    try:
        with held():
            folder, lock = _new_folder(parent, name)
        yield folder
    finally:
        with held():
            if folder is not None:
                shutil.rmtree(folder.partial, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def _new_folder(out: Path, name: str) -> tuple[ResultsFolder, int | None]:
    """Make the `.partial` folder of the first stamp that no other run has taken, and its lock."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = ResultsFolder(out / f"{stamp}_{name}.partial", out / f"{stamp}_{name}", stamp)
        # mkdir decides between runs of the same second: it fails for all of them but one.
        # Another run may take the folder for an abandoned one before it is locked.
        with suppress(FileExistsError, FileNotFoundError, BlockingIOError):
            folder.partial.mkdir()
            lock = lock_folder(folder.partial)
            if not folder.final.exists():
                return folder, lock
            folder.partial.rmdir()
            if lock is not None:
                os.close(lock)
        time.sleep(0.1)


def lock_folder(folder: Path) -> int | None:
    """A lock on a folder until this process ends; None where the file system has no locks.

    Raises
    ------
    BlockingIOError : another process has it. FileNotFoundError : the folder was removed meanwhile.
    """
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.stat(folder)
    except (BlockingIOError, FileNotFoundError):
        os.close(number)
        raise
    except OSError:
        os.close(number)
        return None
    return number


def remove_abandoned(parent: Path) -> list[Path]:
    """Remove the `.partial` folders that killed runs left, and give them; a live one is locked."""
    removed = []
    for partial in parent.glob(f"{STAMPED}_*.partial"):
        with suppress(OSError), held():
            lock = lock_folder(partial)
            if lock is not None:
                shutil.rmtree(partial)
                os.close(lock)
                removed.append(partial)
    return removed


def check_writable(out: Path) -> None:
    """Fail before the work rather than after it where results could not be written.

    Raises
    ------
    ResultsError : the folder cannot be written, or is inside a results folder.
    """
    place = out
    try:
        _refuse_inside_results(out)
        while not place.exists():
            place = place.parent
    except OSError as error:  # a name too long is neither there nor absent
        raise _write_error(out, error) from error
    try:
        with TemporaryDirectory(dir=place):  # what the system says of rights is not all there is
            pass
    except OSError as error:
        raise _write_error(out, error) from error


def check_writable_file(path: Path) -> None:
    """Fail before the work rather than after it where a file could not be written.

    Raises
    ------
    ResultsError : no such folder, or one that cannot be written, or the name of a folder.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if path.exists():
            with path.open("ab"):  # as it is, only opened
                pass
        else:
            with TemporaryFile(dir=path.parent):
                pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"cannot write {str(path)!r}: {reason}; name another file.") from error


def _refuse_inside_results(out: Path) -> None:
    """A results folder stays as its command wrote it: nothing else is written into it."""
    for place in (out.resolve(), *out.resolve().parents):
        if (place / "manifest.json").is_file() and (place / "page.json").is_file():
            raise ResultsError(
                f"{str(out)!r} is inside the results folder {place.name}, which stays as its "
                "command wrote it; choose another with --out."
            )


def _write_error(out: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(
        f"cannot write results in {str(out)!r}: {reason}; choose another with --out."
    )
