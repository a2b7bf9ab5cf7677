"""Code beside a study: read from its source alone, and named with its sha256 before it runs.

Python takes compiled code from `__pycache__` where size and time of the source fit, whatever the
source says. What runs here is the source whose hash is on the screen and in the manifest.
"""

import hashlib
import importlib
import sys
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from typing import Any

from backtest.model.opened_files import installed
from backtest.workers import at_start

_folders: tuple[str, ...] = ()  # of studies, in the order in which they are searched
_ran: dict[Path, bytes] = {}  # source of each file that ran here
_aloud = True


class _FromSource(SourceFileLoader):
    def path_stats(self, path: Any) -> Any:
        raise OSError  # Python's word for: keep no compiled code, and look for none

    def source_to_code(self, data: Any, path: Any, **options: Any) -> Any:  # type: ignore[override]
        # The types name options that Python does not: all are handed on.
        file, content = Path(path), bytes(data)
        if _aloud and _ran.get(file) != content:
            sha256 = hashlib.sha256(content).hexdigest()
            print(f"runs code from {file.name}, sha256 {sha256}", flush=True)
        _ran[file] = content
        return super().source_to_code(data, path, **options)


def import_from(folders: tuple[str, ...], aloud: bool = True) -> None:
    """Let Python import modules from `folders`, after all others, and workers too.

    No file in them replaces an installed module, and none of the present folder one of theirs.
    aloud : say what runs before it does.
    """
    global _folders, _aloud
    _folders, _aloud = folders, aloud
    # `python -m` puts the present folder first, as '' or by its name.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", *folders)] + list(folders)
    if _hook not in sys.path_hooks:
        sys.path_hooks.insert(0, _hook)
    for entry in folders:  # Python remembers how it searched a folder
        sys.path_importer_cache.pop(entry, None)
    importlib.invalidate_caches()
    at_start[import_from] = (folders, False)  # this process has said it


def sources_that_ran() -> dict[str, bytes]:
    """Every source from beside a study that ran in this process, by its sha256."""
    return {hashlib.sha256(content).hexdigest(): content for content in _ran.values()}


def source_that_ran(file: Path) -> bytes:
    """The source of a module, as it was when it ran if it came from beside a study."""
    return _ran.get(file) or file.read_bytes()


def _hook(folder: str) -> FileFinder:
    """How Python searches a folder of a study, or one of packages in it."""
    inside = any(Path(folder).is_relative_to(place) for place in _folders)
    if folder not in _folders and (not inside or installed(folder)):
        raise ImportError
    return FileFinder(
        folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_FromSource, SOURCE_SUFFIXES)
    )
