"""A table of given margins read from a frame or a file of any size: CSV, parquet, workbook."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtest.replay.validation.layout import LABELS, Layout, layout_of
from backtest.types import (
    MIDNIGHT,
    DataError,
    Dates,
    FloatArray,
    open_regular,
    parse_day,
    read_regular,
    shown,
)
from backtest.workbook import ENDINGS as WORKBOOKS
from backtest.workbook import sheets_of

if TYPE_CHECKING:
    import pyarrow as pa

Codes = NDArray[np.intp]
YEARS = (1900, 2200)  # outside, a date is a typing error, and pandas knows no such nanoseconds
BLANKS = ("", "nan", "na", "n/a", "#n/a", "null")  # how programs write a cell without a number


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table: a day each, and for a long table labels and numbers.

    Parameters
    ----------
    dates : the days there are, in order. day : of each row, its place among `dates`.
    labels : names in the order in which they come, and the place of each row's, by column.
    numbers : (rows,) by quantity for a long table, by (quantity, account) for a wide one; NaN
        where the cell is blank.
    """

    where: str
    layout: Layout
    dates: Dates
    day: Codes
    labels: dict[str, tuple[tuple[str, ...], Codes]]
    numbers: dict[str | tuple[str, str], FloatArray]


def read_rows(table: pd.DataFrame | str | Path) -> Rows:
    """Read a table of given margins.

    Raises
    ------
    DataError : a file that cannot be read, columns that are missing or unknown, a date that is
        none, a cell that is no number.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"date": ["2024-01-02"], "account": ["A"], "loss": [1.0], "required": [2.0]}
    ... )
    >>> read_rows(frame).dates
    array(['2024-01-02'], dtype='datetime64[D]')
    """
    if isinstance(table, pd.DataFrame):
        where, frame = "the table", _plain_frame(table)
        layout = layout_of(list(frame.columns), where)
    else:
        path = Path(table)
        where = repr(path.name)
        frame, layout = _file(path, where)
    if not len(frame):
        raise DataError(f"{where} has no row; give a row for each date and account.")
    dates, day = _days(frame[layout.columns["date"]], where)
    labels = {
        meaning: _names(frame[layout.columns[meaning]])
        for meaning in LABELS
        if meaning in layout.columns
    }
    places: dict[str | tuple[str, str], str] = dict(layout.wide.items())
    places |= {
        meaning: name
        for meaning, name in layout.columns.items()
        if meaning not in ("date", *LABELS)
    }
    numbers = {meaning: _floats(frame[name], where) for meaning, name in places.items()}
    return Rows(where, layout, dates, day, labels, numbers)


def _plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with its dates and accounts as columns, and one line of heads."""
    names = [name for name in frame.index.names if name is not None]
    plain = frame.reset_index() if names else frame
    if isinstance(frame.columns, pd.MultiIndex):
        heads = [":".join(str(part) for part in head if str(part)) for head in plain.columns]
        return plain.set_axis(heads, axis=1)
    return plain.set_axis([str(name) for name in plain.columns], axis=1)


def _file(path: Path, where: str) -> tuple[pd.DataFrame, Layout]:
    readers = {".csv": _csv, ".parquet": _parquet} | dict.fromkeys(WORKBOOKS, _workbook)
    if path.suffix.lower() not in readers:
        raise DataError(f"{where} is no .csv, .parquet or .xlsx; save the table as one of them.")
    with _read_faults(path, where):
        table, layout = readers[path.suffix.lower()](path, where)
        # Arrow's columns are let go one by one as numpy's are made.
        return table.to_pandas(split_blocks=True, self_destruct=True), layout


@contextmanager
def _read_faults(path: Path, where: str) -> Iterator[None]:
    """DataError for what the system or the file's format says."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or "it is no such file"
        raise DataError(f"cannot read {str(path)!r}: {reason}; give another.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is no text in UTF-8; save it so.") from error
    except ValueError as error:  # of Arrow, whose lines can be many
        if isinstance(error, DataError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{where} cannot be read ({reason}); mend or save it again.") from error


def _csv(path: Path, where: str) -> tuple["pa.Table", Layout]:
    """A CSV file; names are text, whatever they look like."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with open_regular(path) as file:
        first = file.readline().decode("utf-8-sig")
    heads = next(csv.reader([first]), [])
    layout = layout_of(heads, where)
    text = pa.dictionary(pa.int32(), pa.string())
    words = {layout.columns[name] for name in ("date", *LABELS) if name in layout.columns}
    kinds = {name: text if name in words else pa.float64() for name in heads}
    for types in (kinds, dict.fromkeys(heads, text)):
        try:
            with open_regular(path) as file:
                options = arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
                return arrow_csv.read_csv(file, convert_options=options), layout
        except pa.ArrowInvalid as error:
            # Read as text, the cell that is no number is found and named later.
            if "conversion error" not in str(error) or types is not kinds:
                raise
    raise AssertionError("one of the two readings returns or raises")


def _parquet(path: Path, where: str) -> tuple["pa.Table", Layout]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_regular(path) as file:
        schema = pq.read_schema(file)
    layout = layout_of([n for n in schema.names if not n.startswith("__index_level")], where)
    names = [*layout.columns.values(), *layout.wide.values()]
    text = [n for n in names if pa.types.is_string(schema.field(n).type)]
    with open_regular(path) as file:
        table = pq.read_table(file, columns=names, read_dictionary=text, use_pandas_metadata=False)
    return table.replace_schema_metadata(None), layout


def _workbook(path: Path, where: str) -> tuple["pa.Table", Layout]:
    """The one sheet of a workbook whose headings are those of a table of margins."""
    import pyarrow as pa

    found: dict[str, tuple[Layout, list[list[str]]]] = {}
    refused: DataError | None = None
    for sheet in sheets_of(read_regular(path), where):
        filled = [row for row in sheet.rows if any(row)]
        try:
            found[sheet.name] = layout_of(filled[0] if filled else [], where), filled
        except DataError as error:
            refused = refused or error
    if len(found) > 1:
        raise DataError(
            f"{where} has tables in the sheets {' and '.join(map(repr, found))}; save the one that "
            "is meant alone."
        )
    if not found:
        raise refused or DataError(f"{where} has no sheet of cells; save the table in one.")
    [(layout, (heads, *rows))] = found.values()
    for number, row in enumerate(rows, start=1):
        if len(row) > len(heads):
            raise DataError(
                f"{where}, row {number} of its data, has {shown(row[-1])} right of the headings; "
                "give its column one, or empty it."
            )
    columns = zip_longest(heads, *rows, fillvalue="")
    return pa.table({name: list(cells) for name, *cells in columns}), layout


def _days(column: pd.Series, where: str) -> tuple[Dates, Codes]:
    """The days of a column in order, and the place of each row's among them."""
    codes, found = pd.factorize(column)
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        raise DataError(f"{where}, row {row + 1} of its data, has no date; give one as YYYY-MM-DD.")
    days = np.array(
        [parse_day(_midnight(day), f"a date of {where}", DataError) for day in found],
        dtype="datetime64[D]",
    )
    dates, places = np.unique(days, return_inverse=True)
    for day in (dates[0], dates[-1]):
        if not YEARS[0] <= day.astype("M8[Y]").astype(int) + 1970 < YEARS[1]:
            raise DataError(f"a date of {where} is {day}, which is no day of a margin; mend it.")
    return dates, places.astype(np.intp)[codes]


def _midnight(day: Any) -> Any:
    """A day as it is, without a time zone and a time of midnight."""
    if isinstance(day, pd.Timestamp):
        return day.tz_localize(None) if day.tzinfo is not None else day
    return MIDNIGHT.sub("", day.strip()) if isinstance(day, str) else day


def _names(column: pd.Series) -> tuple[tuple[str, ...], Codes]:
    """Names in the order in which they come; a blank one is ''."""
    codes, found = pd.factorize(column, use_na_sentinel=True)
    names = [str(name).strip() for name in found]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(names), codes)
        names.append("")
    unique = tuple(dict.fromkeys(names))
    if len(unique) < len(names):  # 'A' and 'A '
        codes = np.array([unique.index(name) for name in names])[codes]
    return unique, codes


def _floats(column: pd.Series, where: str) -> FloatArray:
    """Numbers of a column; NaN where it is blank."""
    plain = column
    if isinstance(column.dtype, pd.CategoricalDtype):
        plain = column.astype(object)
    if plain.dtype == object or isinstance(plain.dtype, pd.StringDtype):
        blank = plain.isna() | plain.astype(str).str.strip().str.lower().isin(BLANKS)
        numbers = pd.to_numeric(plain.where(~blank), errors="coerce")
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.isnan(values) & ~blank.to_numpy()
    elif plain.dtype == bool or not pd.api.types.is_numeric_dtype(plain.dtype):
        values, wrong = np.zeros(len(plain)), np.ones(len(plain), dtype=np.bool_)
    else:
        values = plain.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.isinf(values)
    if not wrong.any():
        wrong = np.isinf(values)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        cell = plain.iloc[row]
        raise DataError(
            f"{where}, row {row + 1} of its data, has "
            f"{shown(cell.item() if isinstance(cell, np.generic) else cell)} in column "
            f"{shown(str(column.name))}, which is no number ({int(wrong.sum()):,} such cells); "
            "give plain numbers with a point, or leave the cell blank."
        )
    return values
