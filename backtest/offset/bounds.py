"""Lower bounds of the reductions: a stationary bootstrap that draws a day for all silos at once."""

from dataclasses import dataclass

import numpy as np

from backtest.kernels.pooling import resampled_reductions
from backtest.offset.history import SiloHistory, draw_shifts
from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import FloatArray, tail_count

BLOCK = 20  # mean length of the resampled blocks, scored days
FRESH_SHIFTS = 50  # shifts drawn for each resample
RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Bounds:
    """One-sided lower bounds: percentiles over resampled histories.

    Parameters
    ----------
    total, dependence : lower bounds of s and s_dep.
    total_draws, dependence_draws : resampled values, NaN where a silo needed no margin.
    dropped : resamples without a positive scale in every silo.
    """

    total: float
    dependence: float
    total_draws: FloatArray
    dependence_draws: FloatArray
    dropped: int


def bound_reduction(
    history: SiloHistory,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    block: int = BLOCK,
    seed: int = 0,
) -> Bounds:
    """Bounds at one-sided `confidence`: the lower percentile (linear) of the resampled values.

    The scales, the pool and 50 new shifts are computed for each resample. Resampling adds no
    information to the exceedances that were observed.

    References
    ----------
    Politis, D. & Romano, J. (1994). The stationary bootstrap. JASA, 89(428), 1303-1313.
    Efron, B. (1981). Nonparametric standard errors and confidence intervals (the percentile
    interval). Canadian Journal of Statistics, 9(2), 139-158.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2020-01-01") + np.arange(600)
    >>> loss, margin = rng.normal(size=(2, 600)), np.full((2, 600), 2.3)
    >>> history = SiloHistory(("A", "B"), days, loss, margin, 0.99)
    >>> bounds = bound_reduction(history, resamples=50)
    >>> bool(bounds.total < 0.5), bounds.dropped
    (True, 0)
    """
    silos, days = history.loss.shape
    resampled_days = stationary_indices(days, resamples=resamples, block=block, seed=seed)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    shifts = draw_shifts(days, silos, resamples * FRESH_SHIFTS, rng)
    total, dependence = np.empty(resamples), np.empty(resamples)
    resampled_reductions(
        history.loss,
        history.margin,
        np.ascontiguousarray(resampled_days, dtype=np.int64),
        shifts.reshape(resamples, FRESH_SHIFTS, silos),
        history.tail,
        total,
        dependence,
    )
    is_known = ~np.isnan(total)
    if not is_known.any():
        nan = float("nan")
        return Bounds(nan, nan, total, dependence, resamples)
    return Bounds(
        total=float(np.quantile(total[is_known], 1.0 - confidence)),
        dependence=float(np.quantile(dependence[is_known], 1.0 - confidence)),
        total_draws=total,
        dependence_draws=dependence,
        dropped=int((~is_known).sum()),
    )


def pass_probability(
    history: SiloHistory,
    reduction: float,
    *,
    resamples: int = RESAMPLES,
    block: int = BLOCK,
    seed: int = 0,
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
    >>> history = SiloHistory(("A", "B"), days, loss, margin, 0.99)
    >>> pass_probability(history, -1.0), pass_probability(history, 1.0)
    (1.0, 0.0)
    """
    days = history.days
    scaled = (history.kappa()[:, None] * history.margin).sum(axis=0)
    exceeded = history.loss.sum(axis=0) > (1.0 - reduction) * scaled
    resampled_days = stationary_indices(days, resamples=resamples, block=block, seed=seed)
    counts = day_weights(resampled_days)[:, exceeded].sum(axis=1)
    allowed = tail_count(days, history.confidence, "floor")
    return float((counts <= allowed).mean())
