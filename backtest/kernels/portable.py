"""Logarithm, exponential and the circle from +, -, *, / and square roots alone.

A system's mathematical library, and numpy's, choose their code by processor, and their last digits
with it. The sample market must be the same to the bit on every machine, so its generator takes
these: IEEE arithmetic rounds each step alike everywhere, and numba fuses none of them unless it is
asked to. Errors are below one unit in the last place; constants are those of FDLIBM.

References
----------
Sun Microsystems (1993). FDLIBM: e_log.c, e_exp.c, k_sin.c, k_cos.c. netlib.org/fdlibm.
"""

import math

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]

# ln 2 in two parts: a whole number times the first is exact.
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LN2, HALF_ROOT, FULL_TURN = math.log(2.0), math.sqrt(0.5), 2.0 * math.pi

# Coefficients of polynomials, from the highest power to the constant.
LOG = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
EXP = (
    4.13813679705723846039e-08,
    -1.65339022054652515390e-06,
    6.61375632143793436117e-05,
    -2.77777777770155933842e-03,
    1.66666666666666019037e-01,
)
SINE = (
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
    -1.66666666666666324348e-01,
)
COSINE = (
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
)


@kernel
def polynomial(coefficients: tuple[float, ...], x: float) -> float:
    """A polynomial by Horner's rule, in this order of operations and no other."""
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


@kernel
def log(x: float) -> float:
    """Natural logarithm of a finite x > 0.

    Examples
    --------
    >>> log(10.0)
    2.302585092994046
    """
    f, k = math.frexp(x)
    if f < HALF_ROOT:
        f, k = 2.0 * f, k - 1
    f -= 1.0
    s = f / (2.0 + f)
    half_square = 0.5 * f * f
    series = s * s * polynomial(LOG, s * s)
    return k * LN2_HIGH - ((half_square - (s * (half_square + series) + k * LN2_LOW)) - f)


@kernel
def exp(x: float) -> float:
    """Exponential of x, |x| < 700.

    Examples
    --------
    >>> exp(2.0)
    7.38905609893065
    """
    k = math.floor(x / LN2 + 0.5)
    high, low = x - k * LN2_HIGH, k * LN2_LOW
    r = high - low
    c = r - r * r * polynomial(EXP, r * r)
    return math.ldexp(1.0 - ((low - (r * c) / (2.0 - c)) - high), int(k))


@kernel
def circle(turn: float) -> tuple[float, float]:
    """Cosine and sine of a share of a full turn, 0 <= turn <= 1.

    Examples
    --------
    >>> circle(0.5)
    (-1.0, 0.0)
    """
    quarter = math.floor(4.0 * turn + 0.5)
    x = FULL_TURN * (turn - 0.25 * quarter)  # this difference is exact, and |x| <= pi / 4
    z = x * x
    sine = x + x * z * polynomial(SINE, z)
    cosine = 1.0 - (0.5 * z - z * z * polynomial(COSINE, z))
    if quarter == 1:
        return 0.0 - sine, cosine
    if quarter == 2:
        return -cosine, 0.0 - sine
    if quarter == 3:
        return sine, -cosine
    return cosine, sine


@kernel
def exponentials(x: FloatArray, out: FloatArray) -> None:
    """Write the exponentials of x (days, factors) into out (days, factors)."""
    for t in range(x.shape[0]):
        for k in range(x.shape[1]):
            out[t, k] = exp(x[t, k])


@kernel
def cholesky(matrix: FloatArray, out: FloatArray) -> None:
    """Write the lower root of a positive definite matrix (n, n) into out (n, n); row by row."""
    out[:] = 0.0
    for i in range(matrix.shape[0]):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= out[i, k] * out[j, k]
            out[i, j] = math.sqrt(rest) if i == j else rest / out[j, j]
