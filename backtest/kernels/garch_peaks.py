"""The highest peak of a GARCH likelihood: several starts, the best of them finished.

A fit is a function of its series alone. A search that began where the last one ended would be
quicker, and would make a margin depend on the day on which a study begins.
"""

import math

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.garch import LEAST_FREEDOM, mean_square
from backtest.kernels.garch_fit import FIRST_CURVATURE, INNER, coefficients_of, distance, minimise
from backtest.kernels.tail_select import FloatArray

# Persistence, the reactions' share in it, degrees of freedom, the logit of the gains' share in the
# reactions (for leverage). Chosen on half of the windows of
# docs/fits.md and held against the other half: from fewer, some fit stops on a lower peak.
STARTS = np.array(
    [
        [0.995, 0.03, 8.0, 0.0],
        [0.95, 0.2, 4.0, -2.0],
        [0.7, 0.15, 4.0, 0.0],
        [0.2, 0.8, 5.0, 2.0],
        [0.3, 0.2, 6.0, 0.0],
        [0.999, 0.002, 2.3, 0.0],
    ]
)
# Log-likelihood still to be gained where a search ends, as its quadratic model sees it.
ROUGH, FINE = 0.5, 1e-6
NEAR = 2.0  # log-likelihood below the best rough peak within which others are finished too
SAME_PLACE = 0.05  # free values of two rough peaks that are one
APART = 0.5  # free values of two finished peaks that are two
SAME_PEAK = 1e-4  # log-likelihood below which two peaks are not told apart
# Series are rounded to this share of their root mean square before a fit, so that the last digits
# of a shock (another price unit, another sum) do not decide between two peaks of a likelihood.
GRID = 2.0**-23
OUTCOMES = 5  # columns of an outcome: see `fit_rows`


@kernel
def begin(start: FloatArray, leverage: bool, student: bool, free: FloatArray) -> None:
    """Free values of a start: variance one, no skew, gains and losses alike without leverage."""
    persistence, share, freedom = start[0], start[1], start[2]
    free[:] = 0.0
    free[0] = math.log(1.0 - persistence)
    free[1] = math.log(persistence / (1.0 - persistence))
    free[2] = math.log(share / (1.0 - share))
    free[3] = start[3] if leverage else 0.0
    free[4] = math.log(freedom - LEAST_FREEDOM) if student else 0.0


@kernel
def fit_one(
    series: FloatArray, leverage: bool, student: bool, free: FloatArray, scratch: FloatArray
) -> tuple[float, int, bool, float]:
    """Set `free` to the likeliest values from all starts.

    Returns minus the log-likelihood, the evaluations it took, whether that search converged, and
    the log-likelihood from there down to the second peak, infinite where none was found near.
    """
    count, size = len(STARTS), len(free)
    at, rough = np.empty((count, size)), np.empty(count)
    curvature = np.empty((count, size, size))
    spent = 0
    for k in range(count):
        begin(STARTS[k], leverage, student, at[k])
        curvature[k] = np.eye(size) * FIRST_CURVATURE / len(series)
        value, evaluations, _ = minimise(
            series, leverage, student, at[k], curvature[k], scratch, ROUGH, at[:0], rough[:0]
        )
        rough[k] = value if np.isfinite(value) else np.inf
        spent += evaluations
    order = np.argsort(rough)
    passed, ends, fine = at.copy(), np.full((count, size), np.nan), np.full(count, np.inf)
    least, good, best = np.inf, False, 0
    for place in range(count):
        k = order[place]
        if rough[k] > rough[order[0]] + NEAR:
            break
        if nearest(at[k], passed, order[:place]) < SAME_PLACE:
            continue
        ends[k] = at[k]
        fine[k], evaluations, converged = minimise(
            series, leverage, student, ends[k], curvature[k], scratch, FINE, ends, fine
        )
        spent += evaluations
        if fine[k] < least:
            least, good, best = fine[k], converged, k
            free[:] = ends[k]
    if not inside(free, student):
        # Where it is flat a search cannot find its way back: once more from the edge of that.
        for j in range(size):
            free[j] = min(INNER[j][1], max(INNER[j][0], free[j]))
        curvature[best] = np.eye(size) * FIRST_CURVATURE / len(series)
        value, evaluations, converged = minimise(
            series, leverage, student, free, curvature[best], scratch, FINE, ends[:0], fine[:0]
        )
        spent += evaluations
        if value < least:
            least, good, fine[best] = value, converged, value
            ends[best] = free
        else:
            free[:] = ends[best]
    return least, spent, good, second_peak(free, ends, fine, least)


@kernel
def nearest(place: FloatArray, places: FloatArray, rows: FloatArray) -> float:
    """Largest difference of any value to the nearest of some places."""
    least = np.inf
    for k in rows:
        least = min(least, np.max(np.abs(place - places[k])))
    return least


@kernel
def second_peak(free: FloatArray, ends: FloatArray, values: FloatArray, least: float) -> float:
    """Log-likelihood between the best peak and the next one that lies elsewhere."""
    gap = np.inf
    for k in range(len(ends)):
        below = values[k] - least
        if SAME_PEAK < below < gap and distance(free, ends[k]) > APART:
            gap = below
    return gap


@kernel
def inside(free: FloatArray, student: bool) -> bool:
    """Whether no value has reached an edge beyond which the likelihood is flat."""
    for j in range(len(free)):
        if (student or j != 4) and not INNER[j][0] < free[j] < INNER[j][1]:
            return False
    return True


@kernel
def fit_rows(
    rows: FloatArray,
    leverage: bool,
    student: bool,
    coefficients: FloatArray,
    outcome: FloatArray,
) -> None:
    """Fit every row (series, days).

    coefficients (series, 5), or (series, 6) where innovations are skewed, are kept where a fit
    fails. outcome (series, 5): 1 for a good fit, 0 for a failed one, NaN for a series that never
    moves; its log-likelihood; its evaluations; the log-likelihood down to the second peak; 1 where
    it ended at an edge.
    """
    days = rows.shape[1]
    scratch, series = np.empty((2, days + 1)), np.empty(days)
    free = np.empty(coefficients.shape[1])
    for i in range(len(rows)):
        square = mean_square(rows[i])
        outcome[i] = np.nan
        if square == 0.0:
            continue
        grains = 1.0 / (math.sqrt(square) * GRID)
        for t in range(days):
            series[t] = np.rint(rows[i, t] * grains) * GRID
        value, evaluations, good, gap = fit_one(series, leverage, student, free, scratch)
        outcome[i, 0], outcome[i, 2], outcome[i, 3] = 1.0 if good else 0.0, evaluations, gap
        outcome[i, 1] = -value - 0.5 * days * math.log(square)
        outcome[i, 4] = 0.0 if inside(free, student) else 1.0
        if good:
            coefficients_of(free, student, coefficients[i])
            coefficients[i, 0] *= square
