"""Warm-started BFGS on the GARCH likelihood: each fit starts where the last one ended."""

import math

import numpy as np

from backtest.kernels.bfgs import update_inverse
from backtest.kernels.compile import kernel
from backtest.kernels.garch import (
    LEAST_FREEDOM,
    MOST_FREEDOM,
    mean_square,
    normal_loss,
    push_back,
    student_loss,
    variances,
)
from backtest.kernels.skewed import skewed_loss
from backtest.kernels.tail_select import FloatArray

# Free values (5,), any real number each: log of omega; logit of persistence; logit of the
# reactions' share in it; logit of the gains' share in those; log of freedom - LEAST_FREEDOM.
# Skewed innovations have a sixth, 2 artanh of the skew: an array of six means skewed innovations.
SIZE = 5
SKEWED_SIZE = 6
# Outside these the likelihood is flat (no memory, no mean, normal tails): a fit that ends there is
# repeated from a cold start, and the next fit does not start there.
INNER = ((-6.0, 1.0), (-1.0, 5.0), (-4.0, 2.0), (-3.0, 3.0), (-2.0, 4.0), (-2.0, 2.0))
LONG_MEMORY = (0.97, 0.995)  # persistences among which a cold start chooses
SHORT_MEMORY = (0.5, 0.90)
WALL = 12.0  # size of a free value at most: e^-12 is as good as zero, and the likelihood flat
MOST_STEPS = 100
MOST_CUTS = 30  # halvings of one step at most
# A fit ends when the quadratic model expects to gain less log-likelihood than this. After a cold
# start the curvature is not yet estimated and the expected gain too small: a stricter limit.
TOLERANCE, COLD_TOLERANCE = 1e-5, 1e-6
SAME_PEAK = 1e-4  # two starts with log-likelihoods this close have reached the same maximum
LONGEST = 2.0  # of a step in any free value
ENOUGH = 1e-4  # Armijo: smallest share of the expected gain that accepts a step
STEEPEST = 700.0  # exp overflows beyond
# Series are rounded to this share of their root mean square before a fit, so that the last digits
# of a shock (another unit or order of summation) do not decide between two maxima of a likelihood.
GRID = 2.0**-23
FIRST_CURVATURE = 20.0  # inverse curvature before the first step, divided by the days


@kernel
def logistic(value: float) -> float:
    """1 / (1 + exp(-value)), without overflow."""
    return 1.0 / (1.0 + math.exp(-max(-STEEPEST, min(STEEPEST, value))))


@kernel
def coefficients_of(free: FloatArray, student: bool, out: FloatArray) -> None:
    """Coefficients of free values, (5,) or (6,) both, into out; see `kernels.garch`."""
    persistence, share, gains = logistic(free[1]), logistic(free[2]), logistic(free[3])
    out[0] = math.exp(min(free[0], STEEPEST))
    out[1] = 2.0 * persistence * share * gains
    out[2] = 2.0 * persistence * share * (1.0 - gains)
    out[3] = persistence * (1.0 - share)
    out[4] = np.inf
    if student:
        out[4] = min(MOST_FREEDOM, LEAST_FREEDOM + math.exp(min(free[4], STEEPEST)))
    if len(free) == SKEWED_SIZE:
        out[5] = math.tanh(free[5] / 2.0)


@kernel
def loss_and_slope(
    free: FloatArray,
    series: FloatArray,
    leverage: bool,
    student: bool,
    scratch: FloatArray,
    slope: FloatArray,
) -> float:
    """Minus the log-likelihood at `free`; its slope in the free values, into slope.

    series (days,) with mean square one, which is also the backcast; scratch (2, days + 1). Without
    leverage the reactions to gains and losses are equal: the fourth slope is zero, and its value
    does not change.
    """
    at, by = np.empty(len(free)), np.empty(len(free))
    coefficients_of(free, student, at)
    variance, pull = scratch[0], scratch[1]
    variances(series, at, 1.0, variance)
    by[4] = 0.0
    if len(free) == SKEWED_SIZE:
        value, by[4], by[5] = skewed_loss(series, variance[:-1], at[4], at[5], pull)
        slope[5] = by[5] * (1.0 - at[5] * at[5]) / 2.0
    elif student:
        value, by[4] = student_loss(series, variance[:-1], at[4], pull)
    else:
        value = normal_loss(series, variance[:-1], pull)
    push_back(series, variance, pull, at[3], 1.0, by)
    persistence, share, gains = logistic(free[1]), logistic(free[2]), logistic(free[3])
    by_reactions = 2.0 * (gains * by[1] + (1.0 - gains) * by[2])
    slope[0] = by[0] * at[0]
    slope[1] = share * by_reactions + (1.0 - share) * by[3]
    slope[1] *= persistence * logistic(-free[1])
    slope[2] = share * (1.0 - share) * persistence * (by_reactions - by[3])
    slope[3] = 2.0 * persistence * share * gains * (1.0 - gains) * (by[1] - by[2])
    slope[3] = slope[3] if leverage else 0.0
    slope[4] = by[4] * (at[4] - LEAST_FREEDOM) if student and at[4] < MOST_FREEDOM else 0.0
    return value


@kernel
def direction(
    inverse: FloatArray, slope: FloatArray, free: FloatArray, days: int, out: FloatArray
) -> float:
    """Quasi-Newton step into out; returns the expected gain. A useless curvature is reset.

    A value at the wall is not moved beyond it.
    """
    for _ in range(2):
        foreseen, longest = 0.0, 0.0
        for i in range(len(free)):
            out[i] = 0.0
            for j in range(len(free)):
                out[i] -= inverse[i, j] * slope[j]
            if abs(free[i]) >= WALL and out[i] * free[i] > 0.0:
                out[i] = 0.0
            foreseen -= out[i] * slope[i]
            longest = max(longest, abs(out[i]))
        if foreseen >= 0.0 and longest < np.inf:
            break
        inverse[:] = np.eye(len(free)) * FIRST_CURVATURE / days
    if longest > LONGEST:
        for i in range(len(free)):
            out[i] *= LONGEST / longest
        foreseen *= LONGEST / longest
    return foreseen


@kernel
def minimise(
    series: FloatArray,
    leverage: bool,
    student: bool,
    free: FloatArray,
    inverse: FloatArray,
    scratch: FloatArray,
    tolerance: float,
) -> tuple[float, int, bool]:
    """BFGS with shortened steps; `free` and `inverse` are the start, then the result.

    Returns minus the log-likelihood, the number of evaluations, and whether it converged.
    """
    size = len(free)
    slope, next_slope = np.empty(size), np.empty(size)
    step, trial = np.empty(size), np.empty(size)
    value = loss_and_slope(free, series, leverage, student, scratch, slope)
    evaluations, curvature_reset = 1, False
    for _ in range(MOST_STEPS):
        foreseen = direction(inverse, slope, free, len(series), step)
        if foreseen < tolerance:
            return value, evaluations, foreseen >= 0.0 and np.isfinite(value)
        length, next_value = 1.0, np.inf
        for _ in range(MOST_CUTS):
            for i in range(size):
                trial[i] = max(-WALL, min(WALL, free[i] + length * step[i]))
            next_value = loss_and_slope(trial, series, leverage, student, scratch, next_slope)
            evaluations += 1
            if next_value <= value - ENOUGH * length * foreseen:
                break
            length *= 0.4
        if not next_value < value:
            if curvature_reset:
                return value, evaluations, False
            # Where the likelihood is flat in one direction, the estimated curvature misleads in
            # the other directions: start again from the identity, once.
            inverse[:] = np.eye(size) * FIRST_CURVATURE / len(series)
            curvature_reset = True
            continue
        curvature_reset = False
        for i in range(size):
            step[i] = trial[i] - free[i]
        update_inverse(inverse, step, next_slope - slope)
        free[:] = trial
        slope[:] = next_slope
        value = next_value
    return value, evaluations, False


@kernel
def cold_start(
    series: FloatArray,
    leverage: bool,
    student: bool,
    free: FloatArray,
    inverse: FloatArray,
    scratch: FloatArray,
    among: tuple[float, float],
) -> None:
    """Set `free` to the most likely of a few usual GARCH processes, and reset the curvature.

    among : the persistences to choose from.
    """
    trial, slope, least = np.zeros(len(free)), np.empty(len(free)), np.inf
    for persistence in among:
        for share in (0.04, 0.12, 0.3):
            trial[0], trial[3] = math.log(1.0 - persistence), 0.0
            trial[4] = math.log(6.0 - LEAST_FREEDOM)
            trial[1] = math.log(persistence / (1.0 - persistence))
            trial[2] = math.log(share / (1.0 - share))
            value = loss_and_slope(trial, series, leverage, student, scratch, slope)
            if value < least:
                least = value
                free[:] = trial
    inverse[:] = np.eye(len(free)) * FIRST_CURVATURE / len(series)


@kernel
def clip_inside(free: FloatArray, out: FloatArray) -> bool:
    """Copy free values into out, limited to INNER; returns whether all were inside."""
    inside = True
    for j in range(len(free)):
        out[j] = min(INNER[j][1], max(INNER[j][0], free[j]))
        inside &= out[j] == free[j]
    return inside


@kernel
def refit_one(
    series: FloatArray,
    leverage: bool,
    student: bool,
    afresh: bool,
    free: FloatArray,
    inverse: FloatArray,
    scratch: FloatArray,
) -> tuple[float, int, bool]:
    """`minimise` from the last fit, then from cold starts if it is missing, failed or flat.

    No further start is tried when two have reached the same maximum. afresh : try a cold start in
    any case, since a likelihood may have more than one maximum. free and inverse become those of
    the best fit, if any converged.
    """
    at, curvature, edge = np.empty_like(free), np.empty_like(inverse), np.empty_like(free)
    least, spent, any_converged = np.inf, 0, False
    for attempt in range(3):
        if attempt == 0:
            if np.isnan(free[0]):
                continue
            clip_inside(free, at)
            curvature[:] = inverse
            tolerance = TOLERANCE
        else:
            tolerance = COLD_TOLERANCE
            among = LONG_MEMORY if attempt == 1 else SHORT_MEMORY
            cold_start(series, leverage, student, at, curvature, scratch, among)
        value, evaluations, converged = minimise(
            series, leverage, student, at, curvature, scratch, tolerance
        )
        spent += evaluations
        same_peak = abs(value - least) < SAME_PEAK
        if converged and value < least:
            least, any_converged = value, True
            free[:] = at
            inverse[:] = curvature
        inside = converged and clip_inside(at, edge)
        if same_peak or (inside and (attempt > 0 or not afresh)):
            break
    return least, spent, any_converged


@kernel
def refit_rows(
    rows: FloatArray,
    leverage: bool,
    student: bool,
    afresh: bool,
    free: FloatArray,
    inverse: FloatArray,
    coefficients: FloatArray,
    outcome: FloatArray,
) -> tuple[int, int]:
    """Fit every row (series, days), each from the result of its last good fit.

    free (series, size), inverse (series, size, size) and coefficients (series, size) do not change
    where a fit fails, and are NaN before the first good one; size 6 means skewed innovations.
    outcome (series, 3): 1 for a good fit, 0 for a failed one, NaN for a series that never moves;
    its log-likelihood; its evaluations. Returns the numbers of series tried and failed.
    """
    days, tried, failed = rows.shape[1], 0, 0
    scratch, series = np.empty((2, days + 1)), np.empty(days)
    for i in range(len(rows)):
        square = mean_square(rows[i])
        outcome[i] = np.nan
        if square == 0.0:
            continue
        grains = 1.0 / (math.sqrt(square) * GRID)
        for t in range(days):
            series[t] = np.rint(rows[i, t] * grains) * GRID
        value, evaluations, converged = refit_one(
            series, leverage, student, afresh, free[i], inverse[i], scratch
        )
        tried, failed = tried + 1, failed + (0 if converged else 1)
        outcome[i, 0], outcome[i, 2] = 1.0 if converged else 0.0, evaluations
        outcome[i, 1] = -value - 0.5 * days * math.log(square)
        if converged:
            coefficients_of(free[i], student, coefficients[i])
            coefficients[i, 0] *= square
    return tried, failed
