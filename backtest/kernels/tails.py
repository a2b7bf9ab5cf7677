"""Rolling value at risk and expected shortfall of many portfolios, exact.

Only scenarios near the tail can be among the largest losses, so each portfolio keeps a small pool
of them and re-evaluates the pool alone while a bound proves that no scenario outside it matters.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compile import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Pool after a refill: POOL_FACTOR * count + POOL_EXTRA scenarios. Measured: an extra of 4 to 12 is
# as fast within noise; 24 costs a third more, since every day evaluates the whole pool.
POOL_FACTOR = 2
POOL_EXTRA = 8
BLOCK = 16  # portfolios written together: two whole cache lines a day


class Pool(NamedTuple):
    """Candidate scenarios of one portfolio, oldest first, and the scratch space of their upkeep."""

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
def transpose(source: FloatArray, out: FloatArray) -> None:
    """Write source (rows, columns) into out (columns, rows), by tiles to spare the cache."""
    rows, columns = source.shape
    for top in range(0, rows, BLOCK):
        bottom = min(top + BLOCK, rows)
        for left in range(0, columns, BLOCK):
            for column in range(left, min(left + BLOCK, columns)):
                for row in range(top, bottom):
                    out[column, row] = source[row, column]


@kernel
def heap_largest(values: FloatArray, heap: FloatArray) -> float:
    """Return the len(heap)-th largest value: the heap holds the largest so far, least on top."""
    size = len(heap)
    heap[:] = -np.inf
    for value in values:
        if value > heap[0]:
            place = 0
            child = 1
            while child < size:
                if child + 1 < size and heap[child + 1] < heap[child]:
                    child += 1
                if value <= heap[child]:
                    break
                heap[place] = heap[child]
                place = child
                child = 2 * place + 1
            heap[place] = value
    return heap[0]


@kernel
def walk_largest(values: FloatArray, size: int, count: int, guess: float) -> float:
    """Return the count-th largest of values[:size], walking to it from a guess."""
    value = guess
    while True:
        above = 0
        reached = 0
        for i in range(size):
            above += values[i] > value
            reached += values[i] >= value
        if above >= count:
            step = np.inf
            for i in range(size):
                step = values[i] if value < values[i] < step else step
            value = step
        elif reached < count:
            step = -np.inf
            for i in range(size):
                step = values[i] if step < values[i] < value else step
            value = step
        else:
            return value


@kernel
def mean_largest(values: FloatArray, size: int, count: int, least: float) -> float:
    """Return the mean of the count largest of values[:size], `least` the smallest of them."""
    total = 0.0
    above = 0
    for i in range(size):
        total += values[i] if values[i] > least else 0.0
        above += values[i] > least
    return (total + (count - above) * least) / count


@kernel
def weighted_sum(
    rows: FloatArray, index: IntArray, weight: FloatArray, first: int, out: FloatArray
) -> None:
    """out[i] = sum over c of weight[c] * rows[index[c], first + i]."""
    size = len(out)
    for c in range(len(index)):
        row = rows[index[c], first : first + size]
        scale = weight[c]
        if c == 0:
            for i in range(size):
                out[i] = scale * row[i]
        else:
            for i in range(size):
                out[i] += scale * row[i]


@kernel
def admit(columns: FloatArray, day: int, slot: int, pool: Pool) -> None:
    """Put the scenario of `day` into a slot of the pool."""
    pool.day[slot] = day
    for c in range(len(pool.held)):
        pool.shocks[c, slot] = columns[pool.held[c], day]


@kernel
def exclude(columns: FloatArray, day: int, pool: Pool) -> bool:
    """Leave the scenario of `day` outside the pool; True if the shocks there now reach wider."""
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
def refill(columns: FloatArray, first: int, steady: bool, pool: Pool) -> float:
    """Fill the pool from slot 0 with the largest losses of the window that begins on day `first`.

    Returns the threshold: at `pool.reference`, now today's weights, no scenario outside the pool
    loses more. Of the scenarios that lose just as much the newest are taken: they stay longest.
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
            if not steady:
                exclude(columns, first + scenario, pool)
    return threshold


@kernel
def outside_bound(threshold: float, pool: Pool) -> float:
    r"""Return what no scenario outside the pool can lose more than at today's weights w.

    With reference weights r, threshold h, any a >= 0 and shocks outside within [l, u],

    .. math:: w z = a r z + (w - a r) z \le a h + \sum_c \max((w_c - a r_c) u_c, (w_c - a r_c) l_c)

    a follows the column with the widest range of losses: a common scale of all weights (duration,
    volatility) then costs nothing.
    """
    scale = 1.0
    widest = 0.0
    for c in range(len(pool.held)):
        width = abs(pool.reference[c]) * (pool.high[c] - pool.low[c])
        if width > widest:
            widest = width
            scale = max(0.0, pool.weight[c] / pool.reference[c])
    bound = scale * threshold
    for c in range(len(pool.held)):
        change = pool.weight[c] - scale * pool.reference[c]
        bound += max(change * pool.high[c], change * pool.low[c])
    return bound


@kernel
def reweigh(unit: FloatArray, pool: Pool) -> bool:
    """Set today's weights, minus exposure times unit sensitivity; True if any of them moved."""
    moved = False
    for c in range(len(pool.held)):
        weight = -pool.amount[c] * unit[pool.held[c]]
        if weight != pool.weight[c]:
            pool.weight[c] = weight
            moved = True
    return moved


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
    steady = len(unit) == 1
    if first < len(value_at_risk):
        reweigh(unit[0], pool)
    head = tail = 0
    threshold = value = mean = 0.0
    for t in range(first, len(value_at_risk)):
        changed = not steady and reweigh(unit[t - first], pool)
        if head < tail and pool.day[head] == t - lookback:
            changed |= not steady or loss_on(columns, t - lookback, pool) >= value
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
                changed |= not steady or loss > value
            elif not steady and exclude(columns, t, pool):
                changed = True
        if not changed and tail - head >= count:
            value_at_risk[t] = value
            expected_shortfall[t] = mean
            continue
        accepted = False
        if tail - head >= count:
            value = pool_tail(head, tail, count, value, every, pool)
            accepted = steady or value >= outside_bound(threshold, pool)
        if not accepted:
            threshold = refill(columns, t - lookback + 1, steady, pool)
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
    unit : (days - first, columns) P&L per USD and unit of shock, u, from day `first` on, or
    (1, columns) when constant.
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


@kernel
def first_known(shocks: FloatArray) -> int:
    """Return the first day on which no shock is NaN; the number of days when there is none."""
    for day in range(len(shocks)):
        if not np.isnan(shocks[day]).any():
            return day
    return len(shocks)


@kernel
def is_constant(rows: FloatArray) -> bool:
    """Return whether every row equals the first; leaves at the first that differs."""
    for row in range(1, len(rows)):
        for column in range(rows.shape[1]):
            if rows[row, column] != rows[0, column]:
                return False
    return True


def tail_losses(
    shocks: FloatArray, unit: FloatArray, exposure: FloatArray, *, lookback: int, count: int
) -> tuple[FloatArray, FloatArray]:
    """Value at risk and expected shortfall of every portfolio at each close.

    The scenarios of day t are the shocks of the `lookback` days up to and including t, at the
    sensitivities of day t. No interpolation: VaR is the `count`-th largest loss, ES the mean of
    the `count` largest. A book that holds nothing has both equal to zero.

    Parameters
    ----------
    shocks : (days, columns), NaN only in a leading block of days.
    unit : (days, columns), P&L in USD per USD of exposure and unit of shock; read on days with a
        full window only, so that a leading block of NaN does no harm.
    exposure : (portfolios, columns), signed USD.
    lookback : scenarios in a window, at least 1.
    count : scenarios in the tail, 1 .. lookback.

    Returns
    -------
    value_at_risk, expected_shortfall : (days, portfolios), USD, loss > 0, not floored at zero;
        NaN until `lookback` days of shocks are known.

    Raises
    ------
    ValueError
        On shapes that disagree, a count outside 1 .. lookback, or a value that is not finite.

    References
    ----------
    Acerbi, C. & Tasche, D. (2002). On the coherence of expected shortfall. Journal of Banking &
    Finance, 26(7), 1487-1503.

    Examples
    --------
    >>> shocks = np.array([[0.01], [-0.03], [0.02], [-0.01]])
    >>> var, es = tail_losses(shocks, np.ones((4, 1)), np.array([[100.0]]), lookback=3, count=2)
    >>> var.round(9).ravel().tolist(), es.round(9).ravel().tolist()
    ([nan, nan, -1.0, 1.0], [nan, nan, 1.0, 2.0])
    """
    if shocks.ndim != 2 or exposure.ndim != 2 or unit.shape != shocks.shape:
        raise ValueError(
            f"shocks {shocks.shape} and unit {unit.shape} must both be (days, columns), and "
            f"exposure {exposure.shape} (portfolios, columns)."
        )
    if exposure.shape[1] != shocks.shape[1]:
        raise ValueError(
            f"exposure has {exposure.shape[1]} columns, shocks {shocks.shape[1]}; give one each."
        )
    if not 1 <= count <= lookback:
        raise ValueError(f"count is {count}; give 1 .. lookback, here {lookback}.")
    days = len(shocks)
    shocks = np.ascontiguousarray(shocks, dtype=np.float64)
    exposure = np.ascontiguousarray(exposure, dtype=np.float64)
    value_at_risk = np.empty((days, len(exposure)))
    expected_shortfall = np.empty_like(value_at_risk)
    start = first_known(shocks)
    first = min(start + lookback - 1, days)
    used = np.flatnonzero((exposure != 0.0).any(axis=0))
    if len(used) < exposure.shape[1]:
        shocks, unit = np.ascontiguousarray(shocks[:, used]), unit[:, used]
        exposure = np.ascontiguousarray(exposure[:, used])
    columns = np.empty((shocks.shape[1], days))
    transpose(shocks, columns)
    unit = np.ascontiguousarray(unit[first:], dtype=np.float64)
    for name, values in (("shocks", columns[:, start:]), ("unit", unit), ("exposure", exposure)):
        if first < days and not np.isfinite(values).all():
            raise ValueError(f"{name} holds NaN or infinity where it is used; mend the data first.")
    if first < days and is_constant(unit):
        unit = unit[:1]
    rolling_tail(columns, unit, exposure, lookback, count, first, value_at_risk, expected_shortfall)
    return value_at_risk, expected_shortfall
