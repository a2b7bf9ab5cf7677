"""Tables as CSV files: names survive the round trip, and no spreadsheet takes one for a formula."""

import csv
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_string_dtype

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet computes
MARK = "'"  # in front of such a cell: spreadsheets show the rest as it is
NAMES = ("model", "portfolio", "reason", "name")  # columns of text, whatever the text looks like


def write_csv(table: pd.DataFrame, path: Path, *, read_again: bool = True, **options: Any) -> None:
    """Write a table; text that begins like a formula, or with the mark itself, gets the mark.

    read_again : False for a table that only people read: text that begins with the mark stays as it
        is then, and `read_csv` would take the mark off.
    options : of `DataFrame.to_csv`.
    """
    plain = table.copy(deep=False)
    mark = _marked if read_again else _guarded
    plain.columns = plain.columns.map(mark)
    plain.index = _marked_index(table.index, mark)
    levels = plain.index.levels if isinstance(plain.index, pd.MultiIndex) else [plain.index]
    texts: list[Any] = [plain.columns, *(x for x in levels if is_string_dtype(x.dtype))]
    for place, kind in enumerate(plain.dtypes):
        if is_string_dtype(kind) or isinstance(kind, pd.CategoricalDtype):
            plain.isetitem(place, _each(plain.iloc[:, place], mark))
            texts.append(plain.iloc[:, place])
    # Python before 3.13 puts no quotes around a lone carriage return, which then ends a row.
    if any("\r" in str(cell) for cells in texts for cell in cells):
        options = {"quoting": csv.QUOTE_NONNUMERIC} | options
    plain.to_csv(path, lineterminator="\n", **options)


def _marked_index(index: pd.Index, mark: Callable[[Hashable], Hashable]) -> pd.Index:
    if isinstance(index, pd.MultiIndex):
        levels: Any = [_marked_index(level, mark) for level in index.levels]
        return index.set_levels(levels)
    return index.map(mark) if is_string_dtype(index.dtype) else index


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table that `write_csv` wrote; 'NA', '001' and '' are names like any other.

    Raises
    ------
    OSError, ValueError : a file that cannot be read, or whose rows are not all as long.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    widths = {len(row) for row in rows}
    if len(widths) != 1:  # pandas fills a row that was cut off
        raise ValueError(f"rows of {sorted(widths)} cells")
    empty = {column: [""] for column in rows[0] if column not in NAMES}
    names: Any = dict.fromkeys(NAMES, str)
    table = pd.read_csv(path, dtype=names, keep_default_na=False, na_values=empty)
    for place, kind in enumerate(table.dtypes):
        if is_string_dtype(kind):
            table.isetitem(place, _each(table.iloc[:, place], _unmarked))
    table.columns = table.columns.map(_unmarked)
    return table


def _each(column: pd.Series, function: Callable[[Hashable], Hashable]) -> Any:
    return column.astype(object).map(function)


def _marked(value: Hashable) -> Hashable:
    """A cell with the mark where it needs one.

    Examples
    --------
    >>> [_marked(cell) for cell in ("=1+1", "-0.5", "'x", "BTC", 2.0)]
    ["'=1+1", '-0.5', "''x", 'BTC', 2.0]
    """
    if not isinstance(value, str) or not value.startswith((*FORMULA, MARK)):
        return value
    try:
        float(value)
    except ValueError:
        return MARK + value
    return value  # a number is no formula


def _guarded(value: Hashable) -> Hashable:
    """A cell with the mark where a spreadsheet would compute it, and only there.

    Examples
    --------
    >>> [_guarded(cell) for cell in ("=1+1", "'x' and 'y'", 2.0)]
    ["'=1+1", "'x' and 'y'", 2.0]
    """
    return value if isinstance(value, str) and value.startswith(MARK) else _marked(value)


def _unmarked(value: Hashable) -> Hashable:
    return value.removeprefix(MARK) if isinstance(value, str) else value
