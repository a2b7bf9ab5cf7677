"""Mistakes in a CSV file that only show when the whole file is examined."""

from collections.abc import Iterable

import pandas as pd

from backtest.market.market import tenor_years
from backtest.types import DataError

PRICE_RANGE = (1e-9, 1e12)  # USD; outside it a price is a slip, and squares of it overflow

# A yield of 25 % is 0.25 in decimals, and since 1990 the Treasury's 5-year par yield, the lowest of
# the long ones, was below 0.25 percent on at most 8 days in a row (August 2020); the 10-year yield
# never was. Bills cannot decide: they stayed below 0.25 % from 2009 to 2015.
LONG_TENOR = 5.0  # years
DECIMAL_BELOW = 0.25  # percent
DECIMAL_DAYS = 20


def refuse_repeated(file: str, header: Iterable[str], columns: Iterable[str]) -> None:
    """Raise DataError where a column to be read occurs more than once in its file."""
    names = list(header)
    for column in columns:
        if names.count(column) > 1:
            raise DataError(
                f"{file} has {names.count(column)} columns {column!r}; keep the right one."
            )


def refuse_decimals(file: str, table: pd.DataFrame) -> None:
    """Raise DataError where yields are in decimals (0.0425) and not in percent (4.25).

    A maturity of five years or more with values on 20 days or more, all below 0.25, is taken to be
    in decimals. All maturities of the file are examined, also those that no factor uses, so that
    the mistake is found in a study of bills too.

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
