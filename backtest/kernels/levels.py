"""From one-day shocks to levels, with yields limited to a plausible range."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

ROUNDING = 1e-12  # decimal yield; sums of the shocks of a history differ from its levels by less


@kernel
def shocked_levels(
    start: NDArray[np.float64],
    shocks: NDArray[np.float64],
    is_price: NDArray[np.bool_],
    low: float,
    high: float,
    out: NDArray[np.float64],
) -> int:
    r"""Apply shocks day by day; returns on how many days the range stopped some yield.

    .. math:: P_t = P_{t-1} (1 + x_t), \qquad
              y_t = \min(h, \max(l, y_{t-1} + x_t))

    start (factors,); shocks (days, factors), relative for prices and absolute for yields; out
    (days + 1, factors), row 0 is `start`. A yield that would leave [low, high] stops at its edge;
    one that leaves it by no more than rounding is put back and not counted.
    """
    acted = 0
    out[0] = start
    for t in range(len(shocks)):
        stopped = False
        for f in range(len(start)):
            if is_price[f]:
                out[t + 1, f] = out[t, f] * (1.0 + shocks[t, f])
                continue
            level = out[t, f] + shocks[t, f]
            if level < low - ROUNDING or level > high + ROUNDING:
                stopped = True
            out[t + 1, f] = min(high, max(low, level))
        if stopped:
            acted += 1
    return acted
