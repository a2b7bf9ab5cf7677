"""Factors that a file holds in another form: funding as rates, volatility in percent or not at all.

- `<coin>-FUNDING`, `<coin>-FUNDING-<venue>`: the index a perpetual's funding accrues on, from
  `funding_rates.csv` (`Date`, UTC, then a column a venue; fractions). Two venues are two factors.
- `VIX`: `vix.csv` (`Date,VIX`, percent). `<name>-VOL`: `<name>_vol.csv` (`Date,Close`, percent),
  an implied volatility index of its own.
- `<name>-REALISED`: realised volatility of the trailing days of a price, APPROXIMATE where an
  option needs an implied one.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..types import DataError

FUNDING_FILE = "funding_rates.csv"
# Factor -> column, and how often a day its rate is paid. The mean 8-hour rate is paid three times;
# the other column is the sum of the day's payments.
FUNDING = {
    "BTC-FUNDING": ("btc_perp_mean_per_8h", 3),
    "BTC-FUNDING-BITMEX": ("bitmex_xbtusd_daily_sum", 1),
}
REALISED_SHOCKS = 30  # daily moves behind a realised volatility
YEAR = 365.0

Read = Callable[[str, str], pd.Series]  # file name, column -> its values by date, no blanks


def derived_factor(name: str, read: Read) -> pd.Series | None:
    """Levels of a derived factor by date; None for a name that is a plain price."""
    if "-FUNDING" in name:
        if name not in FUNDING:
            raise DataError(f"unknown funding {name!r}; known: {', '.join(FUNDING)}.")
        column, times = FUNDING[name]
        return funding_index(times * read(FUNDING_FILE, column))
    if name == "VIX":
        return read("vix.csv", "VIX") / 100.0
    if name.endswith("-VOL"):
        return read(f"{name.removesuffix('-VOL').lower()}_vol.csv", "Close") / 100.0
    if name.endswith("-REALISED"):
        return realised_volatility(read(*price_column(name.removesuffix("-REALISED"))))
    return None


def price_column(name: str) -> tuple[str, str]:
    """File and column of a plain price."""
    if name == "SPY":
        return "sp500.csv", "SPY_adjclose"
    return f"{name.lower()}_usd.csv", "Close"


def funding_index(daily: pd.Series) -> pd.Series:
    """Exp of the sum of daily rates so far: log ratios are what was paid between two closes.

    Examples
    --------
    >>> paid = pd.Series([0.001, 0.002, -0.001], pd.date_range("2024-01-05", periods=3))
    >>> index = funding_index(paid)
    >>> np.log(index.iloc[2] / index.iloc[0]).round(12)
    np.float64(0.001)
    """
    return np.exp(daily.cumsum())


def refuse_funding_gaps(columns: dict[str, pd.Series], days: pd.DatetimeIndex) -> None:
    """DataError where a rate is missing on a calendar day after the first of `days`, to the last.

    A day without a rate would count as a day without funding, on weekends without a trace.
    """
    if len(days) == 0:
        return
    paid = pd.date_range(days[0], days[-1])[1:]
    for name in sorted(columns.keys() & FUNDING.keys()):
        missing = paid[~paid.isin(columns[name].index)]
        if len(missing):
            first, last = missing[0], missing[-1]
            raise DataError(
                f"{FUNDING_FILE} has no {FUNDING[name][0]} on {len(missing)} days between "
                f"{first:%Y-%m-%d} and {last:%Y-%m-%d}; start the study after {last:%Y-%m-%d}, "
                f"end it before {first:%Y-%m-%d}, or add the rates that were paid."
            )


def realised_volatility(price: pd.Series) -> pd.Series:
    r"""Annual volatility of the last 30 moves of a price, mean zero, known at each close.

    .. math:: \sigma_t = \sqrt{\frac{365}{d} \sum_{i} \ln^2 \frac{P_i}{P_{i-1}}}

    with d the calendar days that the 30 moves span, so that weekends count once, however quoted.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=31)
    >>> realised_volatility(pd.Series([100.0, 101.0] * 15 + [100.0], days)).round(4).tolist()
    [0.1901]
    """
    move = pd.Series(np.log(price / price.shift()), price.index)
    squares = (move * move).rolling(REALISED_SHOCKS).sum()
    dates = price.index.to_series()
    spanned = (dates - dates.shift(REALISED_SHOCKS)).dt.days
    return (squares * YEAR / spanned).pow(0.5).dropna()
