"""Par yields from the US Treasury, and H.15 and money-market series from FRED, as CSV."""

import io
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from backtest.data.sources import Column
from backtest.data.web import Web
from backtest.types import DataError, shown


@dataclass
class Treasury:
    """The Treasury's daily par yield curve: one request for each year, its table kept for reuse.

    The latest day comes first in its tables. Cells are empty where a maturity was not published,
    and columns were added over the years ('4 Mo' in 2022, '1.5 Month' in 2025).
    """

    web: Web
    url: str
    years: dict[int, pd.DataFrame] = field(default_factory=dict)

    def history(self, column: Column, today: date) -> pd.DataFrame:
        """(days x value) percent, as published; the maturity is the code of `column`.

        Raises
        ------
        DataError : an answer that is not the table, or an earlier year without a row.
        """
        for year in range(column.starts.year, today.year + 1):
            if year not in self.years:
                self.years[year] = self._year(year, today)
        tables = [t for year, t in self.years.items() if year >= column.starts.year]
        merged = pd.concat(tables)
        if column.code not in merged.columns:
            headings = ", ".join(map(str, merged.columns))
            raise DataError(f"the Treasury sent no column {column.code!r}, only {shown(headings)}")
        return merged[[column.code]].set_axis(["value"], axis=1)

    def _year(self, year: int, today: date) -> pd.DataFrame:
        text = self.web.get(self.url.format(year=year))
        table = _table(text, f"the Treasury ({year})", dates="%m/%d/%Y")
        # On the first days of January the current year has no row yet.
        if table.empty and year < today.year:
            raise DataError(f"the Treasury sent no row for {year}")
        return table


@dataclass(frozen=True)
class Fred:
    """Series of the Federal Reserve Bank of St. Louis: one request for each series."""

    web: Web
    url: str

    def history(self, column: Column, today: date) -> pd.DataFrame:
        """(days x value) percent, as published; NaN on holidays.

        Raises
        ------
        DataError : an answer with another series.
        """
        text = self.web.get(self.url.format(code=column.code, start=column.starts))
        table = _table(text, f"FRED ({column.code})", dates="%Y-%m-%d")
        if list(table.columns) != [column.code]:
            raise DataError(f"FRED sent {shown(list(table.columns))} when asked for {column.code}")
        return table.set_axis(["value"], axis=1)


def _table(text: str, who: str, *, dates: str) -> pd.DataFrame:
    """Numbers of a CSV by date. The first heading holds 'date' ('Date', 'observation_date')."""
    first = text.lstrip().split("\n", 1)[0]
    if "date" not in first.split(",")[0].lower() or "<" in first:
        raise DataError(f"{who} sent no table but {first[:60]!r}")
    try:
        raw = pd.read_csv(io.StringIO(text), dtype=str, na_values=[".", "N/A", ""])
        days = pd.to_datetime(raw.iloc[:, 0], format=dates)
        numbers = raw.iloc[:, 1:].astype(float)
    except ValueError as error:  # pandas' ParserError is one
        reason = shown(str(error).splitlines()[0])
        raise DataError(f"{who} sent a table that cannot be read ({reason})") from error
    numbers.columns = [str(name).strip() for name in numbers.columns]
    return numbers.set_index(pd.DatetimeIndex(days, name="Date"))
