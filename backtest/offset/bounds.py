"""Lower bounds of the reductions: a stationary bootstrap over days, rows of all silos together."""

from dataclasses import dataclass

import numpy as np

from backtest.kernels.pooling import resampled_reductions
from backtest.offset.history import SiloHistory, draw_shifts
from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import FloatArray, tail_count

BLOCK = 20  # mean length of the resampled blocks, scored days
FRESH_SHIFTS = 50  # drawn anew in every resample
RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Bounds:
    """One-sided lower bounds, by the percentile of resampled histories.

    Parameters
    ----------
    total, dependence : lower bounds of s and s_dep; total_draws, dependence_draws the resampled
        values, NaN where a silo needed no margin.
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

    Scales, pool and 50 fresh shifts are found anew in each resample. Resampling adds no
    information beyond the exceedances observed.

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
    drawn = stationary_indices(days, resamples=resamples, block=block, seed=seed)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    shifts = draw_shifts(days, silos, resamples * FRESH_SHIFTS, rng)
    total, dependence = np.empty(resamples), np.empty(resamples)
    resampled_reductions(
        history.loss,
        history.margin,
        np.ascontiguousarray(drawn, dtype=np.int64),
        shifts.reshape(resamples, FRESH_SHIFTS, silos),
        history.tail,
        total,
        dependence,
    )
    kept = ~np.isnan(total)
    if not kept.any():
        nan = float("nan")
        return Bounds(nan, nan, total, dependence, resamples)
    return Bounds(
        total=float(np.quantile(total[kept], 1.0 - confidence)),
        dependence=float(np.quantile(dependence[kept], 1.0 - confidence)),
        total_draws=total,
        dependence_draws=dependence,
        dropped=int((~kept).sum()),
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

    A history passes where the loss exceeds (1 - reduction) x the scaled silo margins on no more
    days than the standard allows; the scales are those of the history as it was. About one half
    at the point estimate.

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
    drawn = stationary_indices(days, resamples=resamples, block=block, seed=seed)
    counts = day_weights(drawn)[:, exceeded].sum(axis=1)
    allowed = tail_count(days, history.confidence, "floor")
    return float((counts <= allowed).mean())
