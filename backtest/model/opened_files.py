"""Files that a model opens while it is imported or asked: a margin rests on what is in them.

Python reports to audit hooks (PEP 578) every file that it opens, for numpy and pandas as well.
Libraries that open files in C++ of their own (pyarrow, so `pd.read_parquet`; HDF5) and other
processes report nothing, and are not seen.
"""

import hashlib
import os
import site
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import source_from_cache
from pathlib import Path
from threading import get_ident
from typing import Any

SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/lib", "/usr/lib", "/usr/share/zoneinfo")
PACKAGES = ("site-packages", "dist-packages")  # folders of installed packages, by name
COMPILED = (".nbi", ".nbc")  # what numba keeps of compiled functions
BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True, order=True)
class OpenedFile:
    """A file that a model opened: its path, and what was in it when it was first opened.

    Parameters
    ----------
    name : absolute path, or relative to the study file or the working directory (see `placed`).
    size : bytes.
    """

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, path: str) -> "OpenedFile":
        """Read a file; OSError where it cannot be read."""
        digest, size = hashlib.sha256(), 0
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
        return cls(path, digest.hexdigest(), size)


def placed(files: set[OpenedFile], *folders: Path) -> tuple[OpenedFile, ...]:
    """Files in order of their names, relative to the first of `folders` that holds them.

    Examples
    --------
    >>> placed({OpenedFile("/study/a.csv", "ab", 2), OpenedFile("/b.csv", "cd", 3)}, Path("/study"))
    (OpenedFile(name='/b.csv', sha256='cd', size=3), OpenedFile(name='a.csv', sha256='ab', size=2))
    """

    def label(file: OpenedFile) -> str:
        path = Path(file.name)
        holds = (folder for folder in map(Path.resolve, folders) if path.is_relative_to(folder))
        folder = next(holds, None)
        return (path if folder is None else path.relative_to(folder)).as_posix()

    return tuple(sorted(replace(file, name=label(file)) for file in files))


def opened_facts(files: Iterable[OpenedFile]) -> list[tuple[str, str]]:
    """Size and hash of each file, for a page's list."""
    return [
        (f"a model opened {file.name}", f"{file.size:,} bytes, sha256 {file.sha256}")
        for file in files
    ]


_recorders: list[set[OpenedFile]] = []  # sets that record, the innermost last
_watched = 0  # models that are being asked or imported, one inside another
_seen: dict[tuple[str, int, int], OpenedFile] = {}  # by path, time of change and size
_reading: set[int] = set()  # threads in which the hook itself reads a file


@contextmanager
def recording(files: set[OpenedFile]) -> Iterator[None]:
    """Add to `files` what models open inside the `with`.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> files = set()
    >>> with NamedTemporaryFile(suffix=".csv") as file, recording(files):
    ...     with watched():
    ...         content = Path(file.name).read_text()
    >>> [opened.size for opened in files]
    [0]
    """
    _install()
    _recorders.append(files)
    try:
        yield
    finally:
        # By identity: two empty sets are equal.
        _recorders[:] = [other for other in _recorders if other is not files]


@contextmanager
def watched() -> Iterator[None]:
    """Record the files that are opened inside the `with`, by whichever thread."""
    global _watched
    _watched += 1
    try:
        yield
    finally:
        _watched -= 1


def note_opened(files: set[OpenedFile]) -> None:
    """Add files that another process, or an earlier import, opened to every set that records."""
    for recorder in _recorders:
        recorder |= files


@cache
def _install() -> None:
    """Hooks stay for as long as Python runs, so there is one."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _watched or not _recorders or get_ident() in _reading:
        return
    path, mode, flags = arguments
    if isinstance(path, int) or not _reads(mode, flags):
        return
    _reading.add(get_ident())
    try:
        file = _opened(os.path.realpath(os.fsdecode(path)))
    except (OSError, ValueError):  # what cannot be read is the model's to say
        return
    finally:
        _reading.discard(get_ident())
    if file is not None:
        note_opened({file})


def _reads(mode: str | None, flags: int) -> bool:
    if mode is None:  # os.open
        return flags & os.O_ACCMODE != os.O_WRONLY
    return "r" in mode or "+" in mode


def _opened(path: str) -> OpenedFile | None:
    """A regular file outside Python, the package and the system, with its content's sha256."""
    if path.endswith(".pyc"):
        path = source_from_cache(path)
    if path.endswith(COMPILED) or installed(path):
        return None
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        return None
    key = (path, found.st_mtime_ns, found.st_size)
    if key not in _seen:
        _seen[key] = OpenedFile.of(path)
    return _seen[key]


def installed(path: str) -> bool:
    """Whether a path lies in Python, an installed package, this one or the system."""
    return any(Path(path).is_relative_to(place) for place in _installed())


@cache
def _installed() -> tuple[str, ...]:
    """Folders of Python, of installed packages, of this package, of the system."""
    rooms = Path(__file__).resolve().parents[1]
    folders = [sys.prefix, sys.base_prefix, *site.getsitepackages(), site.getusersitepackages()]
    # A second environment on the path (a .pth file, PYTHONPATH) holds installed packages too.
    folders += [place for place in sys.path if Path(place).name in PACKAGES]
    folders += [str(rooms), str(rooms.parent / "strategies")]
    return tuple(os.path.realpath(folder) for folder in folders) + SYSTEM
