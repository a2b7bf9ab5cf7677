"""Covariance of rows over a trailing window: one row enters the sums a day, and one leaves them.

Sums that are carried along gather rounding, so a bound of it is carried along too, and where that
is no longer small beside a variance all sums are taken anew: seldom in quiet times, and at once
when large moves have left the window.
"""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)
MOST_ROUNDING = 5e-13  # of each variance, by the bound; the error itself is far smaller


@kernel
def enter(
    rows: FloatArray,
    t: int,
    sign: float,
    centre: FloatArray,
    total: FloatArray,
    product: FloatArray,
) -> None:
    """Add row t to the sums about `centre`, or take it from them where `sign` is -1.

    total (columns,); product (columns, columns), of which the lower triangle is used.
    """
    for c in range(len(centre)):
        move = sign * (rows[t, c] - centre[c])
        total[c] += move
        for d in range(c + 1):
            product[c, d] += move * (rows[t, d] - centre[d])


@kernel
def take_anew(
    rows: FloatArray,
    first: int,
    last: int,
    centre: FloatArray,
    total: FloatArray,
    product: FloatArray,
) -> None:
    """Set the sums of the rows first .. last about their own mean, which becomes the centre."""
    centre[:] = 0.0
    for t in range(first, last + 1):
        for c in range(len(centre)):
            centre[c] += rows[t, c]
    centre /= last + 1 - first
    total[:] = 0.0
    product[:, :] = 0.0
    for t in range(first, last + 1):
        enter(rows, t, 1.0, centre, total, product)


@kernel
def write_covariance(
    days: int,
    centre: FloatArray,
    total: FloatArray,
    product: FloatArray,
    equal: NDArray[np.int64],
    out: FloatArray,
) -> None:
    """Covariance (columns, columns) of a window of `days` from its sums; 0 of what stands still.

    equal (columns,) latest days on which a column had one value.
    """
    share = 1.0 / days
    for c in range(len(total)):
        mean = total[c] * share
        for d in range(c + 1):
            out[c, d] = product[c, d] * share - mean * (total[d] * share)
            out[d, c] = out[c, d]
    for c in range(len(total)):
        # A mean of n values is off by n roundings at most: what varies by less does not vary, and
        # two such columns would have a correlation of plus or minus one.
        least = days * EPSILON * (centre[c] + total[c] * share)
        if equal[c] >= days or out[c, c] <= least * least:
            out[c, :] = 0.0
            out[:, c] = 0.0


@kernel
def window_covariance(rows: FloatArray, lookback: int, out: FloatArray) -> None:
    r"""Covariance of the last `lookback` rows, at each row from the first full window on, into out.

    .. math:: C_{cd} = \frac{1}{n} \Bigl(P_{cd} - \frac{S_c S_d}{n}\Bigr), \quad
              S_c = \sum_s (x_{sc} - m_c), \quad P_{cd} = \sum_s (x_{sc} - m_c) (x_{sd} - m_d)

    over the n = lookback rows s, with centres m that are means of an earlier window. rows (days,
    columns); out (days, columns, columns). A column with a value that is not a number has none in
    the windows that hold it, and the other columns are not touched by it.
    """
    days, width = rows.shape
    centre, total, rounding = np.empty(width), np.empty(width), np.empty(width)
    product = np.empty((width, width))
    equal = np.zeros(width, np.int64)
    for t in range(days):
        for c in range(width):
            equal[c] = equal[c] + 1 if t > 0 and rows[t, c] == rows[t - 1, c] else 1
        first = t + 1 - lookback
        if first < 0:
            continue
        anew = first == 0
        if not anew:
            for c in range(width):
                # Each sum is rounded twice at its size, by half an epsilon, and so are the squares
                # that enter and leave it; cross products are bounded by the squares of their
                # columns (Cauchy and Schwarz).
                move, shift = rows[t, c] - centre[c], total[c] * total[c] / lookback
                rounding[c] += EPSILON * (product[c, c] + 2.0 * (move * move + shift))
            enter(rows, t, 1.0, centre, total, product)
            enter(rows, first - 1, -1.0, centre, total, product)
            for c in range(width):
                spread = product[c, c] - total[c] * total[c] / lookback
                if equal[c] < lookback and not rounding[c] <= MOST_ROUNDING * spread:
                    anew = True
        if anew:
            take_anew(rows, first, t, centre, total, product)
            rounding[:] = 0.0
        write_covariance(lookback, centre, total, product, equal, out[t])
