"""Tails of a span of days over a few scenarios, all days at once.

Every loop runs along the days, over contiguous rows, so that one instruction serves several days.
"""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, IntArray


@kernel
def losses_by_day(
    weight: FloatArray,
    shocks: FloatArray,
    found: IntArray,
    width: int,
    scenarios: int,
    days: int,
    loss: FloatArray,
) -> None:
    """loss[s, d] = sum over c < width of weight[c, d] * shocks[found[1, s], c], in order.

    Several columns a turn, since a loss that stays in a register need not be read and written.
    """
    for s in range(scenarios):
        row = found[1, s]
        one, two, c = shocks[row, 0], shocks[row, min(1, width - 1)], min(2, width)
        if width == 1:
            for d in range(days):
                loss[s, d] = weight[0, d] * one
        else:
            for d in range(days):
                loss[s, d] = weight[0, d] * one + weight[1, d] * two
        while c + 3 < width:
            one, two = shocks[row, c], shocks[row, c + 1]
            three, four = shocks[row, c + 2], shocks[row, c + 3]
            for d in range(days):
                total = loss[s, d] + weight[c, d] * one + weight[c + 1, d] * two
                loss[s, d] = total + weight[c + 2, d] * three + weight[c + 3, d] * four
            c += 4
        if c + 1 < width:
            one, two = shocks[row, c], shocks[row, c + 1]
            for d in range(days):
                loss[s, d] = loss[s, d] + weight[c, d] * one + weight[c + 1, d] * two
            c += 2
        if c < width:
            one = shocks[row, c]
            for d in range(days):
                loss[s, d] += weight[c, d] * one


@kernel
def only_in_window(
    found: IntArray, scenarios: int, days: int, lookback: int, loss: FloatArray
) -> None:
    """Minus infinity on the days on which a scenario is not in the window.

    found : see `tail_candidates`.
    """
    for s in range(scenarios):
        age = found[0, found[1, s]]
        if days - 1 <= age < lookback:
            continue
        for d in range(min(age - lookback + 1, days)):
            loss[s, d] = -np.inf
        for d in range(age + 1, days):
            loss[s, d] = -np.inf


@kernel
def exchange(loss: FloatArray, upper: int, lower: int, days: int) -> bool:
    """Put the larger of two losses of each day into row `upper`; whether any was below."""
    moved = np.int64(0)
    for d in range(days):
        above, below = loss[upper, d], loss[lower, d]
        moved |= np.int64(below > above)
        loss[upper, d] = below if below > above else above
        loss[lower, d] = above if below > above else below
    return moved != 0


@kernel
def largest_first(loss: FloatArray, scenarios: int, days: int, count: int) -> None:
    """Sort the `count` largest losses of each day into the first rows, descending.

    Insertion: cheap where the scenarios come in about the order of their losses.
    """
    for s in range(1, scenarios):
        place = min(s, count)
        lower = s
        while place > 0 and exchange(loss, place - 1, lower, days):
            place -= 1
            lower = place


@kernel
def tails_of_rows(
    loss: FloatArray, count: int, days: int, tails: FloatArray, portfolio: int, row: int
) -> None:
    """Tails of sorted losses into tails (2, portfolios, days), from `row` on.

    The expected shortfall is summed from the largest loss down. Adding zero turns -0.0, the loss of
    a position worth nothing, into 0.0.
    """
    value, mean = tails[0, portfolio, row : row + days], tails[1, portfolio, row : row + days]
    for d in range(days):
        value[d] = loss[count - 1, d] + 0.0
        mean[d] = 0.0
    for s in range(count):
        for d in range(days):
            mean[d] += loss[s, d]
    for d in range(days):
        mean[d] = mean[d] / count + 0.0
