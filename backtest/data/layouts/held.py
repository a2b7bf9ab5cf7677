"""`Reading`: a file whose layout is known, its values by day, and the line that says so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.data.columns import factor_column
from backtest.data.layouts.cells import Cells
from backtest.data.layouts.how import How
from backtest.data.layouts.known import Layout
from backtest.data.layouts.names import FRED
from backtest.data.layouts.numerals import numbers_of
from backtest.data.layouts.stamps import Stamps, days_of, stamps_of
from backtest.types import BoolArray, DataError

SIGNS = "€£¥"  # of other currencies than USD


@dataclass(frozen=True)
class Reading:
    """A file whose layout is known.

    Parameters
    ----------
    file : its name. places : column of the values, by factor.
    cells : its text; None for a parquet file: its columns are in `table`, their days in `stamps`.
    sheet : of a workbook.
    """

    file: str
    layout: Layout
    how: How
    cells: Cells | None
    places: dict[str, int]
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    sheet: str = ""
    stamps: Stamps | None = None

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
        stamps = self.stamps
        if stamps is None:
            assert self.cells is not None
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
        """Whether no day comes before the one below it."""
        steps = np.diff(self._days[0][self._days[1]].to_numpy()).astype(np.int64)
        return bool((steps <= 0).all() and (steps < 0).any())

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
            self._refuse_other_currency(factor)
            numbers, blanks = numbers_of(
                self.cells.column(place),
                self.cells.lines,
                f"{self.file}: {self.cells.headings[place]}",
                decimal=self.how.decimal,
                thousands=self.how.thousands,
                separator=self.cells.separator,
                unit=self.unit(factor),
            )
        # A day may have a second row without a value: Yahoo's own page writes dividends so.
        column = pd.Series(numbers[taken], days[taken]).dropna()
        if self.is_newest_first:
            column = column[::-1]
        self._check_order(pd.DatetimeIndex(column.index))
        return column, blanks

    def _refuse_other_currency(self, factor: str) -> None:
        """Raise DataError for prices with the sign of a currency that nothing converts."""
        assert self.cells is not None
        cells = self.cells.column(self.places[factor])
        signed = next((cell for cell in cells if any(sign in cell for sign in SIGNS)), None)
        if signed is not None and not factor_column(factor).fx:
            raise DataError(
                f"{self.file}: {factor} is {signed}, which is not USD; declare it with its "
                "currency and fx (docs/declare.md)."
            )

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
        below = 0 if self.cells is None else self.cells.notes
        notes += [f"lines of notes below left out: {below}"] if below else []
        notes += ["newest day first"] if self.is_newest_first else []
        notes += [self.layout.note] if self.layout.note else []
        return (
            f"{self.file}: read as {self.layout.name}, {' and '.join(units)}, {window}; "
            f"{'; '.join(notes)}"
        )
