"""Margin days: every calendar day where a factor trades around the clock, and none but sessions.

No level is ever made up. A factor that did not trade stands at its last level and is marked so
(`Market.traded`), which is not a return of zero; a day that is left out is listed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.market.calendars import MarginCalendar, is_session, sessions
from backtest.market.market import Market
from backtest.types import BoolArray, DataError

MOST = 0.5  # share of the weekend days a factor that trades around the clock has a close of


def around_the_clock(
    columns: Mapping[str, pd.Series],
    *,
    source: str,
    last: pd.Timestamp | None = None,
    **labels: Any,
) -> Market:
    """Market of every calendar day, the other factors standing still while they do not trade.

    columns : levels of each factor by day, no NaN, as the source has them. Factors with closes at
        weekends make the days: one on which some of them has none is dropped and listed.
    last : day to stop at; else, or where it is earlier, the day on which the first factor ends.
    labels : other fields of the market, as `Market.from_frame` takes them.

    Raises
    ------
    DataError : no factor has closes at weekends, or the histories do not overlap.

    Examples
    --------
    >>> coin = pd.Series([1.0, 2.0, 3.0, 4.0], pd.date_range("2024-01-05", periods=4))
    >>> par = pd.Series([0.04, 0.05], pd.to_datetime(["2024-01-05", "2024-01-08"]))
    >>> market = around_the_clock({"10Y": par, "BTC": coin}, source="two")
    >>> market.levels[:, 0].tolist(), market.traded[:, 0].tolist()
    ([0.04, 0.04, 0.04, 0.05], [True, False, False, True])
    """
    start = max(c.index[0] for c in columns.values())
    end = min(c.index[-1] for c in columns.values())
    days = pd.date_range(start, end if last is None else min(end, last))
    frame = pd.DataFrame({name: column.reindex(days) for name, column in columns.items()})
    weekend = frame[days.day_of_week >= 5]
    always = [name for name in frame if weekend[name].notna().mean() > MOST]
    if not always:
        raise DataError(
            f"the 24/7 clock needs a factor with closes at weekends; {', '.join(columns)} have "
            "none in common days. Add one, or set [clock] kind = 'business'."
        )
    known = frame[always].notna().all(axis=1)
    traded = frame[known].notna()
    whole = traded.all(axis=1).cummax()
    if not whole.any():
        raise DataError(f"{', '.join(columns)} trade on no day together; widen the window.")
    kept = frame[known][whole].ffill()
    dropped = days[(days >= kept.index[0]) & ~known.to_numpy()]
    return Market.from_frame(
        kept,
        source=f"{source}, every calendar day",
        traded=traded[whole].to_numpy(),
        dropped=dropped.to_numpy().astype("datetime64[D]"),
        **labels,
    )


def on_sessions(market: Market, calendar: MarginCalendar) -> Market:
    """The market with nothing from days that are not sessions of `calendar`, and what it lacks.

    Such days are left out and listed in `dropped`; sessions without data are listed in `missing`.
    A factor that trades around the clock keeps its days; 'data' leaves all as it is.

    Raises
    ------
    DataError : the calendar does not reach the market's days, or no day is left.

    Examples
    --------
    >>> days = pd.to_datetime(["2021-12-30", "2022-01-01", "2022-01-04"])
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [1.0, 2.0, 3.0]}, index=days))
    >>> kept = on_sessions(market, "SIFMA")
    >>> kept.dropped.astype(str).tolist(), kept.missing.astype(str).tolist()
    (['2022-01-01'], ['2021-12-31', '2022-01-03'])
    """
    if calendar == "data":
        return market
    is_open = is_session(calendar, market.dates)
    if market.traded is None:
        if not is_open.any():
            raise DataError(f"none of the market's days is a session of {calendar}; take another.")
        kept, own, shut = market.rows(is_open), market.dates[is_open], market.dates[~is_open]
    else:
        always = market.traded.all(axis=0)
        kept = _standing(market, market.traded & (always | is_open[:, None]))
        trades = market.traded.all(axis=1)
        own, shut = market.dates[trades & is_open], market.dates[trades & ~is_open]
    dropped = np.union1d(market.dropped, shut)
    wanted = sessions(calendar, kept.dates[0], kept.dates[-1])
    missing = np.setdiff1d(np.setdiff1d(wanted, own), dropped)
    return replace(kept, dropped=dropped, missing=missing)


def _standing(market: Market, traded: BoolArray) -> Market:
    """The market as it is where only `traded` counts, from its first complete day on."""
    first = int(np.argmax(traded.all(axis=1)))
    last = np.where(traded, np.arange(len(traded))[:, None], 0)
    last = np.maximum.accumulate(last[first:], axis=0)
    return replace(
        market,
        dates=market.dates[first:],
        levels=np.take_along_axis(market.levels, last, axis=0),
        traded=traded[first:],
    )
