"""Which scenarios can be in the tail on any day of a span, whatever the weights of its days are.

Each weight of a span lies between two numbers, so the loss of a scenario does too. The `count`-th
largest of the least losses, taken over scenarios that are in the window on every day, is exceeded
by `count` losses on each day: a scenario whose greatest loss is smaller is never in the tail.
Durations and volatilities move all weights together, so weights are first divided by that of one
column: the order of the losses of a day does not change, and the intervals become narrow.

Arrays that kernels share: `weight` (columns, days) and `interval` (2, columns), the least and the
greatest divided weight, of the columns held, in order; `bound` (2, scenarios), the least and the
greatest loss; `found` (2, scenarios + 1), places of scenarios counted from the oldest of the span,
and the order in which they are taken; `shocks` (scenarios, columns) of those found.
"""

import numpy as np

from backtest.kernels.compile import folding, kernel
from backtest.kernels.tail_select import FloatArray, IntArray, heap_largest

# Divided weights neither overflow nor lose digits while the divisor is between these, USD.
LEAST_DIVISOR, GREATEST_DIVISOR = 1e-6, 1e300
ROUNDING = 4.5e-16  # relative, a column: four times that of one product or sum
UNDERFLOW = 1e-290  # more than products can lose that are too small for all their digits
# Fall of a tail, as a share of it, that costs no second search: over a day, and over a window.
SLACK, FALL = 0.1, 0.4


@kernel
def widest_column(
    weight: FloatArray, held: IntArray, width: int, day: int, reach: FloatArray
) -> int:
    """The column with the largest losses on a day; reach (columns,): the largest shock of each."""
    widest, size = 0, 0.0
    for c in range(width):
        loss = abs(weight[c, day]) * reach[held[c]]
        if loss > size:
            widest, size = c, loss
    return widest


@kernel
def inverse_divisors(weight: FloatArray, column: int, days: int, inverse: FloatArray) -> None:
    """One over the size of the weight of a column on each day; ones if it is not usable."""
    is_usable = True
    for d in range(days):
        divisor = abs(weight[column, d])
        is_usable &= (divisor >= LEAST_DIVISOR) & (divisor <= GREATEST_DIVISOR)
    for d in range(days):
        inverse[d] = np.reciprocal(abs(weight[column, d])) if is_usable else 1.0


@kernel
def bound_weights(
    weight: FloatArray, width: int, days: int, inverse: FloatArray, interval: FloatArray
) -> None:
    """Bound the weights of each column over the days of the span, each times its `inverse`.

    The interval is wider than the weights by more than any rounding of losses or of their bounds.
    """
    for c in range(width):
        low = high = weight[c, 0] * inverse[0]
        for d in range(days):
            share = weight[c, d] * inverse[d]
            low = share if share < low else low
            high = share if share > high else high
        margin = (width + 8) * ROUNDING * max(abs(low), abs(high))
        interval[0, c] = low - margin
        interval[1, c] = high + margin


@kernel
def greatest_losses(
    columns: FloatArray,
    held: IntArray,
    width: int,
    first: int,
    size: int,
    interval: FloatArray,
    bound: FloatArray,
) -> None:
    """Greatest loss of each scenario from day `first` on, under any weights in the intervals."""
    for s in range(size):
        bound[1, s] = UNDERFLOW
    for c in range(width):
        low, high = interval[0, c], interval[1, c]
        shock = columns[held[c], first : first + size]
        for s in range(size):
            one, other = high * shock[s], low * shock[s]
            bound[1, s] += one if one > other else other


@folding
def least_loss(interval: FloatArray, shocks: FloatArray, row: int, width: int) -> float:
    """Least loss of the scenario in a row, under any weights in the intervals."""
    loss = 0.0
    for c in range(width):
        one, other = interval[0, c] * shocks[row, c], interval[1, c] * shocks[row, c]
        loss += one if one < other else other
    return loss - UNDERFLOW


@kernel
def reaching(bound: FloatArray, size: int, least: float, found: IntArray) -> int:
    """List the scenarios whose greatest loss is at least `least`; returns their number."""
    count = 0
    for s in range(size):
        found[0, count] = s  # Written always and kept if it counts: no branch to mispredict.
        count += bound[1, s] >= least
    return count


@kernel
def by_least_loss(
    rows: FloatArray,
    held: IntArray,
    width: int,
    first: int,
    size: int,
    interval: FloatArray,
    bound: FloatArray,
    found: IntArray,
    shocks: FloatArray,
) -> None:
    """Copy the shocks of those found, and order them and their least losses, the largest first.

    This is about the order of their losses on every day.
    """
    for j in range(size):
        for c in range(width):
            shocks[j, c] = rows[first + found[0, j], held[c]]
        loss, i = least_loss(interval, shocks, j, width), j
        while i > 0 and bound[0, i - 1] < loss:
            bound[0, i], found[1, i] = bound[0, i - 1], found[1, i - 1]
            i -= 1
        bound[0, i], found[1, i] = loss, j


@kernel
def sure_loss(
    size: int, oldest: int, newest: int, count: int, bound: FloatArray, found: IntArray
) -> float:
    """A loss that the tail reaches on every day: see the module.

    Taken over those found that are in every window, in places oldest .. newest; minus infinity if
    these are too few.
    """
    known = 0
    for i in range(size):
        known += oldest <= found[0, found[1, i]] <= newest
        if known == count:
            return bound[0, i]
    return -np.inf


@kernel
def those_reaching(size: int, sure: float, bound: FloatArray, found: IntArray) -> int:
    """Keep those found that can lose as much as `sure`; returns their number."""
    count = 0
    for i in range(size):
        j = found[1, i]
        if bound[1, found[0, j]] >= sure:
            found[1, count] = j
            count += 1
    return count


@kernel
def candidates(
    rows: FloatArray,
    columns: FloatArray,
    held: IntArray,
    width: int,
    first: int,
    lookback: int,
    days: int,
    tail: float,
    interval: FloatArray,
    bound: FloatArray,
    found: IntArray,
    shocks: FloatArray,
    heap: FloatArray,
) -> int:
    """Find the scenarios that may be in the tail on one of the days; returns their number.

    rows (days, columns) and columns (columns, days): all shocks, of which held[:width] are those of
    the portfolio. first : the oldest scenario of the first day. days : of the span. heap : (count,)
    tail : about the loss sought, of the divided weights; minus infinity where nothing is known.
    """
    size = lookback - 1 + days
    oldest, newest = days - 1, lookback - 1  # places of the scenarios that are in every window
    greatest_losses(columns, held, width, first, size, interval, bound)
    slack = SLACK + FALL * days / lookback
    guess = tail - slack * abs(tail) if tail > -np.inf else -np.inf
    while True:
        if guess == -np.inf:
            guess = heap_largest(bound[1, oldest : newest + 1], heap)
        reached = reaching(bound, size, guess, found)
        by_least_loss(rows, held, width, first, reached, interval, bound, found, shocks)
        sure = sure_loss(reached, oldest, newest, len(heap), bound, found)
        if sure >= guess:
            return those_reaching(reached, sure, bound, found)
        guess = sure
