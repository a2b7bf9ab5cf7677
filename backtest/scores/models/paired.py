"""Two models on the same days: the differences of coverage and of cost, tested jointly.

A model with less margin and more exceedances is a trade-off and not an improvement. So the two
differences have one joint confidence region, and the probability that both favour one model.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, fdtri, stdtr, stdtrit

from backtest.scores.checks import as_panels
from backtest.scores.overlapping.slow_variance import (
    MEAN_COSINES,
    slow_transforms,
    student_point,
)
from backtest.types import DataError, DaysByPortfolios, FloatArray

FEWEST_DAYS = MEAN_COSINES + 1  # that show how much a mean varies
ROUNDING = 1e-12  # share of the largest difference below which variation is rounding
NODES = 64  # of the quadrature behind `dominates`: 256 change no digit above 1e-9


@dataclass(frozen=True, eq=False)
class JointRegion:
    """Ellipsoid of paired differences: centre, covariance of the centre, radius in sd."""

    center: FloatArray
    covariance: FloatArray
    radius: float

    def holds(self, point: FloatArray) -> bool:
        """Whether a point is in the region; the origin is in it if the models do not differ.

        A measure without variance, such as the difference of two constant requirements, is known
        exactly: no other value of it is in the region.
        """
        gap = np.asarray(point, dtype=np.float64) - self.center
        if gap[np.diag(self.covariance) == 0.0].any():
            return False
        return bool(distances(gap[None], self.covariance)[0] <= self.radius**2)


def distances(gaps: FloatArray, covariance: FloatArray) -> FloatArray:
    """Squared Mahalanobis distances of gaps (draws, measures); a measure that never varies has 0.

    Examples
    --------
    >>> distances(np.array([[2.0, 0.0]]), np.array([[4.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0]
    """
    # In standard units, because a rate is about 1e-12 of an amount in USD: pinv would drop it.
    spread = np.sqrt(np.diag(covariance))
    unit = np.where(spread > 0.0, spread, 1.0)
    away = gaps / unit
    within = np.linalg.pinv(covariance / np.outer(unit, unit), hermitian=True)
    return np.asarray(np.einsum("ij,jk,ik->i", away, within, away))


def varying(covariance: FloatArray) -> int:
    """Measures that a distance is of, at least one: those that never vary add nothing to it.

    Examples
    --------
    >>> varying(np.diag([1.0, 4.0])), varying(np.diag([0.0, 4.0])), varying(np.zeros((2, 2)))
    (2, 1, 1)
    """
    return max(1, int(np.count_nonzero(np.diag(covariance))))


def joint_pvalue(region: JointRegion) -> float:
    """P-value of no difference at all, by Hotelling's law: 5 % where a 95 % region touches zero.

    A difference that is zero on every day leaves Student's law of the other; one that is the same
    on every day and not zero is known exactly, and p is 0.

    region : of `paired_difference`.

    Examples
    --------
    >>> covariance = np.diag([1.0, 4.0])
    >>> touching = JointRegion(np.array([hotelling_radius(2, 4, 0.95), 0.0]), covariance, 5.0)
    >>> round(joint_pvalue(touching), 6)
    0.05
    """
    gap = -region.center
    if gap[np.diag(region.covariance) == 0.0].any():
        return 0.0
    measures = varying(region.covariance)
    over = MEAN_COSINES - measures + 1
    squared = float(distances(gap[None], region.covariance)[0])
    return float(fdtrc(measures, over, squared * over / (MEAN_COSINES * measures)))


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """First less second on one history, over books: (exceedance rate, mean margin in USD).

    Parameters
    ----------
    difference, low, high : (2,) point estimates and 95 % intervals, each on its own.
    region : joint confidence region of both.
    dominates, dominated : probability, by Student's law of both differences, that the first (the
        second) model is not higher in both measures and lower in one; the remaining probability is
        that of a trade-off or a tie.
    """

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    region: JointRegion
    dominates: float
    dominated: float


def paired_difference(
    loss: DaysByPortfolios,
    first: DaysByPortfolios,
    second: DaysByPortfolios,
    *,
    level: float = 0.95,
) -> PairedDifference:
    r"""Compare two requirements for the same losses, day by day, over all books.

    The daily differences depend on each other for as long as a margin remembers, a year and more.
    Their covariance comes from the four slowest cosines (`slow_transforms`), and Student's t and
    Hotelling's law with four degrees of freedom allow for so few:

    .. math:: \bar d \pm t_4 \sqrt{V / n}, \qquad
              (\bar d - d)' \, V^{-1} (\bar d - d) \, n \le \tfrac{8}{3} F_{2, 3}

    Where one difference never varies the region is the other's: its radius is Student's point.

    For two models that do not differ, the region held zero in 93 to 97 % of histories where
    margins remember up to a third of the record, in 89 to 91 % at half of it, in 67 to 84 % at two
    thirds or all; the interval of the margins in 91 to 97 % up to a quarter, 86 % at a third, 57 to
    79 % beyond; that of the rates in 92 to 99 % (docs/intervals.md).

    Parameters
    ----------
    loss, first, second : (days, portfolios) USD over scored days, no NaN.
    level : of the intervals and of the region, in (0, 1).

    Returns
    -------
    PairedDifference.

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, fewer than `FEWEST_DAYS`, a level outside (0, 1).

    References
    ----------
    Mueller, U. (2007). A theory of robust long-run variance estimation. Journal of Econometrics,
    141(2), 1331-1352. Hotelling, H. (1931). The generalization of Student's ratio. Annals of
    Mathematical Statistics, 2(3), 360-378.

    Examples
    --------
    >>> loss = np.sin(np.arange(400.0))[:, None]
    >>> tight, wide = np.full((400, 1), 0.9), np.full((400, 1), 2.0)
    >>> pair = paired_difference(loss, tight, wide)
    >>> pair.difference.round(2).tolist(), pair.dominates, pair.region.holds(np.zeros(2))
    ([0.15, -1.1], 0.0, False)
    """
    point = student_point(MEAN_COSINES, level)
    losses, one, other = as_panels(loss=loss, first=first, second=second)
    if len(losses) < FEWEST_DAYS:
        raise DataError(f"{len(losses)} days cannot be compared in pairs; give {FEWEST_DAYS} up.")
    daily = np.column_stack(
        [
            (losses > one).mean(axis=1) - (losses > other).mean(axis=1),
            one.mean(axis=1) - other.mean(axis=1),
        ]
    )
    difference = daily.mean(axis=0)
    # A difference that never varies is known exactly: what the sums round to is no variance.
    daily = np.where(np.ptp(daily, axis=0) > ROUNDING * np.abs(daily).max(axis=0), daily, 0.0)
    waves = slow_transforms(daily, MEAN_COSINES)
    covariance = waves.T @ waves / MEAN_COSINES / len(daily)
    half = point * np.sqrt(np.diag(covariance))
    return PairedDifference(
        difference,
        difference - half,
        difference + half,
        JointRegion(
            difference, covariance, hotelling_radius(varying(covariance), MEAN_COSINES, level)
        ),
        not_above(-difference, covariance, MEAN_COSINES),
        not_above(difference, covariance, MEAN_COSINES),
    )


def hotelling_radius(measures: int, freedom: int, level: float) -> float:
    """Radius, in sd, of the region that holds `level` of Hotelling's law.

    Examples
    --------
    >>> round(hotelling_radius(2, 4, 0.95), 3), round(hotelling_radius(1, 4, 0.95), 3)
    (5.047, 2.776)
    """
    over = freedom - measures + 1
    point = float(fdtri(measures, over, level))
    return float(np.sqrt(freedom * measures / over * point))


def not_above(gain: FloatArray, covariance: FloatArray, freedom: int) -> float:
    r"""Probability that neither of two differences is above 0, by a bivariate Student law.

    .. math:: P = \int_0^{T_\nu(a)} T_{\nu + 1}\Big(\frac{b - \rho x}{\sqrt{(1 - \rho^2)
              (\nu + x^2) / (\nu + 1)}}\Big) \, du, \qquad x = T_\nu^{-1}(u)

    with a and b the gains in standard deviations. A difference without variance is known exactly;
    where both are, one of them must be below 0.

    Parameters
    ----------
    gain : (2,) estimates with their signs turned. covariance : (2, 2). freedom : nu.

    Examples
    --------
    >>> round(not_above(np.zeros(2), np.eye(2), 4), 6)
    0.25
    """
    spread = np.sqrt(np.diag(covariance))
    known = spread == 0.0
    if (gain[known] < 0.0).any():
        return 0.0
    if known.all():
        return float((gain > 0.0).any())
    reach = gain[~known] / spread[~known]
    if known.any():
        return float(stdtr(freedom, reach[0]))
    # A correlation of 1 would leave no spread to divide by.
    correlation = float(np.clip(covariance[0, 1] / spread.prod(), -1.0 + 1e-12, 1.0 - 1e-12))
    node, weight = np.polynomial.legendre.leggauss(NODES)
    share = float(stdtr(freedom, reach[0]))
    x = stdtrit(freedom, 0.5 * share * (node + 1.0))
    left = np.sqrt((1.0 - correlation**2) * (freedom + x**2) / (freedom + 1))
    return float(0.5 * share * weight @ stdtr(freedom + 1, (reach[1] - correlation * x) / left))
