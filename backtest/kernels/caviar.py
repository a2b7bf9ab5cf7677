"""Recursions of a quantile, and the tick loss by which they are fitted."""

import math

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.tail_select import FloatArray, heap_largest

# Coefficients (4,) of one series: constant, persistence, reaction to a gain, reaction to a loss.
SIZE = 4


@kernel
def quantiles(
    series: FloatArray, coefficients: FloatArray, squared: bool, start: float, out: FloatArray
) -> None:
    r"""Value at risk of each day, known the day before, and of the day after the last, into out.

    .. math:: q_{t+1} = b_0 + b_1 q_t + (b_+ 1_{x_t \ge 0} + b_- 1_{x_t < 0}) |x_t|

    of P&L series (days,), q > 0 a loss; out (days + 1,), out[0] = start. `squared` uses the squares
    of q and x in place of q and |x|.
    """
    constant, persistence, gain, loss = coefficients
    value = start * start if squared else start
    for t in range(len(series)):
        out[t] = value
        x = series[t]
        size = x * x if squared else abs(x)
        value = constant + (gain if x >= 0.0 else loss) * size + persistence * value
    out[len(series)] = value
    if squared:
        for t in range(len(out)):
            out[t] = math.sqrt(out[t])


@kernel
def tick_loss(series: FloatArray, quantile: FloatArray, level: float) -> float:
    r"""Mean tick loss of values at risk q for P&L x: least, on average, at the true quantile.

    .. math:: \frac{1}{n} \sum_t (\alpha - 1_{x_t < -q_t}) (x_t + q_t)

    series (days,), quantile (days or more,), level alpha.
    """
    total = 0.0
    for t in range(len(series)):
        room = series[t] + quantile[t]
        total += level * room - min(room, 0.0)
    return total / len(series)


@kernel
def tail_of(
    series: FloatArray,
    coefficients: FloatArray,
    squared: bool,
    level: float,
    heap: FloatArray,
    path: FloatArray,
) -> tuple[float, float]:
    r"""Value at risk and expected shortfall of the day after the last of series (days,).

    .. math:: ES = q_{t+1} \Bigl(1 + \frac{1}{\alpha n} \sum_{-x_s > q_s}
              \Bigl(\frac{-x_s}{q_s} - 1\Bigr)\Bigr)

    The recursion begins at the sample quantile, the smallest of the len(heap) largest losses; path
    (days + 1,) is scratch. Where that quantile is no loss, it and the mean beyond it are returned.
    """
    start = heap_largest(-series, heap)
    if start <= 0.0:
        return start, heap.mean()
    quantiles(series, coefficients, squared, start, path)
    beyond = 0.0
    for t in range(len(series)):
        beyond += max(0.0, -series[t] / path[t] - 1.0)
    return path[-1], path[-1] * (1.0 + beyond / (level * len(series)))


@kernel
def tail_rows(
    rows: FloatArray,
    coefficients: FloatArray,
    squared: bool,
    level: float,
    count: int,
    out: FloatArray,
) -> None:
    """`tail_of` every row (series, days) by its coefficients (series, 4), into out (2, series)."""
    heap, path = np.empty(count), np.empty(rows.shape[1] + 1)
    for i in range(len(rows)):
        out[0, i], out[1, i] = tail_of(rows[i], coefficients[i], squared, level, heap, path)
