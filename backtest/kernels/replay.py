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

    On the first day of known requirement M it is deposited: h = M. On every later day t

    .. math::
        g_t &= h_{t-1} \, growth_t + \sum_{i < t, \, a_i = t} c_i \\
        r_t &= \max(0, g_t - M_t) \text{ if returned and at least } minimum, \text{ else } 0 \\
        n_t &= M_t - g_t - \sum_{i < t, \, a_i > t} c_i \\
        c_t &= n_t \text{ if } r_t = 0, n_t > 0 \text{ and } n_t \ge minimum, \text{ else } 0 \\
        h_t &= g_t - r_t \; (+ \, c_t \text{ if } a_t = t) \\
        s_t &= \max(0, L_t - h_t \, closeout_t)

    so that a pending call is worth its amount in cash, but does not cover a loss that begins at t.

    required : (days, portfolios), USD, NaN in a leading block, where all outputs are NaN.
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
    alike = closeout.shape[1] == 1
    due = pending = 0  # calls of rows due .. pending - 1 arrive today, later ones are pending
    for t in range(days):
        due = pending
        while pending < t and arrival[pending] <= t:
            pending += 1
        for p in range(portfolios):
            need = required[t, p]
            if np.isnan(need):
                held[t, p] = call[t, p] = shortfall[t, p] = np.nan
                continue
            call[t, p] = 0.0
            value = need
            if t > 0 and not np.isnan(required[t - 1, p]):
                value = held[t - 1, p] * growth[t]
                for i in range(due, pending):
                    if arrival[i] > i and call[i, p] > 0.0:
                        value += call[i, p]
                excess = value - need
                if returned and excess > 0.0 and excess >= minimum:
                    value = need
                else:
                    # Pending calls are on their way: calling their amount again every day would
                    # overstate the cash that a member needs.
                    deficit = need - value
                    for i in range(pending, t):
                        if call[i, p] > 0.0:
                            deficit -= call[i, p]
                    if deficit > ROUNDING * need and deficit >= minimum:
                        call[t, p] = deficit
                        if arrival[t] == t:
                            value = need
            held[t, p] = value
            short = loss[t, p] - value * closeout[t, 0 if alike else p]
            shortfall[t, p] = 0.0 if short <= 0.0 else short
