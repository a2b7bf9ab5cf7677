"""What a user says about a file, in place of what would be recognised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from backtest.types import DataError

Unit = Literal["percent", "decimal", "basis points", "USD", "points", "32nds", "fraction"]

# Of one unit in the unit of the project's own files: percent, fractions of a funding rate, USD.
IN_PERCENT = {"percent": 1.0, "decimal": 100.0, "basis points": 0.01}
AS_FRACTION = {"fraction": 1.0, "decimal": 1.0, "percent": 0.01, "basis points": 1e-4}
AS_PRICE = {"USD": 1.0, "points": 1.0, "32nds": 1.0}


@dataclass(frozen=True)
class How:
    """How a file is read; what is left empty is recognised.

    Parameters
    ----------
    date : heading of the column of dates. date_format : as strptime writes it, '%d/%m/%Y'.
    decimal, thousands : marks within a number. separator : between two cells.
    skip : rows above the headings. columns : heading of the values, by factor.
    unit : of the values; percent, decimal, basis points, USD, points, 32nds or fraction.
    time_zone : in which stamps without one are written, and in which days end.
    sheet : of a workbook; the first one that holds a table unless said.
    close : 'HH:MM', time of day of the stamp whose value is the day's; '00:00' ends the day before.
    """

    date: str = ""
    date_format: str = ""
    decimal: str = ""
    thousands: str = ""
    separator: str = ""
    skip: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    time_zone: str = ""
    close: str = ""
    sheet: str = ""

    def check(self, file: str) -> None:
        """Raise DataError where a value is none that a file can have."""
        if self.unit and self.unit not in get_args(Unit):
            raise DataError(
                f"data.files.{file!r}.unit is {self.unit!r}; known: {', '.join(get_args(Unit))}."
            )
        for name in ("decimal", "thousands", "separator"):
            if len(getattr(self, name)) > 1:
                raise DataError(
                    f"data.files.{file!r}.{name} is {getattr(self, name)!r}; give one character."
                )
        if self.decimal and self.decimal == self.thousands:
            raise DataError(
                f"data.files.{file!r}: decimal and thousands are both {self.decimal!r}."
            )
