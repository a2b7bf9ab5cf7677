"""Two models on the same days: the differences of coverage and of cost, tested jointly.

A model with less margin and more exceedances is a trade-off and not an improvement. So the two
differences have one joint confidence region, and the probability that both favour one model.
"""

from dataclasses import dataclass

import numpy as np

from backtest.scores.checks import as_panels, check_weights
from backtest.types import DataError, DaysByPortfolios, FloatArray, StudyError


@dataclass(frozen=True, eq=False)
class JointRegion:
    """Ellipsoid of paired differences: centre, covariance, radius in sd, share of draws inside."""

    center: FloatArray
    covariance: FloatArray
    radius: float
    inside: float

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


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """First less second on one history, over books: (exceedance rate, mean margin in USD).

    Parameters
    ----------
    difference, low, high : (2,) point estimates and 95 % intervals, each on its own.
    region : joint confidence region of both.
    dominates, dominated : share of resamples in which the first (the second) model is not higher in
        both measures and lower in one; the remaining share is a trade-off or a tie.
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
    weights: FloatArray,
    level: float = 0.95,
) -> PairedDifference:
    """Compare two requirements for the same losses, by a bootstrap of days common to both.

    Parameters
    ----------
    loss, first, second : (days, portfolios) USD over scored days, no NaN.
    weights : (resamples, days) from `day_weights`; blocks keep the dependence of days, and all
        books of a day are drawn together.
    level : of the intervals and of the region, in (0, 1).

    Returns
    -------
    PairedDifference. The radius of its region is the `level` quantile of the resamples'
    distances, so it holds that share of them whatever their law. Resamples speak of the
    exceedances that the record has, and of no others.

    Raises
    ------
    DataError, StudyError
        For arrays of other shapes or with NaN, weights of other days, a level outside (0, 1).

    References
    ----------
    Politis, D. & Romano, J. (1994). The stationary bootstrap. Journal of the American Statistical
    Association, 89(428), 1303-1313.

    Examples
    --------
    >>> from backtest.scores.resample import day_weights, stationary_indices
    >>> weights = day_weights(stationary_indices(400, resamples=200))
    >>> loss = np.sin(np.arange(400.0))[:, None]
    >>> tight, wide = np.full((400, 1), 0.9), np.full((400, 1), 2.0)
    >>> pair = paired_difference(loss, tight, wide, weights=weights)
    >>> pair.difference.round(2).tolist(), pair.dominates, pair.region.holds(np.zeros(2))
    ([0.15, -1.1], 0.0, False)
    """
    if not 0.0 < level < 1.0:
        raise StudyError(f"level is {level}; give one inside (0, 1), such as 0.95.")
    losses, one, other = as_panels(loss=loss, first=first, second=second)
    check_weights(weights, len(losses))
    if len(weights) < 3:
        raise DataError(f"a joint region of {len(weights)} resamples; draw 3 or more.")
    daily = np.column_stack(
        [
            (losses > one).mean(axis=1) - (losses > other).mean(axis=1),
            one.mean(axis=1) - other.mean(axis=1),
        ]
    )
    difference = daily.mean(axis=0)
    # Exceedances are whole numbers: rounding removes errors that depend on the order of the sum.
    draws = weights @ daily / len(daily)
    draws[:, 0] = np.round(draws[:, 0], 12)
    covariance = np.cov(draws.T)
    away = distances(draws - difference, covariance)
    radius = float(np.sqrt(np.quantile(away, level, method="higher")))
    region = JointRegion(difference, covariance, radius, float((away <= radius**2).mean()))
    tail = round((1.0 - level) / 2.0, 9)  # .025 of 1,000 is 25, not the 26 of floating point
    low, high = np.quantile(draws, (tail, 1.0 - tail), axis=0, method="inverted_cdf")
    return PairedDifference(difference, low, high, region, *(_better(s * draws) for s in (1, -1)))


def _better(draws: FloatArray) -> float:
    """Share of draws in which neither difference is above 0 and one is below."""
    return float(((draws <= 0.0).all(axis=1) & (draws < 0.0).any(axis=1)).mean())
