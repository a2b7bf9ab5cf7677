"""Factors computed from a column: the index that accrues funding, and realised volatility."""

import numpy as np
import pandas as pd

from backtest.data.columns import FactorColumn
from backtest.types import DataError

REALISED_MOVES = 30  # moves in one realised volatility
YEAR = 365.0  # calendar days, as option volatilities count it


def funding_index(daily: pd.Series) -> pd.Series:
    """Exponential of the running sum of daily rates: a log ratio is the rate paid between closes.

    Examples
    --------
    >>> paid = pd.Series([0.001, 0.002, -0.001], pd.date_range("2024-01-05", periods=3))
    >>> index = funding_index(paid)
    >>> np.log(index.iloc[2] / index.iloc[0]).round(12)
    np.float64(0.001)
    """
    return pd.Series(np.exp(daily.cumsum()), daily.index)


def refuse_gaps(index: pd.Series, days: pd.DatetimeIndex, place: FactorColumn) -> None:
    """Raise DataError where a calendar day after the first of `days`, up to the last, has no rate.

    A missing rate would count as funding of zero, and on a weekend nobody would notice it.
    """
    if len(days) == 0:
        return
    paid = pd.date_range(days[0], days[-1])[1:]
    missing = paid[~paid.isin(index.index)]
    if len(missing):
        first, last = missing[0], missing[-1]
        raise DataError(
            f"{place.file} has no {place.column} on {len(missing)} days between "
            f"{first:%Y-%m-%d} and {last:%Y-%m-%d}; start the study after {last:%Y-%m-%d}, end it "
            f"before {first:%Y-%m-%d}, or add the rates that were paid."
        )


def realised_volatility(price: pd.Series) -> pd.Series:
    r"""Annual volatility of the last 30 moves of a price, mean zero, known at each close.

    .. math:: \sigma_t = \sqrt{\frac{365}{d} \sum_{i} \ln^2 \frac{P_i}{P_{i-1}}}

    with d the calendar days that the 30 moves span, so that a series quoted at weekends and one not
    quoted at weekends are annualised alike.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=31)
    >>> realised_volatility(pd.Series([100.0, 101.0] * 15 + [100.0], days)).round(4).tolist()
    [0.1901]
    """
    move = pd.Series(np.log(price / price.shift()), price.index)
    squares = (move * move).rolling(REALISED_MOVES).sum()
    dates = price.index.to_series()
    spanned = (dates - dates.shift(REALISED_MOVES)).dt.days
    return (squares * YEAR / spanned).pow(0.5).dropna()
