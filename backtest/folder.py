"""Results folders are written aside and renamed at the end: complete, or not there at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .types import ResultsError


@contextmanager
def written_aside(out: Path, name: str) -> Iterator[Path]:
    """A `.partial` folder that becomes `out/name` when the block ends well, and goes if not."""
    partial = out / f"{name}.partial"
    try:
        out.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise ResultsError(
            f"cannot write results in {str(out)!r}: {error.strerror}; choose another with --out."
        ) from error
    try:
        yield partial
        final = out / name
        if final.exists():
            raise ResultsError(f"{str(final)!r} is there already; results are written once.")
        os.rename(partial, final)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise ResultsError(f"cannot write results in {str(out)!r}: {error}.") from error
        raise


def check_writable(out: Path) -> None:
    """Fail before the work rather than after it where results could not be written."""
    place = out
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise ResultsError(
            f"cannot write results in {str(out)!r}; choose another folder with --out."
        )
