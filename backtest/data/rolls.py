"""Splice jumps of front-month futures: found, taken out, and listed.

A front-month series changes contract on the first day after the last trading day, or on a day of
the weeks before, and that day's move mixes a market move with the price difference of two contracts
(ZB gains a false 10.4 % on 2015-03-23, when bonds of 15 to 21 years left the deliverable basket).
`splices` finds the day; how large the splice is follows from what the market itself did:

- Treasury futures: the part of the day's move that its par yield does not explain, with the
  sensitivity to that yield fitted to the 60 ordinary days before.
- Crypto futures: the day's ratio of future to spot against its median over the five days before.

Every price from that day on is divided by the ratio, so the first price is as traded, the moves of
all other days are untouched, and a longer file never rewrites what a shorter one gave: a ratio uses
closes up to the contract's last trading day only. A series in which most of the changes that are
due do not stand out from the market is refused: it may be adjusted already.

Limits. On a roll day an adjusted future moves as its reference does, so its own basis move of that
day is lost. One splice a contract is sought: a source that flips between two contracts for some
days (ZT in September 2025) keeps its flips. A future of crypto closes hours before spot does, and
the noise of that (1.4 % a day) is larger than most of its splices (0.6 %): their day is the rule's.
docs/rolls.md has how often a planted splice is found.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    GoodFriday,
    Holiday,
    USMemorialDay,
    USThanksgivingDay,
    nearest_workday,
)

from backtest.data.splices import CLEAR, find_splices
from backtest.instruments.contracts import Contract, LastTrading
from backtest.instruments.declared import terms_of_future
from backtest.market.market import Adjustment, tenor_years
from backtest.types import DataError, Days

IntArray = NDArray[np.int64]
# Last trading day, row of the splice, jump, whether it stands out from the market.
Splice = tuple[pd.Timestamp, int, float, bool]

MONTH_CODES = "FGHJKMNQUVXZ"  # January to December, as exchanges name delivery months
ORDINARY = 60  # days behind a fit, about one delivery cycle
FEWEST = 30  # days without which nothing is fitted
AROUND = 8  # days before a last trading day that are kept out of every fit
LEAST_CLEAR = 0.5  # share of the splices due that must stand out, or the series is refused
BEFORE_25TH = "third_before_25th_of_month_before"
BASIS_DAYS = 5  # days whose median is the basis of an expiring crypto contract


class _DeliveryMonthHolidays(AbstractHolidayCalendar):
    """Exchange holidays near the end of a delivery month, or before the 25th of the one before."""

    rules = [
        GoodFriday,
        USMemorialDay,
        USThanksgivingDay,
        Holiday("Juneteenth", month=6, day=19, start_date="2022-06-19", observance=nearest_workday),
        Holiday("Christmas", month=12, day=25, observance=nearest_workday),
    ]


def last_trading_days(terms: Contract, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Last trading days of every contract whose month lies between two days.

    Examples
    --------
    >>> days = last_trading_days(terms_of_future("ZB"), pd.Timestamp("2015-01-01"),
    ...                          pd.Timestamp("2015-06-30"))
    >>> days.strftime("%Y-%m-%d").tolist()
    ['2015-03-20', '2015-06-19']
    """
    listed = first if terms.first is None else max(first, pd.Timestamp(terms.first))
    if listed > last:
        return pd.DatetimeIndex([])
    months = pd.period_range(listed, last, freq="M")
    holidays = _DeliveryMonthHolidays().holidays((months[0] - 1).start_time, months[-1].end_time)
    in_cycle = months[months.month.isin(terms.cycle)]
    return pd.DatetimeIndex(
        [_last_trading_day(terms.last_trading, month, holidays) for month in in_cycle]
    )


def contract_name(code: str, terms: Contract, last_day: pd.Timestamp) -> str:
    """Name of the contract with that last trading day, such as 'ZNH24'.

    Examples
    --------
    >>> contract_name("ZB", terms_of_future("ZB"), pd.Timestamp("2015-03-20"))
    'ZBH15'
    """
    delivery = last_day.to_period("M") + int(terms.last_trading == BEFORE_25TH)
    return f"{code}{MONTH_CODES[delivery.month - 1]}{delivery:%y}"


def _last_trading_day(
    rule: LastTrading, month: pd.Period, holidays: pd.DatetimeIndex
) -> pd.Timestamp:
    """Last trading day of the contract of one delivery month."""
    if rule == BEFORE_25TH:
        month = month - 1
    days = pd.bdate_range(month.start_time, month.end_time.normalize())
    fridays = days[days.day_of_week == 4]
    if rule in ("last_friday", "third_friday"):
        return fridays[-1 if rule == "last_friday" else 2]
    open_days = days.difference(holidays)
    if rule == BEFORE_25TH:
        # Three business days before the 25th, four where that is none: the same row either way.
        return open_days[open_days.day <= 25][-4]
    steps_back = {"last_business_day": 1, "third_last_business_day": 3}.get(rule, 8)
    return open_days[-steps_back]


def adjust_rolls(
    code: str, price: pd.Series, reference: pd.Series
) -> tuple[pd.Series, list[Adjustment]]:
    """Front-month prices without splice jumps, on the days on which the reference is known too.

    code : of the contract. price : closes, > 0. reference : the contract's par yield (decimal) or
    spot price. Days before the first roll that can be measured are left out.

    Raises
    ------
    DataError : too few days to measure any roll by.
    """
    terms = terms_of_future(code)
    days = price.index.intersection(reference.index)
    if len(days) <= FEWEST:
        raise DataError(
            f"{code} and {terms.reference} share {len(days)} days; more than {FEWEST} are needed "
            "to tell the roll of a front month from a move of the market."
        )
    level, reference_level = price.loc[days].to_numpy(), reference.loc[days].to_numpy()
    # A month more: a contract may leave in the month before that of its delivery.
    expiries = last_trading_days(terms, days[0], days[-1] + pd.DateOffset(months=1))
    rows = days.searchsorted(expiries, side="right")
    inside = (rows > 0) & (rows < len(days))
    of_yield = tenor_years(terms.reference) is not None
    measured = _against_yield if of_yield else _against_spot
    ratio, start, adjustments = np.ones(len(days)), 0, []
    for expiry, row, jump, clear in measured(
        expiries[inside], rows[inside], level, reference_level
    ):
        if np.isnan(jump):
            start = row
            continue
        ratio[row] = 1.0 + jump
        name = contract_name(code, terms, expiry)
        early = int(days.searchsorted(expiry, side="right")) - row
        reason = f"end of {name}" + (f", {early} days early" if early else "")
        reason += "" if clear else ", hidden by the market"
        day = days[row].to_datetime64().astype("datetime64[D]")
        adjustments.append(Adjustment(code, day, float(jump), reason))
    return pd.Series(level / np.cumprod(ratio), index=days, name=code).iloc[start:], adjustments


def _against_yield(
    expiries: pd.DatetimeIndex, rows: IntArray, level: Days, reference: Days
) -> Iterator[Splice]:
    """By the moves of a yield; the jump is NaN where nothing was fitted."""
    moves = np.concatenate([[np.nan], level[1:] / level[:-1] - 1.0])
    shifts = np.concatenate([[np.nan], np.diff(reference)])
    splices = find_splices(moves, shifts, rows)
    measurable = np.count_nonzero(splices.is_known)
    if splices.clear < LEAST_CLEAR * measurable:
        raise DataError(
            f"{splices.clear} of {measurable} changes of contract stand out from the market "
            f"({expiries[0]:%Y-%m} to {expiries[-1]:%Y-%m}); a front-month series as "
            "traded is needed, not one that was adjusted already."
        )
    ordinary = np.isfinite(moves)
    for due, row in zip(rows, splices.rows, strict=True):
        ordinary[max(0, due - AROUND) : due + 1] = False
        ordinary[row] = False
    for expiry, due, row, score in zip(expiries, rows, splices.rows, splices.score, strict=True):
        behind = np.flatnonzero(ordinary[: max(1, min(row, due - AROUND))])[-ORDINARY:]
        if len(behind) < FEWEST or np.isnan(score):
            yield expiry, row, np.nan, False
            continue
        slope = (moves[behind] @ shifts[behind]) / (shifts[behind] @ shifts[behind])
        jump = (1.0 + moves[row]) / (1.0 + slope * shifts[row]) - 1.0
        yield expiry, row, jump, abs(score) > CLEAR


def _against_spot(
    expiries: pd.DatetimeIndex, rows: IntArray, level: Days, reference: Days
) -> Iterator[Splice]:
    """By the ratio of future to spot; the jump is NaN on the first days."""
    ratio = level / reference
    for expiry, row in zip(expiries, rows, strict=True):
        enough = row >= BASIS_DAYS
        before = np.median(ratio[row - BASIS_DAYS : row]) if enough else np.nan
        yield expiry, row, ratio[row] / before - 1.0, True
