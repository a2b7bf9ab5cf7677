"""Nelder-Mead on the tick loss from several starts; a fit is a function of its series alone."""

import math
from typing import NamedTuple

import numpy as np

from backtest.kernels.caviar import SIZE, quantiles, tick_loss
from backtest.kernels.compile import kernel
from backtest.kernels.garch import mean_square
from backtest.kernels.garch_fit import WALL, logistic
from backtest.kernels.garch_peaks import APART, GRID, SAME_PEAK
from backtest.kernels.tail_select import FloatArray, heap_largest

# Free values (4,), any real number each: log of the mean quantile (of its square where the
# recursion has squares); logit of persistence; logit of the share of that mean that the reactions
# bring, not the constant; logit of the gains' share in the reactions, which a symmetric recursion
# leaves at zero, half.
# A grid of usual recursions; the best CHOSEN of them each begin a search.
PERSISTENCES = (0.3, 0.7, 0.9, 0.97, 0.99)
SHARES = (0.1, 0.4, 0.8, 0.97)
MEANS = (-0.4, 0.0, 0.4)  # log of the mean quantile over that of the sample
GAINS = (0.5, 0.2, 0.8)  # the first for a symmetric recursion
CHOSEN = 8
EDGE = 0.8  # first edge of the simplex in every free value
TOLERANCE = 1e-6  # spread of the loss over the simplex, relative, at which a search ends
GAIN = 1e-5  # relative improvement of the loss below which a search is not repeated from its end
MOST_STEPS = 400  # of one search
MOST_SEARCHES = 10  # each from the end of the last
# Outside these free values the loss is flat: no memory or no constant, no reaction or nothing but
# reactions, to one side alone. A fit that ends there has reached an edge of its law.
INNER = ((-np.inf, np.inf), (-3.0, 6.0), (-4.0, 4.0), (-4.0, 4.0))
OUTCOMES = 5  # columns of an outcome: see `fit_rows`


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
def starts(axes: int, problem: Problem) -> FloatArray:
    """(CHOSEN, 4) free values of the grid's recursions of least loss."""
    gains = len(GAINS) if axes == SIZE else 1
    count = len(PERSISTENCES) * len(SHARES) * len(MEANS) * gains
    grid, losses = np.empty((count, SIZE)), np.empty(count)
    power, k = 2.0 if problem.squared else 1.0, 0
    for persistence in PERSISTENCES:
        for share in SHARES:
            for mean in MEANS:
                for g in range(gains):
                    grid[k, 0] = power * (math.log(problem.start) + mean)
                    grid[k, 1] = math.log(persistence / (1.0 - persistence))
                    grid[k, 2] = math.log(share / (1.0 - share))
                    grid[k, 3] = math.log(GAINS[g] / (1.0 - GAINS[g]))
                    losses[k] = loss_of(grid[k], problem)
                    k += 1
    return grid[np.argsort(losses)[:CHOSEN]]


@kernel
def apart(one: FloatArray, two: FloatArray) -> bool:
    """Whether two ends lie in different places, as far as their loss can tell."""
    for j in range(SIZE):
        low, high = INNER[j]
        if abs(min(high, max(low, one[j])) - min(high, max(low, two[j]))) > APART:
            return True
    return False


@kernel
def at_edge(free: FloatArray) -> bool:
    """Whether some value lies where the loss is flat."""
    for j in range(SIZE):
        if not INNER[j][0] < free[j] < INNER[j][1]:
            return True
    return False


@kernel
def fit_one(free: FloatArray, axes: int, problem: Problem) -> tuple[float, bool, float]:
    """Set `free` to the end of the best search; it is left as it was where none ended.

    Returns the tick loss there, whether a search ended, and how far the next best end elsewhere
    lies below: the log-likelihood of Laplace's asymmetric law, days x log of the ratio of losses,
    infinite where there is none.
    """
    ends = starts(axes, problem)
    losses = np.full(len(ends), np.inf)
    for k in range(len(ends)):
        loss, ended = search_again(ends[k], EDGE, axes, problem)
        if ended:
            losses[k] = loss
    best = np.argmin(losses)
    least, gap = losses[best], np.inf
    if least == np.inf:
        return least, False, gap
    free[:] = ends[best]
    for k in range(len(ends)):
        if losses[k] < np.inf and apart(free, ends[k]):
            below = len(problem.series) * math.log(losses[k] / least)
            if SAME_PEAK < below < gap:
                gap = below
    return least, True, gap


@kernel
def fit_rows(
    rows: FloatArray,
    symmetric: bool,
    squared: bool,
    level: float,
    count: int,
    coefficients: FloatArray,
    outcome: FloatArray,
) -> None:
    """Fit every row (series, days).

    count : days in the tail of a sample, whose quantile a recursion begins at. coefficients
    (series, 4) are kept where a fit fails. outcome (series, 5): 1 for a good fit, 0 for a failed
    one, NaN for a series without losses that deep; its tick loss; what it gains on the quantile of
    the sample, and its distance to the second peak, in log-likelihood as in `fit_one`; 1 where it
    ended at an edge.
    """
    days = rows.shape[1]
    series, path, heap = np.empty(days), np.empty(days + 1), np.empty(count)
    free = np.empty(SIZE)
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
        loss, good, gap = fit_one(free, 3 if symmetric else SIZE, problem)
        outcome[i, 0], outcome[i, 1], outcome[i, 3] = 1.0 if good else 0.0, loss * scale, gap
        path[:] = start
        outcome[i, 2] = days * math.log(tick_loss(series, path, level) / loss)
        if good:
            outcome[i, 4] = 1.0 if at_edge(free) else 0.0
            coefficients_of(free, size, coefficients[i])
            coefficients[i, 0] *= scale * scale if squared else scale
