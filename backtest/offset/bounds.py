"""Lower bounds of the reductions: resampled days for the tail, and an allowance for drift.

Blocks of 20 days hold what a month of clustered losses does to the estimate. They do not hold that
the correlation of the next years may be another one: `backtest.offset.drift` measures how much the
years of the history differed, and the bound allows for as much again.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from backtest.kernels.reductions import weighted_reductions
from backtest.offset.drift import drift_deviation
from backtest.offset.history import Reduction, SiloHistory
from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import tail_count

BLOCK = 20  # mean length of the resampled blocks, scored days
RESAMPLES = 4000
CHUNK = 500  # resamples drawn at a time: their day numbers would fill memory otherwise


@dataclass(frozen=True)
class Bounds:
    """One-sided lower bounds.

    Parameters
    ----------
    total, dependence : lower bounds of s and s_dep; the allowance below the estimate is the same,
        since the dependence is what drifts.
    percentile : lower bound of s from the resampled days alone.
    drift : standard deviation that drift gives to log(1 - s) of such a history.
    dropped : resamples without a positive scale in every silo.
    """

    total: float
    dependence: float
    percentile: float
    drift: float
    dropped: int


@lru_cache(maxsize=8)
def resample_weights(days: int, resamples: int, block: int = BLOCK) -> NDArray[np.uint8]:
    """(resamples, days) how often each day is drawn: one fixed set for histories of `days` days.

    Every history and study takes the same draws, so that no digit of a bound depends on a seed.
    """
    chunks = [
        day_weights(
            stationary_indices(days, resamples=min(CHUNK, resamples - k), block=block, seed=k)
        ).astype(np.uint8)
        for k in range(0, resamples, CHUNK)
    ]
    return np.concatenate(chunks)


def resampled_totals(
    history: SiloHistory, *, resamples: int = RESAMPLES, block: int = BLOCK
) -> NDArray[np.float64]:
    """(resamples,) total reduction of resampled histories; NaN where a silo has no scale."""
    return weighted_totals(history, resample_weights(history.days, resamples, block))


def weighted_totals(history: SiloHistory, weights: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(resamples,) `resampled_totals` of given draws; weights (resamples, days)."""
    total = np.empty(len(weights))
    kappa = history.kappa()
    scaled = (kappa[:, None] * history.margin).sum(axis=0)
    pooled = history.loss.sum(axis=0) / np.maximum(scaled, 1e-300)
    days = np.argsort(-pooled)
    weighted_reductions(history.ordered, kappa, pooled, days, weights, history.tail, total)
    return total


def bound_reduction(
    history: SiloHistory,
    point: Reduction,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Bounds:
    r"""Bounds at one-sided `confidence`, below the estimates `point` by one allowance a.

    .. math:: a^2 = (s - p)^2 + (z \, (1 - s) \, d)^2

    with p the lower percentile (linear) of s over resampled histories, whose scales are computed
    anew, d the drift of log(1 - s) and z the normal quantile of `confidence`. The bound of s is not
    taken below zero unless p is: at worst nothing is saved. Margins must be positive.

    References
    ----------
    Politis, D. & Romano, J. (1994). The stationary bootstrap. JASA, 89(428), 1303-1313.
    Efron, B. (1981). Nonparametric standard errors and confidence intervals (the percentile
    interval). Canadian Journal of Statistics, 9(2), 139-158.

    Examples
    --------
    >>> from backtest.offset.history import silo_shifts
    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2020-01-01") + np.arange(600)
    >>> loss, margin = rng.normal(size=(2, 600)), np.full((2, 600), 2.3)
    >>> history = SiloHistory(("A", "B"), days, loss, margin, 0.99, 1)
    >>> point = history.reduction(silo_shifts(600, 2))
    >>> bounds = bound_reduction(history, point, resamples=50)
    >>> bool(bounds.total < bounds.percentile < point.total), bounds.dropped
    (True, 0)
    """
    draws = resampled_totals(history, resamples=resamples)
    is_known = ~np.isnan(draws)
    drift = drift_deviation(history)
    if not is_known.any():
        nan = float("nan")
        return Bounds(nan, nan, nan, drift, resamples)
    percentile = float(np.quantile(draws[is_known], 1.0 - confidence))
    by_drift = float(ndtri(confidence)) * (1.0 - point.total) * drift
    allowance = float(np.hypot(point.total - percentile, by_drift))
    total = max(point.total - allowance, min(0.0, percentile))
    return Bounds(
        total=total,
        dependence=point.dependence - (point.total - total),
        percentile=percentile,
        drift=drift,
        dropped=int((~is_known).sum()),
    )


def pass_probability(
    history: SiloHistory, reduction: float, *, resamples: int = RESAMPLES, block: int = BLOCK
) -> float:
    """Share of resampled histories that pass with the pool's margin reduced by `reduction`.

    A history passes if the loss exceeds (1 - reduction) x the scaled silo margins on no more days
    than the standard allows. The scales are those of the observed history. At the point estimate
    the probability is about one half.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2020-01-01") + np.arange(600)
    >>> loss, margin = rng.normal(size=(2, 600)), np.full((2, 600), 2.3)
    >>> history = SiloHistory(("A", "B"), days, loss, margin, 0.99, 1)
    >>> pass_probability(history, -1.0), pass_probability(history, 1.0)
    (1.0, 0.0)
    """
    scaled = (history.kappa()[:, None] * history.margin).sum(axis=0)
    exceeded = history.loss.sum(axis=0) > (1.0 - reduction) * scaled
    weights = resample_weights(history.days, resamples, block)
    counts = weights[:, exceeded].sum(axis=1, dtype=np.int64)
    allowed = tail_count(history.days, history.confidence, "floor")
    return float((counts <= allowed).mean())
