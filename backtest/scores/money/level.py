"""Intervals of the mean of an amount that moves slowly, such as margin, of ratio and difference.

How often they hold, and what was measured beside them, is in docs/intervals.md.
"""

import numpy as np

from backtest.scores.overlapping.slow_variance import slow_transforms, student_point
from backtest.types import DataError, FloatArray

# A margin moves with volatility and remembers years. Of intervals of 95 % from nine years, those of
# four cosines missed the mean in 4 to 18 % of simulated records, those of two in 4 to 12.
COSINES = 2
Ends = tuple[float, float, float]  # an estimate with the lower and the upper end of its interval


def mean_interval(amounts: FloatArray, *, level: float = 0.95) -> Ends:
    """Mean, low and high: two slow cosines and Student's law, as of `paired_difference`.

    amounts : (days,) of any unit, three days or more. level : in (0, 1).

    Raises
    ------
    DataError, StudyError : fewer days; a level outside (0, 1).

    Examples
    --------
    >>> [round(x, 2) for x in mean_interval(np.arange(100.0))]
    [49.5, -37.69, 136.69]
    """
    if len(amounts) <= COSINES:
        raise DataError(f"{len(amounts)} days say nothing of a mean; give {COSINES + 1} up.")
    mean = float(amounts.mean())
    variance = float(np.mean(slow_transforms(amounts, COSINES) ** 2)) / len(amounts)
    half = student_point(COSINES, level) * float(np.sqrt(variance))
    return mean, mean - half, mean + half


def ratio_interval(amounts: FloatArray, base: FloatArray, *, level: float = 0.95) -> Ends:
    """Ratio of two means on the same days, low and high; the spread is of `amounts` - ratio `base`.

    Arguments and errors as of `mean_interval`; NaN where `base` has the mean zero.

    Examples
    --------
    >>> days = np.arange(100.0)
    >>> [round(x, 3) for x in ratio_interval(0.5 * days, days)]
    [0.5, 0.5, 0.5]
    """
    mean = float(base.mean())
    if mean == 0.0:
        return np.nan, np.nan, np.nan
    ratio = float(amounts.mean()) / mean
    _, low, high = mean_interval((amounts - ratio * base) / mean, level=level)
    return ratio, ratio + low, ratio + high


def difference_ends(one: Ends, other: Ends) -> Ends:
    """One estimate less another, with the ends that are worst together.

    Whatever the two have to do with each other, an end is missed no more often than the ends of
    both that it is made of are, taken together. NaN where either has no interval.

    Examples
    --------
    >>> difference_ends((5.0, 4.0, 7.0), (2.0, 1.0, 4.0))
    (3.0, 0.0, 6.0)
    """
    return one[0] - other[0], one[1] - other[2], one[2] - other[1]
