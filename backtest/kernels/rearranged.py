"""Quantile and tail mean of a cubic of a normal draw, whose values need not rise with the draw."""

import math

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray

REACH = 9.0  # standard deviations: what lies beyond has a probability of 2e-19
HALVINGS = 60


@kernel
def cubic(c: FloatArray, z: float) -> float:
    """Value at z of the cubic with coefficients c (4,), the constant first."""
    return c[0] + z * (c[1] + z * (c[2] + z * c[3]))


@kernel
def turning_points(c: FloatArray) -> tuple[float, float]:
    """Where a cubic's slope changes sign, in order and within REACH; its middle where nowhere."""
    room = c[2] * c[2] - 3.0 * c[3] * c[1]
    if room <= 0.0:
        return 0.0, 0.0
    # Citardauq's form for one of the roots: no difference of nearly equal numbers.
    far = -(c[2] + math.copysign(math.sqrt(room), c[2]))
    one = c[1] / far
    two = far / (3.0 * c[3]) if c[3] != 0.0 else REACH
    one, two = max(-REACH, min(REACH, one)), max(-REACH, min(REACH, two))
    return min(one, two), max(one, two)


@kernel
def part_below(c: FloatArray, level: float, begin: float, end: float) -> tuple[float, float]:
    """Ends of the part of [begin, end] whose values are at most `level`; the cubic is monotone."""
    rises = cubic(c, end) >= cubic(c, begin)
    low, high = begin, end
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if (cubic(c, middle) <= level) == rises:
            low = middle
        else:
            high = middle
    crossing = 0.5 * (low + high)
    return (begin, crossing) if rises else (crossing, end)


@kernel
def mass_and_mean(c: FloatArray, begin: float, end: float) -> tuple[float, float]:
    """Integrals of the normal density, and of it times the cubic, from begin to end."""
    root = math.sqrt(0.5)
    # The difference of two small tails, not of two numbers near one.
    sign = -1.0 if begin > 0.0 else 1.0
    mass = 0.5 * sign * (math.erfc(-sign * end * root) - math.erfc(-sign * begin * root))
    at_begin = math.exp(-0.5 * begin * begin) / math.sqrt(2.0 * math.pi)
    at_end = math.exp(-0.5 * end * end) / math.sqrt(2.0 * math.pi)
    mean = c[0] * mass + c[1] * (at_begin - at_end)
    mean += c[2] * (mass + begin * at_begin - end * at_end)
    mean += c[3] * ((begin * begin + 2.0) * at_begin - (end * end + 2.0) * at_end)
    return mass, mean


@kernel
def tail_below(c: FloatArray, level: float, low: float, high: float) -> tuple[float, float]:
    """Probability of values at most `level`, and their mean times it; turning points low, high."""
    mass = mean = 0.0
    for begin, end in ((-REACH, low), (low, high), (high, REACH)):
        one, two = part_below(c, level, begin, end)
        part, part_mean = mass_and_mean(c, one, two)
        mass += part
        mean += part_mean
    return mass, mean


@kernel
def rearranged_tails(cubics: FloatArray, share: float, out: FloatArray) -> None:
    """Quantile and mean of the lowest `share` of values of each cubic of a standard normal draw.

    Parameters
    ----------
    cubics : (rows, 4) coefficients, the constant first. share : in (0, 1).
    out : (rows, 2), the quantile and the mean below it.
    """
    for row in range(len(cubics)):
        c = cubics[row]
        first, second = turning_points(c)
        ends = np.array([cubic(c, -REACH), cubic(c, first), cubic(c, second), cubic(c, REACH)])
        low, high = ends.min(), ends.max()
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if tail_below(c, middle, first, second)[0] < share:
                low = middle
            else:
                high = middle
        mass, mean = tail_below(c, high, first, second)
        out[row, 0] = high
        # Values at the quantile itself make up what rounding leaves of the tail.
        out[row, 1] = (mean + (share - mass) * high) / share
