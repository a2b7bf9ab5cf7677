"""Generalised Pareto law of excesses over a threshold, by its profile likelihood."""

import math

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, heap_largest

LEAST_SHAPE = -0.5  # below it the likelihood has no regular maximum
MOST_SHAPE = 0.95  # at 1 the expected shortfall is infinite
COARSE = 0.3  # step between the places that are tried before the best of them is refined
FINE = 1e-10  # width, relative, at which the refinement ends
NEARLY_EXPONENTIAL = 1e-9
OUTCOMES = 6  # of a tail: see `peaks_tail`
GRID = 2.0**-30  # losses are rounded to it, so that last digits do not steer the search


@kernel
def profile(excess: FloatArray, ratio: float) -> tuple[float, float]:
    r"""Mean log-likelihood of the best law with shape / scale = ratio, and its shape.

    .. math:: \bar \ell = -\ln(\xi / \theta) - (1 + 1 / \xi) \, \overline{\ln(1 + \theta y)}

    Given theta the likelihood rises up to xi = mean of ln(1 + theta y) and falls beyond it, so
    where that lies outside the bounds of the shape, the nearest bound is the best there is.
    """
    logs = 0.0
    for y in excess:
        logs += math.log1p(ratio * y)
    logs /= len(excess)
    shape = min(max(logs, LEAST_SHAPE), MOST_SHAPE)
    return -math.log(shape / ratio) - (1.0 + 1.0 / shape) * logs, shape


@kernel
def fit_excesses(excess: FloatArray) -> tuple[float, float, float, float]:
    """Return shape and scale of the most likely generalised Pareto law of excesses (count,) >= 0.

    Grimshaw's single free value, shape / scale, is searched on a coarse grid, since the likelihood
    may have two maxima, then by golden section around the best. All excesses zero: scale zero.
    Returned too: the log-likelihood above the exponential law, and above the second maximum,
    infinite where there is one only.
    """
    positive = np.sort(excess[excess > 0.0])
    if len(positive) == 0:
        return 0.0, 0.0, 0.0, np.inf
    most, middle = positive[-1], positive[len(positive) // 2]
    # In ratio = (e^s - 1) / most the range -1 / most .. infinity is the whole line. The median and
    # not the mean says where it ends: one outlier moves the mean beyond where the best law lies.
    # Zeros, as of stale prices, push the best law far out: up to half of them stay within reach.
    low, high = -7.0, math.log1p(1000.0 * most / middle)
    steps = math.ceil((high - low) / COARSE)
    values = np.empty(steps + 1)
    for i in range(steps + 1):
        values[i] = profile(excess, safe_ratio(low + i * COARSE, most))[0]
    # The exponential law, shape 0, is the one that every grid point has to beat.
    exponential = -math.log(np.mean(excess)) - 1.0
    peak = np.argmax(values)
    best = low + peak * COARSE if values[peak] > exponential else 0.0
    low, high = best - COARSE, best + COARSE
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > FINE * (1.0 + abs(best)):
        left_place, right_place = high - golden * (high - low), low + golden * (high - low)
        at_left = profile(excess, safe_ratio(left_place, most))[0]
        at_right = profile(excess, safe_ratio(right_place, most))[0]
        if at_left > at_right:
            high = right_place
        else:
            low = left_place
    ratio = safe_ratio((low + high) / 2.0, most)
    value, shape = profile(excess, ratio)
    gap = value - second_maximum(values, peak)
    return shape, shape / ratio, len(excess) * (value - exponential), len(excess) * gap


@kernel
def second_maximum(values: FloatArray, peak: int) -> float:
    """Highest of the maxima inside a grid apart from `peak`; minus infinity if there is none."""
    second = -np.inf
    for i in range(1, len(values) - 1):
        if i != peak and values[i] > values[i - 1] and values[i] > values[i + 1]:
            second = max(second, values[i])
    return second


@kernel
def safe_ratio(place: float, most: float) -> float:
    """Shape / scale at a place of the search; never zero, the exponential law."""
    if abs(place) < NEARLY_EXPONENTIAL:
        place = NEARLY_EXPONENTIAL
    return math.expm1(place) / most


@kernel
def peaks_tail(losses: FloatArray, peaks: int, level: float, outcome: FloatArray) -> None:
    r"""Value at risk and expected shortfall of losses (days,) of unit scale from their peaks.

    .. math:: VaR = u + \frac{\beta}{\xi} \Bigl(\Bigl(\frac{\alpha n}{k}\Bigr)^{-\xi} - 1\Bigr),
              \qquad ES = \frac{VaR + \beta - \xi u}{1 - \xi}

    with u the (k + 1)-th largest of n losses, k = peaks, alpha = level. outcome (6,): both; the
    log-likelihood of the fit above the exponential law and above its second maximum; 1 where the
    shape ended at a bound; how many losses lie beyond u.
    """
    heap = np.empty(peaks + 1)
    threshold = heap_largest(losses, heap)
    excess, filled = np.zeros(peaks), 0
    for loss in losses:
        if loss > threshold:
            excess[filled] = np.rint((loss - threshold) / GRID) * GRID
            filled += 1
    # Ties at the threshold leave fewer excesses than peaks; the others count as zeros.
    shape, scale, gain, gap = fit_excesses(excess)
    spread = level * len(losses) / peaks
    beyond = -math.log(spread)
    if abs(shape) > NEARLY_EXPONENTIAL:
        beyond = math.expm1(shape * beyond) / shape
    outcome[0] = threshold + scale * beyond
    outcome[1] = (outcome[0] + scale - shape * threshold) / (1.0 - shape)
    outcome[2], outcome[3] = gain, gap
    outcome[4] = 1.0 if shape == LEAST_SHAPE or shape == MOST_SHAPE or scale == 0.0 else 0.0
    outcome[5] = filled
