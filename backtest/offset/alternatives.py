"""Other methods for the lower bounds, compared with the percentile by `make calibration`."""

import math

import numpy as np
from scipy.special import bdtr

from backtest.kernels.pooling import resampled_reductions, window_reductions
from backtest.offset.bounds import BLOCK, FRESH_SHIFTS, Bounds, bound_reduction
from backtest.offset.history import Reduction, SiloHistory, draw_shifts
from backtest.scores.resample import stationary_indices
from backtest.types import FloatArray, tail_count

SUBSAMPLE = 400  # scored days of a subsample
PART = 0.5  # m / n in the m-out-of-n bootstrap
OUTER, INNER = 100, 25  # resamples of the nested methods
LEVEL = 0.95
NORMAL = 1.6448536269514722  # one-sided 95 %


def alternative_bounds(
    history: SiloHistory, point: Reduction, bounds: Bounds, *, seed: int
) -> dict[str, tuple[float, float]]:
    """(bound of s, bound of s_dep) by method, one-sided 95 %; NaN where a method has none.

    - basic: 2 s - upper percentile (Davison & Hinkley 1997, 5.2).
    - normal: s - 1.645 bootstrap standard deviations.
    - m-out-of-n: resamples of half the days, deviations scaled by sqrt(m / n) (Bickel, Goetze &
      van Zwet 1997).
    - subsampling: windows of 400 days, deviations scaled by sqrt(b / n) (Politis, Romano & Wolf
      1999).
    - order statistic: the loss ratio of the pool at the rank that is the binomial 5 % quantile for
      the effective number of exceedances, with the scales of the silos taken as known.
    """
    total, dependence = (d[~np.isnan(d)] for d in (bounds.total_draws, bounds.dependence_draws))
    part_total, part_dependence = _half_histories(history, len(bounds.total_draws), seed)

    def by_draws(value: float, draws: FloatArray, rate: float) -> float:
        return value - rate * float(np.quantile(draws - value, LEVEL))

    root = math.sqrt(PART)
    return {
        "basic": (by_draws(point.total, total, 1.0), by_draws(point.dependence, dependence, 1.0)),
        "normal": (
            point.total - NORMAL * float(total.std()),
            point.dependence - NORMAL * float(dependence.std()),
        ),
        "m-out-of-n": (
            by_draws(point.total, part_total, root),
            by_draws(point.dependence, part_dependence, root),
        ),
        "subsampling": (
            by_draws(point.total, _windows(history), math.sqrt(SUBSAMPLE / history.days)),
            float("nan"),
        ),
        "order statistic": (_order_statistic(history, point), float("nan")),
    }


def _half_histories(
    history: SiloHistory, resamples: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Reductions (total, dependence) of resampled histories of half the length."""
    days = int(history.days * PART)
    resampled_days = stationary_indices(
        history.days, resamples=resamples, block=BLOCK, seed=seed + 1
    )
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    shifts = draw_shifts(days, len(history.silos), resamples * FRESH_SHIFTS, rng)
    total, dependence = np.empty(resamples), np.empty(resamples)
    resampled_reductions(
        history.loss,
        history.margin,
        np.ascontiguousarray(resampled_days[:, :days], dtype=np.int64),
        shifts.reshape(resamples, FRESH_SHIFTS, -1),
        tail_count(days, history.confidence, "floor") + 1,
        total,
        dependence,
    )
    return total[~np.isnan(total)], dependence[~np.isnan(dependence)]


def _windows(history: SiloHistory) -> FloatArray:
    out = np.empty(history.days - SUBSAMPLE + 1)
    count = tail_count(SUBSAMPLE, history.confidence, "floor") + 1
    window_reductions(history.loss, history.margin, SUBSAMPLE, count, out)
    return out[~np.isnan(out)]


def _order_statistic(history: SiloHistory, point: Reduction) -> float:
    """1 - the loss ratio at the rank that the effective binomial count reaches with 5 %."""
    scaled = (history.kappa()[:, None] * history.margin).sum(axis=0)
    ratio = np.sort(np.maximum(history.loss.sum(axis=0) / scaled, 0.0))[::-1]
    inflation = max(1.0, float(point.exceeded.sum()) / point.effective)
    # Exceedances come in clusters: the days count as fewer, independent trials.
    trials = max(1, int(history.days / inflation))
    count = 0
    while bdtr(count, trials, 1.0 - history.confidence) < 1.0 - LEVEL:
        count += 1
    rank = min(len(ratio) - 1, int(count * inflation))
    return 1.0 - float(ratio[rank])


def nested_bounds(
    history: SiloHistory, point: Reduction, bounds: Bounds, *, seed: int
) -> dict[str, tuple[float, float]]:
    """Bounds (s, s_dep) by method from resamples of resamples: slow, so used on fewer histories.

    - studentised: s - upper percentile of (s* - s) / se* times se, with se* from inner resamples
      (Davison & Hinkley 1997, 5.2.1).
    - prepivoted: the percentile at the level that covered in 95 % of outer resamples (Beran 1987).
    """
    resampled_days = stationary_indices(history.days, resamples=OUTER, block=BLOCK, seed=seed + 2)
    values = (point.total, point.dependence)
    pivots: tuple[list[float], list[float]] = ([], [])
    levels: tuple[list[float], list[float]] = ([], [])
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    for days_drawn in resampled_days:
        outer = history.drawn(days_drawn)
        if outer.not_estimable():
            continue
        shifts = draw_shifts(history.days, len(history.silos), FRESH_SHIFTS, rng)
        reduction = outer.reduction(shifts)
        inner = bound_reduction(outer, resamples=INNER, seed=int(rng.integers(2**31)))
        draws = (inner.total_draws, inner.dependence_draws)
        for k, value in enumerate((reduction.total, reduction.dependence)):
            draws_known = draws[k][~np.isnan(draws[k])]
            pivots[k].append((value - values[k]) / float(draws_known.std()))
            levels[k].append(float((draws_known <= values[k]).mean()))
    outers = [d[~np.isnan(d)] for d in (bounds.total_draws, bounds.dependence_draws)]
    student = [
        values[k] - float(np.quantile(pivots[k], LEVEL)) * float(outers[k].std()) for k in (0, 1)
    ]
    prepivoted = [
        float(np.quantile(outers[k], np.quantile(levels[k], 1.0 - LEVEL))) for k in (0, 1)
    ]
    return {
        "studentised": (student[0], student[1]),
        "prepivoted": (prepivoted[0], prepivoted[1]),
    }
