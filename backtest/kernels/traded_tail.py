"""Exact tail of portfolios that trade: every scenario is revalued at the positions of its day.

Where positions jump, the tail of the day before proves nothing, so all of a window is revalued,
four columns at a time. That tail still tells where to look: losses far below it are passed over
together, and read again in the rare case that fewer than the tail are left.
"""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, IntArray

BLOCK = 16  # portfolios revalued together: a stretch of scenarios is read from memory once
STRETCH = 256  # scenarios whose shocks of some twenty columns stay in the nearest cache
FOUR = 4  # columns added together
TOGETHER = 32  # losses passed over together
HINT = 0.85  # of yesterday's tail, per USD of weights: most days three times the tail exceed it


@kernel
def held_weights(unit: FloatArray, exposure: FloatArray, held: IntArray, weight: FloatArray) -> int:
    """List the columns held, and the loss per unit of shock; zeros fill up to a multiple of four.

    Returns that multiple: 0 where nothing is held.
    """
    count = 0
    for c in range(len(unit)):
        if exposure[c] != 0.0:
            held[count] = c
            weight[count] = -exposure[c] * unit[c]
            count += 1
    while count % FOUR:
        held[count] = held[0]
        weight[count] = 0.0
        count += 1
    return count


@kernel
def revalue(
    columns: FloatArray, held: IntArray, weight: FloatArray, begin: int, loss: FloatArray
) -> None:
    """loss[i] = sum over c of weight[c] * columns[held[c], begin + i]."""
    size = len(loss)
    for c in range(0, len(held), FOUR):
        one = columns[held[c], begin : begin + size]
        two = columns[held[c + 1], begin : begin + size]
        three = columns[held[c + 2], begin : begin + size]
        four = columns[held[c + 3], begin : begin + size]
        w, x, y, z = weight[c], weight[c + 1], weight[c + 2], weight[c + 3]
        if c == 0:
            for i in range(size):
                loss[i] = w * one[i] + x * two[i] + y * three[i] + z * four[i]
        else:
            for i in range(size):
                loss[i] += w * one[i] + x * two[i] + y * three[i] + z * four[i]


@kernel
def any_above(losses: FloatArray, least: float) -> bool:
    """Whether a loss is larger, found without a branch for each."""
    above = np.int64(0)
    for i in range(len(losses)):
        above |= np.int64(losses[i] > least)
    return bool(above != 0)


@kernel
def largest_above(loss: FloatArray, hint: float, heap: FloatArray) -> bool:
    """Fill the heap with the largest losses, the least on top; False if fewer are above `hint`."""
    size = len(heap)
    heap[:] = hint
    for begin in range(0, len(loss), TOGETHER):
        losses = loss[begin : min(begin + TOGETHER, len(loss))]
        if not any_above(losses, heap[0]):
            continue
        for value in losses:
            if value > heap[0]:
                place = 0
                child = 1
                while child < size:
                    if child + 1 < size and heap[child + 1] < heap[child]:
                        child += 1
                    if value <= heap[child]:
                        break
                    heap[place] = heap[child]
                    place = child
                    child = 2 * place + 1
                heap[place] = value
    return bool(heap[0] > hint)


@kernel
def tail_of(loss: FloatArray, hint: float, heap: FloatArray) -> tuple[float, float]:
    """The least of the len(heap) largest losses, and their mean; `hint` is positive or no hint."""
    if not (hint > 0.0 and largest_above(loss, hint, heap)):
        largest_above(loss, -np.inf, heap)
    total = 0.0
    for value in heap:
        total += value
    # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
    return heap[0] + 0.0, total / len(heap) + 0.0


@kernel
def traded_tail(
    columns: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    lookback: int,
    count: int,
    first: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    r"""Value at risk and expected shortfall at each close of portfolios whose positions change.

    .. math:: L_{s} = -\sum_c x_{tpc} u_{tc} z_{cs}, \quad s = t - lookback + 1, \dots, t; \qquad
              VaR_t = L_{(count)}, \quad ES_t = \frac{1}{count} \sum_{i \le count} L_{(i)}

    columns : (columns, days) shocks z, finite in every window used.
    unit : (days - first, columns) u. exposure : (days - first, portfolios, columns) x, signed USD;
    both from day `first` on, the first with a full window.
    Both outputs (days, portfolios) are written from `first` on; neither is floored at zero.
    """
    days, portfolios = value_at_risk.shape
    width = unit.shape[1] + FOUR
    held, weight = np.zeros((BLOCK, width), np.int64), np.empty((BLOCK, width))
    wide, loss = np.empty(BLOCK, np.int64), np.empty((BLOCK, lookback))
    per_usd, heap = np.zeros(portfolios), np.empty(count)
    for t in range(first, days):
        oldest = t - lookback + 1
        for begin in range(0, portfolios, BLOCK):
            size = min(BLOCK, portfolios - begin)
            for p in range(size):
                x = exposure[t - first, begin + p]
                wide[p] = held_weights(unit[t - first], x, held[p], weight[p])
            for left in range(0, lookback, STRETCH):
                right = min(left + STRETCH, lookback)
                for p in range(size):
                    k, part = wide[p], loss[p, left:right]
                    revalue(columns, held[p, :k], weight[p, :k], oldest + left, part)
            for p in range(size):
                gross = np.abs(weight[p, : wide[p]]).sum()
                value = mean = 0.0
                if gross > 0.0:
                    value, mean = tail_of(loss[p], HINT * gross * per_usd[begin + p], heap)
                    per_usd[begin + p] = value / gross
                value_at_risk[t, begin + p] = value
                expected_shortfall[t, begin + p] = mean
