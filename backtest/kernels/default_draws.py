"""Defaults that are drawn: who fails on which day of which draw, whatever prices do."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.paths import GOLDEN, ONE, day_key, splitmix, uniform

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@kernel
def draw_key(seed: np.uint64, path: np.uint64, day: int, draw: int) -> np.uint64:
    """Key of one draw of one day: every number of it is a function of (seed, path, day, draw)."""
    return splitmix(day_key(seed, path, day) + (np.uint64(draw) + ONE) * GOLDEN)


@kernel
def count_defaults(
    seed: np.uint64, path: np.uint64, days: int, draws: int, daily: FloatArray
) -> int:
    """Number of rows that `list_defaults` writes; daily (names,) probability a day."""
    count = 0
    for t in range(days):
        for d in range(draws):
            key = draw_key(seed, path, t, d)
            for n in range(len(daily)):
                count += uniform(key, n + 1) < daily[n]
    return count


@kernel
def list_defaults(
    seed: np.uint64, path: np.uint64, daily: FloatArray, days: int, draws: int, out: IntArray
) -> None:
    """Write (day, draw, name) of every default, ascending, into out (count, 3).

    Name n fails where draw number n + 1 of the key is below its probability; number 0 is that of
    the coordination of the houses.
    """
    count = 0
    for t in range(days):
        for d in range(draws):
            key = draw_key(seed, path, t, d)
            for n in range(len(daily)):
                if uniform(key, n + 1) < daily[n]:
                    out[count, 0], out[count, 1], out[count, 2] = t, d, n
                    count += 1
