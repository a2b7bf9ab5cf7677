"""Rolling tail of portfolios whose sensitivities are constant, exact.

The scenario loss of a day then never changes, so a portfolio is one series of losses. A sorted
buffer of the largest of the window is exchanged on the few days that touch it; on all others the
last answer stands.
"""

import numpy as np
from numpy.typing import NDArray

from .compile import kernel
from .tail_select import FloatArray, IntArray, weighted_sum

BoolArray = NDArray[np.bool_]

# The buffer holds WANT_FACTOR * count + WANT_EXTRA losses after a refill and up to CAP_FACTOR times
# as many. Measured: fewer refill too often, more are touched too often; the optimum is flat.
WANT_FACTOR = 2
WANT_EXTRA = 2
CAP_FACTOR = 2
LANES = 16  # portfolios written together: two whole cache lines a day
CHUNK = 256  # days searched at once for those that touch the buffer

# Losses below it add up over any window without overflow.
LARGEST = 1e300


@kernel
def gather(shocks: FloatArray, index: IntArray, out: FloatArray) -> None:
    """out[j] = shocks[:, index[j]]. A constant number of columns compiles to straight code."""
    for left in range(0, len(index), LANES):
        right = min(left + LANES, len(index))
        if right - left == LANES:
            for t in range(len(shocks)):
                for j in range(LANES):
                    out[left + j, t] = shocks[t, index[left + j]]
        else:
            for t in range(len(shocks)):
                for j in range(left, right):
                    out[j, t] = shocks[t, index[j]]


@kernel
def spread(rows: FloatArray, begin: int, size: int, first: int, out: FloatArray) -> None:
    """Write rows[:size] into the columns of out from `begin`, on the days from `first` on."""
    if size == LANES:
        for t in range(rows.shape[1]):
            for lane in range(LANES):
                out[first + t, begin + lane] = rows[lane, t]
    else:
        for t in range(rows.shape[1]):
            for lane in range(size):
                out[first + t, begin + lane] = rows[lane, t]


@kernel
def within_range(losses: FloatArray) -> bool:
    """Return whether no loss is NaN, infinite or so large that sums overflow."""
    outside = 0
    for loss in losses:
        outside |= not abs(loss) < LARGEST
    return outside == 0


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
    """Take one copy of a loss that it holds out of buffer[:size]; returns the place it had."""
    place = size - 1
    below = buffer[place]
    while below < loss:
        place -= 1
        above = buffer[place]
        buffer[place] = below
        below = above
    return place


@kernel
def refill(window: FloatArray, want: int, peaks: FloatArray, buffer: FloatArray) -> int:
    """Fill the buffer with the `want` largest losses of the window; returns `want`.

    The window is dealt into as many groups as there are peaks. The `want`-th largest of their
    maxima is reached by `want` losses at least, so that only what reaches it need be sorted.
    """
    groups = len(peaks)
    peaks[:] = window[:groups]
    for begin in range(groups, len(window), groups):
        for g in range(min(groups, len(window) - begin)):
            loss = window[begin + g]
            peaks[g] = loss if loss > peaks[g] else peaks[g]
    for g in range(groups):
        if g < want:
            insert(buffer, g, peaks[g])
        elif peaks[g] > buffer[want - 1]:
            insert(buffer, want - 1, peaks[g])
    least = buffer[want - 1]
    size = 0
    for loss in window:
        if loss >= least:
            if size < want:
                insert(buffer, size, loss)
                size += 1
            elif loss > buffer[want - 1]:
                insert(buffer, want - 1, loss)
    return want


@kernel
def touching(
    new: FloatArray, old: FloatArray, least: float, touch: BoolArray, days: IntArray
) -> int:
    """List the days on which a loss of at least `least` enters or leaves; returns how many."""
    for i in range(len(new)):
        touch[i] = (new[i] >= least) | (old[i] >= least)
    found = 0
    for i in range(len(new)):
        days[found] = i  # Written always and kept if it counts: no branch to mispredict.
        found += touch[i]
    return found


@kernel
def mean_first(buffer: FloatArray, count: int) -> float:
    """Return the mean of buffer[:count], summed afresh so that no rounding is carried along."""
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
    peaks: FloatArray,
    touch: BoolArray,
    touched: IntArray,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Roll the buffer over one series; outputs (days - lookback + 1,) from the first full window.

    Invariant: buffer[:size] are the `size` largest losses of the window, as a multiset. One that
    leaves and is at least the smallest held has a copy in it; one that enters and is at least the
    smallest is the next of the largest; and dropping the smallest keeps the rest the largest. So
    ties need no case of their own.
    """
    size = refill(loss[:lookback], want, peaks, buffer)
    value, mean = buffer[count - 1], mean_first(buffer, count)
    since = 0
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
                size = refill(loss[day - lookback + 1 : day + 1], want, peaks, buffer)
                place = 0
                t = day + 1  # The smallest held is less now: later days are searched again.
            least = buffer[size - 1]
            if place < count:
                value_at_risk[since : day - lookback + 1] = value
                expected_shortfall[since : day - lookback + 1] = mean
                since = day - lookback + 1
                value, mean = buffer[count - 1], mean_first(buffer, count)
            if t == day + 1:
                break
    value_at_risk[since:] = value
    expected_shortfall[since:] = mean


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
    want = min(lookback, WANT_FACTOR * count + WANT_EXTRA)
    buffer, peaks = np.empty(CAP_FACTOR * want + 1), np.empty(min(lookback, 2 * want))
    touch, touched = np.empty(CHUNK, np.bool_), np.empty(CHUNK + 1, np.int64)
    union, held, weight = np.empty(width, np.int64), np.empty(width, np.int64), np.empty(width)
    columns = np.empty((min(width, days), days))
    loss, tails = np.empty(days), np.empty((2, LANES, days - lookback + 1))
    return True
