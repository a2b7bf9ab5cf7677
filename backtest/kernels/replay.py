"""The collateral account of many portfolios, day by day."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
RowArray = NDArray[np.int64]

# A need below this share of the requirement is rounding of earlier sums, not a call.
ROUNDING = 1e-12


@kernel
def replay(
    required: FloatArray,
    loss: FloatArray,
    growth: FloatArray,
    closeout: FloatArray,
    arrival: RowArray,
    minimum: float,
    returned: bool,
    held: FloatArray,
    call: FloatArray,
    shortfall: FloatArray,
) -> None:
    r"""Replay required margin through a collateral account.

    On the first day of known requirement M, and on the first after a gap in it, M is deposited:
    h = M. On every other day t

    .. math::
        g_t &= h_{t-1} \, growth_t + \sum_{i < t, \, a_i = t} c_i \\
        r_t &= \max(0, g_t - M_t) \text{ if returned and at least } minimum, \text{ else } 0 \\
        n_t &= M_t - g_t - \sum_{i < t, \, a_i > t} c_i \\
        c_t &= n_t \text{ if } r_t = 0, n_t > 0 \text{ and } n_t \ge minimum, \text{ else } 0 \\
        h_t &= g_t - r_t \; (+ \, c_t \text{ if } a_t = t) \\
        s_t &= \max(0, L_t - h_t \, closeout_t)

    so that a pending call is worth its amount in cash, but does not cover a loss that begins at t.

    required : (days, portfolios), USD; all outputs are NaN where it is: in a leading block, and
        while a new position warms up.
    loss : (days, portfolios) L, USD, over t -> t + H; NaN in the last H rows, where shortfall is.
    growth : (days,) value of the posted collateral at close t per unit at t - 1; ones for cash.
    closeout : (days, portfolios), or (days, 1) where all are alike, its value at t + H after
        haircut per unit at t; ones for cash.
    arrival : (days,) a, the row by whose close a call made at each close has settled: at least the
        row itself, never falling; beyond the last row where it arrives after the end.
    minimum : transfer amount, USD.
    held, call, shortfall : (days, portfolios), USD, written; held is what has settled by close t.
    """
    days, portfolios = required.shape
    value, lacking = np.full(portfolios, np.nan), np.empty(portfolios)
    due = pending = 0  # calls of rows due .. pending - 1 arrive today, later ones are pending
    for t in range(days):
        due = pending
        while pending < t and arrival[pending] <= t:
            pending += 1
        if t > 0:
            for p in range(portfolios):
                value[p] = held[t - 1, p] * growth[t]
        for i in range(due, pending):
            if arrival[i] > i:
                for p in range(portfolios):
                    value[p] += call[i, p] if call[i, p] > 0.0 else 0.0
        for p in range(portfolios):
            lacking[p] = required[t, p] - value[p]
        # Pending calls are on their way: calling their amount again every day would overstate the
        # cash that a member needs.
        for i in range(pending, t):
            for p in range(portfolios):
                lacking[p] -= call[i, p] if call[i, p] > 0.0 else 0.0
        at_once = arrival[t] == t
        return_or_call(t, required, value, lacking, minimum, returned, at_once, held, call)
        fall_short(t, loss, held, closeout, shortfall)


@kernel
def return_or_call(
    t: int,
    required: FloatArray,
    value: FloatArray,
    lacking: FloatArray,
    minimum: float,
    returned: bool,
    at_once: bool,
    held: FloatArray,
    call: FloatArray,
) -> None:
    """Row t of held and call, from `value`, what has settled, and `lacking`, what is not called.

    value, lacking (portfolios,): NaN on the day after an unknown requirement. Choices in place of
    branches: all portfolios of a row are decided at once.
    """
    for p in range(len(value)):
        need = required[t, p]
        excess = value[p] - need
        is_first = np.isnan(value[p])
        is_returned = returned & (excess > 0.0) & (excess >= minimum)
        is_called = (lacking[p] > ROUNDING * need) & (lacking[p] >= minimum) & (not is_returned)
        is_unknown = np.isnan(need)  # nothing is held then, so what comes next is deposited
        is_set = is_first | is_unknown | is_returned | (is_called & at_once)
        held[t, p] = need if is_set else value[p]
        amount = lacking[p] if is_called else 0.0
        call[t, p] = need if is_unknown else amount


@kernel
def fall_short(
    t: int, loss: FloatArray, held: FloatArray, closeout: FloatArray, out: FloatArray
) -> None:
    """Row t of the shortfall, into out (days, portfolios); the others as in `replay`."""
    if closeout.shape[1] == 1:
        for p in range(loss.shape[1]):
            short = loss[t, p] - held[t, p] * closeout[t, 0]
            out[t, p] = 0.0 if short <= 0.0 else short
        return
    for p in range(loss.shape[1]):
        short = loss[t, p] - held[t, p] * closeout[t, p]
        out[t, p] = 0.0 if short <= 0.0 else short
