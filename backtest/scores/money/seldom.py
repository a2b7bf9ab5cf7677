r"""What is exceeded on no more than one day in a thousand, and what bounds it from below.

A size at 99.9 % of 2,196 days is the third worst of them. How many worse days a true size leaves is
a count, plausible from few to many; dependence is counted as in `equal_coverage_margin`: days
divided by the inflation f of the worst days, three times as many as may exceed. The lower end is
the day beyond which as many lie as are plausible.

There is no upper end. Where even no worse day is plausible, which it is until n / f days exceed
ln(.025) / ln(confidence), 3,688 at 99.9 %, no amount seen bounds the size. Longer records that do
have an end have it where they saw no turmoil: under a constant margin, where volatility persists
for months, such ends held the truth in about half of them. The lower end held it in 96 to 100 % of
simulated records of four and of nine years, and the size was below it in 57 to 93 % of them
(docs/intervals.md).

References
----------
Thompson, W. (1936). On confidence ranges for the median and other expectation distributions for
populations of unknown distribution form. Annals of Mathematical Statistics, 7(3), 122-128.
Korn, E. & Graubard, B. (1998), as of `rate_inflation`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.scores.checks import check_confidence
from backtest.scores.money.cost import wider_tail
from backtest.scores.overlapping.slow_variance import plausible_counts, rate_inflation
from backtest.types import DataError, FloatArray, StudyError, tail_count

SAME = 1e-9  # of a day: what sums of weights round to


@dataclass(frozen=True)
class Seldom:
    """A size that is seldom exceeded.

    Parameters
    ----------
    size : smallest amount that no more than the allowed days of the record exceed, in their unit.
    low : its lower end.
    days : independent days that say as much as those of the record.
    """

    size: float
    low: float
    days: float


def exceeded_seldom(values: FloatArray, weight: FloatArray, *, confidence: float) -> float:
    """The smallest of the values that no more than (1 - confidence) of days exceed.

    Parameters
    ----------
    values : (states, days). weight : (states,) probability of each state, adding up to 1.
    confidence : in (0, 1).

    Raises
    ------
    DataError, StudyError : amounts that are not finite; weights that do not add up to 1.

    Examples
    --------
    >>> exceeded_seldom(np.arange(100.0)[None], np.ones(1), confidence=0.98)
    97.0
    """
    order, running = _descending(values, weight, confidence)
    allowed = tail_count(values.shape[1], confidence, "floor")
    return float(values.ravel()[order[_place(running, allowed)]])


def seldom(
    values: FloatArray, weight: FloatArray, *, confidence: float, level: float = 0.95
) -> Seldom:
    """`exceeded_seldom`, with the lower end of its two-sided interval at `level`.

    Arguments and errors as of `exceeded_seldom`; days are consecutive.

    Examples
    --------
    >>> days = np.random.default_rng(3).pareto(3.0, (1, 2196))
    >>> found = seldom(days, np.ones(1), confidence=0.999)  # exceeded on a day in 1,000: 9
    >>> round(found.size, 1), round(found.low, 1), round(found.days)
    (8.2, 5.8, 2196)
    """
    order, running = _descending(values, weight, confidence)
    states, days = values.shape
    ranked = values.ravel()[order]
    edge = ranked[_place(running, wider_tail(days, confidence) - 1)]
    # Days without any need are no part of the tail, however many tie there.
    marked = weight @ ((values >= edge) & (values > 0.0))
    inflation = rate_inflation(marked[:, None], 1, level=level)
    _, most = plausible_counts(1.0 - confidence, days, inflation, level=level)
    allowed = tail_count(days, confidence, "floor")
    return Seldom(
        size=float(ranked[_place(running, allowed)]),
        low=float(ranked[_place(running, min(int(most[0]), days - 1))]),
        days=days / float(inflation[0]),
    )


def _descending(
    values: FloatArray, weight: FloatArray, confidence: float
) -> tuple[NDArray[np.int64], FloatArray]:
    """Order of all values from the largest, and the days with a value at or above each."""
    check_confidence(confidence)
    if not np.isfinite(values).all():
        raise DataError("amounts are not all finite; leave out the days that are not known.")
    if abs(weight.sum() - 1.0) > SAME:
        raise StudyError(f"weights add up to {weight.sum():g}; give probabilities, of sum 1.")
    order = np.argsort(-values.ravel(), kind="stable")
    return order, np.cumsum(np.repeat(weight, values.shape[1])[order])


def _place(running: FloatArray, allowed: int) -> int:
    """The first value with which more days than allowed are at or above it."""
    return int((running > allowed * (1.0 + 1e-12) + SAME).argmax())
