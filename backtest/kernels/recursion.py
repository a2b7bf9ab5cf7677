"""The variance recursion of simulated shocks, forwards and backwards."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel


class Recursion(NamedTuple):
    """Variance of the next day: rest + (gain, or loss after a fall) x^2 + memory v; (factors,)."""

    rest: NDArray[np.float64]  # added every day
    gain: NDArray[np.float64]  # reaction to a squared shock above zero
    loss: NDArray[np.float64]  # reaction to one below zero
    memory: NDArray[np.float64]  # share of today's variance that is left tomorrow


@kernel
def revolatilise(
    z: NDArray[np.float64],
    variance: NDArray[np.float64],
    law: Recursion,
    out: NDArray[np.float64],
) -> None:
    r"""Shocks of a variance recursion driven by unit-variance innovations, into out.

    .. math:: x_t = \sqrt{v_t} z_t, \qquad v_{t+1} = r + a(x_t) x_t^2 + m v_t

    with r the rest, a(x) gain or loss by the sign of x, m the memory. z, out (days, factors);
    variance (factors,) is v of the first day and is overwritten with that of the day after last.
    """
    for t in range(len(z)):
        for f in range(len(variance)):
            shock = np.sqrt(variance[f]) * z[t, f]
            reaction = law.loss[f] if shock < 0.0 else law.gain[f]
            variance[f] = law.rest[f] + reaction * shock**2 + law.memory[f] * variance[f]
            out[t, f] = shock


@kernel
def devolatilise(
    shocks: NDArray[np.float64],
    variance: NDArray[np.float64],
    law: Recursion,
    out: NDArray[np.float64],
) -> None:
    """Inverse of `revolatilise`: the unit-variance innovations of shocks, into out."""
    for t in range(len(shocks)):
        for f in range(len(variance)):
            shock = shocks[t, f]
            out[t, f] = shock / np.sqrt(variance[f])
            reaction = law.loss[f] if shock < 0.0 else law.gain[f]
            variance[f] = law.rest[f] + reaction * shock**2 + law.memory[f] * variance[f]


@kernel
def revert(
    innovations: NDArray[np.float64],
    state: NDArray[np.float64],
    mean: NDArray[np.float64],
    persistence: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    r"""States that revert to a mean and stop at limits, into out.

    .. math:: s_t = \min(h, \max(l, m + p (s_{t-1} - m) + e_t))

    innovations, out (days, states); state (states,) is the one before the first day and is
    overwritten with the last; mean, persistence, low, high (states,).
    """
    for t in range(len(innovations)):
        for j in range(len(state)):
            free = mean[j] + persistence[j] * (state[j] - mean[j]) + innovations[t, j]
            state[j] = min(high[j], max(low[j], free))
            out[t, j] = state[j]
