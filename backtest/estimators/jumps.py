"""Jumps in daily shocks: moves too large for the volatility of the days before them."""

import numpy as np

from backtest.types import BoolArray, DaysByFactors

SMALLEST = 0.25  # of the mean variance of the data; below it a still spell would make jumps of all


def jump_days(shocks: DaysByFactors, *, window: int = 60, significance: float = 0.01) -> BoolArray:
    r"""(days, factors), True where a factor jumped.

    .. math:: \frac{|x_t|}{\hat\sigma_t} > C_n + S_n \beta, \qquad
              \hat\sigma_t^2 = \frac{1}{K - 2} \sum_{j=t-K+2}^{t-1} |x_j| |x_{j-1}|

    with C_n and S_n of the largest of n normal moves, beta the quantile of its limit, Gumbel's: a
    history of normal moves without jumps has one that is called a jump with a probability of
    `significance`. The products of neighbours leave earlier jumps out of the volatility. It is held
    at half the deviation of the whole history, or more: after weeks in which a yield was not
    moved the smallest move would be a jump.

    Parameters
    ----------
    shocks : (days, factors). window : K, days of the volatility, itself before the day; on its
        first days there is no jump.

    References
    ----------
    Lee, S. & Mykland, P. (2008). Jumps in financial markets: A new nonparametric test and jump
    dynamics. Review of Financial Studies, 21(6), 2535-2563 (Theorem 1; for daily moves a window
    from 16 to 252).

    Examples
    --------
    >>> shocks = np.random.default_rng(0).normal(size=(500, 1))
    >>> shocks[300] = 12.0
    >>> np.flatnonzero(jump_days(shocks)).tolist()
    [300]
    """
    days = len(shocks)
    size = np.abs(shocks)
    neighbours = np.vstack([np.zeros((1, shocks.shape[1])), size[1:] * size[:-1]])
    sums = np.vstack([np.zeros((1, shocks.shape[1])), np.cumsum(neighbours, axis=0)])
    t = np.arange(window - 1, days)
    variance = (sums[t] - sums[t - window + 2]) / (window - 2)
    variance = np.maximum(variance, SMALLEST * neighbours.mean(axis=0))
    c, width = np.sqrt(2.0 / np.pi), np.sqrt(2.0 * np.log(days))
    centre = width / c - np.log(np.pi * np.log(days)) / (2.0 * c * width)
    threshold = centre - np.log(-np.log(1.0 - significance)) / (c * width)
    out = np.zeros(shocks.shape, dtype=np.bool_)
    out[t] = size[t] > threshold * np.sqrt(variance)
    return out
