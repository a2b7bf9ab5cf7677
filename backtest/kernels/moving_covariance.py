"""Covariances that move from day to day: carried on by decay, or shrunk window by window."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]


@kernel
def carry_on(
    rows: FloatArray, first: int, own: float, news: float, carried: float, out: FloatArray
) -> None:
    r"""From day `first` on, add to each day's covariance the day's products and yesterday's result.

    .. math:: C_t \leftarrow a \, C_t + b \, x_t x_t' + c \, C_{t-1}

    with a, b, c = own, news, carried; rows (days, columns) x; out (days, columns, columns) C,
    which is read and written.
    """
    days, width = rows.shape
    for t in range(first, days):
        for c in range(width):
            for d in range(width):
                moved = news * (rows[t, c] * rows[t, d]) + carried * out[t - 1, c, d]
                out[t, c, d] = own * out[t, c, d] + moved


@kernel
def fourth_power(rows: FloatArray, first: int, last: int, mean: FloatArray) -> float:
    """Mean over the rows first .. last - 1 of the fourth power of their distance from their mean.

    rows (days, columns); mean (columns,) scratch.
    """
    mean[:] = 0.0
    for t in range(first, last):
        for c in range(len(mean)):
            mean[c] += rows[t, c]
    mean /= last - first
    total = 0.0
    for t in range(first, last):
        square = 0.0
        for c in range(len(mean)):
            square += (rows[t, c] - mean[c]) ** 2
        total += square * square
    return total / (last - first)


@kernel
def shrink(rows: FloatArray, lookback: int, out: FloatArray) -> None:
    """Shrink the covariance of each window of `lookback` rows: see `shrunk_covariance`.

    rows (days, columns); out (days, columns, columns), which is read and written; days before the
    first full window are left as they are.
    """
    days, width = rows.shape
    mean = np.empty(width)
    for t in range(lookback - 1, days):
        trace = size = 0.0
        for c in range(width):
            trace += out[t, c, c]
            for d in range(width):
                size += out[t, c, d] * out[t, c, d]
        level = trace / width
        # The products of the rows average to the sample, so the cross terms of the squares add up
        # to n times its square.
        noise = (fourth_power(rows, t + 1 - lookback, t + 1, mean) - size) / lookback
        distance = 0.0
        for c in range(width):
            for d in range(width):
                distance += (out[t, c, d] - (level if c == d else 0.0)) ** 2
        share = min(1.0, noise / distance) if distance > 0.0 else 0.0
        for c in range(width):
            for d in range(width):
                out[t, c, d] = (1.0 - share) * out[t, c, d] + (share * level if c == d else 0.0)
