"""The cache of fetched prices: CSV files and a manifest that holds the sha256 of each.

A file is replaced in three steps, each of them atomic: the manifest takes the new entry beside the
old, the file is renamed into place, the manifest drops the old entry. Wherever a fetch is cut off,
the file is one whole version, and the entry whose sha256 matches it is the valid one.
"""

import hashlib
import io
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from backtest.data.history import difference_line
from backtest.parameters.registry import first_mistake
from backtest.types import DataError

MANIFEST = "manifest.json"
PARTIAL = ".partial"  # ends the name of a file until it is whole
KIND = "margin-backtest data cache"  # other programs write a manifest.json too


@dataclass(frozen=True)
class Entry:
    """What the manifest records about one file.

    first, last : days, ISO. rows : days with a value in any column. fetched_at : UTC, ISO.
    rewrites : changes of history that later fetches found, see `history.difference`.
    """

    source: str
    codes: list[str]
    factors: list[str]
    units: list[str]
    first: str
    last: str
    rows: int
    fetched_at: str
    sha256: str
    warnings: list[str] = field(default_factory=list)
    rewrites: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Cache:
    """A folder of CSV files that `backtest fetch` wrote.

    Raises
    ------
    DataError : a manifest that cannot be read.
    """

    folder: Path
    entries: dict[str, Entry] = field(init=False)

    def __post_init__(self) -> None:
        self.entries = _read_manifest(self.folder) or {}

    def read(self, name: str) -> pd.DataFrame | None:
        """Read a cached file by date; None where it is absent or was changed after its fetch."""
        path = self.folder / name
        if name not in self.entries or not path.is_file():
            return None
        raw = path.read_bytes()
        if sha256(raw) != self.entries[name].sha256:
            return None
        return pd.read_csv(io.BytesIO(raw), index_col="Date", parse_dates=["Date"])

    def check_free(self, name: str) -> None:
        """Raise DataError where a file exists and no fetch wrote it."""
        if (self.folder / name).exists() and name not in self.entries:
            raise DataError(
                f"{name} in {str(self.folder)!r} is not from a fetch and would be overwritten; "
                "choose another --cache or move it away."
            )

    def put(self, name: str, content: bytes, entry: Entry) -> None:
        """Replace a file and its entry; an interruption at any step leaves the cache valid."""
        self._write_manifest(in_flight={name: entry})
        _replace(self.folder / name, content)
        self.entries[name] = entry
        self._write_manifest(in_flight={})

    def listed(self) -> dict[str, Entry]:
        """Return the entries by file name; DataError where no file was fetched."""
        if not self.entries:
            raise DataError(f"nothing was fetched into {str(self.folder)!r}; run `backtest fetch`.")
        return self.entries

    def verify(self) -> int:
        """Hash every file again and return how many agree with the manifest.

        Raises
        ------
        DataError : no file was fetched, a file is gone, or its bytes changed after the fetch.
        """
        wrong = []
        for name, entry in self.listed().items():
            path = self.folder / name
            raw = path.read_bytes() if path.is_file() else None
            if raw is None or sha256(raw) != entry.sha256:
                wrong.append(_mismatch(path, entry, raw))
        if wrong:
            more = f" ({len(wrong) - 1} more files are wrong too.)" if len(wrong) > 1 else ""
            raise DataError(wrong[0] + more)
        return len(self.entries)

    def _write_manifest(self, in_flight: dict[str, Entry]) -> None:
        manifest = {
            "kind": KIND,
            "files": {name: asdict(self.entries[name]) for name in sorted(self.entries)},
            "in_flight": {name: asdict(entry) for name, entry in in_flight.items()},
        }
        _replace(self.folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def sha256(raw: bytes) -> str:
    """Hexadecimal sha256 of some bytes."""
    return hashlib.sha256(raw).hexdigest()


def check_fetched(path: Path, raw: bytes) -> None:
    """Raise DataError where the manifest beside `path` gives another sha256 than that of `raw`."""
    entry = (_read_manifest(path.parent) or {}).get(path.name)
    if entry is not None and sha256(raw) != entry.sha256:
        raise DataError(_mismatch(path, entry, raw))


def _mismatch(path: Path, entry: Entry, raw: bytes | None) -> str:
    actual = "no file" if raw is None else f"sha256 {sha256(raw)[:12]}"
    return (
        f"{path.name} is not as it was fetched on {entry.fetched_at[:10]}: expected sha256 "
        f"{entry.sha256[:12]}, found {actual}; run `backtest fetch --only {path.stem} --cache "
        f"{path.parent}`, or keep files of your own in a folder without a manifest."
    )


def _read_manifest(folder: Path) -> dict[str, Entry] | None:
    """Entries by file name; None for a folder that no fetch has written to."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest.get("kind") != KIND:
            return None
        entries = {name: _entry(table) for name, table in manifest["files"].items()}
        # A fetch was cut off between steps: its entry counts only if its file had been renamed.
        for name, entry in manifest["in_flight"].items():
            arrived = path.with_name(name)
            if arrived.is_file() and sha256(arrived.read_bytes()) == entry["sha256"]:
                entries[name] = _entry(entry)
        return entries
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{str(path)!r} cannot be read ({_reason(error)}); remove it and the CSV files, and "
            "fetch again."
        ) from error


def _entry(table: Any) -> Entry:
    """An entry of the manifest, every field of the type that is printed later."""
    entry = TypeAdapter(Entry).validate_python(table)
    for rewrite in entry.rewrites:
        difference_line(rewrite), str(rewrite["against"])
    return entry


def _reason(error: Exception) -> str:
    return first_mistake("files", error) if isinstance(error, ValidationError) else str(error)


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside `path`, then rename it: a reader never sees a part of a file."""
    part = path.with_name(f".{path.name}.{uuid4().hex}{PARTIAL}")  # no other process's
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise DataError(
                f"cannot write {str(path)!r} ({error.strerror}); choose another --cache."
            ) from error
        raise
