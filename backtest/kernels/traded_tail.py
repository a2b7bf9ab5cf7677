"""Exact tail of portfolios whose positions change from day to day.

As in `tail_pool` only scenarios near the tail are revalued, as long as a bound proves that no other
is in it. Positions move every weight its own way, for which the bound there is too wide: here each
scenario counts by the length of its shocks, and the pool is larger, so that it lasts for weeks of
small trades. A large trade costs one revaluation of the whole window.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import (
    FloatArray,
    IntArray,
    heap_largest,
    mean_largest,
    weighted_sum,
)

BLOCK = 16  # portfolios written together: two whole cache lines a day
DRIFT = 0.15  # change of the weights, as a share of their length, that a pool is to stand
ROOM = 0.1  # fall of the tail, as a share of it, that a pool is to stand
SPARE = 64  # slots beyond a window, so that a pool is seldom moved to the front


class Pool(NamedTuple):
    """Candidate scenarios of one portfolio, oldest first, and scratch space."""

    reference: FloatArray  # (columns,) the weights at the last refill
    shocks: FloatArray  # (columns, slots) of the candidates
    day: IntArray  # (slots,) scenario day of each candidate
    loss: FloatArray  # (slots,) loss of each candidate today
    window: FloatArray  # (lookback,) loss of every scenario, at a refill
    heap: FloatArray  # (count,)
    every: IntArray  # (columns,) 0, 1, 2, ...


@kernel
def lengths(columns: FloatArray, scale: FloatArray, out: FloatArray) -> None:
    """Root mean square of each column (1 of zeros), and the length of each day in those units.

    Into scale (columns,) and out (days,).
    """
    days = columns.shape[1]
    out[:] = 0.0
    for c in range(len(columns)):
        total = 0.0
        for t in range(days):
            total += columns[c, t] * columns[c, t]
        scale[c] = np.sqrt(total / days) if total > 0.0 else 1.0
        for t in range(days):
            out[t] += (columns[c, t] / scale[c]) ** 2
    for t in range(days):
        out[t] = np.sqrt(out[t])


@kernel
def stretch(weight: FloatArray, scale: FloatArray, pool: Pool) -> tuple[float, float, float]:
    """How far the weights are from a multiple of the reference.

    Returns the multiple, and the lengths of the rest and of the reference.
    """
    both = own = 0.0
    for c in range(len(weight)):
        r = scale[c] * pool.reference[c]
        both += scale[c] * weight[c] * r
        own += r * r
    multiple = max(0.0, both / own) if own > 0.0 else 0.0
    rest = 0.0
    for c in range(len(weight)):
        rest += (scale[c] * (weight[c] - multiple * pool.reference[c])) ** 2
    return multiple, np.sqrt(rest), np.sqrt(own)


@kernel
def admit(columns: FloatArray, day: int, slot: int, pool: Pool) -> None:
    """Put the scenario of `day` into a slot of the pool."""
    pool.day[slot] = day
    for c in range(len(columns)):
        pool.shocks[c, slot] = columns[c, day]


@kernel
def to_front(head: int, tail: int, pool: Pool) -> None:
    """Move the candidates in slots head .. tail - 1 to the front."""
    for slot in range(head, tail):
        pool.day[slot - head] = pool.day[slot]
    for c in range(len(pool.reference)):
        for slot in range(head, tail):
            pool.shocks[c, slot - head] = pool.shocks[c, slot]


@kernel
def refill(
    columns: FloatArray, length: FloatArray, scale: FloatArray, first: int, pool: Pool
) -> tuple[int, float, float, float]:
    """Revalue the window that begins on day `first` at `pool.reference`, and fill the pool.

    Outside stays every scenario whose loss, and what it can gain while the weights move by
    `allowed`, lie below `bar`. Returns the number of candidates, the tail, `bar` and `allowed`.
    """
    weighted_sum(columns, pool.every, pool.reference, first, pool.window)
    value = heap_largest(pool.window, pool.heap)
    allowed = DRIFT * stretch(pool.reference, scale, pool)[2]
    bar = value - ROOM * abs(value)
    slot = 0
    for s in range(len(pool.window)):
        if pool.window[s] + allowed * length[first + s] >= bar:
            admit(columns, first + s, slot, pool)
            slot += 1
    return slot, value, bar, allowed


@kernel
def pool_tail(weight: FloatArray, head: int, tail: int, pool: Pool) -> float:
    """The tail of the candidates today; `pool.loss` is written from slot 0."""
    losses = pool.loss[: tail - head]
    weighted_sum(pool.shocks, pool.every, weight, head, losses)
    return heap_largest(losses, pool.heap)


@kernel
def one_portfolio(
    columns: FloatArray,
    length: FloatArray,
    scale: FloatArray,
    weight: FloatArray,
    first: int,
    pool: Pool,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Roll the pool of one portfolio; weight (days - first, columns): see `traded_tail`."""
    lookback, count, slots = len(pool.window), len(pool.heap), len(pool.day)
    head = tail = 0
    value = mean = bar = allowed = 0.0
    for i in range(len(weight)):
        t, today = first + i, weight[i]
        changed = i == 0 or np.any(today != weight[i - 1])
        while head < tail and pool.day[head] <= t - lookback:
            head += 1
            changed = True
        if i > 0:
            loss = 0.0
            for c in range(len(today)):
                loss += pool.reference[c] * columns[c, t]
            if loss + allowed * length[t] >= bar:
                if tail == slots:
                    to_front(head, tail, pool)
                    head, tail = 0, tail - head
                admit(columns, t, tail, pool)
                tail += 1
                changed = True
        if changed:
            proven = False
            if i > 0 and tail - head >= count:
                multiple, rest, _ = stretch(today, scale, pool)
                if rest <= multiple * allowed:
                    value = pool_tail(today, head, tail, pool)
                    mean = mean_largest(pool.loss, tail - head, count, value)
                    proven = value >= multiple * bar
            if not proven:
                pool.reference[:] = today
                tail, value, bar, allowed = refill(columns, length, scale, t - lookback + 1, pool)
                head = 0
                mean = mean_largest(pool.window, lookback, count, value)
        # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
        value_at_risk[t] = value + 0.0
        expected_shortfall[t] = mean + 0.0


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

    .. math:: L_{s} = w_t' z_s, \quad w_{tc} = -x_{tpc} u_{tc}, \quad
              s = t - lookback + 1, \dots, t; \qquad
              VaR_t = L_{(count)}, \quad ES_t = \frac{1}{count} \sum_{i \le count} L_{(i)}

    With D the sizes of the columns, r the weights at the last refill and any a >= 0,

    .. math:: w' z = a r' z + (w - a r)' z \le a r' z + |D (w - a r)| \, |D^{-1} z|,

    so where :math:`r' z + \delta |D^{-1} z| < h` for all scenarios outside the pool, none of them
    loses more than a h as long as :math:`|D (w - a r)| \le a \delta`.

    columns : (columns, days) shocks z, finite in every window used.
    unit : (days - first, columns) u. exposure : (days - first, portfolios, columns) x, signed USD;
        both from day `first` on, the first with a full window.
    Both outputs (days, portfolios) are written from `first` on; neither is floored at zero.
    """
    days, portfolios = value_at_risk.shape
    width, slots = len(columns), lookback + SPARE
    oldest = first - lookback + 1
    scale, length = np.empty(width), np.zeros(days)
    lengths(columns[:, oldest:], scale, length[oldest:])
    pool = Pool(
        np.empty(width),
        np.empty((width, slots)),
        np.empty(slots, np.int64),
        np.empty(slots),
        np.empty(lookback),
        np.empty(count),
        np.arange(width),
    )
    weight, tails = np.empty((BLOCK, days - first, width)), np.empty((2, BLOCK, days))
    for begin in range(0, portfolios, BLOCK):
        size = min(BLOCK, portfolios - begin)
        for t in range(days - first):
            for p in range(size):
                for c in range(width):
                    weight[p, t, c] = -exposure[t, begin + p, c] * unit[t, c]
        for p in range(size):
            one_portfolio(columns, length, scale, weight[p], first, pool, tails[0, p], tails[1, p])
        for t in range(first, days):
            for p in range(size):
                value_at_risk[t, begin + p] = tails[0, p, t]
                expected_shortfall[t, begin + p] = tails[1, p, t]
