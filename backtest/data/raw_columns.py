"""Every factor as its file has it, in the project's own layout or in one that is recognised."""

from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from backtest.data.cache import check_fetched
from backtest.data.columns import YIELDS_FILE, FactorColumn, factor_column
from backtest.data.foreign import Foreign
from backtest.data.own_file import is_own, read_own
from backtest.types import read_regular

Columns: TypeAlias = "dict[str, tuple[pd.Series, FactorColumn]]"


@dataclass(frozen=True)
class SourceFile:
    """A file that was read, for the manifest: its name, its sha256, and how it was read."""

    name: str
    sha256: str
    read_as: str = ""


def raw_columns(
    foreign: Foreign, factors: tuple[str, ...], files_read: dict[str, SourceFile]
) -> Columns:
    """Values of every factor in the unit of the project's own files, and where they were found.

    Raises
    ------
    DataError : a file, column or value that cannot be used.
    """
    places = {name: factor_column(name) for name in factors}
    # The par yields first: they decide the days of a market.
    files = dict.fromkeys(sorted((p.file for p in places.values()), key=YIELDS_FILE.__ne__))
    columns: Columns = {}
    for file in files:
        here = {name: place for name, place in places.items() if place.file == file}
        own = {n: p for n, p in here.items() if _is_own(foreign, n, p)}
        if own:
            columns |= _own_columns(foreign, own, files_read)
        for name in here.keys() - own.keys():
            columns[name] = foreign.column(name, here[name])
    _list(foreign, places, files_read)
    return {name: columns[name] for name in factors}


def _is_own(foreign: Foreign, factor: str, place: FactorColumn) -> bool:
    """Whether a factor is in its own file; one that nothing else can read is refused as such."""
    path = foreign.folder / place.file
    if path.name in foreign.hows or any(factor in how.columns for how in foreign.hows.values()):
        return False
    return is_own(path, place.column) or (
        path.is_file() and not foreign.holders(factor, own=place.file)
    )


def _own_columns(
    foreign: Foreign, places: dict[str, FactorColumn], files_read: dict[str, SourceFile]
) -> Columns:
    """Columns of one file in the project's own layout."""
    place = next(iter(places.values()))
    table, sha256 = read_own(
        foreign.folder / place.file, sorted({p.column for p in places.values()})
    )
    blanks = int(table.isna().to_numpy().sum())
    words = (
        f"{place.file}: read as a file of this program, {place.unit}, {table.index[0]:%Y-%m-%d} .. "
        f"{table.index[-1]:%Y-%m-%d}; {', '.join(places)}"
        if len(table)
        else ""
    )
    if blanks:
        words += f"; {blanks:,} blank{'s' if blanks > 1 else ''}"
    files_read[place.file] = SourceFile(place.file, sha256, words)
    return {name: (table[p.column].dropna(), p) for name, p in places.items()}


def _list(
    foreign: Foreign, places: dict[str, FactorColumn], files_read: dict[str, SourceFile]
) -> None:
    """List the files in other layouts from which factors were taken."""
    taken: dict[str, list[str]] = {}
    for name, place in places.items():
        if not _is_own(foreign, name, place):
            for reading in foreign.holders(name, own=place.file):
                taken.setdefault(reading.file, []).append(name)
    for file, names in taken.items():
        check_fetched(foreign.folder / file, read_regular(foreign.folder / file))
        line = foreign.readings[file].line(names)
        files_read[file] = SourceFile(file, foreign.hashes[file], line)
