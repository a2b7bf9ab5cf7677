"""A file of any kind recognised, or read as a user says: text, workbook or parquet."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from backtest.data.csv_checks import refuse_repeated
from backtest.data.layouts.cells import DATES, Cells, arranged, cells_of
from backtest.data.layouts.held import Reading
from backtest.data.layouts.how import How
from backtest.data.layouts.known import TENOR, VALUES, Layout, layout_of
from backtest.data.layouts.names import factor_of, factor_of_file
from backtest.data.layouts.numerals import BLANKS
from backtest.data.layouts.stamps import Stamps, stamps_of
from backtest.types import DataError
from backtest.workbook import NO_VALUE, OLE, ZIP, is_workbook, sheets_of

SAID = Layout("said in data.files", lambda cells, names: False)
PARQUET = b"PAR1"
MOST_CELLS = 50_000_000  # a century of days of a thousand series
GZIP = b"\x1f\x8b"
REAL = {"5 yr", "7 yr", "10 yr", "20 yr", "30 yr"}  # all the maturities of real par yields
SECURITY = re.compile(r"(?:Security|Ticker)[ :]+(.+)", re.IGNORECASE)  # above Bloomberg's rows
NUMBER = re.compile(r"[+-]?[$€£¥]?\.?\d")  # how a number begins
FRACTION = re.compile(r"\d+\.\d+ ")  # 1.5 Month: no maturity of whole months


def read_bytes(raw: bytes, file: str, how: How | None = None) -> Reading:
    r"""Recognise a file by its content, or read it as a user says.

    Raises
    ------
    DataError : a file that is no table, or that cannot be recognised: one line with what to say.

    Examples
    --------
    >>> reading = read_bytes(b"observation_date,DGS10\n2024-03-15,4.31\n2024-03-18,.\n", "x.csv")
    >>> reading.line()
    'x.csv: read as FRED, percent, 2024-03-15 .. 2024-03-15; 10Y; 1 blank'
    """
    how = how or How()
    how.check(file)
    if raw.startswith(GZIP):
        raise DataError(f"{file} is packed with gzip; unpack it.")
    if raw.startswith((ZIP, OLE)) or is_workbook(file):
        return _read_workbook(raw, file, how)
    if how.sheet:
        raise DataError(f"{file} is no workbook and has no sheet {how.sheet!r}; leave sheet out.")
    if raw.startswith(PARQUET):
        return _read_parquet(raw, file, how)
    return _recognised(cells_of(_decoded(raw, file), file, how), file, how)


def _decoded(raw: bytes, file: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text; export it as CSV (UTF-8).") from error
    if "\0" in text:
        raise DataError(f"{file} is no text (it holds NUL bytes); export it as CSV (UTF-8).")
    return text


def _read_workbook(raw: bytes, file: str, how: How) -> Reading:
    """The sheet that is said, or the first one that has rows of a day and a value."""
    refused: DataError | None = None
    for sheet in sheets_of(raw, file, sheet=how.sheet, as_shown=True):
        try:
            cells = arranged(list(enumerate(sheet.rows, start=1)), "", file, how)
            if sheet.since_1904 and not how.date_format:
                cells = cells.since_1904()
            return replace(_recognised(cells, file, how), sheet=sheet.name)
        except DataError as error:
            refused = refused or error
    raise refused or DataError(f"{file} has no sheet of cells; save the table in one.")


def _recognised(cells: Cells, file: str, how: How) -> Reading:
    """The layout of cells, and where in it each factor is."""
    layout = SAID if how.columns else layout_of(cells)
    if layout is None:
        raise DataError(
            f"{file} has no headings, and {len(cells.headings)} columns that no known publisher "
            f"writes; say values and date in [data.files.{file!r}] (columns count from '1')."
        )
    places = _places(cells, layout, how, file)
    _refuse_none(places, file)
    return Reading(file, layout, how, cells, places)


def _refuse_none(places: dict[str, int], file: str) -> None:
    if not places:
        raise DataError(
            f"{file} has no column of numbers under one name each; say columns in "
            f"[data.files.{file!r}]."
        )


def _places(cells: Cells, layout: Layout, how: How, file: str) -> dict[str, int]:
    """Column of each factor."""
    headings = cells.headings
    if how.columns:
        return _said(headings, how, file)
    lowered = cells.lowered
    value = next((name for name in layout.columns if name in lowered), None)
    if value is None:
        # Treasury.gov and its copies write real yields under the names of nominal ones.
        tenors = {name for name in lowered if TENOR.fullmatch(name)}
        is_real = tenors == REAL or (tenors and "real" in file.lower())
        return {f"{name} REAL" if is_real else name: at for name, at in _wide(cells).items()}
    places = [at for at, name in enumerate(lowered) if name == value]
    if cells.over:
        return {factor_of(cells.over[at]): at for at in places}
    refuse_repeated(file, lowered, [value])
    if layout.symbol and layout.symbol in lowered:
        symbols = sorted(set(cells.column(lowered.index(layout.symbol))))
        if len(symbols) > 1:
            raise DataError(
                f"{file} holds {len(symbols)} symbols ({', '.join(symbols[:3])}, ...); give one a "
                "file."
            )
        return {factor_of(symbols[0]): places[0]}
    named = (SECURITY.match(title) for title in cells.titles)
    security = next((match[1] for match in named if match), None)
    return {factor_of(security) if security else factor_of_file(file): places[0]}


def _said(headings: Sequence[str], how: How, file: str) -> dict[str, int]:
    """Columns as the user says them."""
    for heading in how.columns.values():
        if headings.count(heading) != 1:
            what = f"{headings.count(heading)} columns" if heading in headings else "no column"
            raise DataError(
                f"{file} has {what} {heading!r}; it has {', '.join(headings)}. Mend data.files."
            )
    return {factor: headings.index(heading) for factor, heading in how.columns.items()}


def _wide(cells: Cells) -> dict[str, int]:
    """Every column of numbers is a factor."""
    found = []
    for place, heading in enumerate(cells.headings):
        if place == cells.date or not heading or FRACTION.match(heading):
            continue
        first = next((cell for cell in cells.column(place) if cell.lower() not in BLANKS), "")
        if NUMBER.match(first) or first == NO_VALUE:
            found.append((factor_of(heading), place))
    return _unique(found)


def _unique(found: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Column of each name; a name that two columns have is none."""
    names = [name for name, _ in found]
    return {name: place for name, place in found if names.count(name) == 1}


def _read_parquet(raw: bytes, file: str, how: How) -> Reading:
    try:
        import pyarrow.parquet as pq

        size = pq.ParquetFile(io.BytesIO(raw)).metadata
        if size.num_rows * size.num_columns > MOST_CELLS:  # a small file may unpack to any size
            raise DataError(f"{file} has more than {MOST_CELLS:,} cells; give daily prices alone.")
        frame = pd.read_parquet(io.BytesIO(raw))
    except DataError:
        raise
    except Exception as error:  # pyarrow raises errors of many kinds on a damaged file
        raise DataError(
            f"{file} is no parquet file that can be read ({str(error).splitlines()[0]}); write it "
            "again."
        ) from error
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(f"{file} has two lines of headings; write one, a factor a column.")
    days: pd.Index | pd.Series = frame.index
    if not isinstance(frame.index, pd.DatetimeIndex):
        lowered = {str(name).lower(): name for name in frame.columns}
        name = how.date or next((lowered[n] for n in DATES if n in lowered), None)
        if name is None or name not in frame.columns:
            raise DataError(f"{file} has no column of dates; say date in [data.files.{file!r}].")
        days, frame = frame[name], frame.drop(columns=name)
    if days.isna().any():
        raise DataError(f"{file}: a day is missing (NaT); give every row its day.")
    stamps = _stamps_of_column(days, file, how)
    frame = frame.select_dtypes("number")
    headings = [str(name) for name in frame.columns]
    if how.columns:
        places = _said(headings, how, file)
    else:
        lowered_list = [heading.lower() for heading in headings]
        value = next((name for name in VALUES if name in lowered_list), None)
        refuse_repeated(file, lowered_list, [value] if value else [])
        places = (
            {factor_of_file(file): lowered_list.index(value)}
            if value
            else _unique([(factor_of(heading), at) for at, heading in enumerate(headings)])
        )
    _refuse_none(places, file)
    layout = Layout("parquet", lambda cells, names: False)
    return Reading(file, layout, how, None, places, frame, stamps=stamps)


def _stamps_of_column(days: pd.Index | pd.Series, file: str, how: How) -> Stamps:
    """Moments of a column of dates; text and numbers are read as those of a CSV are."""
    if not pd.api.types.is_datetime64_any_dtype(days.dtype):
        lines = range(1, len(days) + 1)
        return stamps_of([str(day) for day in days], lines, file, form=how.date_format)
    index = pd.DatetimeIndex(days)
    offset = None
    if index.tz is not None:
        offset = pd.TimedeltaIndex(index.tz_localize(None) - index.tz_convert(None))
    return Stamps(index.tz_localize(None), offset)
