"""Intervals of the mean of an amount that moves slowly, such as margin, and of a ratio of two."""

import numpy as np

from backtest.scores.overlapping.slow_variance import (
    MEAN_COSINES,
    slow_transforms,
    student_point,
)
from backtest.types import DataError, FloatArray


def mean_interval(amounts: FloatArray, *, level: float = 0.95) -> tuple[float, float, float]:
    """Mean, low and high: four slow cosines and Student's law, as of `paired_difference`.

    amounts : (days,) of any unit, five days or more. level : in (0, 1).

    Raises
    ------
    DataError, StudyError : fewer days; a level outside (0, 1).

    Examples
    --------
    >>> [round(x, 2) for x in mean_interval(np.arange(100.0))]
    [49.5, 9.47, 89.53]
    """
    if len(amounts) <= MEAN_COSINES:
        raise DataError(f"{len(amounts)} days say nothing of a mean; give {MEAN_COSINES + 1} up.")
    mean = float(amounts.mean())
    variance = float(np.mean(slow_transforms(amounts, MEAN_COSINES) ** 2)) / len(amounts)
    half = student_point(MEAN_COSINES, level) * float(np.sqrt(variance))
    return mean, mean - half, mean + half


def ratio_interval(
    amounts: FloatArray, base: FloatArray, *, level: float = 0.95
) -> tuple[float, float, float]:
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
