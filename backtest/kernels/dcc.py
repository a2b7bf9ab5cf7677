"""Dynamic conditional correlation of Student values: their likelihood, and draws of them."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.portable import cholesky

FloatArray = NDArray[np.float64]


@kernel
def correlation_root(q: FloatArray, root: FloatArray) -> None:
    """Lower root of the correlation of a covariance q, both (factors, factors); q positive."""
    width = len(q)
    correlation = np.empty((width, width))
    for i in range(width):
        for j in range(width):
            correlation[i, j] = q[i, j] / np.sqrt(q[i, i] * q[j, j])
    cholesky(correlation, root)


@kernel
def move(
    q: FloatArray, target: FloatArray, reaction: float, persistence: float, w: FloatArray
) -> None:
    r"""Q of the next day, in place: (1 - p) Q bar + a w w' + (p - a) Q."""
    for i in range(len(q)):
        for j in range(len(q)):
            q[i, j] = (
                (1.0 - persistence) * target[i, j]
                + reaction * w[i] * w[j]
                + (persistence - reaction) * q[i, j]
            )


@kernel
def dcc_likelihood(
    w: FloatArray, freedom: float, target: FloatArray, reaction: float, persistence: float
) -> float:
    r"""Log-likelihood of jointly Student values, less what depends on nu alone.

    .. math:: \sum_t - \tfrac12 \log |R_t| - \tfrac{\nu + K}{2}
              \log\Bigl(1 + \frac{w_t' R_t^{-1} w_t}{\nu - 2}\Bigr)

    w (days, factors) of unit variance; target (factors, factors) is Q bar, and Q of the first day.
    """
    days, width = w.shape
    q, root, solved = target.copy(), np.zeros((width, width)), np.empty(width)
    total = 0.0
    for t in range(days):
        correlation_root(q, root)
        distance = 0.0
        for i in range(width):
            rest = w[t, i]
            for j in range(i):
                rest -= root[i, j] * solved[j]
            solved[i] = rest / root[i, i]
            distance += solved[i] ** 2
            total -= np.log(root[i, i])
        total -= 0.5 * (freedom + width) * np.log1p(distance / (freedom - 2.0))
        move(q, target, reaction, persistence, w[t])
    return total


@kernel
def dcc_path(
    normal: FloatArray,
    mixing: FloatArray,
    target: FloatArray,
    reaction: float,
    persistence: float,
    out: FloatArray,
) -> None:
    r"""Values w_t = m_t R_t^{1/2} n_t whose correlation they move themselves, into out.

    normal, out (days, factors), normal independent; mixing (days,) multiplies all values of a day.
    """
    days, width = normal.shape
    q, root = target.copy(), np.zeros((width, width))
    for t in range(days):
        correlation_root(q, root)
        for i in range(width):
            value = 0.0
            for j in range(i + 1):
                value += root[i, j] * normal[t, j]
            out[t, i] = mixing[t] * value
        move(q, target, reaction, persistence, out[t])
