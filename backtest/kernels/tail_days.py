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
    columns: int,
    scenarios: int,
    days: int,
    loss: FloatArray,
) -> None:
    """loss[s, d] = sum over c of weight[c, d] * shocks[c, s], summed in the order of the columns.

    Several columns a turn, since losses that stay in a register need not be read and written.
    """
    for s in range(scenarios):
        one, c = shocks[0, s], 1
        for d in range(days):
            loss[s, d] = weight[0, d] * one
        while c + 3 < columns:
            one, two, three, four = (
                shocks[c, s],
                shocks[c + 1, s],
                shocks[c + 2, s],
                shocks[c + 3, s],
            )
            for d in range(days):
                total = loss[s, d] + weight[c, d] * one + weight[c + 1, d] * two
                loss[s, d] = total + weight[c + 2, d] * three + weight[c + 3, d] * four
            c += 4
        while c < columns:
            one = shocks[c, s]
            for d in range(days):
                loss[s, d] += weight[c, d] * one
            c += 1


@kernel
def only_in_window(
    place: IntArray, scenarios: int, days: int, lookback: int, loss: FloatArray
) -> None:
    """Minus infinity on the days on which a scenario is not in the window.

    place : of each scenario, counted from the oldest of the first day.
    """
    for s in range(scenarios):
        if days - 1 <= place[s] < lookback:
            continue
        for d in range(min(place[s] - lookback + 1, days)):
            loss[s, d] = -np.inf
        for d in range(place[s] + 1, days):
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
    loss: FloatArray,
    count: int,
    days: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Tails of sorted losses, both (days,). Adding zero turns -0.0 into 0.0."""
    for d in range(days):
        value_at_risk[d] = loss[count - 1, d] + 0.0
        expected_shortfall[d] = 0.0
    for s in range(count):
        for d in range(days):
            expected_shortfall[d] += loss[s, d]
    for d in range(days):
        expected_shortfall[d] = expected_shortfall[d] / count + 0.0
