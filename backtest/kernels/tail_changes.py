"""Changes of rolling tails, and the tails of every day made from them.

A tail changes on few days, so only changes are kept: the portfolios of a block record theirs one
after the other, and all rows of the block are written at once.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, IntArray

LANES = 16  # portfolios written together: two whole cache lines a day


class Change(NamedTuple):
    """Changes of the tails of a block of portfolios, as a linked list for each day."""

    last: IntArray  # (days,) the newest change of each day, -1 where there is none
    before: IntArray  # (changes,) the change of the same day recorded before, -1 where none
    lane: IntArray  # (changes,)
    value_at_risk: FloatArray  # (changes,)
    expected_shortfall: FloatArray  # (changes,)


@kernel
def record(change: Change, size: int, day: int, lane: int, value: float, mean: float) -> int:
    """Add a change of a portfolio's tail to the list of its day; returns the number of changes.

    Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
    """
    change.before[size] = change.last[day]
    change.last[day] = size
    change.lane[size] = lane
    change.value_at_risk[size] = value + 0.0
    change.expected_shortfall[size] = mean + 0.0
    return size + 1


@kernel
def write_one(
    change: Change,
    portfolio: int,
    first: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Write the tails of a portfolio alone: it changes at most once a day, and loops cost more."""
    value = mean = 0.0
    for t in range(len(change.last)):
        i = change.last[t]
        if i >= 0:
            value, mean = change.value_at_risk[i], change.expected_shortfall[i]
        value_at_risk[first + t, portfolio] = value
        expected_shortfall[first + t, portfolio] = mean


@kernel
def write(
    change: Change,
    begin: int,
    size: int,
    first: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Write the tails of portfolios begin .. begin + size - 1, row by row, `first` on.

    Each row is the row before with the changes of its day, so unchanged tails are never read.
    """
    value, mean = np.empty(LANES), np.empty(LANES)
    if size == 1:
        write_one(change, begin, first, value_at_risk, expected_shortfall)
        return
    for t in range(len(change.last)):
        i = change.last[t]
        while i >= 0:
            value[change.lane[i]] = change.value_at_risk[i]
            mean[change.lane[i]] = change.expected_shortfall[i]
            i = change.before[i]
        if size == LANES:  # A constant number of lanes compiles to code without loops.
            for lane in range(LANES):
                value_at_risk[first + t, begin + lane] = value[lane]
            for lane in range(LANES):
                expected_shortfall[first + t, begin + lane] = mean[lane]
        else:
            for lane in range(size):
                value_at_risk[first + t, begin + lane] = value[lane]
                expected_shortfall[first + t, begin + lane] = mean[lane]
