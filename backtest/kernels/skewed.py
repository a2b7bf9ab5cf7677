"""Hansen's skewed Student law: its likelihood with slopes, and the most likely shape of draws."""

import math

import numpy as np

from backtest.kernels.bfgs import update_inverse
from backtest.kernels.compile import kernel
from backtest.kernels.garch import GROUP, LEAST_FREEDOM, MOST_FREEDOM, digamma
from backtest.kernels.tail_select import FloatArray

# The search for the shape starts at 6 degrees of freedom and no skew, within these free values (see
# `shape_loss`): freedoms 2.06 to 500, skews of at most 0.96.
START = (math.log(6.0 - LEAST_FREEDOM), 0.0)
LIMITS = ((math.log(0.01), math.log(MOST_FREEDOM - LEAST_FREEDOM)), (-4.0, 4.0))
FIRST_CURVATURE = 10.0  # inverse curvature before the first step, divided by the days
MOST_STEPS = 100
LEAST_STEP = 1e-9  # smallest share of a step that is tried
ENOUGH = 1e-4  # Armijo: smallest share of the expected gain that accepts a step
TOLERANCE = 1e-7  # expected gain of log-likelihood at which the search ends


@kernel
def log_constant(freedom: float) -> float:
    """Log of c, the density of a unit-variance Student law at zero."""
    return (
        math.lgamma((freedom + 1.0) / 2.0)
        - math.lgamma(freedom / 2.0)
        - 0.5 * math.log(math.pi * (freedom - 2.0))
    )


@kernel
def skewed_loss(
    series: FloatArray, variance: FloatArray, freedom: float, skew: float, pull: FloatArray
) -> tuple[float, float, float]:
    r"""Minus the log-likelihood of skewed Student innovations, its slopes in freedom and in skew.

    .. math:: -\ell = \sum_t \tfrac{1}{2} \ln v_t + \tfrac{\nu + 1}{2}
              \ln\Bigl(1 + \frac{y_t^2}{\nu - 2}\Bigr) - n \ln b c, \qquad
              y_t = \frac{b x_t / \sqrt{v_t} + a}{1 \pm \lambda}

    +- the sign of the numerator, a = 4 lambda c (nu - 2) / (nu - 1), b^2 = 1 + 3 lambda^2 - a^2.
    The derivative by each variance goes into `pull` (days,).
    """
    days, room = len(series), freedom - 2.0
    constant = log_constant(freedom)
    a_by_skew = 4.0 * math.exp(constant) * room / (freedom - 1.0)
    a = a_by_skew * skew
    b = math.sqrt(1.0 + 3.0 * skew * skew - a * a)
    logs = spreads = by_a = by_b = lean = tail = 0.0
    for begin in range(0, days, GROUP):
        product, spread = 1.0, 1.0
        for t in range(begin, min(begin + GROUP, days)):
            z = series[t] / math.sqrt(variance[t])
            top = b * z + a
            side = 1.0 if top >= 0.0 else -1.0
            width = 1.0 + side * skew
            y = top / width
            push = (freedom + 1.0) * y / ((room + y * y) * width)
            by_a += push
            by_b += push * z
            lean += push * y * side
            tail += y * y / (room + y * y)
            pull[t] = 0.5 * (1.0 - push * b * z) / variance[t]
            product *= variance[t]
            spread *= 1.0 + y * y / room
        logs += math.log(product)
        spreads += math.log(spread)
    by_b -= days / b
    steepness = 0.5 * (digamma((freedom + 1.0) / 2.0) - digamma(freedom / 2.0) - 1.0 / room)
    a_by_freedom = a * (steepness + 1.0 / room - 1.0 / (freedom - 1.0))
    loss = 0.5 * logs + (freedom + 1.0) / 2.0 * spreads - days * (constant + math.log(b))
    by_freedom = 0.5 * spreads - (freedom + 1.0) / 2.0 * tail / room - days * steepness
    by_freedom += (by_a - by_b * a / b) * a_by_freedom
    by_skew = by_a * a_by_skew + by_b * (3.0 * skew - a * a_by_skew) / b - lean
    return loss, by_freedom, by_skew


@kernel
def shape_loss(z: FloatArray, free: FloatArray, scratch: FloatArray, slope: FloatArray) -> float:
    """`skewed_loss` of unit-variance draws z, and its slope (2,), in free values (2,).

    They are log of freedom - LEAST_FREEDOM and 2 artanh of the skew. scratch (2, days), the first
    row ones.
    """
    room, skew = math.exp(free[0]), math.tanh(free[1] / 2.0)
    loss, by_freedom, by_skew = skewed_loss(z, scratch[0], LEAST_FREEDOM + room, skew, scratch[1])
    slope[0] = by_freedom * room
    slope[1] = by_skew * (1.0 - skew * skew) / 2.0
    return loss


@kernel
def skewed_shape(z: FloatArray) -> tuple[float, float]:
    """Most likely freedom and skew of unit-variance skewed Student draws z (days,), by BFGS.

    Steps are halved until the likelihood rises, and end at LIMITS, beyond which it is flat.
    """
    free, slope, next_slope = np.array(START), np.empty(2), np.empty(2)
    step, trial = np.empty(2), np.empty(2)
    scratch, inverse = np.ones((2, len(z))), np.eye(2) * FIRST_CURVATURE / len(z)
    value = shape_loss(z, free, scratch, slope)
    for _ in range(MOST_STEPS):
        foreseen = 0.0
        for i in range(2):
            step[i] = -inverse[i, 0] * slope[0] - inverse[i, 1] * slope[1]
            step[i] = max(LIMITS[i][0] - free[i], min(LIMITS[i][1] - free[i], step[i]))
            foreseen -= step[i] * slope[i]
        if not foreseen > TOLERANCE:
            break
        next_value, length = np.inf, 1.0
        while length > LEAST_STEP and not next_value <= value - ENOUGH * length * foreseen:
            for i in range(2):
                trial[i] = free[i] + length * step[i]
            next_value = shape_loss(z, trial, scratch, next_slope)
            length *= 0.5
        if not next_value < value:
            break
        update_inverse(inverse, trial - free, next_slope - slope)
        free[:], slope[:], value = trial, next_slope, next_value
    return LEAST_FREEDOM + math.exp(free[0]), math.tanh(free[1] / 2.0)
