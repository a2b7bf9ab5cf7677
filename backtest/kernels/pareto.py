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
def fit_excesses(excess: FloatArray) -> tuple[float, float]:
    """Return shape and scale of the most likely generalised Pareto law of excesses (count,) >= 0.

    Grimshaw's single free value, shape / scale, is searched on a coarse grid, since the likelihood
    may have two maxima, then by golden section around the best. All excesses zero: scale zero.
    """
    positive = np.sort(excess[excess > 0.0])
    if len(positive) == 0:
        return 0.0, 0.0
    most, middle = positive[-1], positive[len(positive) // 2]
    # In ratio = (e^s - 1) / most the range -1 / most .. infinity is the whole line. The median and
    # not the mean says where it ends: one outlier moves the mean beyond where the best law lies.
    low, high = -7.0, math.log1p(20.0 * most / middle)
    steps = math.ceil((high - low) / COARSE)
    # The exponential law, shape 0, is the one that every grid point has to beat.
    best, likelihood = 0.0, -math.log(np.mean(excess)) - 1.0
    for i in range(steps + 1):
        value = profile(excess, safe_ratio(low + i * COARSE, most))[0]
        if value > likelihood:
            best, likelihood = low + i * COARSE, value
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
    shape = profile(excess, ratio)[1]
    return shape, shape / ratio


@kernel
def safe_ratio(place: float, most: float) -> float:
    """Shape / scale at a place of the search; never zero, the exponential law."""
    if abs(place) < NEARLY_EXPONENTIAL:
        place = NEARLY_EXPONENTIAL
    return math.expm1(place) / most


@kernel
def peaks_tail(losses: FloatArray, peaks: int, level: float) -> tuple[float, float]:
    r"""Value at risk and expected shortfall of losses (days,) of unit scale from their peaks.

    .. math:: VaR = u + \frac{\beta}{\xi} \Bigl(\Bigl(\frac{\alpha n}{k}\Bigr)^{-\xi} - 1\Bigr),
              \qquad ES = \frac{VaR + \beta - \xi u}{1 - \xi}

    with u the (k + 1)-th largest of n losses, k = peaks, alpha = level.
    """
    heap = np.empty(peaks + 1)
    threshold = heap_largest(losses, heap)
    excess, filled = np.zeros(peaks), 0
    for loss in losses:
        if loss > threshold:
            excess[filled] = np.rint((loss - threshold) / GRID) * GRID
            filled += 1
    # Ties at the threshold leave fewer excesses than peaks; the others count as zeros.
    shape, scale = fit_excesses(excess)
    spread = level * len(losses) / peaks
    beyond = -math.log(spread)
    if abs(shape) > NEARLY_EXPONENTIAL:
        beyond = math.expm1(shape * beyond) / shape
    value_at_risk = threshold + scale * beyond
    return value_at_risk, (value_at_risk + scale - shape * threshold) / (1.0 - shape)
