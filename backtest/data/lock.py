"""One fetch at a time writes into a cache: two would mix their manifests."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backtest.data.cache import PARTIAL
from backtest.types import DataError

LOCK = ".lock"
WAIT, BETWEEN = 10.0, 0.2  # seconds: in all, and from one look to the next


@contextmanager
def locked(
    folder: Path,
    *,
    sleep: Callable[[float], object] = time.sleep,
    waiting: Callable[[str], object] = lambda said: None,
) -> Iterator[None]:
    """Keep other fetches out of a folder; what an earlier one left half-written is removed.

    The lock is the system's (flock), not the file: it ends with the process that holds it, however
    that ends.

    Parameters
    ----------
    waiting : called once, with a line, where another fetch has to be waited for.

    Raises
    ------
    DataError : a folder that cannot be written, or in which another fetch is still writing.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, locked(Path(folder)):
    ...     [path.name for path in Path(folder).iterdir()]
    ['.lock']
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
        file = (folder / LOCK).open("a")
    except OSError as error:
        raise DataError(f"cannot write in {str(folder)!r}; choose another --cache.") from error
    with file:
        if not _acquired(file):
            waiting(f"another fetch is writing into {str(folder)!r}, waiting up to {WAIT:g} s")
            for _ in range(round(WAIT / BETWEEN)):
                sleep(BETWEEN)
                if _acquired(file):
                    break
            else:
                raise DataError(
                    f"another fetch is writing into {str(folder)!r}; wait until it has ended."
                )
        for left in folder.glob(f".*{PARTIAL}"):
            left.unlink()
        yield


def _acquired(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
