"""Which scenarios can be in the tail on any day of a span, whatever the weights of its days are.

Each weight of a span lies between two numbers, so the loss of a scenario does too. The `count`-th
largest of the least losses, taken over scenarios that are in the window on every day, is exceeded
by `count` losses on each day: a scenario whose greatest loss is smaller is never in the tail.
Durations and volatilities move all weights together, so weights are first divided by that of one
column: the order of the losses of a day does not change, and the intervals become narrow.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, IntArray, heap_largest

# Divided weights neither overflow nor lose digits while the divisor is between these, USD.
LEAST_DIVISOR, GREATEST_DIVISOR = 1e-6, 1e300
ROUNDING = 4.5e-16  # relative, a column: four times that of one product or sum
UNDERFLOW = 1e-290  # more than products can lose that are too small for all their digits
SLACK = 0.25  # fall of the tail over a span, as a share of it, that costs no second search


class Search(NamedTuple):
    """Bounds of the weights of a span and of the losses, and the scenarios found."""

    inverse: FloatArray  # (days,) one over the divisor of the weights of each day
    low: FloatArray  # (columns,) of the divided weights, below the smallest by more than rounding
    high: FloatArray  # (columns,) above the largest
    least: FloatArray  # (scenarios,) smallest loss of those that are in every window
    greatest: FloatArray  # (scenarios,) largest loss of each
    place: IntArray  # (scenarios + 1,) candidates, counted from the first scenario of the span
    heap: FloatArray  # (count,)


@kernel
def inverse_divisors(weight: FloatArray, size: int, anchor: int, inverse: FloatArray) -> None:
    """One over the size of the weight of column `anchor` on each day; ones if it is not usable."""
    is_usable = True
    for d in range(size):
        divisor = abs(weight[anchor, d])
        is_usable &= (divisor >= LEAST_DIVISOR) & (divisor <= GREATEST_DIVISOR)
    if is_usable:
        for d in range(size):
            inverse[d] = 1.0 / abs(weight[anchor, d])
    else:
        inverse[:size] = 1.0


@kernel
def bound_weights(weight: FloatArray, columns: int, size: int, search: Search) -> None:
    """Bound the divided weights of each column over the days of the span.

    The interval is wider than the weights by more than any rounding of losses or of their bounds.
    """
    for c in range(columns):
        low = high = weight[c, 0] * search.inverse[0]
        for d in range(size):
            share = weight[c, d] * search.inverse[d]
            low = share if share < low else low
            high = share if share > high else high
        margin = (columns + 8) * ROUNDING * max(abs(low), abs(high))
        search.low[c] = low - margin
        search.high[c] = high + margin


@kernel
def greatest_losses(
    shocks: FloatArray, held: IntArray, columns: int, first: int, size: int, search: Search
) -> None:
    """Largest loss that each scenario from day `first` on has under any weights in the bounds."""
    for c in range(columns):
        low, high = search.low[c], search.high[c]
        shock = shocks[held[c], first : first + size]
        if c == 0:
            for s in range(size):
                one, other = high * shock[s], low * shock[s]
                search.greatest[s] = UNDERFLOW + (one if one > other else other)
        else:
            for s in range(size):
                one, other = high * shock[s], low * shock[s]
                search.greatest[s] += one if one > other else other


@kernel
def reaching(values: FloatArray, size: int, least: float, place: IntArray) -> int:
    """List the places of values of at least `least`; returns their number."""
    count = 0
    for s in range(size):
        place[count] = s  # Written always and kept if it counts: no branch to mispredict.
        count += values[s] >= least
    return count


@kernel
def sure_loss(
    shocks: FloatArray,
    held: IntArray,
    columns: int,
    first: int,
    always: tuple[int, int],
    size: int,
    search: Search,
) -> float:
    """A loss that the tail reaches on every day: see the module.

    Taken over those of search.place[:size] that are in every window; minus infinity if these are
    too few. always : the first of those places, and the last.
    """
    known = 0
    for j in range(size):
        s = search.place[j]
        if always[0] <= s <= always[1]:
            loss = -UNDERFLOW
            for c in range(columns):
                shock = shocks[held[c], first + s]
                loss += min(search.low[c] * shock, search.high[c] * shock)
            search.least[known] = loss
            known += 1
    return heap_largest(search.least[:known], search.heap)


@kernel
def candidates(
    shocks: FloatArray,
    held: IntArray,
    columns: int,
    first: int,
    lookback: int,
    days: int,
    tail: float,
    search: Search,
) -> int:
    """Find the scenarios that may be in the tail on one of the days; returns their number.

    shocks : (columns, days) of all columns; held[:columns] are those of the portfolio.
    first : the first scenario of the first day. days : of the span.
    tail : about the loss sought, of the divided weights; minus infinity where nothing is known.
    """
    size = lookback - 1 + days
    always = (days - 1, lookback - 1)
    greatest_losses(shocks, held, columns, first, size, search)
    guess = tail - SLACK * abs(tail) if tail > -np.inf else np.nan
    while True:
        if not guess > -np.inf:
            guess = heap_largest(search.greatest[always[0] : always[1] + 1], search.heap)
        found = reaching(search.greatest, size, guess, search.place)
        sure = sure_loss(shocks, held, columns, first, always, found, search)
        if sure >= guess:
            break
        guess = sure
    kept = 0
    for j in range(found):
        s = search.place[j]
        search.place[kept] = s
        kept += search.greatest[s] >= sure
    return kept


@kernel
def largest_bounds_first(search: Search, size: int) -> None:
    """Order the candidates by their greatest losses, which is about their order on every day."""
    for j in range(1, size):
        moving = search.place[j]
        i = j
        while i > 0 and search.greatest[search.place[i - 1]] < search.greatest[moving]:
            search.place[i] = search.place[i - 1]
            i -= 1
        search.place[i] = moving
