"""Tails over the days on which scenarios stay the same while sensitivities to them drift."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import (
    FloatArray,
    IntArray,
    heap_largest,
    mean_largest,
    walk_largest,
    weighted_sum,
)
from backtest.kernels.window_tail import held_weights

# Losses that are looked at again from day to day: twice the tail and some more, as far as the
# first ones of a day tell.
WIDE_FACTOR, WIDE_EXTRA = 2, 16
SAMPLE = 512  # scenarios that tell it
ROUNDING = 1e-12  # of the largest possible loss: what a sum of products may be off by


@kernel
def drawn_tails(
    values: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    count: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """`window_tail` of each day, (days, portfolios): the same scenarios, sensitivities of its own.

    values (columns, scenarios); unit (days, columns); exposure (portfolios, columns), signed USD.

    The largest losses of a day are kept. On a later day no other scenario can lose more than the
    least of them did and what the drift since then adds at most; where the tail of the kept ones
    lies above that, it is the tail of all, to the last bit. Else all are looked at again.
    """
    days, width = unit.shape
    columns, weight, reference = np.empty(width, np.int64), np.empty(width), np.empty(width)
    size = values.shape[1]
    loss, kept = np.empty(size), np.empty((width, size))
    sample = min(size, SAMPLE)
    wide = np.empty(min(sample, (WIDE_FACTOR * count + WIDE_EXTRA) * sample // size + 1))
    tail = np.empty(count)
    largest = np.empty(width)
    for c in range(width):
        largest[c] = np.max(np.abs(values[c]))
    for p in range(len(exposure)):
        k = found = 0
        bound, value = np.inf, 0.0
        for t in range(days):
            k = held_weights(unit[t], exposure[p], columns, weight)
            if k == 0:
                value_at_risk[t, p] = expected_shortfall[t, p] = 0.0
                continue
            drift = reach = 0.0
            for i in range(k):
                drift += abs(weight[i] - reference[i]) * largest[columns[i]] if found else 0.0
                reach += abs(weight[i]) * largest[columns[i]]
            drift += ROUNDING * reach if drift > 0.0 else 0.0
            if found:
                value = tail_of_kept(kept, weight[:k], loss[:found], count, value)
            if not found or not value >= bound + drift:
                weighted_sum(values, columns[:k], weight[:k], 0, loss)
                bound = heap_largest(loss[:sample], wide)
                found = keep(values, columns[:k], loss, bound, kept)
                if found < count:
                    weighted_sum(values, columns[:k], weight[:k], 0, loss)
                    bound = heap_largest(loss, tail)
                    found = keep(values, columns[:k], loss, bound, kept)
                reference[:k] = weight[:k]
                value = heap_largest(loss[:found], tail)
            # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
            value_at_risk[t, p] = value + 0.0
            expected_shortfall[t, p] = mean_largest(loss, found, count, value) + 0.0


@kernel
def keep(
    values: FloatArray, columns: IntArray, loss: FloatArray, least: float, kept: FloatArray
) -> int:
    """Copy the scenarios that lose at least so much, in their order; returns how many.

    Their losses move to the front of `loss`.
    """
    found = 0
    for s in range(len(loss)):
        if loss[s] >= least:
            for i in range(len(columns)):
                kept[i, found] = values[columns[i], s]
            loss[found] = loss[s]
            found += 1
    return found


@kernel
def tail_of_kept(
    kept: FloatArray, weight: FloatArray, loss: FloatArray, count: int, guess: float
) -> float:
    """The count-th largest loss of the kept scenarios; their losses into loss (kept,)."""
    weighted_sum(kept, np.arange(len(weight)), weight, 0, loss)
    return walk_largest(loss, len(loss), count, guess)
