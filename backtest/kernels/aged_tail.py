"""Tails of one day's scenario P&Ls with weighted scenarios."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, weighted_sum
from backtest.kernels.window_tail import held_weights

ROUNDING = 1e-12  # weights that sum to the level within this have reached it


@kernel
def aged_tail(
    values: FloatArray,
    unit: FloatArray,
    exposure: FloatArray,
    weight: FloatArray,
    level: float,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> None:
    r"""Value at risk and expected shortfall of every portfolio over one window, by weight.

    .. math:: VaR = L_{(k)}, \quad k = \min\{j : \sum_{i \le j} w_{(i)} \ge \alpha\}; \qquad
              ES = \frac{1}{\alpha} \Bigl(\sum_{i < k} w_{(i)} L_{(i)} +
              \bigl(\alpha - \sum_{i < k} w_{(i)}\bigr) L_{(k)}\Bigr)

    values (columns, scenarios); unit (columns,); exposure (portfolios, columns), signed USD;
    weight (scenarios,) w, summing to one; level alpha; both outputs (portfolios,), not floored.
    """
    portfolios, width = exposure.shape
    columns, amount = np.empty(width, np.int64), np.empty(width)
    loss = np.empty(values.shape[1])
    for p in range(portfolios):
        count = held_weights(unit, exposure[p], columns, amount)
        if count == 0:
            value_at_risk[p] = expected_shortfall[p] = 0.0
            continue
        weighted_sum(values, columns[:count], amount[:count], 0, loss)
        order = np.argsort(-loss)
        reached = total = 0.0
        place = 0
        while place < len(order) - 1 and reached + weight[order[place]] < level - ROUNDING:
            reached += weight[order[place]]
            total += weight[order[place]] * loss[order[place]]
            place += 1
        last = loss[order[place]]
        # Adding zero turns -0.0, the loss of a position worth nothing, into 0.0.
        value_at_risk[p] = last + 0.0
        expected_shortfall[p] = (total + (level - reached) * last) / level + 0.0
