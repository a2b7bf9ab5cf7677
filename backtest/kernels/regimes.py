"""A hidden Markov chain: probabilities of its regimes given the data, and draws of it."""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel


@kernel
def forward_backward(
    log_density: NDArray[np.float64],
    transition: NDArray[np.float64],
    start: NDArray[np.float64],
    posterior: NDArray[np.float64],
    pairs: NDArray[np.float64],
) -> float:
    r"""Probabilities of the regimes given all days; returns the log-likelihood.

    .. math:: \alpha_t(j) \propto f_t(j) \sum_i \alpha_{t-1}(i) P_{ij}, \qquad
              \beta_t(i) \propto \sum_j P_{ij} f_{t+1}(j) \beta_{t+1}(j)

    log_density (days, regimes) of each day in each regime; transition (regimes, regimes) rows
    from, columns to; start (regimes,) before the first day's data. Into posterior (days, regimes)
    goes the probability of each regime, into pairs (regimes, regimes) the expected number of each
    transition.
    """
    days, regimes = log_density.shape
    density, beta, after = np.empty((days, regimes)), np.ones(regimes), np.empty(regimes)
    likelihood = 0.0
    for t in range(days):
        largest = log_density[t].max()
        total = 0.0
        for j in range(regimes):
            # Relative to the day's likeliest regime, or all would be zero on a wild day.
            density[t, j] = np.exp(log_density[t, j] - largest)
            prior = start[j]
            if t > 0:
                prior = 0.0
                for i in range(regimes):
                    prior += posterior[t - 1, i] * transition[i, j]
            posterior[t, j] = prior * density[t, j]
            total += posterior[t, j]
        posterior[t] /= total
        likelihood += np.log(total) + largest
    pairs[:] = 0.0
    for t in range(days - 2, -1, -1):
        total = 0.0
        for i in range(regimes):
            after[i] = 0.0
            for j in range(regimes):
                after[i] += transition[i, j] * density[t + 1, j] * beta[j]
            total += posterior[t, i] * after[i]
        for i in range(regimes):
            for j in range(regimes):
                onwards = transition[i, j] * density[t + 1, j] * beta[j]
                pairs[i, j] += posterior[t, i] * onwards / total
        for i in range(regimes):
            posterior[t, i] *= after[i] / total
        beta[:] = after / total
    return likelihood


@kernel
def chain(
    uniforms: NDArray[np.float64],
    transition: NDArray[np.float64],
    start: NDArray[np.float64],
    out: NDArray[np.int64],
) -> None:
    """Regime of each day, into out (days,), from uniform draws (days,) and the law of the first."""
    law = start
    for t in range(len(out)):
        total, regime = law[0], 0
        while uniforms[t] > total and regime < len(law) - 1:
            regime += 1
            total += law[regime]
        out[t] = regime
        law = transition[regime]
