"""Variance recursion and likelihood of GARCH(1, 1) and GJR; its gradient in a backward pass."""

import math

import numpy as np

from backtest.kernels.compile import folding, kernel
from backtest.kernels.tail_select import FloatArray

# Coefficients (5,) of one series: omega, reaction to a gain, reaction to a loss, beta, degrees of
# freedom (infinite for normal innovations); for skewed innovations a sixth, the skew.
LEAST_FREEDOM = 2.05  # as in arch; at 2 the variance is infinite
MOST_FREEDOM = 500.0  # as in arch; above it the likelihood is flat
# Factors multiplied together before one logarithm is taken of them. Of a series with a mean square
# of one they lie between 1e-9 and 1e9, so that their product neither overflows nor vanishes.
GROUP = 32


@kernel
def variances(
    series: FloatArray, coefficients: FloatArray, backcast: float, out: FloatArray
) -> None:
    r"""Variance of each day, known the day before, and of the day after the last, into out.

    .. math:: v_{t+1} = \omega + (a_+ 1_{x_t \ge 0} + a_- 1_{x_t < 0}) x_t^2 + \beta v_t

    series (days,); out (days + 1,). The day before the first has variance `backcast` and a squared
    P&L of `backcast`, half of it a gain and half a loss.
    """
    omega, gain, loss, beta = coefficients[:4]
    out[0] = omega + ((gain + loss) / 2.0 + beta) * backcast
    for t in range(len(series)):
        x = series[t]
        out[t + 1] = omega + (gain if x >= 0.0 else loss) * x * x
    accumulate(out, beta)


@kernel
def accumulate(values: FloatArray, ratio: float) -> None:
    """Add to each value `ratio` times the one before it, which has been added to already."""
    # Day by day each sum waits for the last one. What a day passes on to the next four is a power
    # of the ratio, so that four days wait once.
    square = ratio * ratio
    cube, fourth = ratio * square, square * square
    carried, begin = values[0], 1
    while begin + 4 <= len(values):
        one = values[begin]
        two = values[begin + 1] + ratio * one
        three = values[begin + 2] + ratio * two
        four = values[begin + 3] + ratio * three
        values[begin] = one + ratio * carried
        values[begin + 1] = two + square * carried
        values[begin + 2] = three + cube * carried
        carried = four + fourth * carried
        values[begin + 3] = carried
        begin += 4
    for t in range(begin, len(values)):
        carried = values[t] + ratio * carried
        values[t] = carried


@kernel
def digamma(x: float) -> float:
    """Logarithmic derivative of gamma for x > 0: recurrence to 6, then the asymptotic series."""
    value = 0.0
    while x < 6.0:
        value -= 1.0 / x
        x += 1.0
    square = 1.0 / (x * x)
    series = square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square / 240.0)))
    return value + math.log(x) - 0.5 / x - series


@kernel
def normal_loss(series: FloatArray, variance: FloatArray, pull: FloatArray) -> float:
    """Minus the normal log-likelihood; its derivative by each variance into `pull` (days,)."""
    days = len(series)
    logs = squares = 0.0
    for begin in range(0, days, GROUP):
        product = 1.0
        for t in range(begin, min(begin + GROUP, days)):
            inverse = 1.0 / variance[t]
            square = series[t] * series[t] * inverse
            product *= variance[t]
            squares += square
            pull[t] = 0.5 * inverse * (1.0 - square)
        logs += math.log(product)
    return 0.5 * (days * math.log(2.0 * math.pi) + logs + squares)


@kernel
def student_loss(
    series: FloatArray, variance: FloatArray, freedom: float, pull: FloatArray
) -> tuple[float, float]:
    r"""Minus the log-likelihood of unit-variance Student innovations, and its slope in freedom.

    .. math:: -\ell = \sum_t \tfrac{1}{2} \ln v_t + \tfrac{\nu + 1}{2}
              \ln\Bigl(1 + \frac{x_t^2}{(\nu - 2) v_t}\Bigr) + n \, c(\nu)

    The derivative by each variance goes into `pull` (days,).
    """
    days, room, power = len(series), freedom - 2.0, (freedom + 1.0) / 2.0
    for t in range(days):
        wide = room * variance[t]
        pull[t] = wide * (wide + series[t] * series[t])
    invert(pull, days)
    for t in range(days):
        square = series[t] * series[t]
        pull[t] *= (0.5 * (room * variance[t] + square) - power * square) * room
    logs, mixed, balance = student_sums(series, variance, room, pull)
    log_ratio = mixed - logs - days * math.log(room)
    tail = (0.5 * days - balance) / power  # mean of x^2 / (x^2 + (nu - 2) v), times the days
    constant = (
        math.lgamma(freedom / 2.0)
        - math.lgamma((freedom + 1.0) / 2.0)
        + 0.5 * math.log(math.pi * room)
    )
    slope = 0.5 * (digamma(freedom / 2.0) - digamma((freedom + 1.0) / 2.0) + 1.0 / room)
    loss = 0.5 * logs + power * log_ratio + days * constant
    return loss, days * slope + 0.5 * log_ratio - power * tail / room


@kernel
def invert(values: FloatArray, size: int) -> None:
    """Reciprocals of values[:size] in place; products of four neither overflow nor vanish.

    One division serves four numbers: it takes as long as a dozen products.
    """
    quarter = size // 4
    for one in range(quarter):
        two, three, four = one + quarter, one + 2 * quarter, one + 3 * quarter
        a, b, c, d = values[one], values[two], values[three], values[four]
        left, right = a * b, c * d
        whole = 1.0 / (left * right)
        values[one], values[two] = whole * right * b, whole * right * a
        values[three], values[four] = whole * left * d, whole * left * c
    for t in range(4 * quarter, size):
        values[t] = 1.0 / values[t]


@folding
def student_sums(
    series: FloatArray, variance: FloatArray, room: float, pull: FloatArray
) -> tuple[float, float, float]:
    """Sums over the days of ln v, of ln((nu - 2) v + x^2) and of v times its pull."""
    days = len(series)
    whole = days - days % GROUP
    logs = mixed = balance = 0.0
    for begin in range(0, whole, GROUP):
        product, spread = 1.0, 1.0
        for t in range(begin, begin + GROUP):
            product *= variance[t]
            spread *= room * variance[t] + series[t] * series[t]
            balance += variance[t] * pull[t]
        logs += math.log(product)
        mixed += math.log(spread)
    product, spread = 1.0, 1.0
    for t in range(whole, days):
        product *= variance[t]
        spread *= room * variance[t] + series[t] * series[t]
        balance += variance[t] * pull[t]
    return logs + math.log(product), mixed + math.log(spread), balance


@kernel
def push_back(
    series: FloatArray,
    variance: FloatArray,
    pull: FloatArray,
    beta: float,
    backcast: float,
    slope: FloatArray,
) -> None:
    """Slopes in omega, both reactions and beta, into slope[:4]; pull is used up."""
    # A variance acts on its day and, through beta, on all later ones. Summed from the end, that
    # whole effect is one number a day, where a forward pass would carry four derivatives.
    reach = pull[: len(series)][::-1]
    accumulate(reach, beta)
    slope[0], slope[1], slope[2], slope[3] = slope_sums(series, variance, pull)
    first = pull[0]
    slope[0] += first
    slope[1] += 0.5 * first * backcast
    slope[2] += 0.5 * first * backcast
    slope[3] += first * backcast


@folding
def slope_sums(
    series: FloatArray, variance: FloatArray, reach: FloatArray
) -> tuple[float, float, float, float]:
    """Sums of the reach of all days but the first: alone, times gains^2, losses^2, variances."""
    omega = gains = squares = beta = 0.0
    for t in range(1, len(series)):
        square = reach[t] * series[t - 1] * series[t - 1]
        omega += reach[t]
        squares += square
        gains += square if series[t - 1] >= 0.0 else 0.0
        beta += reach[t] * variance[t - 1]
    return omega, gains, squares - gains, beta


@kernel
def mean_square(series: FloatArray) -> float:
    """Mean of the squares."""
    total = 0.0
    for x in series:
        total += x * x
    return total / len(series)


@kernel
def variance_rows(rows: FloatArray, coefficients: FloatArray, out: FloatArray) -> None:
    """`variances` of every row (series, days), with its mean square as the backcast, into out.

    coefficients (series, 5); out (series, days + 1). A row that never moves has no variance.
    """
    for i in range(len(rows)):
        square = mean_square(rows[i])
        if square == 0.0:
            out[i] = 0.0
        else:
            variances(rows[i], coefficients[i], square, out[i])


@kernel
def student_freedom(z: FloatArray) -> float:
    """Most likely degrees of freedom of unit-variance Student draws z (days,), by golden section.

    Searched in log(freedom - LEAST_FREEDOM), in which the likelihood has one peak.
    """
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    unit_variance, pull = np.ones(len(z)), np.empty(len(z))
    low, high = math.log(0.01), math.log(MOST_FREEDOM - LEAST_FREEDOM)
    inner_place, outer_place = high - ratio * (high - low), low + ratio * (high - low)
    at_inner = student_loss(z, unit_variance, LEAST_FREEDOM + math.exp(inner_place), pull)[0]
    at_outer = student_loss(z, unit_variance, LEAST_FREEDOM + math.exp(outer_place), pull)[0]
    while high - low > 1e-4:
        if at_inner < at_outer:
            high, outer_place, at_outer = outer_place, inner_place, at_inner
            inner_place = high - ratio * (high - low)
            at_inner = student_loss(z, unit_variance, LEAST_FREEDOM + math.exp(inner_place), pull)[
                0
            ]
        else:
            low, inner_place, at_inner = inner_place, outer_place, at_outer
            outer_place = low + ratio * (high - low)
            at_outer = student_loss(z, unit_variance, LEAST_FREEDOM + math.exp(outer_place), pull)[
                0
            ]
    return LEAST_FREEDOM + math.exp((low + high) / 2.0)
