"""Which days are margin days: every calendar day (the 24/7 clock), or the sessions of a calendar.

No level is invented. A factor that did not trade keeps its last level and is marked as not traded
(`Market.traded`): this is not an observed return of zero. Every day that is left out is listed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.market.calendars import MarginCalendar, is_session, sessions
from backtest.market.market import Market
from backtest.types import BoolArray, DataError

MOST = 0.5  # a factor with closes on more than this share of weekend days trades 24/7


def around_the_clock(
    columns: Mapping[str, pd.Series],
    *,
    source: str,
    last: pd.Timestamp | None = None,
    **labels: Any,
) -> Market:
    """Build a market of every calendar day; a factor keeps its level while it does not trade.

    columns : levels of each factor by day, no NaN, as the source has them. The factors with closes
        at weekends decide the days: a day on which any of them has no close is dropped and listed.
    last : last day of the market, at most the day on which the first factor ends; None is that day.
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
    round_the_clock = [name for name in frame if weekend[name].notna().mean() > MOST]
    if not round_the_clock:
        raise DataError(
            f"the 24/7 clock needs a factor with closes at weekends; {', '.join(columns)} have "
            "none in common days. Add one, or set [clock] kind = 'business'."
        )
    is_complete = frame[round_the_clock].notna().all(axis=1)
    traded = frame[is_complete].notna()
    has_begun = traded.all(axis=1).cummax()
    if not has_begun.any():
        raise DataError(f"{', '.join(columns)} trade on no day together; widen the window.")
    levels = frame[is_complete][has_begun].ffill()
    dropped = days[(days >= levels.index[0]) & ~is_complete.to_numpy()]
    return Market.from_frame(
        levels,
        source=f"{source}, every calendar day",
        traded=traded[has_begun].to_numpy(),
        dropped=dropped.to_numpy().astype("datetime64[D]"),
        **labels,
    )


def on_sessions(market: Market, calendar: MarginCalendar) -> Market:
    """Keep the sessions of `calendar` only, and list the sessions for which data are missing.

    Days that are no session are left out and listed in `dropped`; sessions without data are listed
    in `missing`. A factor that trades around the clock keeps all its days; the calendar 'data'
    changes nothing.

    Raises
    ------
    DataError : the calendar does not reach the market's days, or no day is left.

    Examples
    --------
    >>> days = pd.to_datetime(["2021-12-30", "2022-01-01", "2022-01-04"])
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [1.0, 2.0, 3.0]}, index=days))
    >>> on_calendar = on_sessions(market, "SIFMA")
    >>> on_calendar.dropped.astype(str).tolist(), on_calendar.missing.astype(str).tolist()
    (['2022-01-01'], ['2021-12-31', '2022-01-03'])
    """
    if calendar == "data":
        return market
    is_open = is_session(calendar, market.dates)
    if market.traded is None:
        if not is_open.any():
            raise DataError(f"none of the market's days is a session of {calendar}; take another.")
        on_calendar = market.rows(is_open)
        data_days, closed_days = market.dates[is_open], market.dates[~is_open]
    else:
        round_the_clock = market.traded.all(axis=0)
        # Factors with a calendar trade on sessions only and keep their levels between them.
        on_calendar = _carry_levels(market, market.traded & (round_the_clock | is_open[:, None]))
        trades = market.traded.all(axis=1)
        data_days, closed_days = market.dates[trades & is_open], market.dates[trades & ~is_open]
    dropped = np.union1d(market.dropped, closed_days)
    session_days = sessions(calendar, on_calendar.dates[0], on_calendar.dates[-1])
    missing = np.setdiff1d(np.setdiff1d(session_days, data_days), dropped)
    return replace(on_calendar, dropped=dropped, missing=missing)


def _carry_levels(market: Market, traded: BoolArray) -> Market:
    """Carry each factor's last level over the days on which `traded` is False.

    The market begins on the first day on which all factors trade.
    """
    first = int(np.argmax(traded.all(axis=1)))
    # The row of the last day on which each factor traded, so that one look-up fills all gaps.
    last = np.where(traded, np.arange(len(traded))[:, None], 0)
    last = np.maximum.accumulate(last[first:], axis=0)
    return replace(
        market,
        dates=market.dates[first:],
        levels=np.take_along_axis(market.levels, last, axis=0),
        traded=traded[first:],
    )
