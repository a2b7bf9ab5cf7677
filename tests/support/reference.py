"""Slow and obvious twins of the kernels: what each must equal, written to be read."""

from collections import deque

import numpy as np

from backtest.types import FloatArray, RowNumbers


def tail_losses(
    shocks: FloatArray, unit: FloatArray, exposure: FloatArray, *, lookback: int, count: int
) -> tuple[FloatArray, FloatArray]:
    """VaR and ES by sorting every window; shapes as in `backtest.kernels.tails.tail_losses`."""
    days = len(shocks)
    value_at_risk = np.full((days, len(exposure)), np.nan)
    expected_shortfall = np.full((days, len(exposure)), np.nan)
    for t in range(lookback - 1, days):
        window = shocks[t - lookback + 1 : t + 1]
        if np.isnan(window).any():
            continue
        for p in range(len(exposure)):
            held = exposure[p] != 0.0
            losses = -(window[:, held] @ (exposure[p, held] * unit[t, held]))
            largest = np.sort(losses)[::-1][:count]
            value_at_risk[t, p] = largest[-1]
            expected_shortfall[t, p] = largest.mean()
    return value_at_risk, expected_shortfall


def replay(
    required: FloatArray,
    loss: FloatArray,
    *,
    growth: FloatArray,
    closeout: FloatArray,
    arrival: RowNumbers,
    minimum: float,
    returned: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Held, call and shortfall by a ledger per portfolio; as in `backtest.kernels.replay`."""
    held, call, shortfall = (np.full(required.shape, np.nan) for _ in range(3))
    for p in range(required.shape[1]):
        collateral: float | None = None
        pending: deque[tuple[int, float]] = deque()  # (day of settlement, USD), oldest first
        for t in range(len(required)):
            margin = required[t, p]
            if np.isnan(margin):
                continue
            called = 0.0
            if collateral is None:
                collateral = margin
            else:
                collateral *= growth[t]
                while pending and pending[0][0] == t:
                    collateral += pending.popleft()[1]
                expected = collateral + sum(amount for _, amount in pending)
                if returned and collateral > margin and collateral - margin >= minimum:
                    collateral = margin
                elif margin - expected > 1e-12 * margin and margin - expected >= minimum:
                    called = margin - expected
                    if arrival[t] == t:
                        collateral += called
                    else:
                        pending.append((arrival[t], called))
            held[t, p] = collateral
            call[t, p] = called
            if not np.isnan(loss[t, p]):
                value = collateral * (closeout[t, 0] if closeout.shape[1] == 1 else closeout[t, p])
                shortfall[t, p] = max(0.0, loss[t, p] - value)
    return held, call, shortfall
