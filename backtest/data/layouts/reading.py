"""One file, read: which factors it holds, their values by day, and one line that says how."""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.data.columns import factor_column
from backtest.data.layouts.cells import DATES, Cells, arranged, cells_of
from backtest.data.layouts.how import How
from backtest.data.layouts.known import VALUES, Layout, layout_of
from backtest.data.layouts.names import FRED, factor_of, factor_of_file
from backtest.data.layouts.numerals import BLANKS, numbers_of
from backtest.data.layouts.stamps import Stamps, days_of, stamps_of
from backtest.types import BoolArray, DataError
from backtest.workbook import OLE, ZIP, is_workbook, sheets_of

SAID = Layout("said in data.files", lambda cells, names: False)
PARQUET = b"PAR1"
MOST_CELLS = 50_000_000  # a century of days of a thousand series
GZIP = b"\x1f\x8b"
SECURITY = re.compile(r"(?:Security|Ticker)[ :]+(.+)", re.IGNORECASE)  # above Bloomberg's rows
NUMBER = re.compile(r"[+-]?[$€£]?\.?\d")  # how a number begins
FRACTION = re.compile(r"\d+\.\d+ ")  # 1.5 Month: no maturity of whole months


@dataclass(frozen=True)
class Reading:
    """A file whose layout is known.

    Parameters
    ----------
    file : its name. places : column of the values, by factor.
    cells : its text; empty for a parquet file, whose columns are in `table`.
    sheet : of a workbook.
    """

    file: str
    layout: Layout
    how: How
    cells: Cells | None
    places: dict[str, int]
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    sheet: str = ""

    @property
    def factors(self) -> tuple[str, ...]:
        """What the file holds."""
        return tuple(self.places)

    def heading(self, factor: str) -> str:
        """Heading of the column that holds a factor."""
        place = self.places[factor]
        return str(self.table.columns[place] if self.cells is None else self.cells.headings[place])

    @cached_property
    def _days(self) -> tuple[pd.DatetimeIndex, BoolArray]:
        zone = self.how.time_zone or self.layout.zone
        close = self.how.close or self.layout.close
        if self.cells is None:
            index = pd.DatetimeIndex(self.table.index)
            offset = None
            if index.tz is not None:
                offset = pd.TimedeltaIndex(index.tz_localize(None) - index.tz_convert(None))
            stamps = Stamps(index.tz_localize(None), offset)
        else:
            stamps = stamps_of(
                self.cells.column(self.cells.date),
                self.cells.lines,
                self.file,
                order=self.layout.order,
                form=self.how.date_format,
            )
        return days_of(stamps, self.file, zone=zone, close=close)

    @property
    def is_newest_first(self) -> bool:
        """Whether every day comes after the one below it."""
        steps = np.diff(self._days[0][self._days[1]].to_numpy()).astype(np.int64)
        return len(steps) > 0 and bool((steps < 0).all())

    def unit(self, factor: str) -> str:
        """Unit of a factor's values in the file; empty where nobody says it."""
        if self.how.unit or self.layout.unit:
            return self.how.unit or self.layout.unit
        # FRED has series of all units.
        is_open = self.layout.name == "FRED" and factor not in FRED.values()
        return "" if is_open else factor_column(factor).unit

    def values(self, factor: str) -> tuple[pd.Series, int]:
        """Values by day as the file writes them, ascending, none missing; and how many are blank.

        Raises
        ------
        DataError : a cell that is no number, a day that occurs twice or out of order.
        """
        days, taken = self._days
        place = self.places[factor]
        if self.cells is None:
            numbers = self.table.iloc[:, place].to_numpy(dtype=np.float64)
            blanks = int(np.isnan(numbers).sum())
        else:
            numbers, blanks = numbers_of(
                self.cells.column(place),
                self.cells.lines,
                f"{self.file}: {self.cells.headings[place]}",
                decimal=self.how.decimal,
                thousands=self.how.thousands,
                separator=self.cells.separator,
                unit=self.unit(factor),
            )
        column = pd.Series(numbers[taken], days[taken])
        if self.is_newest_first:
            column = column[::-1]
        self._check_order(pd.DatetimeIndex(column.index))
        return column.dropna(), blanks

    def _check_order(self, days: pd.DatetimeIndex) -> None:
        steps = np.diff(days.to_numpy()).astype(np.int64)
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            what = "occurs twice" if steps[at - 1] == 0 else "comes after a later day"
            raise DataError(f"{self.file}: {days[at]:%Y-%m-%d} {what}; sort the rows, one a day.")

    def line(self, factors: Iterable[str] = ()) -> str:
        """How the file was read.

        factors : of which is spoken; all of the file by default.
        """
        names = tuple(factors) or self.factors
        read = {name: self.values(name) for name in names}
        days = [
            day for column, _ in read.values() for day in (column.index.min(), column.index.max())
        ]
        known = [day for day in days if not pd.isna(day)]
        units = dict.fromkeys(self.unit(name) or "unit unknown" for name in names)
        window = f"{min(known):%Y-%m-%d} .. {max(known):%Y-%m-%d}" if known else "no value"
        notes = [", ".join(names)]
        notes += [f"sheet {self.sheet!r}"] if self.sheet else []
        blanks = sum(count for _, count in read.values())
        notes += [f"{blanks:,} blank{'s' if blanks > 1 else ''}"] if blanks else []
        left = int((~self._days[1]).sum())
        notes += [f"rows at another time of day left out: {left}"] if left else []
        notes += ["newest day first"] if self.is_newest_first else []
        notes += [self.layout.note] if self.layout.note else []
        return (
            f"{self.file}: read as {self.layout.name}, {' and '.join(units)}, {window}; "
            f"{'; '.join(notes)}"
        )


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
    if raw.startswith(PARQUET):
        return _read_parquet(raw, file, how)
    if raw.startswith((ZIP, OLE)) or is_workbook(file):
        return _read_workbook(raw, file, how)
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
    for sheet, rows in sheets_of(raw, file, sheet=how.sheet, shown_percent=True):
        try:
            cells = arranged(list(enumerate(rows, start=1)), ",", file, how)
            return replace(_recognised(cells, file, how), sheet=sheet)
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
    return Reading(file, layout, how, cells, _places(cells, layout, how, file))


def _places(cells: Cells, layout: Layout, how: How, file: str) -> dict[str, int]:
    """Column of each factor."""
    headings = cells.headings
    if how.columns:
        for heading in how.columns.values():
            if heading not in headings:
                raise DataError(
                    f"{file} has no column {heading!r}; it has {', '.join(headings)}. Mend "
                    "data.files."
                )
        return {factor: headings.index(heading) for factor, heading in how.columns.items()}
    lowered = cells.lowered
    value = next((name for name in layout.columns if name in lowered), None)
    if value is None:
        return _wide(cells)
    places = [at for at, name in enumerate(lowered) if name == value]
    if cells.over:
        return {factor_of(cells.over[at]): at for at in places}
    if len(places) > 1:
        raise DataError(f"{file} has {len(places)} columns {value!r}; keep the right one.")
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


def _wide(cells: Cells) -> dict[str, int]:
    """Every column of numbers is a factor; a name that two columns have is none."""
    found: dict[str, list[int]] = {}
    for place, heading in enumerate(cells.headings):
        if place == cells.date or not heading or FRACTION.match(heading):
            continue
        first = next((cell for cell in cells.column(place) if cell.lower() not in BLANKS), "")
        if NUMBER.match(first):
            found.setdefault(factor_of(heading), []).append(place)
    return {name: places[0] for name, places in found.items() if len(places) == 1}


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
    if not isinstance(frame.index, pd.DatetimeIndex):
        lowered = {str(name).lower(): name for name in frame.columns}
        name = how.date or next((lowered[n] for n in DATES if n in lowered), None)
        if name is None or name not in frame.columns:
            raise DataError(f"{file} has no column of dates; say date in [data.files.{file!r}].")
        try:
            frame = frame.set_index(pd.DatetimeIndex(pd.to_datetime(frame[name]))).drop(
                columns=name
            )
        except (ValueError, TypeError) as error:
            raise DataError(f"{file}: {name} holds no days; say date in data.files.") from error
    if frame.index.hasnans:
        raise DataError(f"{file}: a day is missing (NaT); give every row its day.")
    frame = frame.select_dtypes("number")
    headings = [str(name) for name in frame.columns]
    if how.columns:
        missing = [h for h in how.columns.values() if h not in headings]
        if missing:
            raise DataError(f"{file} has no column {missing[0]!r}; it has {', '.join(headings)}.")
        places = {factor: headings.index(h) for factor, h in how.columns.items()}
    else:
        lowered_list = [heading.lower() for heading in headings]
        value = next((name for name in VALUES if name in lowered_list), None)
        places = (
            {factor_of_file(file): lowered_list.index(value)}
            if value
            else {factor_of(heading): at for at, heading in enumerate(headings)}
        )
    layout = Layout("parquet", lambda cells, names: False)
    return Reading(file, layout, how, None, places, frame)
