r"""Intervals of amounts a day that are zero on nearly all days and huge on a few.

A bootstrap of days cannot draw what the record has not seen, and a Student interval takes the
spread from the same few days: both end too low where it matters. Losses that come in events are
instead a sum of weighted Poisson counts, one weight an event, whose interval Fay and Feuer take
from the gamma law. With y the sum over events, v the sum of their squares and w the largest amount
that one more event could have,

.. math:: \frac{v}{2 y} \, \chi^2_{\alpha / 2} \Big(\frac{2 y^2}{v}\Big), \qquad
          \frac{v + w^2}{2 (y + w)} \, \chi^2_{1 - \alpha / 2} \Big(\frac{2 (y + w)^2}{v + w^2}\Big)

An event is a run of days with losses, none more than 20 days after the last: windows that overlap
and turmoil that lasts a month are one piece of evidence. w is twice the largest event seen; of a
difference, whose ends each take both sides, the largest. How often this holds, and what was
measured beside it, is in docs/intervals.md.

References
----------
Fay, M. & Feuer, E. (1997). Confidence intervals for directly standardized rates: a method based on
the gamma distribution. Statistics in Medicine, 16(7), 791-801.

Zou, G. & Donner, A. (2008). Construction of confidence limits about effect measures: a general
approach. Statistics in Medicine, 27(10), 1693-1702.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from backtest.scores.checks import check_level
from backtest.scores.money.level import Ends
from backtest.scores.resample import MEAN_BLOCK
from backtest.types import DataError, FloatArray, StudyError

FEWEST_EVENTS = 5  # with fewer, intervals held 75 to 92 % of the truth where 95 was asked
LARGER = 2.0  # times the largest event seen, that one more could be
ROUNDING = 1e-9


@dataclass(frozen=True)
class RareMean:
    """Mean a day of an amount that few days have, or a share of it, with its interval if any.

    Parameters
    ----------
    mean, low, high : in the unit of the amounts; ends NaN where `events` are too few to say.
    events : that the record has.
    """

    mean: float
    low: float
    high: float
    events: int

    @property
    def ends(self) -> Ends:
        """Mean, low and high."""
        return self.mean, self.low, self.high

    def times(self, factor: float) -> "RareMean":
        """In another unit, such as a year of `factor` days."""
        return RareMean(self.mean * factor, self.low * factor, self.high * factor, self.events)


def event_amounts(amounts: FloatArray, *, gap: int = int(MEAN_BLOCK)) -> FloatArray:
    """Sums over events: runs of days that are not zero, at most `gap` days apart.

    Parameters
    ----------
    amounts : (days,) of any sign.

    Returns
    -------
    (events,) in the unit of the amounts.

    Examples
    --------
    >>> event_amounts(np.array([0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 2.0]), gap=2).tolist()
    [4.0, 2.0]
    """
    if not np.isfinite(amounts).all():
        raise DataError("amounts are not all finite; leave out the days that are not known.")
    at = np.flatnonzero(amounts)
    if not len(at):
        return np.zeros(0)
    number = np.cumsum(np.diff(at, prepend=at[0]) > gap)
    return np.asarray(np.bincount(number, weights=amounts[at]), dtype=np.float64)


def rare_mean(
    amounts: FloatArray, *, seen: FloatArray | None = None, level: float = 0.95
) -> RareMean:
    """Mean a day with the interval of Fay and Feuer.

    Parameters
    ----------
    amounts : (days,) 0 or more.
    seen : (days,) amounts whose events count as evidence, where `amounts` have besides a part that
        is known on every day, such as the expectation of a default that is drawn; None counts all.
        What other days have is no part of these events, and makes others.
    level : in (0, 1).

    Raises
    ------
    DataError, StudyError : an amount below 0 or not finite; a level outside (0, 1).

    Examples
    --------
    >>> days = np.zeros(2000)
    >>> days[::250] = 8.0
    >>> found = rare_mean(days)
    >>> found.events, found.mean, round(found.low, 4), round(found.high, 4)
    (8, 0.032, 0.0138, 0.0714)
    >>> rare_mean(days[:700])
    RareMean(mean=0.03428571428571429, low=nan, high=nan, events=3)
    """
    if (amounts < 0.0).any():
        raise DataError(f"amounts fall to {amounts.min():g}; give 0 or more.")
    count = len(event_amounts(amounts if seen is None else seen))
    mean = float(amounts.mean())
    if count < FEWEST_EVENTS:
        return RareMean(mean, np.nan, np.nan, count)
    events = _events(amounts, seen)
    low, high = gamma_ends(events, LARGER * float(events.max()), level)
    return RareMean(mean, low / len(amounts), high / len(amounts), count)


def rare_difference(
    first: FloatArray,
    second: FloatArray,
    *,
    seen: FloatArray | None = None,
    larger: float = 1.0,
    level: float = 0.95,
) -> RareMean:
    """Mean a day of first less second, paired by day, with its interval.

    Events in which the first is larger and those in which the second is have each their interval,
    and the ends are put together as Zou and Donner do for a difference. What is equal on a day says
    nothing. Arguments and errors as of `rare_mean`; `larger` times the largest event seen could one
    more be.

    Examples
    --------
    >>> first, second = np.zeros(2000), np.zeros(2000)
    >>> first[::100], second[::400] = 8.0, 5.0
    >>> found = rare_difference(first, second)
    >>> found.events, round(found.mean, 4), bool(found.low > 0.0)
    (20, 0.0675, True)
    """
    gaps = differs(first, second)
    events = _events(gaps, seen)
    count = len(event_amounts(gaps if seen is None else seen))
    mean = float(gaps.mean())
    if count < FEWEST_EVENTS:
        return RareMean(mean, np.nan, np.nan, count)
    largest = larger * float(np.abs(events).max(initial=0.0))
    up, down = np.maximum(events, 0.0), np.maximum(-events, 0.0)
    (up_low, up_high), (down_low, down_high) = (
        gamma_ends(side, largest, level) for side in (up, down)
    )
    total = up.sum() - down.sum()
    below = np.hypot(up.sum() - up_low, down_high - down.sum())
    above = np.hypot(up_high - up.sum(), down.sum() - down_low)
    return RareMean(mean, (total - below) / len(gaps), (total + above) / len(gaps), count)


def differs(first: FloatArray, second: FloatArray) -> FloatArray:
    """First less second, zero where they differ by no more than their sums round to.

    Examples
    --------
    >>> differs(np.array([2.0, 1.0]), np.array([1.0, 1.0 + 1e-15])).tolist()
    [1.0, 0.0]
    """
    gaps = first - second
    rounding = ROUNDING * np.maximum(np.abs(first), np.abs(second))
    return np.where(np.abs(gaps) > rounding, gaps, 0.0)


def event_rate(seen: FloatArray, *, level: float = 0.95) -> RareMean:
    """Events a day with the exact interval of a Poisson count; one-sided where none was seen.

    seen : (days,) not zero where something happens. level : in (0, 1).

    References
    ----------
    Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika, 28, 437-442.

    Examples
    --------
    >>> days = np.zeros(2520)
    >>> days[[7, 8, 900]] = 1.0
    >>> found = event_rate(days).times(252.0)
    >>> found.events, round(found.low, 3), found.mean, round(found.high, 3)
    (2, 0.024, 0.2, 0.722)
    """
    count, days = len(event_amounts(seen)), len(seen)
    if count == 0:
        return RareMean(0.0, 0.0, never_seen(days, level=level), 0)
    tail = 0.5 * (1.0 - level)
    low, high = (0.5 * float(chdtri(2 * k, p)) for k, p in ((count, 1 - tail), (count + 1, tail)))
    return RareMean(count / days, low / days, high / days, count)


def never_seen(days: float, *, level: float = 0.95) -> float:
    """Events a day that a record without any does not exclude: the rule of three, one-sided.

    At 95 % it was too low in 3 to 8 % of simulated records where margins follow volatility, and in
    up to 20 % where they do not and turmoil lasts for months (docs/intervals.md).

    days : of the record; a rate a year for years.

    Examples
    --------
    >>> round(never_seen(10.0), 3)
    0.3
    """
    check_level(level)
    if not days > 0:
        raise StudyError(f"a record of {days} days; give more than 0.")
    return float(-np.log(1.0 - level) / days)


def gamma_ends(events: FloatArray, largest: float, level: float) -> tuple[float, float]:
    """Ends of the sum of events, of which one more would be at most `largest`.

    events : (events,) 0 or more. level : in (0, 1).

    Examples
    --------
    >>> [round(end, 2) for end in gamma_ends(np.ones(5), 1.0, 0.95)]  # Garwood's of a count of 5
    [1.62, 11.67]
    """
    check_level(level)
    tail = 0.5 * (1.0 - level)
    total, squares = float(events.sum()), float((events**2).sum())
    if total + largest == 0.0:
        return 0.0, 0.0
    low = 0.0
    if total > 0.0:
        freedom = 2.0 * total**2 / squares
        low = total * float(chdtri(freedom, 1.0 - tail)) / freedom
    more, spread = total + largest, squares + largest**2
    freedom = 2.0 * more**2 / spread
    return low, more * float(chdtri(freedom, tail)) / freedom


def _events(amounts: FloatArray, seen: FloatArray | None) -> FloatArray:
    """Events of what is seen, then those of all other days.

    A default that is drawn costs something on many days between two events: it must not join them.
    """
    if seen is None:
        return event_amounts(amounts)
    there = seen != 0.0
    return np.concatenate([event_amounts(amounts * one) for one in (there, ~there)])
