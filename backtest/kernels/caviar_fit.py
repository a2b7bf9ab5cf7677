"""Warm-started Nelder-Mead on the tick loss: each fit starts where the last one ended."""

import math
from typing import NamedTuple

import numpy as np

from backtest.kernels.caviar import SIZE, quantiles, tick_loss
from backtest.kernels.compile import kernel
from backtest.kernels.garch import mean_square
from backtest.kernels.garch_fit import GRID, WALL, logistic
from backtest.kernels.tail_select import FloatArray, heap_largest

# Free values (4,), any real number each: log of the mean quantile (of its square in a recursion of
# squares); logit of persistence; logit of the share of that mean due to the reactions, not the
# constant; logit of the share of gains in the reactions, zero (one half) in a symmetric recursion.
PERSISTENCES = (0.5, 0.8, 0.93, 0.98)  # one cold search each, from the best of the shares
SHARES = (0.15, 0.5, 0.85)
GAINS = (0.5, 0.2)
COLD_STEP = 0.8  # first edge of the simplex in every free value
WARM_STEP = 0.3
TOLERANCE = 1e-6  # spread of the loss over the simplex, relative, at which a search ends
GAIN = 1e-5  # relative improvement of the loss below which a search is not repeated from its end
MOST_STEPS = 400  # of one search
MOST_SEARCHES = 10  # each from the end of the last


class Problem(NamedTuple):
    """Arguments of a tick loss: P&L (days,) of mean square one, and a recursion from `start`.

    level : share of days beyond the quantile. size : mean of |x|, or of its square. path :
    (days + 1,) scratch.
    """

    series: FloatArray
    squared: bool
    level: float
    start: float
    size: float
    path: FloatArray


@kernel
def coefficients_of(free: FloatArray, size: float, out: FloatArray) -> None:
    """Coefficients (4,) of free values (4,), into out; size as in `Problem`."""
    mean, persistence = math.exp(free[0]), logistic(free[1])
    share, gains = logistic(free[2]), logistic(free[3])
    out[0] = (1.0 - persistence) * mean * (1.0 - share)
    out[1] = persistence
    reaction = 2.0 * (1.0 - persistence) * mean * share / size
    out[2] = reaction * gains
    out[3] = reaction * (1.0 - gains)


@kernel
def loss_of(free: FloatArray, problem: Problem) -> float:
    """Tick loss at free values (4,); infinite where it is not a number."""
    coefficients = np.empty(SIZE)
    coefficients_of(free, problem.size, coefficients)
    quantiles(problem.series, coefficients, problem.squared, problem.start, problem.path)
    loss = tick_loss(problem.series, problem.path, problem.level)
    return loss if loss < np.inf else np.inf


@kernel
def probe(
    middle: FloatArray, worst: FloatArray, way: float, problem: Problem, out: FloatArray
) -> float:
    """Move from the middle away from the worst corner, `way` times their distance; loss there."""
    for j in range(SIZE):
        out[j] = max(-WALL, min(WALL, middle[j] + way * (middle[j] - worst[j])))
    return loss_of(out, problem)


@kernel
def shrink(corners: FloatArray, losses: FloatArray, problem: Problem) -> None:
    """Move every corner half the way to the first, the best."""
    for i in range(1, len(corners)):
        for j in range(SIZE):
            corners[i, j] = 0.5 * (corners[0, j] + corners[i, j])
        losses[i] = loss_of(corners[i], problem)


@kernel
def search(free: FloatArray, edge: float, axes: int, problem: Problem) -> tuple[float, bool]:
    """Nelder-Mead over the first `axes` free values; `free` is the start, then the result.

    Returns the loss at the result, and whether the simplex shrank to the tolerance.
    """
    corners, losses = np.empty((axes + 1, SIZE)), np.empty(axes + 1)
    for i in range(axes + 1):
        corners[i] = free
        if i > 0:
            corners[i, i - 1] += edge
        losses[i] = loss_of(corners[i], problem)
    middle, trial, second_trial = np.empty(SIZE), np.empty(SIZE), np.empty(SIZE)
    closed = False
    for _ in range(MOST_STEPS):
        order = np.argsort(losses)
        corners, losses = corners[order], losses[order]
        if losses[axes] - losses[0] <= TOLERANCE * losses[0]:
            closed = True
            break
        for j in range(SIZE):
            middle[j] = corners[:axes, j].mean()
        value = probe(middle, corners[axes], 1.0, problem, trial)
        way = 0.0
        if value < losses[0]:
            way = 2.0
        elif value >= losses[axes - 1]:
            way = 0.5 if value < losses[axes] else -0.5
        if way != 0.0:
            second_value = probe(middle, corners[axes], way, problem, second_trial)
            if second_value < value:
                value = second_value
                trial[:] = second_trial
        if value < losses[axes]:
            corners[axes], losses[axes] = trial, value
        else:
            shrink(corners, losses, problem)
    best = np.argmin(losses)
    free[:] = corners[best]
    return losses[best], closed


@kernel
def search_again(free: FloatArray, edge: float, axes: int, problem: Problem) -> tuple[float, bool]:
    """Repeat `search` from its result until the loss no longer falls.

    A simplex may collapse before it reaches a minimum; a new one from there goes on.
    """
    least = np.inf
    for _ in range(MOST_SEARCHES):
        loss, closed = search(free, edge, axes, problem)
        if closed and loss >= least * (1.0 - GAIN):
            return loss, True
        least = loss
    return least, False


@kernel
def cold_start(persistence: float, axes: int, problem: Problem, free: FloatArray) -> None:
    """Set `free` to the best of a few usual recursions with this persistence."""
    trial, least = np.zeros(SIZE), np.inf
    trial[0] = math.log(problem.start) * (2.0 if problem.squared else 1.0)
    trial[1] = math.log(persistence / (1.0 - persistence))
    for share in SHARES:
        for gains in GAINS:
            if axes < SIZE and gains != 0.5:
                continue
            trial[2], trial[3] = math.log(share / (1.0 - share)), math.log(gains / (1.0 - gains))
            loss = loss_of(trial, problem)
            if loss < least:
                least = loss
                free[:] = trial


@kernel
def refit_one(free: FloatArray, axes: int, afresh: bool, problem: Problem) -> tuple[float, bool]:
    """Search from the last fit; from cold starts too if it is missing or failed, or if `afresh`.

    free becomes the best result; it does not change where no search converged.
    """
    trial, least, converged = np.zeros(SIZE), np.inf, False
    if not np.isnan(free[0]):
        trial[:] = free
        least, converged = search_again(trial, WARM_STEP, axes, problem)
    best = trial.copy()
    if afresh or not converged:
        for persistence in PERSISTENCES:
            cold_start(persistence, axes, problem, trial)
            loss, ended = search_again(trial, COLD_STEP, axes, problem)
            if ended and (not converged or loss < least):
                least, converged = loss, True
                best[:] = trial
    if converged:
        free[:] = best
    return least, converged


@kernel
def refit_rows(
    rows: FloatArray,
    symmetric: bool,
    squared: bool,
    level: float,
    count: int,
    afresh: bool,
    free: FloatArray,
    coefficients: FloatArray,
    outcome: FloatArray,
) -> tuple[int, int]:
    """Fit every row (series, days), each from the result of its last good fit.

    count : days in the tail of a sample; the recursion begins at their smallest loss. free
    (series, 4), NaN before the first good fit, and coefficients (series, 4) do not change where a
    fit fails. outcome (series, 2): 1 for a good fit, 0 for a failed one, NaN for a series whose
    quantile is no loss; its tick loss. Returns the numbers of series tried and failed.
    """
    days, tried, failed = rows.shape[1], 0, 0
    series, path, heap = np.empty(days), np.empty(days + 1), np.empty(count)
    for i in range(len(rows)):
        scale = math.sqrt(mean_square(rows[i]))
        outcome[i] = np.nan
        if heap_largest(-rows[i], heap) <= 0.0:
            continue
        for t in range(days):
            series[t] = np.rint(rows[i, t] / scale / GRID) * GRID
        size = mean_square(series) if squared else np.abs(series).mean()
        start = heap_largest(-series, heap)
        problem = Problem(series, squared, level, start, size, path)
        loss, converged = refit_one(free[i], 3 if symmetric else 4, afresh, problem)
        tried, failed = tried + 1, failed + (0 if converged else 1)
        outcome[i, 0], outcome[i, 1] = 1.0 if converged else 0.0, loss * scale
        if converged:
            coefficients_of(free[i], size, coefficients[i])
            coefficients[i, 0] *= scale * scale if squared else scale
    return tried, failed
