"""Results folders are written aside and renamed at the end: complete, or not there at all."""

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
class Aside:
    """Where a results folder is written, where it will be, and its stamp (UTC)."""

    folder: Path
    final: Path
    stamp: str


@contextmanager
def written_aside(out: Path, name: str) -> Iterator[Aside]:
    """A `.partial` folder that becomes `out/<UTC>_<name>` when the block ends well, else goes.

    The stamp is of the second; where a run of the same name took it, the next one is waited for.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside = _free(out, name)
    except OSError as error:
        raise _refused(out, error) from error
    try:
        yield aside
        os.rename(aside.folder, aside.final)
    except BaseException as error:
        shutil.rmtree(aside.folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _refused(out, error) from error
        raise


def _free(out: Path, name: str) -> Aside:
    """The first stamp whose folder no one has: whoever makes the `.partial` holds the name."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        final = out / f"{stamp}_{name}"
        partial = out / f"{final.name}.partial"
        try:
            partial.mkdir()
        except FileExistsError:
            pass
        else:
            if not final.exists():
                return Aside(partial, final, stamp)
            partial.rmdir()
        time.sleep(0.1)


def check_writable(out: Path) -> None:
    """Fail before the work rather than after it where results could not be written."""
    place = out
    try:
        while not place.exists():
            place = place.parent
    except OSError as error:  # a name too long is neither there nor absent
        raise _refused(out, error) from error
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise ResultsError(
            f"cannot write results in {str(out)!r}; choose another folder with --out."
        )


def _refused(out: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(
        f"cannot write results in {str(out)!r}: {reason}; choose another with --out."
    )
