"""Exact rolling tail of portfolios with constant sensitivities.

The scenario loss of a day then never changes, so a portfolio is one series of losses. A sorted
buffer contains the largest losses of the window; it changes on the few days on which such a loss
enters or leaves, and on all other days the tail is that of the day before.
"""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.tail_changes import LANES, Change, record, write
from backtest.kernels.tail_select import FloatArray, IntArray, weighted_sum

BoolArray = NDArray[np.bool_]

# After a refill the buffer contains 1.5 times the tail plus WANT_EXTRA losses, and at most
# CAP_FACTOR times that. Measured: smaller buffers are refilled, larger ones changed too often.
WANT_EXTRA = 2
CAP_FACTOR = 2
CHUNK = 256  # days searched at once for those that touch the buffer
LARGEST = 1e300  # USD; losses below it add up over any window without overflow


@kernel
def gather(shocks: FloatArray, index: IntArray, out: FloatArray) -> None:
    """out[j] = shocks[:, index[j]]. A constant number of columns compiles to code without loops."""
    for left in range(0, len(index), LANES):
        right = min(left + LANES, len(index))
        if right - left == LANES:
            for t in range(len(shocks)):
                for j in range(LANES):
                    out[left + j, t] = shocks[t, index[left + j]]
        else:
            for j in range(left, right):
                column = index[j]
                for t in range(len(shocks)):
                    out[j, t] = shocks[t, column]


@kernel
def held_by_any(exposure: FloatArray, union: IntArray) -> int:
    """List the columns held by any of the portfolios, in order; returns their number."""
    count = 0
    for c in range(exposure.shape[1]):
        is_held = False
        for p in range(len(exposure)):
            is_held |= exposure[p, c] != 0.0
        union[count] = c
        count += is_held
    return count


@kernel
def weigh(
    exposure: FloatArray, unit: FloatArray, union: IntArray, held: IntArray, weight: FloatArray
) -> int:
    """List the held columns of the union, and the loss per unit of shock; returns their number."""
    count = 0
    for j in range(len(union)):
        amount = exposure[union[j]]
        if amount != 0.0:
            held[count] = j
            weight[count] = -amount * unit[union[j]]
            count += 1
    return count


@kernel
def within_range(losses: FloatArray) -> bool:
    """Return whether no loss is NaN, infinite or so large that sums overflow."""
    outside = np.int64(0)
    for i in range(len(losses)):
        outside |= np.int64(not abs(losses[i]) < LARGEST)
    return bool(outside == 0)


@kernel
def insert(buffer: FloatArray, size: int, loss: float) -> int:
    """Put a loss into buffer[:size + 1], descending; returns its place."""
    place = size
    while place > 0 and buffer[place - 1] < loss:
        buffer[place] = buffer[place - 1]
        place -= 1
    buffer[place] = loss
    return place


@kernel
def remove(buffer: FloatArray, size: int, loss: float) -> int:
    """Remove one copy of a loss from buffer[:size]; returns the place it had."""
    place = size - 1
    below = buffer[place]
    while below < loss:
        place -= 1
        above = buffer[place]
        buffer[place] = below
        below = above
    return place


@kernel
def refill(window: FloatArray, want: int, buffer: FloatArray) -> int:
    """Fill the buffer with the `want` largest losses of the window; returns `want`."""
    for i in range(want):
        insert(buffer, i, window[i])
    for i in range(want, len(window)):
        if window[i] > buffer[want - 1]:
            insert(buffer, want - 1, window[i])
    return want


@kernel
def touching(
    new: FloatArray, old: FloatArray, least: float, touch: BoolArray, days: IntArray
) -> int:
    """List the days on which a loss of at least `least` enters or leaves; returns their number."""
    for i in range(len(new)):
        touch[i] = (new[i] >= least) | (old[i] >= least)
    count = 0
    for i in range(len(new)):
        days[count] = i  # Written always and kept if it counts: no branch to mispredict.
        count += touch[i]
    return count


@kernel
def mean_first(buffer: FloatArray, count: int) -> float:
    """Return the mean of buffer[:count], summed anew so that rounding does not accumulate."""
    total = 0.0
    for i in range(count):
        total += buffer[i]
    return total / count


@kernel
def series_tail(
    loss: FloatArray,
    lookback: int,
    count: int,
    want: int,
    buffer: FloatArray,
    touch: BoolArray,
    touched: IntArray,
    lane: int,
    changes: int,
    change: Change,
) -> int:
    """Roll the buffer over one series and record each change of its tail; returns their number.

    Invariant: buffer[:size] are the `size` largest losses of the window, as a multiset. One that
    leaves and is at least the smallest held has a copy in it; one that enters and is at least the
    smallest is the next of the largest; and dropping the smallest keeps the rest the largest. So
    ties need no case of their own.
    """
    size = refill(loss[:lookback], want, buffer)
    mean = mean_first(buffer, count)
    changes = record(change, changes, 0, lane, buffer[count - 1], mean)
    t = lookback
    while t < len(loss):
        begin, end = t, min(t + CHUNK, len(loss))
        least = buffer[size - 1]
        t = end
        entering, leaving = loss[begin:end], loss[begin - lookback : end - lookback]
        for i in range(touching(entering, leaving, least, touch, touched)):
            day = begin + touched[i]
            new, old = loss[day], loss[day - lookback]
            if new == old:
                continue
            place = count
            if old >= least:
                place = remove(buffer, size, old)
                size -= 1
            if new >= least:
                place = min(place, insert(buffer, size, new))
                size += 1
                if size == len(buffer):
                    size = want
            if size < count:
                size = refill(loss[day - lookback + 1 : day + 1], want, buffer)
                t = day + 1  # The smallest held is less now: later days are searched again.
            least = buffer[size - 1]
            if place < count:
                row, mean = day - lookback + 1, mean_first(buffer, count)
                changes = record(change, changes, row, lane, buffer[count - 1], mean)
            if t == day + 1:
                break
    return changes


@kernel
def steady_tail(
    shocks: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    lookback: int,
    count: int,
    first: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> bool:
    r"""Value at risk and expected shortfall of every portfolio at each close, by historical tail.

    .. math:: L_{s} = -\sum_c x_{pc} u_c z_{cs}, \quad s = t - lookback + 1, \dots, t; \qquad
              VaR_t = L_{(count)}, \quad ES_t = \frac{1}{count} \sum_{i \le count} L_{(i)}

    shocks : (days, columns) z, from the first day of the first window on.
    unit : (columns,) P&L per USD and unit of shock, u.
    exposure : (portfolios, columns) x, signed USD.
    first : the row of the outputs of the first full window.
    Both outputs (days, portfolios) are written from `first` on; neither is floored at zero.
    False, with the outputs unfinished, if a loss is not finite or exceeds `LARGEST`.
    """
    days, width = shocks.shape
    want = min(lookback, count + count // 2 + WANT_EXTRA)
    buffer = np.empty(CAP_FACTOR * want + 1)
    touch, touched = np.empty(CHUNK, np.bool_), np.empty(CHUNK + 1, np.int64)
    union, held, weight = np.empty(width + 1, np.int64), np.empty(width, np.int64), np.empty(width)
    columns, loss = np.empty((width, days)), np.empty(days)
    rows = days - lookback + 1
    last, chain = np.empty(rows, np.int64), np.empty((2, LANES * rows), np.int64)
    tails = np.empty((2, LANES * rows))
    change = Change(last, chain[0], chain[1], tails[0], tails[1])
    for begin in range(0, len(exposure), LANES):
        size = min(LANES, len(exposure) - begin)
        wide = held_by_any(exposure[begin : begin + size], union)
        gather(shocks, union[:wide], columns)
        last[:] = -1
        changes = 0
        for lane in range(size):
            k = weigh(exposure[begin + lane], unit, union[:wide], held, weight)
            if k == 0:
                changes = record(change, changes, 0, lane, 0.0, 0.0)
                continue
            weighted_sum(columns, held[:k], weight[:k], 0, loss)
            if not within_range(loss):
                return False
            changes = series_tail(
                loss, lookback, count, want, buffer, touch, touched, lane, changes, change
            )
        write(change, begin, size, first, value_at_risk, expected_shortfall)
    return True
