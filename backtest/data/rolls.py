"""Splice jumps of front-month futures: found, taken out, and listed.

A front-month series changes contract on the first day after the last trading day, and that day's
move mixes a market move with the price difference of two contracts (ZB gains a false 10.4 % on
2015-03-23, when bonds of 15 to 21 years left the deliverable basket). The last trading day follows
from the contract's rules; how large the splice is follows from what the market itself did:

- Treasury futures: the part of the day's move that its par yield does not explain, with the
  sensitivity to that yield fitted to the 60 ordinary days before. Should the rule's day look
  ordinary and one of the eight days before it stand out, the source changed contract early, and
  that day is taken.
- Crypto futures: the day's ratio of future to spot against its median over the five days before.

Every price from that day on is divided by the ratio, so the first price is as traded, the moves of
all other days are untouched, and a longer file never rewrites what a shorter one gave: a ratio uses
closes up to the rule's day only (a few days after its own where the source rolled early).

Limits. On a roll day an adjusted future moves as its reference does, so its own basis move of that
day is lost. One splice a contract is sought: a source that flips between two contracts for some
days (ZT in September 2025) keeps its flips. A future of crypto closes hours before spot does, and
the noise of that (1.4 % a day) is larger than most of its splices (0.6 %).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.holiday import AbstractHolidayCalendar, GoodFriday, Holiday, nearest_workday

from backtest.instruments.contracts import Contract, contract_terms
from backtest.market.market import Adjustment, tenor_years
from backtest.types import DataError, Days

IntArray = NDArray[np.int64]

MONTH_CODES = "FGHJKMNQUVXZ"  # January to December, as exchanges name delivery months
ORDINARY = 60  # days behind a fit, about one delivery cycle
FEWEST = 30  # days without which nothing is fitted
EARLY = 8  # trading days before the rule's day on which a source may have rolled already
OUTLIER = 5.0  # robust standard deviations that make an early day stand out
ROBUST = 1.4826  # median absolute value to standard deviation, normal distribution
BASIS_DAYS = 5  # days whose median is the basis of an expiring crypto contract


class _DeliveryMonthHolidays(AbstractHolidayCalendar):
    """Exchange holidays near the end of a delivery month."""

    rules = [
        GoodFriday,
        Holiday("Juneteenth", month=6, day=19, start_date="2022-06-19", observance=nearest_workday),
        Holiday("Christmas", month=12, day=25, observance=nearest_workday),
    ]


def last_trading_days(terms: Contract, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Last trading days of every contract whose month lies between two days.

    Examples
    --------
    >>> days = last_trading_days(contract_terms("ZB"), pd.Timestamp("2015-01-01"),
    ...                          pd.Timestamp("2015-06-30"))
    >>> days.strftime("%Y-%m-%d").tolist()
    ['2015-03-20', '2015-06-19']
    """
    months = pd.period_range(first, last, freq="M")
    closed = _DeliveryMonthHolidays().holidays(months[0].start_time, months[-1].end_time)
    found = []
    for month in months[months.month.isin(terms.cycle)]:
        days = pd.bdate_range(month.start_time, month.end_time.normalize())
        if terms.last_trading == "last_friday":
            found.append(days[days.day_of_week == 4][-1])
        else:
            steps_back = 1 if terms.last_trading == "last_business_day" else 8
            found.append(days.difference(closed)[-steps_back])
    return pd.DatetimeIndex(found)


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
    terms = contract_terms(code)
    days = price.index.intersection(reference.index)
    if len(days) <= FEWEST:
        raise DataError(
            f"{code} and {terms.reference} share {len(days)} days; more than {FEWEST} are needed "
            "to tell the roll of a front month from a move of the market."
        )
    level, known = price.loc[days].to_numpy(), reference.loc[days].to_numpy()
    expiries = last_trading_days(terms, days[0], days[-1])
    rows = days.searchsorted(expiries, side="right")
    inside = (rows > 0) & (rows < len(days))
    of_yield = tenor_years(terms.reference) is not None
    measured = _against_yield if of_yield else _against_spot
    ratio, start, made = np.ones(len(days)), 0, []
    for expiry, row, jump in measured(expiries[inside], rows[inside], level, known):
        if np.isnan(jump):
            start = row
            continue
        ratio[row] = 1.0 + jump
        name = f"{code}{MONTH_CODES[expiry.month - 1]}{expiry:%y}"
        day = days[row].to_datetime64().astype("datetime64[D]")
        made.append(Adjustment(code, day, float(jump), f"end of {name}"))
    return pd.Series(level / np.cumprod(ratio), index=days, name=code).iloc[start:], made


def _against_yield(
    expiries: pd.DatetimeIndex, rows: IntArray, level: Days, known: Days
) -> Iterator[tuple[pd.Timestamp, int, float]]:
    """(expiry, row of the splice, jump) by the moves of a yield; NaN where nothing was fitted."""
    moves = np.concatenate([[np.nan], level[1:] / level[:-1] - 1.0])
    shifts = np.concatenate([[np.nan], np.diff(known)])
    ordinary = np.isfinite(moves)
    for row in rows:
        ordinary[max(0, row - EARLY) : row + 1] = False
    for expiry, row in zip(expiries, rows, strict=True):
        first = max(1, row - EARLY)
        behind = np.flatnonzero(ordinary[:first])[-ORDINARY:]
        if len(behind) < FEWEST:
            yield expiry, row, np.nan
            continue
        slope = (moves[behind] @ shifts[behind]) / (shifts[behind] @ shifts[behind])
        spread = ROBUST * np.median(np.abs(moves[behind] - slope * shifts[behind]))
        window = slice(first, row + 1)
        score = np.abs(moves[window] - slope * shifts[window]) / spread
        early = int(np.argmax(score))
        if score[early] > OUTLIER and score[-1] < score[early] / 2.0:
            row = first + early
        yield expiry, row, (1.0 + moves[row]) / (1.0 + slope * shifts[row]) - 1.0


def _against_spot(
    expiries: pd.DatetimeIndex, rows: IntArray, level: Days, known: Days
) -> Iterator[tuple[pd.Timestamp, int, float]]:
    """(expiry, row of the splice, jump) by the ratio of future to spot; NaN on the first days."""
    ratio = level / known
    for expiry, row in zip(expiries, rows, strict=True):
        enough = row >= BASIS_DAYS
        before = np.median(ratio[row - BASIS_DAYS : row]) if enough else np.nan
        yield expiry, row, ratio[row] / before - 1.0
