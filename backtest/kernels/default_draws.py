"""Defaults that come whatever prices do: nobody, one name alone, two names or more of a day.

Rates are small, so nearly all weight lies on nobody and on one name. Both are counted with their
exact probabilities; only days with two defaults or more, which are too many to list, are drawn.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.paths import GOLDEN, ONE, day_key, splitmix, uniform

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class Several(NamedTuple):
    """Who fails in each draw of a day on which two names or more do.

    draws : of each day. starts : (days x draws + 1,) place of the first name of each draw.
    names : of all draws, one after another.
    """

    draws: int
    starts: IntArray
    names: IntArray


@kernel
def draw_key(seed: np.uint64, path: np.uint64, day: int, draw: int) -> np.uint64:
    """Key of one draw of one day: every number of it is a function of (seed, path, day, draw)."""
    return splitmix(day_key(seed, path, day) + (np.uint64(draw) + ONE) * GOLDEN)


@kernel
def default_chances(daily: FloatArray, alone: FloatArray, least: FloatArray) -> float:
    r"""Probability that nobody fails; writes that of each name alone, and of several of the last.

    .. math:: \text{least}_k[n] = p_n \, \text{least}_{k-1}[n + 1]
              + (1 - p_n) \, \text{least}_k[n + 1]

    daily : (names,) p. alone : (names,), written. least : (3, names + 1), written:
    least[k, n] that k names or more from n on fail. Sums of positive terms, so that a probability
    of 1e-12 keeps its digits.
    """
    names = len(daily)
    least[0], least[1, names], least[2, names] = 1.0, 0.0, 0.0
    after = 1.0
    for n in range(names - 1, -1, -1):
        alone[n] = daily[n] * after
        after *= 1.0 - daily[n]
        for k in range(1, 3):
            least[k, n] = daily[n] * least[k - 1, n + 1] + (1.0 - daily[n]) * least[k, n + 1]
    before = 1.0
    for n in range(names):
        alone[n] *= before
        before *= 1.0 - daily[n]
    return before


@kernel
def draw_several(key: np.uint64, daily: FloatArray, least: FloatArray, drawn: BoolArray) -> None:
    """Draw who fails on a day on which two names or more do. drawn : (names,), written.

    Name n fails where draw number n of the key is below its probability, given how many are still
    needed: p_n least[k - 1, n + 1] / least[k, n] with k of them.
    """
    needed = 2
    for n in range(len(daily)):
        chance = daily[n]
        if needed > 0:
            chance *= least[needed - 1, n + 1] / least[needed, n]
        drawn[n] = uniform(key, n) < chance
        if drawn[n] and needed > 0:
            needed -= 1


@kernel
def list_several(
    seed: np.uint64, path: np.uint64, daily: FloatArray, draws: int, starts: IntArray,
    names: IntArray,
) -> None:  # fmt: skip
    """Write who fails in every draw of every day, as in `Several`; names as far as there is room.

    daily : (days, names) probabilities.
    """
    days, count = daily.shape
    alone, least = np.empty(count), np.empty((3, count + 1))
    drawn = np.empty(count, np.bool_)
    place = starts[0] = 0
    for t in range(days):
        if t == 0 or (daily[t] != daily[t - 1]).any():
            default_chances(daily[t], alone, least)
        for d in range(draws):
            if least[2, 0] > 0.0:
                draw_several(draw_key(seed, path, t, d), daily[t], least, drawn)
                for n in np.flatnonzero(drawn):
                    if place < len(names):
                        names[place] = n
                    place += 1
            starts[t * draws + d + 1] = place


def several_defaults(seed: int, path: int, daily: FloatArray, draws: int) -> Several:
    """Draw the days on which two names or more fail; the same for every model and arrangement.

    daily : (days, names) probabilities.

    Examples
    --------
    >>> several = several_defaults(7, 0, np.full((5, 3), 0.01), draws=4)
    >>> len(several.starts), int(np.diff(several.starts).min())
    (21, 2)
    """
    daily = np.ascontiguousarray(daily)
    starts = np.empty(len(daily) * draws + 1, np.int64)
    # Two names, and of the others as many as on any day; half as much again is hardly ever short.
    room = int(1.5 * len(daily) * draws * (2.0 + daily.sum(axis=1).max(initial=0.0))) + 100
    while True:
        names = np.empty(room, np.int64)
        list_several(np.uint64(seed), np.uint64(path), daily, draws, starts, names)
        if starts[-1] <= room:
            return Several(draws, starts, names[: starts[-1]].copy())
        room = int(starts[-1])
