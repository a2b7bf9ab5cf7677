"""Yields between the maturities of a curve, a curve of its own for every day."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@kernel
def interpolated(
    levels: FloatArray,
    columns: IntArray,
    tenors: FloatArray,
    maturity: FloatArray,
    out: FloatArray,
) -> None:
    r"""Yield of each day at its own maturity, linear between two tenors and flat outside.

    .. math:: y = (1 - w) \, y_{i-1} + w \, y_i, \qquad
              w = \min\Big(1, \max\Big(0, \frac{m - T_{i-1}}{T_i - T_{i-1}}\Big)\Big)

    levels (days, factors); columns (tenors,) int64, those of the yields, whose tenors (years)
    ascend, two or more; maturity (days,) in years; out (days,) is written.
    """
    last = len(tenors) - 1
    for day in range(len(maturity)):
        i = 1
        while i < last and tenors[i] < maturity[day]:
            i += 1
        weight = (maturity[day] - tenors[i - 1]) / (tenors[i] - tenors[i - 1])
        weight = min(1.0, max(0.0, weight))
        before, after = levels[day, columns[i - 1]], levels[day, columns[i]]
        out[day] = (1.0 - weight) * before + weight * after
