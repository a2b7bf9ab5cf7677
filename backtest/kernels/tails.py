"""Exact rolling value at risk and expected shortfall of many portfolios.

Two algorithms: with constant unit sensitivities a portfolio is one series of losses, over which a
sorted buffer rolls; where sensitivities or positions change, the few scenarios that can be in the
tail are found for a span of days at once.
"""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.moving_tail import moving_tail
from backtest.kernels.tail_buffer import LARGEST, steady_tail

FloatArray = NDArray[np.float64]

# A long history is rolled in spans of this many rows, so that the scratch of the kernel stays in
# cache: a fifth faster over a million days. Each span reads one window twice, so it must be long.
SPAN = 4096
SPANS = 4  # fewest windows in a span


@kernel
def first_known(shocks: FloatArray) -> int:
    """Return the first day on which no shock is NaN; the number of days when there is none."""
    for day in range(len(shocks)):
        if not np.isnan(shocks[day]).any():
            return day
    return len(shocks)


@kernel
def is_constant(rows: FloatArray) -> bool:
    """Return whether every row equals the first; stops at the first that differs."""
    for row in range(1, len(rows)):
        differ = 0
        for column in range(rows.shape[1]):
            differ |= rows[row, column] != rows[0, column]
        if differ:
            return False
    return True


@kernel
def largest_sizes(rows: FloatArray, out: FloatArray) -> bool:
    """Largest absolute value of each column, into out; False where a value is not finite.

    rows (days, columns); out (columns,).
    """
    out[:] = 0.0
    total = 0.0
    for row in range(len(rows)):
        for column in range(rows.shape[1]):
            size = abs(rows[row, column])
            out[column] = max(out[column], size)
            total += size - size  # NaN where the value is NaN or infinite
    return total == 0.0


def refuse_unusable(shocks: FloatArray, unit: FloatArray, exposure: FloatArray) -> None:
    """Raise ValueError if a value is not finite, or if losses might overflow.

    Neither algorithm could order what overflows: infinities of both signs add up to NaN.
    """
    sizes = [np.empty(shocks.shape[1]) for _ in range(3)]
    named = (("shocks", shocks), ("unit", unit), ("exposure", exposure))
    for (name, values), largest in zip(named, sizes, strict=True):
        if not largest_sizes(np.ascontiguousarray(values), largest):
            raise ValueError(f"{name} holds NaN or infinity where it is used; mend the data first.")
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.abs(exposure) * sizes[1] * sizes[0]
        worst = reach.sum(axis=-1).max(initial=0.0)
    # Half of the kernels' limit, so that whatever they refuse is refused here despite rounding.
    if not worst < LARGEST / 2:
        raise ValueError(
            f"Losses may reach {worst:g} USD, too large to add up; check the units of exposure, "
            "unit sensitivities and shocks."
        )


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
    exposure : (portfolios, columns), or (days, portfolios, columns) where positions change; signed
        USD.
    lookback : scenarios in a window, at least 1.
    count : scenarios in the tail, 1 .. lookback.

    Returns
    -------
    value_at_risk, expected_shortfall : (days, portfolios), USD, loss > 0, not floored at zero;
        NaN until `lookback` days of shocks are known.

    Raises
    ------
    ValueError
        On shapes that disagree, a count outside 1 .. lookback, a value that is not finite, or
        losses so large that their sums would overflow.

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
    if shocks.ndim != 2 or exposure.ndim not in (2, 3) or unit.shape != shocks.shape:
        raise ValueError(
            f"shocks {shocks.shape} and unit {unit.shape} must both be (days, columns), and "
            f"exposure {exposure.shape} (portfolios, columns), or by day."
        )
    if exposure.shape[-1] != shocks.shape[1]:
        raise ValueError(
            f"exposure has {exposure.shape[-1]} columns, shocks {shocks.shape[1]}; give one each."
        )
    if exposure.ndim == 3 and len(exposure) != len(shocks):
        raise ValueError(f"exposure has {len(exposure)} days, shocks {len(shocks)}; give one each.")
    if not 1 <= count <= lookback:
        raise ValueError(f"count is {count}; give 1 .. lookback, here {lookback}.")
    days = len(shocks)
    shocks = np.ascontiguousarray(shocks, dtype=np.float64)
    exposure = np.ascontiguousarray(exposure, dtype=np.float64)
    # One allocation for both: a larger one is more likely to get large memory pages.
    tails = np.empty((2, days, exposure.shape[-2]))
    value_at_risk, expected_shortfall = tails
    start = first_known(shocks)
    first = min(start + lookback - 1, days)
    tails[:, :first] = np.nan
    if first == days:
        return value_at_risk, expected_shortfall
    if exposure.ndim == 3:
        held, unit = exposure[first:], unit[first:]
        # The largest position of each column stands for all days: they need not be read again.
        largest = np.empty(exposure.shape[2])
        if not largest_sizes(held.reshape(-1, exposure.shape[2]), largest):
            largest[:] = np.nan
        refuse_unusable(shocks[start:], unit, largest[None])
        moving_tail(shocks, unit, held, lookback, count, *tails)
        return value_at_risk, expected_shortfall
    # Rows repeated by broadcasting are constant and need not be read.
    unit = unit[first : first + 1] if unit.strides[0] == 0 else unit[first:]
    held_columns = np.flatnonzero((exposure != 0.0).any(axis=0))
    if len(held_columns) < exposure.shape[1]:
        shocks, unit = np.ascontiguousarray(shocks[:, held_columns]), unit[:, held_columns]
        exposure = np.ascontiguousarray(exposure[:, held_columns])
    unit = np.ascontiguousarray(unit, dtype=np.float64)
    if not is_constant(unit):
        refuse_unusable(shocks[start:], unit, exposure)
        moving_tail(shocks, unit, exposure[None], lookback, count, *tails)
        return value_at_risk, expected_shortfall
    span = max(SPAN, SPANS * lookback)
    for row in range(first, days, span):
        scenarios = shocks[row - lookback + 1 : row + span]
        if not steady_tail(scenarios, unit[0], exposure, lookback, count, row, *tails):
            refuse_unusable(shocks[start:], unit, exposure)
    return value_at_risk, expected_shortfall
