"""One day's scenario P&Ls and their tails, for scenarios that change every day."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import (
    FloatArray,
    IntArray,
    heap_largest,
    mean_largest,
    weighted_sum,
)


@kernel
def window_pnl(values: FloatArray, unit: FloatArray, exposure: FloatArray, out: FloatArray) -> None:
    r"""P&L of every portfolio in every scenario: sum over columns of x_pc u_c v_cs, into out.

    values (columns, scenarios) v; unit (columns,) u; exposure (portfolios, columns) x; out
    (portfolios, scenarios). Columns a portfolio does not hold are skipped, so that its numbers do
    not depend on other portfolios.
    """
    out[:] = 0.0
    for p in range(len(exposure)):
        for c in range(exposure.shape[1]):
            if exposure[p, c] != 0.0:
                weight = exposure[p, c] * unit[c]
                for s in range(values.shape[1]):
                    out[p, s] += weight * values[c, s]


@kernel
def held_weights(unit: FloatArray, exposure: FloatArray, held: IntArray, weight: FloatArray) -> int:
    """Columns held by one portfolio, and its loss per unit of each, -x_c u_c; returns their number.

    unit, exposure, held and weight (columns,); the last two are written from the front.
    """
    k = 0
    for c in range(len(exposure)):
        if exposure[c] != 0.0:
            held[k] = c
            weight[k] = -exposure[c] * unit[c]
            k += 1
    return k


@kernel
def window_tail(
    values: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    count: int,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    r"""Value at risk and expected shortfall of every portfolio over one window of scenarios.

    .. math:: L_s = -\sum_c x_{pc} u_c v_{cs}; \qquad
              VaR = L_{(count)}, \quad ES = \frac{1}{count} \sum_{i \le count} L_{(i)}

    values (columns, scenarios) v; unit (columns,) u; exposure (portfolios, columns) x, signed USD;
    both outputs (portfolios,), not floored at zero. Columns a portfolio does not hold are skipped,
    so that its numbers do not depend on other portfolios.
    """
    portfolios, width = exposure.shape
    held, weight = np.empty(width, np.int64), np.empty(width)
    loss, heap = np.empty(values.shape[1]), np.empty(count)
    for p in range(portfolios):
        k = held_weights(unit, exposure[p], held, weight)
        if k == 0:
            value_at_risk[p] = expected_shortfall[p] = 0.0
            continue
        weighted_sum(values, held[:k], weight[:k], 0, loss)
        least = heap_largest(loss, heap)
        # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
        value_at_risk[p] = least + 0.0
        expected_shortfall[p] = mean_largest(loss, len(loss), count, least) + 0.0
