"""BFGS on the GARCH likelihood: from one start to the peak above it."""

import math

import numpy as np

from backtest.kernels.bfgs import update_inverse
from backtest.kernels.compile import kernel
from backtest.kernels.garch import (
    LEAST_FREEDOM,
    MOST_FREEDOM,
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
WALL = 12.0  # size of a free value at most: e^-12 is as good as zero, and the likelihood flat
MOST_STEPS = 100
MOST_CUTS = 30  # halvings of one step at most
LONGEST = 2.0  # of a step in any free value
ENOUGH = 1e-4  # Armijo: smallest share of the expected gain that accepts a step
STEEPEST = 700.0  # exp overflows beyond
FIRST_CURVATURE = 20.0  # inverse curvature before the first step, divided by the days
# Outside these the likelihood is flat (no memory, no mean, normal tails): a fit that ends there
# has reached an edge of its law.
INNER = ((-6.0, 1.0), (-1.0, 5.0), (-4.0, 2.0), (-3.0, 3.0), (-2.0, 4.0), (-2.0, 2.0))
# A search that has come so near a known peak, in every free value, and still gains so little in
# log-likelihood, climbs that peak. Were any gain left enough, some would end on a ridge below it.
SAME_CLIMB = 0.1
LITTLE = 0.005


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
        value, by[4], by[5] = skewed_loss(series, variance, at[4], at[5], pull)
        slope[5] = by[5] * (1.0 - at[5] * at[5]) / 2.0
    elif student:
        value, by[4] = student_loss(series, variance, at[4], pull)
    else:
        value = normal_loss(series, variance, pull)
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
def distance(free: FloatArray, other: FloatArray) -> float:
    """Largest difference of two sets of free values, where the likelihood is not flat."""
    apart = 0.0
    for j in range(len(free)):
        low, high = INNER[j]
        here, there = min(high, max(low, free[j])), min(high, max(low, other[j]))
        apart = max(apart, abs(here - there))
    return apart


@kernel
def climbs_known(
    value: float,
    foreseen: float,
    free: FloatArray,
    peaks: FloatArray,
    heights: FloatArray,
) -> bool:
    """Whether a search climbs a known peak and is still below it."""
    if foreseen > LITTLE:
        return False
    for k in range(len(heights)):
        if value >= heights[k] and distance(free, peaks[k]) < SAME_CLIMB:
            return True
    return False


@kernel
def minimise(
    series: FloatArray,
    leverage: bool,
    student: bool,
    free: FloatArray,
    inverse: FloatArray,
    scratch: FloatArray,
    tolerance: float,
    peaks: FloatArray,
    heights: FloatArray,
) -> tuple[float, int, bool]:
    """BFGS with shortened steps; `free` and `inverse` are the start, then the result.

    peaks (searches, 5), heights (searches,) : where other searches ended, and minus the
    log-likelihood there, infinite where none did yet; a search that climbs one of them ends early.

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
        if climbs_known(value, foreseen, free, peaks, heights):
            return value, evaluations, False
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
