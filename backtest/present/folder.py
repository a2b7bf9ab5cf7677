"""Results folders are written under a temporary name and renamed when complete."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backtest.types import ResultsError


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
        folder = _new_folder(out, name)
    except OSError as error:
        raise _write_error(out, error) from error
    try:
        yield folder
        os.rename(folder.partial, folder.final)
    except BaseException as error:
        shutil.rmtree(folder.partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise _write_error(out, error) from error
        raise


def _new_folder(out: Path, name: str) -> ResultsFolder:
    """Make the `.partial` folder of the first stamp that no other run has taken."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = ResultsFolder(out / f"{stamp}_{name}.partial", out / f"{stamp}_{name}", stamp)
        # mkdir decides between runs of the same second: it fails for all of them but one.
        try:
            folder.partial.mkdir()
        except FileExistsError:
            pass
        else:
            if not folder.final.exists():
                return folder
            folder.partial.rmdir()
        time.sleep(0.1)


def check_writable(out: Path) -> None:
    """Fail before the work rather than after it where results could not be written."""
    place = out
    try:
        while not place.exists():
            place = place.parent
    except OSError as error:  # a name too long is neither there nor absent
        raise _write_error(out, error) from error
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise ResultsError(
            f"cannot write results in {str(out)!r}; choose another folder with --out."
        )


def _write_error(out: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(
        f"cannot write results in {str(out)!r}: {reason}; choose another with --out."
    )
