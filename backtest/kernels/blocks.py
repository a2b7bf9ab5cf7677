"""Days drawn in blocks, by the stationary bootstrap, and how often each day is drawn."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel


@kernel
def follow_blocks(begins: NDArray[np.bool_], days: NDArray[np.int64]) -> None:
    r"""Replace the days after the first of each block by those that follow it, on a circle of days.

    .. math:: d_t = \begin{cases} d_t & \text{a block begins at } t \\
              (d_{t-1} + 1) \bmod n & \text{otherwise} \end{cases}

    begins (resamples, days); the first day of a resample begins a block, whatever stands there.
    days (resamples, days), 0 .. n - 1, is written.
    """
    resamples, count = days.shape
    for r in range(resamples):
        for t in range(1, count):
            if not begins[r, t]:
                after = days[r, t - 1] + 1
                days[r, t] = after if after < count else 0


@kernel
def count_days(days: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """Add to out (resamples, days) how often each day is drawn; days (resamples, draws)."""
    resamples, draws = days.shape
    for r in range(resamples):
        for t in range(draws):
            out[r, days[r, t]] += 1.0
