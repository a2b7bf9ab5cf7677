"""Sums and extremes over the scored days of many portfolios, one pass over the days."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@kernel
def beyond_cover(
    loss: FloatArray, cover: FloatArray, count: IntArray, total: FloatArray, largest: FloatArray
) -> None:
    r"""Days on which the loss is above what covers it, and the gaps of these days.

    .. math:: n = \#\{t : L_t > C_t\}, \qquad
              S = \sum_{L_t > C_t} (L_t - C_t), \qquad G = \max_{L_t > C_t} (L_t - C_t)

    loss, cover (days, portfolios), no NaN. count int64, total and largest (portfolios,) are
    written; largest is 0 where there is no such day. Gaps are summed in the order of the days.
    """
    days, portfolios = loss.shape
    for p in range(portfolios):
        count[p], total[p], largest[p] = 0, 0.0, 0.0
    for t in range(days):
        for p in range(portfolios):
            gap = loss[t, p] - cover[t, p]
            if gap > 0.0:
                count[p] += 1
                total[p] += gap
                largest[p] = max(largest[p], gap)


@kernel
def sum_and_range(
    values: FloatArray, total: FloatArray, least: FloatArray, most: FloatArray
) -> None:
    """Sum, in the order of the days, smallest and largest of each column.

    values (days, portfolios), one day or more, no NaN; total, least, most (portfolios,), written.
    """
    days, portfolios = values.shape
    for p in range(portfolios):
        total[p] = least[p] = most[p] = values[0, p]
    for t in range(1, days):
        for p in range(portfolios):
            value = values[t, p]
            total[p] += value
            least[p] = min(least[p], value)
            most[p] = max(most[p], value)


@kernel
def count_above(values: FloatArray, bound: float, count: IntArray) -> None:
    """Days on which each column is above a bound, or infinite, into count (portfolios,) int64.

    values (days, portfolios), no NaN.
    """
    days, portfolios = values.shape
    for p in range(portfolios):
        count[p] = 0
    for t in range(days):
        for p in range(portfolios):
            count[p] += (values[t, p] > bound) | (values[t, p] == np.inf)


@kernel
def cover_ratios(loss: FloatArray, required: FloatArray, out: FloatArray) -> None:
    r"""The scale at which each requirement just covers its loss, into out; all arrays (cells,).

    .. math:: x = \max(0, L / M), \qquad x = +\infty \text{ if } M = 0 < L, \; 0 \text{ if } L \le 0
    """
    for i in range(len(loss)):
        ratio = np.inf if loss[i] > 0.0 else 0.0
        if required[i] > 0.0:
            ratio = loss[i] / required[i]
        out[i] = 0.0 if ratio < 0.0 else ratio
