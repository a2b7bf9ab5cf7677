"""Mistakes of a whole CSV file that no single cell shows."""

from collections.abc import Iterable

import pandas as pd

from backtest.market.market import tenor_years
from backtest.types import DataError

PRICE_RANGE = (1e-9, 1e12)  # USD; outside it a price is a slip, and squares of it overflow

# The Treasury's 5-year par yield, the lowest of these, has been below 0.25 % on 8 days in a row
# since 1990 (August 2020) and its 10-year yield never, while 25 % in decimals is 0.25. Shorter
# maturities say nothing: bills stayed below 0.25 % from 2009 to 2015.
LONG_TENOR = 5.0  # years
DECIMAL_BELOW = 0.25  # percent
DECIMAL_DAYS = 20


def refuse_repeated(file: str, header: Iterable[str], wanted: Iterable[str]) -> None:
    """One line where a column that is read stands twice in its file."""
    names = list(header)
    for column in wanted:
        if names.count(column) > 1:
            raise DataError(
                f"{file} has {names.count(column)} columns {column!r}; keep the right one."
            )


def refuse_decimals(file: str, table: pd.DataFrame) -> None:
    """One line where yields are in decimals (0.0425) though a file holds percent (4.25).

    A maturity of five years or more that is given on 20 days or more, and is never as high as
    0.25, is taken to be in decimals. All maturities of the file are looked at, also those that no
    factor asks for, so that a study of bills is told too.

    Examples
    --------
    >>> refuse_decimals("yields.csv", pd.DataFrame({"10Y": ["0.0425"] * 20}))
    Traceback (most recent call last):
    ...
    backtest.types.DataError: yields.csv: 10Y is never above 0.0425 percent in 20 days: yields \
look like decimals; write percent (4.25 means 4.25 %).
    """
    for column in table.columns:
        if (tenor_years(column) or 0.0) < LONG_TENOR:
            continue
        values = pd.to_numeric(table[column], errors="coerce").dropna()
        if len(values) >= DECIMAL_DAYS and values.max() < DECIMAL_BELOW:
            raise DataError(
                f"{file}: {column} is never above {values.max():g} percent in {len(values):,} "
                "days: yields look like decimals; write percent (4.25 means 4.25 %)."
            )
