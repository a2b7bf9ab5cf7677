"""Exact rolling tail of portfolios whose sensitivities or positions change from day to day.

Days are taken in spans. A bound finds the few scenarios that can be in the tail on any day of a
span, and only these are revalued, on all its days at once. What is found is a superset of every
tail, so neither the bound nor the length of a span changes a number.
"""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_candidates import (
    bound_weights,
    candidates,
    inverse_divisors,
    widest_column,
)
from backtest.kernels.tail_days import (
    largest_first,
    losses_by_day,
    only_in_window,
    tails_of_rows,
)
from backtest.kernels.tail_select import FloatArray, IntArray

BLOCK = 16  # portfolios written together: two whole cache lines a day
# Days of a span: a third of the window and at most LONGEST. Longer spans are searched less often
# and have more candidates; where weights move fast they are halved, down to SHORTEST.
LONGEST, SHORTEST = 256, 16
PAD = 8  # rows of a power of two compete for the same lines of the cache


@kernel
def weigh(
    exposure: FloatArray,
    portfolio: int,
    unit: FloatArray,
    day: int,
    days: int,
    held: IntArray,
    weight: FloatArray,
) -> int:
    """Columns held in the span that begins on `day`, and their weights -x u; returns the number."""
    width = 0
    for c in range(len(unit)):
        sensitivity = unit[c, day : day + days]
        is_held = False
        if len(exposure) == 1:
            amount = exposure[0, portfolio, c]
            is_held = amount != 0.0
            for d in range(days):
                weight[width, d] = -amount * sensitivity[d]
        else:
            amounts = exposure[day : day + days]
            for d in range(days):
                is_held |= amounts[d, portfolio, c] != 0.0
                weight[width, d] = -amounts[d, portfolio, c] * sensitivity[d]
        if is_held:
            held[width] = c
            width += 1
    return width


@kernel
def next_length(length: int, longest: int, size: int, count: int) -> int:
    """Days of the span to try next, after one with so many candidates."""
    if size > 4 * count + 16:
        return max(SHORTEST, length // 2)
    return min(longest, 2 * length) if size < 2 * count + 8 else length


@kernel
def write(
    tails: FloatArray,
    size: int,
    days: int,
    row: int,
    column: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Write tails (2, portfolios, days) of `size` portfolios from a row and a column on."""
    for d in range(days):
        for p in range(size):
            value_at_risk[row + d, column + p] = tails[0, p, d]
            expected_shortfall[row + d, column + p] = tails[1, p, d]


@kernel
def roll_spans(
    rows: FloatArray,
    columns: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    lookback: int,
    reach: FloatArray,
    length: IntArray,
    held: IntArray,
    weight: FloatArray,
    inverse: FloatArray,
    interval: FloatArray,
    bound: FloatArray,
    found: IntArray,
    shocks: FloatArray,
    heap: FloatArray,
    loss: FloatArray,
    tails: FloatArray,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Roll spans over the days of each portfolio: see `moving_tail`.

    reach (columns,): the largest shock of each. length (portfolios,): days of the next span.
    tails (2, portfolios, days): not written yet. The others are scratch: see `tail_candidates`.
    """
    total, portfolios = value_at_risk.shape
    first, longest, count = total - unit.shape[1], len(inverse), len(heap)
    for left in range(0, portfolios, BLOCK):
        together = min(BLOCK, portfolios - left)
        for begin in range(first, total, longest):
            end = min(begin + longest, total)
            for p in range(together):
                t, tail = begin, -np.inf
                if begin > first:
                    tail = value_at_risk[begin - 1, left + p]
                while t < end:
                    days, oldest, row = min(length[left + p], end - t), t - lookback + 1, t - begin
                    width = weigh(exposure, left + p, unit, t - first, days, held, weight)
                    if width > 0:
                        widest = widest_column(weight, held, width, days // 2, reach)
                        inverse_divisors(weight, widest, days, inverse)
                        bound_weights(weight, width, days, inverse, interval)
                        size = candidates(
                            rows, columns, held, width, oldest, lookback, days, tail * inverse[0],
                            interval, bound, found, shocks, heap,
                        )  # fmt: skip
                        losses_by_day(weight, shocks, found, width, size, days, loss)
                        only_in_window(found, size, days, lookback, loss)
                        largest_first(loss, size, days, count)
                        tails_of_rows(loss, count, days, tails, p, row)
                        length[left + p] = next_length(length[left + p], longest, size, count)
                    else:
                        tails[:, p, row : row + days] = 0.0
                    t += days
                    tail = tails[0, p, t - begin - 1]
            write(tails, together, end - begin, begin, left, value_at_risk, expected_shortfall)


def moving_tail(
    rows: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    lookback: int,
    count: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    r"""Value at risk and expected shortfall of every portfolio at each close, by historical tail.

    .. math:: L_{s} = \sum_c w_{tc} z_{sc}, \quad w_{tc} = -x_{tpc} u_{tc}, \quad
              s = t - lookback + 1, \dots, t; \qquad
              VaR_t = L_{(count)}, \quad ES_t = \frac{1}{count} \sum_{i \le count} L_{(i)}

    rows : (days, columns) shocks z, finite in every window used.
    unit : (days with a full window, columns) P&L per USD and unit of shock, u, the latest.
    exposure : (1, portfolios, columns) x, signed USD; or (days with a full window, portfolios,
        columns) where positions change.
    Both outputs (days, portfolios) are written from the first full window on; neither is floored at
    zero.
    """
    width, longest = rows.shape[1], min(LONGEST, max(SHORTEST, lookback // 3))
    scenarios, portfolios = lookback + longest, exposure.shape[1]
    columns = np.ascontiguousarray(rows.T)
    # Positions that change move every weight its own way: their spans begin short.
    length = np.full(portfolios, longest if len(exposure) == 1 else SHORTEST)
    roll_spans(
        rows,
        columns,
        np.ascontiguousarray(unit.T, dtype=np.float64),
        exposure,
        lookback,
        np.abs(columns[:, -len(unit) - lookback + 1 :]).max(axis=1),
        length,
        held=np.empty(width, np.int64),
        weight=np.empty((width + 1, longest)),
        inverse=np.empty(longest),
        interval=np.empty((2, width)),
        bound=np.empty((2, scenarios)),
        found=np.empty((2, scenarios + 1), np.int64),
        shocks=np.empty((scenarios, width)),
        heap=np.empty(count),
        loss=np.empty((scenarios, longest)),
        tails=np.empty((2, BLOCK, longest + PAD)),
        value_at_risk=value_at_risk,
        expected_shortfall=expected_shortfall,
    )
