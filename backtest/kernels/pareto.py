"""Generalised Pareto law of excesses over a threshold, by its profile likelihood."""

import math

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, heap_largest

LEAST_SHAPE = -0.5  # below it the likelihood has no regular maximum
MOST_SHAPE = 0.95  # at 1 the expected shortfall is infinite
COARSE = 40  # values of the coarse search
FINE = 1e-10  # relative width at which the fine search ends
NEARLY_EXPONENTIAL = 1e-9  # shapes nearer to zero use the limit of the formula
GRID = 2.0**-30  # losses are rounded to it, so that their last digits do not change the search


@kernel
def profile(excess: FloatArray, ratio: float) -> tuple[float, float]:
    r"""Mean log-likelihood of the best law with shape / scale = ratio, and its shape.

    .. math:: \xi = \overline{\ln(1 + \theta y)}, \qquad
              \bar \ell = -\ln(\xi / \theta) - \xi - 1
    """
    shape = 0.0
    for y in excess:
        shape += math.log1p(ratio * y)
    shape /= len(excess)
    if not LEAST_SHAPE < shape < MOST_SHAPE:
        return -np.inf, shape
    return -math.log(shape / ratio) - shape - 1.0, shape


@kernel
def fit_excesses(excess: FloatArray) -> tuple[float, float]:
    """Return shape and scale of the most likely generalised Pareto law of excesses (count,) >= 0.

    Grimshaw's single free value, shape / scale, is searched on a coarse grid, since the likelihood
    may have two maxima, then by golden section around the best. All excesses zero: scale zero.
    """
    mean, most = 0.0, 0.0
    for y in excess:
        mean += y / len(excess)
        most = max(most, y)
    if most == 0.0:
        return 0.0, 0.0
    # In ratio = (e^s - 1) / most the range -1 / most .. infinity is the whole line.
    low, high = -7.0, math.log1p(20.0 * most / mean)
    width = (high - low) / COARSE
    best, best_value = 0.0, -math.log(mean) - 1.0
    for i in range(COARSE + 1):
        value = profile(excess, safe_ratio(low + i * width, most))[0]
        if value > best_value:
            best, best_value = low + i * width, value
    low, high = best - width, best + width
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
