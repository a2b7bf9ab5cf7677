r"""Variance of a mean whose days depend on each other for months, from the slowest cosines.

Exceedances cluster for as long as volatility persists, which no block of 20 days can show. The
cosine transforms of a series at its lowest frequencies,

.. math:: L_j = \sqrt{2 / n} \sum_t \cos(\pi j (t - 1/2) / n) \, x_t, \qquad j = 1 \dots J,

are nearly independent, each with the long-run variance of the series, whatever its mean. The mean
of their J squares estimates that variance, and a mean divided by it follows a Student t with J
degrees of freedom: few cosines see slow dependence, and the t pays for their small number. Nothing
is drawn, so no seed moves an interval.

References
----------
Mueller, U. (2007). A theory of robust long-run variance estimation. Journal of Econometrics,
141(2), 1331-1352. Lazarus, E., Lewis, D., Stock, J. & Watson, M. (2018). HAR inference:
recommendations for practice. Journal of Business & Economic Statistics, 36(4), 541-559.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincinv, ndtri, stdtrit

from backtest.scores.checks import check_level
from backtest.types import BoolArray, FloatArray

Counts = NDArray[np.int64]

# 4 to 16 were measured. With 12, intervals of rates hold about 95 % where shocks to volatility
# halve within 35 days and stay as narrow as a bootstrap's for independent days; with 4, those of
# differences of two margins that remember a year hold 95 % in nine (docs/intervals.md).
RATE_COSINES = 12
MEAN_COSINES = 4
TINY = 1e-300  # in place of a count of 0, which the beta law does not take


def slow_transforms(series: FloatArray, cosines: int) -> FloatArray:
    """Cosine transforms of a series at its lowest frequencies.

    Parameters
    ----------
    series : (days, ...) numbers, consecutive days.
    cosines : J, how many; the slowest has a half-period of all days.

    Returns
    -------
    (J, ...) in units of the series; squares have its long-run variance as their mean.

    Examples
    --------
    >>> slow_transforms(np.array([1.0, 1.0, 1.0, 5.0]), 1).round(3).tolist()
    [-2.613]
    """
    days = len(series)
    angle = np.pi * np.outer(np.arange(1, cosines + 1), (np.arange(days) + 0.5) / days)
    return np.asarray(np.sqrt(2.0 / days) * np.tensordot(np.cos(angle), series, axes=1))


def student_point(cosines: int, level: float) -> float:
    """Two-sided point of Student's t with `cosines` degrees of freedom.

    Examples
    --------
    >>> round(student_point(4, 0.95), 3)
    2.776
    """
    check_level(level)
    return float(stdtrit(cosines, 0.5 + 0.5 * level))


def rate_inflation(counts: FloatArray, cells: ArrayLike, *, level: float = 0.95) -> FloatArray:
    r"""Factor by which dependence shrinks the evidence of a rate; cells / factor are effective.

    .. math:: f = \max\Big(1, \; \frac{\hat V}{r (1 - r) m} \, (t_J / z)^2 \Big)

    with V the long-run variance of the daily counts, r their rate, m cells a day; the ratio of
    Student's to the normal point allows for a variance estimated from few cosines, as Korn and
    Graubard do for few clusters.

    Parameters
    ----------
    counts : (days, ...) marked cells of each day, one series a book or panel.
    cells : cells of one day: 1 for one book, the number of books for all together.
    level : of the interval that uses the factor, in (0, 1).

    Returns
    -------
    (...) factors >= 1; 1 where no cell, or every cell, is marked.

    References
    ----------
    Korn, E. & Graubard, B. (1998). Confidence intervals for proportions with small expected number
    of positive counts estimated from survey data. Survey Methodology, 24(2), 193-201.

    Examples
    --------
    >>> days = np.arange(1200)
    >>> spread, months = days % 20 == 0, days < 60
    >>> rate_inflation(np.column_stack([spread, months]).astype(float), 1).round(1).tolist()
    [1.0, 104.3]
    """
    day_rate = counts.mean(axis=0) / cells
    single = day_rate * (1.0 - day_rate) * cells
    cosines = min(RATE_COSINES, max(1, len(counts) - 1))
    variance = np.mean(slow_transforms(counts, cosines) ** 2, axis=0)
    allowance = (student_point(cosines, level) / float(ndtri(0.5 + 0.5 * level))) ** 2
    ratio = np.divide(variance, single, out=np.zeros_like(variance), where=single > 0.0)
    return np.asarray(np.maximum(ratio * allowance, 1.0))


def effective_interval(
    count: ArrayLike, cells: ArrayLike, inflation: ArrayLike, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Clopper and Pearson's interval of a rate, of count / f in cells / f.

    Parameters
    ----------
    count : (...) marked cells. cells : of all days. inflation : f, of `rate_inflation`.
    level : in (0, 1).

    Returns
    -------
    low, high : (...) rates in [0, 1]; low is 0 without a marked cell.

    Examples
    --------
    >>> low, high = effective_interval(0, 500, 1.0)
    >>> float(low), round(float(high), 5)
    (0.0, 0.00735)
    """
    tail = 0.5 * (1.0 - level)
    factor = np.asarray(inflation, dtype=np.float64)
    marked, effective = np.asarray(count) / factor, np.asarray(cells) / factor
    others = effective - marked
    low = betaincinv(np.maximum(marked, TINY), others + 1.0, tail)
    high = betaincinv(marked + 1.0, np.maximum(others, TINY), 1.0 - tail)
    return np.where(marked > 0.0, low, 0.0), np.where(others > 0.0, high, 1.0)


def plausible_counts(
    rate: FloatArray | float, cells: int, inflation: FloatArray, *, level: float = 0.95
) -> tuple[Counts, Counts]:
    """Fewest and most marked cells whose `effective_interval` holds a rate.

    Parameters
    ----------
    rate : in (0, 1), one or (...). cells : of all days. inflation : (...) f. level : in (0, 1).

    Returns
    -------
    fewest, most : (...) whole numbers as int64, 0 .. cells.

    Examples
    --------
    >>> [n.tolist() for n in plausible_counts(0.01, 500, np.array([1.0, 4.0]))]
    [[1, 0], [10, 17]]
    """
    tail = 0.5 * (1.0 - level)
    effective = cells / inflation

    def too_few(count: Counts) -> BoolArray:
        marked = count / inflation
        return betainc(marked + 1.0, np.maximum(effective - marked, TINY), rate) > 1.0 - tail

    def few_enough(count: Counts) -> BoolArray:
        marked = count / inflation
        return betainc(np.maximum(marked, TINY), effective - marked + 1.0, rate) >= tail

    return _first(too_few, cells, inflation.shape), _first(few_enough, cells, inflation.shape) - 1


def _first(holds: Callable[[Counts], BoolArray], cells: int, shape: tuple[int, ...]) -> Counts:
    """Smallest count, 0 .. cells + 1, at which a condition that holds below it no longer does."""
    below, at = np.full(shape, -1, dtype=np.int64), np.full(shape, cells + 1, dtype=np.int64)
    while (at - below > 1).any():
        middle = below + (at - below + 1) // 2
        still = holds(middle)
        below, at = np.where(still, middle, below), np.where(still, at, middle)
    return at
