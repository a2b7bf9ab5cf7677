"""Results folders whose seal was made again after a table, an entry or a file was changed."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.faults.case import REFUSE, SANE, Case, End
from tests.faults.folders import NOT_ACCEPTED, Change, entries, prepared, with_entry

Edit = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]
VALUES: tuple[Any, ...] = (None, -1, 0, 1e308, 10**400, "", "x", "NaN", [], {}, [[]], True)
PATHS = ("../../etc/passwd", "/etc/passwd", "..", "", ".", "a\0b", "x" * 5000, "figures", "é")


def seal(folder: Path, table: dict[str, Any] | None = None) -> None:
    """Give a folder the seal that its files, and the entries of its manifest, should have."""
    manifest = folder / "manifest.json"
    sealed = json.loads(manifest.read_text()) if table is None else table
    sealed.pop("manifest_sha256", None)
    if isinstance(sealed.get("files"), dict):
        for name in sealed["files"]:
            if len(name) < 200 and "\0" not in name and (folder / name).is_file():
                content = (folder / name).read_bytes()
                sealed["files"][name] = hashlib.sha256(content).hexdigest()
    text = json.dumps(sealed, sort_keys=True)
    sealed["manifest_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    manifest.write_text(json.dumps(sealed))


def _cell(value: Any) -> Edit:
    """One cell of a column of numbers drawn, or of text where there is none, replaced."""

    def edit(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        out = table.copy()
        numbers = list(table.select_dtypes("number").columns) or list(table.columns)
        column = numbers[int(rng.integers(len(numbers)))]
        if isinstance(value, str):
            out[column] = out[column].astype(str)
        elif not pd.api.types.is_numeric_dtype(out[column].dtype):
            out[column] = out[column].astype(object)
        else:
            out[column] = out[column].astype(float)
        out.loc[out.index[int(rng.integers(len(out)))], column] = value
        return out

    return edit


def _without(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return table.drop(columns=table.columns[int(rng.integers(len(table.columns)))])


def _renamed(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return table.rename(columns={table.columns[int(rng.integers(len(table.columns)))]: "x"})


EDITS: dict[str, Edit] = {
    "a NaN": _cell(np.nan),
    "an infinity": _cell(np.inf),
    "a huge number": _cell(1e308),
    "a negative number": _cell(-1e6),
    "text among numbers": _cell("x"),
    "no rows": lambda table, rng: table.iloc[:0],
    "one row": lambda table, rng: table.iloc[:1],
    "rows twice": lambda table, rng: pd.concat([table, table]),
    "a row too few": lambda table, rng: table.iloc[:-1],
    "rows in reverse": lambda table, rng: table.iloc[::-1],
    "a column gone": _without,
    "all columns gone": lambda table, rng: table[[]],
    "a column renamed": _renamed,
    "a column more": lambda table, rng: table.assign(more=1.0),
    "all text": lambda table, rng: table.astype(str),
    "all False": lambda table, rng: pd.DataFrame(False, table.index, table.columns),
}
# What no table can be and still say what was computed.
NONSENSE = ("an infinity", "a huge number", "a negative number", "no rows", "one row", "rows twice")


def _table_changed(name: str, edit: Edit, seed: int) -> Change:
    def change(folder: Path) -> None:
        path, rng = folder / name, np.random.default_rng(seed)
        if path.suffix == ".parquet":
            edit(pd.read_parquet(path), rng).to_parquet(path, index=False)
        else:
            edit(pd.read_csv(path), rng).to_csv(path, index=False)
        seal(folder)

    return change


def _entry_changed(path: tuple[Any, ...], value: Any) -> Change:
    return lambda folder: seal(folder, with_entry(folder, path, value))


def _named(name: str) -> Change:
    def change(folder: Path) -> None:
        table = json.loads((folder / "manifest.json").read_text())
        table["files"][name] = hashlib.sha256(b"").hexdigest()
        seal(folder, table)

    return change


def _study(text: bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / "study.toml").write_bytes(text)
        seal(folder)

    return change


def _linked(name: str, target: str) -> Change:
    def change(folder: Path) -> None:
        place = folder / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        os.symlink(target, place)
        seal(folder)

    return change


def _asked(title: str, change: Change, source: Path, right: frozenset[End]) -> Iterator[Case]:
    for words in (("report", "result"), ("compare", "result", "result"), ("reproduce", "result")):
        # Comparing reads no more than the study itself, and a rerun ends where the prices are read.
        ends = right if words[0] == "report" else SANE
        prepare = prepared(source, change)
        yield Case("folder forged", f"{words[0]}: {title}", words, {}, ends, prepare=prepare)


def sealed_cases(seed: int, source: Path) -> Iterator[Case]:
    """Tables, entries and files changed and sealed again."""
    rng = np.random.default_rng(seed)
    manifest = json.loads((source / "manifest.json").read_text())
    for name in manifest["files"]:
        if not name.endswith((".csv", ".parquet")):
            continue
        for word, edit in EDITS.items():
            change = _table_changed(name, edit, int(rng.integers(99)))
            right = REFUSE if name == "daily.parquet" and word in NONSENSE else SANE
            cases = _asked(f"{name}, {word}", change, source, right)
            yield from cases if name in ("daily.parquet", "scores.parquet") else islice(cases, 1)
    for path in entries(manifest):
        for value in (..., VALUES[int(rng.integers(len(VALUES)))]):
            if path[0] in ("files", "manifest_sha256") and len(path) > 1:
                continue
            word = "taken out" if value is ... else repr(value)[:20]
            change = _entry_changed(path, value)
            title = f"manifest {'.'.join(map(str, path))}: {word}"
            yield from islice(_asked(title, change, source, SANE), 1)
    for name in PATHS:
        yield from _asked(f"a file named {name[:20]!r}", _named(name), source, NOT_ACCEPTED)
    for format_ in (1, 2, 99, "x", None, [], 3.5):
        change = _entry_changed(("format",), format_)
        yield from _asked(f"format {format_!r}", change, source, REFUSE)
    for name, target in (
        ("figures", "/tmp"),
        ("study.toml", "/etc/passwd"),
        ("summary.csv", "../result/book.csv"),
        ("daily.parquet", "/dev/zero"),
    ):
        yield from _asked(f"{name} links to {target}", _linked(name, target), source, SANE)
    for word, text in (
        ("empty", b""),
        ("noise", bytes(range(256))),
        ("another's prices", b"[data]\nsource = '/etc'\n[models]\n[books]\n"),
        ("code", b"[models.m]\nkind = 'this:M'\n[books.b]\nusd = { BTC = 1e6 }\n"),
    ):
        yield from _asked(f"study.toml is {word}", _study(text), source, NOT_ACCEPTED)
