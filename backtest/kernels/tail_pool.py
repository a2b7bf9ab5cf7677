"""Exact rolling tail of portfolios whose sensitivities change from day to day.

Only scenarios near the tail can be among the largest losses, so each portfolio has a small pool of
them. The pool alone is revalued, as long as a bound proves that no scenario outside it matters.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import (
    FloatArray,
    IntArray,
    heap_largest,
    mean_largest,
    walk_largest,
    weighted_sum,
)

# Pool after a refill: POOL_FACTOR * count + POOL_EXTRA scenarios. Measured: an extra of 4 to 12 is
# as fast within noise; 24 costs a third more, since every day evaluates the whole pool.
POOL_FACTOR = 2
POOL_EXTRA = 8
BLOCK = 16  # portfolios written together: two whole cache lines a day


class Pool(NamedTuple):
    """Candidate scenarios of one portfolio, oldest first, and scratch space."""

    held: IntArray  # (columns,) position of each held column in the shocks
    amount: FloatArray  # (columns,) exposure, USD
    weight: FloatArray  # (columns,) loss per unit of shock today, USD
    reference: FloatArray  # (columns,) the weights at the last refill
    high: FloatArray  # (columns,) largest shock of any scenario outside the pool, at least 0
    low: FloatArray  # (columns,) smallest shock of any scenario outside the pool, at most 0
    shocks: FloatArray  # (columns, slots) of the candidates
    day: IntArray  # (slots,) scenario day of each candidate
    loss: FloatArray  # (slots,) loss of each candidate today
    window: FloatArray  # (lookback,) loss of every scenario, at a refill
    heap: FloatArray  # (candidates after a refill,)


@kernel
def admit(columns: FloatArray, day: int, slot: int, pool: Pool) -> None:
    """Put the scenario of `day` into a slot of the pool."""
    pool.day[slot] = day
    for c in range(len(pool.held)):
        pool.shocks[c, slot] = columns[pool.held[c], day]


@kernel
def exclude(columns: FloatArray, day: int, pool: Pool) -> bool:
    """Leave the scenario of `day` outside the pool; True if that widens the shocks there."""
    widened = False
    for c in range(len(pool.held)):
        shock = columns[pool.held[c], day]
        if shock > pool.high[c]:
            pool.high[c] = shock
            widened = True
        if shock < pool.low[c]:
            pool.low[c] = shock
            widened = True
    return widened


@kernel
def refill(columns: FloatArray, first: int, pool: Pool) -> float:
    """Fill the pool from slot 0 with the largest losses of the window that begins on day `first`.

    Returns the threshold: at `pool.reference`, now today's weights, no scenario outside the pool
    loses more. Of scenarios with exactly this loss the newest enter, which remain longest.
    """
    pool.reference[:] = pool.weight
    pool.high[:] = 0.0
    pool.low[:] = 0.0
    weighted_sum(columns, pool.held, pool.weight, first, pool.window)
    threshold = heap_largest(pool.window, pool.heap)
    reached = 0
    for loss in pool.window:
        reached += loss >= threshold
    surplus = reached - len(pool.heap)
    slot = 0
    for scenario in range(len(pool.window)):
        loss = pool.window[scenario]
        if loss > threshold or (loss == threshold and surplus == 0):
            admit(columns, first + scenario, slot, pool)
            slot += 1
        else:
            surplus -= loss == threshold
            exclude(columns, first + scenario, pool)
    return threshold


@kernel
def outside_below(value: float, threshold: float, pool: Pool) -> bool:
    r"""Return whether a bound proves that no scenario outside the pool loses more than `value`.

    With reference weights r, threshold h, any a >= 0 and shocks outside within [l, u],

    .. math:: w z = a r z + (w - a r) z \le a h + \sum_c \max((w_c - a r_c) u_c, (w_c - a r_c) l_c)

    The bound is convex and piecewise linear in a, with kinks at w_c = a r_c, so the best a is at a
    kink. The kink of the column with the widest range of losses is tried first and usually is
    enough: when all weights change by one factor (duration, volatility) the bound stays exact.
    """
    widest, first = 0.0, -1
    for c in range(len(pool.held)):
        width = abs(pool.reference[c]) * (pool.high[c] - pool.low[c])
        if width > widest:
            widest, first = width, c
    for turn in range(-1, len(pool.held)):
        anchor = first if turn < 0 else turn
        if turn == first >= 0 or (anchor >= 0 and pool.reference[anchor] == 0.0):
            continue
        scale = 1.0
        if anchor >= 0:
            scale = max(0.0, pool.weight[anchor] / pool.reference[anchor])
        bound = scale * threshold
        for c in range(len(pool.held)):
            change = pool.weight[c] - scale * pool.reference[c]
            bound += max(change * pool.high[c], change * pool.low[c])
        if value >= bound:
            return True
    return False


@kernel
def reweigh(unit: FloatArray, pool: Pool) -> tuple[bool, float]:
    """Set today's weights, minus exposure times unit sensitivity.

    Returns whether any of them changed, and their total size over that of yesterday.
    """
    weights_changed, size, before = False, 0.0, 0.0
    for c in range(len(pool.held)):
        weight = -pool.amount[c] * unit[pool.held[c]]
        size += abs(weight)
        before += abs(pool.weight[c])
        if weight != pool.weight[c]:
            pool.weight[c] = weight
            weights_changed = True
    return weights_changed, size / before if before > 0.0 else 1.0


@kernel
def compact(head: int, tail: int, pool: Pool) -> None:
    """Move the candidates in slots head .. tail - 1 to the front."""
    for slot in range(head, tail):
        pool.day[slot - head] = pool.day[slot]
        for c in range(len(pool.held)):
            pool.shocks[c, slot - head] = pool.shocks[c, slot]


@kernel
def pool_tail(head: int, tail: int, count: int, guess: float, every: IntArray, pool: Pool) -> float:
    """Return the count-th largest loss of the pool today; `pool.loss` is written from slot 0."""
    losses = pool.loss[: tail - head]
    weighted_sum(pool.shocks, every, pool.weight, head, losses)
    return walk_largest(losses, tail - head, count, guess)


@kernel
def loss_on(columns: FloatArray, day: int, pool: Pool) -> float:
    """Return the loss in the scenario of `day` at the reference weights."""
    loss = 0.0
    for c in range(len(pool.held)):
        loss += pool.reference[c] * columns[pool.held[c], day]
    return loss


@kernel
def portfolio_tail(
    columns: FloatArray,
    unit: FloatArray,
    first: int,
    count: int,
    pool: Pool,
    every: IntArray,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    """Roll the pool of one portfolio over the days from `first` on: see `rolling_tail`."""
    lookback = len(pool.window)
    want = len(pool.heap)
    slots = len(pool.day)
    head = tail = 0
    threshold = value = mean = 0.0
    for t in range(first, len(value_at_risk)):
        changed, grown = reweigh(unit[t - first], pool)
        if head < tail and pool.day[head] == t - lookback:
            changed = True
            head += 1
        if head < tail:
            loss = loss_on(columns, t, pool)
            if loss > threshold:
                if tail == slots and head >= want:
                    compact(head, tail, pool)
                    tail -= head
                    head = 0
                if tail == slots:
                    head = tail
                else:
                    admit(columns, t, tail, pool)
                    tail += 1
                changed = True
            elif exclude(columns, t, pool):
                changed = True
        if not changed and tail - head >= count:
            value_at_risk[t] = value
            expected_shortfall[t] = mean
            continue
        accepted = False
        if tail - head >= count:
            value = pool_tail(head, tail, count, value * grown, every, pool)
            accepted = outside_below(value, threshold, pool)
        if not accepted:
            threshold = refill(columns, t - lookback + 1, pool)
            head, tail = 0, want
            value = pool_tail(head, tail, count, value, every, pool)
        mean = mean_largest(pool.loss, tail - head, count, value)
        value_at_risk[t] = value
        expected_shortfall[t] = mean


@kernel
def rolling_tail(
    columns: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    lookback: int,
    count: int,
    first: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    r"""Value at risk and expected shortfall of every portfolio at each close, by historical tail.

    .. math:: L_{s} = -\sum_c x_{pc} u_{tc} z_{cs}, \quad s = t - lookback + 1, \dots, t; \qquad
              VaR_t = L_{(count)}, \quad ES_t = \frac{1}{count} \sum_{i \le count} L_{(i)}

    columns : (columns, days) shocks z, finite in every window used.
    unit : (days - first, columns) P&L per USD and unit of shock, u, from day `first` on.
    exposure : (portfolios, columns) x, signed USD.
    first : the first day with a full window.
    Both outputs (days, portfolios) are written on every day, NaN before `first`; neither is
    floored at zero.
    """
    days, portfolios = value_at_risk.shape
    width = exposure.shape[1]
    want = min(lookback, POOL_FACTOR * count + POOL_EXTRA)
    slots = 3 * want
    held = np.empty(width, np.int64)
    every = np.arange(width)
    scratch = np.empty((5, width))
    shocks = np.empty((width, slots))
    day = np.empty(slots, np.int64)
    loss, window, heap = np.empty(slots), np.empty(lookback), np.empty(want)
    tails = np.full((2, BLOCK, days), np.nan)
    for begin in range(0, portfolios, BLOCK):
        size = min(BLOCK, portfolios - begin)
        for p in range(size):
            k = 0
            for c in range(width):
                if exposure[begin + p, c] != 0.0:
                    held[k] = c
                    scratch[0, k] = exposure[begin + p, c]
                    k += 1
            if k == 0:
                tails[:, p, first:] = 0.0
                continue
            scratch[1, :k] = np.nan
            amount, weight, reference = scratch[0, :k], scratch[1, :k], scratch[2, :k]
            high, low = scratch[3, :k], scratch[4, :k]
            pool = Pool(
                held[:k], amount, weight, reference, high, low, shocks, day, loss, window, heap
            )
            portfolio_tail(columns, unit, first, count, pool, every[:k], tails[0, p], tails[1, p])
        for t in range(days):
            for p in range(size):
                # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
                value_at_risk[t, begin + p] = tails[0, p, t] + 0.0
                expected_shortfall[t, begin + p] = tails[1, p, t] + 0.0
