"""Exact rolling tail of portfolios whose sensitivities or positions change from day to day.

Days are taken in spans. A bound finds the few scenarios that can be in the tail on any day of a
span, and only these are revalued, on all its days at once. What is found is a superset of every
tail, so neither the bound nor the length of a span changes a number.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_candidates import (
    Search,
    bound_weights,
    candidates,
    inverse_divisors,
    largest_bounds_first,
)
from backtest.kernels.tail_days import (
    largest_first,
    losses_by_day,
    only_in_window,
    tails_of_rows,
)
from backtest.kernels.tail_select import FloatArray, IntArray

BLOCK = 16  # portfolios written together: two whole cache lines a day
# Days of a span: a quarter of the window and at most LONGEST. Longer spans are searched less often
# and have more candidates; where weights move fast they are halved, down to SHORTEST.
LONGEST, SHORTEST = 256, 16
PAD = 8  # rows of a power of two compete for the same lines of the cache


class Span(NamedTuple):
    """Scratch space for the days of a span, of one portfolio."""

    held: IntArray  # (columns,) those with a position on some day, in order
    weight: FloatArray  # (columns, days) loss per unit of shock, USD
    shocks: FloatArray  # (columns, scenarios) of the candidates
    loss: FloatArray  # (scenarios, days)


@kernel
def weigh(
    exposure: FloatArray, portfolio: int, unit: FloatArray, day: int, days: int, span: Span
) -> int:
    """Columns held in the span that begins on `day`, and their weights -x u; returns the number."""
    columns = 0
    for c in range(len(unit)):
        sensitivity = unit[c, day : day + days]
        is_held = False
        if len(exposure) == 1:
            amount = exposure[0, portfolio, c]
            is_held = amount != 0.0
            for d in range(days):
                span.weight[columns, d] = -amount * sensitivity[d]
        else:
            amounts = exposure[day : day + days]
            for d in range(days):
                is_held |= amounts[d, portfolio, c] != 0.0
                span.weight[columns, d] = -amounts[d, portfolio, c] * sensitivity[d]
        if is_held:
            span.held[columns] = c
            columns += 1
    return columns


@kernel
def widest_column(span: Span, columns: int, day: int, reach: FloatArray) -> int:
    """The held column with the largest losses on a day; reach (columns,): its largest shocks."""
    widest, size = 0, 0.0
    for c in range(columns):
        loss = abs(span.weight[c, day]) * reach[span.held[c]]
        if loss > size:
            widest, size = c, loss
    return widest


@kernel
def span_tails(
    shocks: FloatArray,
    columns: int,
    oldest: int,
    lookback: int,
    days: int,
    tail: float,
    reach: FloatArray,
    search: Search,
    span: Span,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> int:
    """Tails of one portfolio on the days of a span; returns the number of candidates.

    shocks : (columns, days); `oldest` is the first scenario of the first day. tail : the value at
    risk of the day before. Both outputs (days,).
    """
    count = len(search.heap)
    anchor = widest_column(span, columns, days // 2, reach)
    inverse_divisors(span.weight, days, anchor, search.inverse)
    bound_weights(span.weight, columns, days, search)
    guess = tail * search.inverse[0]
    found = candidates(shocks, span.held, columns, oldest, lookback, days, guess, search)
    largest_bounds_first(search, found)
    for c in range(columns):
        row = shocks[span.held[c]]
        for s in range(found):
            span.shocks[c, s] = row[oldest + search.place[s]]
    losses_by_day(span.weight, span.shocks, columns, found, days, span.loss)
    only_in_window(search.place, found, days, lookback, span.loss)
    largest_first(span.loss, found, days, count)
    tails_of_rows(span.loss, count, days, value_at_risk, expected_shortfall)
    return found


@kernel
def portfolio_tails(
    shocks: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    portfolio: int,
    first: int,
    lookback: int,
    begin: int,
    known: tuple[float, int],
    reach: FloatArray,
    search: Search,
    span: Span,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> tuple[float, int]:
    """Tails of one portfolio from day `begin` on, span by span; both outputs (days,).

    known : the value at risk of the day before, and the longest span that seemed good for it;
    returns the same of the last day.
    """
    count, longest = len(search.heap), span.weight.shape[1]
    tail, length = known
    row = 0
    while row < len(value_at_risk):
        days = min(length, len(value_at_risk) - row)
        day = begin + row
        value, mean = value_at_risk[row : row + days], expected_shortfall[row : row + days]
        columns = weigh(exposure, portfolio, unit, day - first, days, span)
        if columns == 0:
            value[:] = 0.0
            mean[:] = 0.0
        else:
            found = span_tails(
                shocks, columns, day - lookback + 1, lookback, days, tail, reach, search, span,
                value, mean,
            )  # fmt: skip
            if found > 4 * count + 16:
                length = max(SHORTEST, length // 2)
            elif found < 2 * count + 8:
                length = min(longest, 2 * length)
        tail = value[days - 1]
        row += days
    return tail, length


@kernel
def moving_tail(
    shocks: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    lookback: int,
    count: int,
    first: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    r"""Value at risk and expected shortfall of every portfolio at each close, by historical tail.

    .. math:: L_{s} = \sum_c w_{tc} z_{cs}, \quad w_{tc} = -x_{tpc} u_{ct}, \quad
              s = t - lookback + 1, \dots, t; \qquad
              VaR_t = L_{(count)}, \quad ES_t = \frac{1}{count} \sum_{i \le count} L_{(i)}

    shocks : (columns, days) z, finite in every window used.
    unit : (columns, days - first) P&L per USD and unit of shock, u, from day `first` on, which is
        the first with a full window.
    exposure : (1, portfolios, columns) x, signed USD; or (days - first, portfolios, columns) where
        positions change.
    Both outputs (days, portfolios) are written from `first` on; neither is floored at zero.
    """
    total, portfolios = value_at_risk.shape
    width, longest = len(shocks), min(LONGEST, max(SHORTEST, lookback // 4))
    scenarios = lookback + longest
    search = Search(
        np.empty(longest),
        np.empty(width),
        np.empty(width),
        np.empty(scenarios),
        np.empty(scenarios),
        np.empty(scenarios + 1, np.int64),
        np.empty(count),
    )
    span = Span(
        np.empty(width, np.int64),
        np.empty((width + 1, longest)),
        np.empty((width, scenarios)),
        np.empty((scenarios, longest)),
    )
    reach = np.empty(width)
    for c in range(width):
        reach[c] = np.abs(shocks[c, first - lookback + 1 :]).max()
    tail, length = np.full(portfolios, -np.inf), np.full(portfolios, longest)
    tails = np.empty((2, BLOCK, longest + PAD))
    for left in range(0, portfolios, BLOCK):
        size = min(BLOCK, portfolios - left)
        for begin in range(first, total, longest):
            days = min(longest, total - begin)
            for p in range(left, left + size):
                tail[p], length[p] = portfolio_tails(
                    shocks, unit, exposure, p, first, lookback, begin, (tail[p], length[p]), reach,
                    search, span, tails[0, p - left, :days], tails[1, p - left, :days],
                )  # fmt: skip
            for d in range(days):
                for p in range(size):
                    value_at_risk[begin + d, left + p] = tails[0, p, d]
                    expected_shortfall[begin + d, left + p] = tails[1, p, d]
