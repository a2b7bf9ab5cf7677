"""Quantile and expected shortfall from four moments, where the expansion has them and where not."""

import numpy as np
from scipy.special import ndtri

from backtest.kernels.rearranged import rearranged_tails
from backtest.types import BoolArray, FloatArray


@np.errstate(over="ignore", invalid="ignore")  # moments whose squares are beyond all numbers
def cornish_fisher_tail(
    confidence: float, skewness: FloatArray, excess_kurtosis: FloatArray
) -> tuple[FloatArray, FloatArray]:
    r"""VaR and ES of a P&L of mean 0 and variance 1 by the Cornish-Fisher expansion.

    .. math:: \tilde z = z + \frac{(z^2 - 1) S}{6} + \frac{(z^3 - 3z) K}{24}
              - \frac{(2z^3 - 5z) S^2}{36}, \qquad z = \Phi^{-1}(1 - c)

    VaR is -z~, ES the exact mean of -z~ over the tail. Where the moments lie outside Maillard's
    domain z~ falls as z rises, somewhere, and is no quantile; there its values are put in order
    first (Chernozhukov and others: the rearrangement is never further from the true quantile), so
    that more confidence never asks less, and ES is never below VaR.

    References
    ----------
    Cornish, E. & Fisher, R. (1938). Moments and cumulants in the specification of distributions.
    Revue de l'Institut International de Statistique, 5(4), 307-320.
    Chernozhukov, V., Fernandez-Val, I. & Galichon, A. (2010). Rearranging Edgeworth-Cornish-Fisher
    expansions. Economic Theory, 42(2), 419-435.
    Maillard, D. (2012). A user's guide to the Cornish Fisher expansion. SSRN 1997178.

    Examples
    --------
    >>> round(float(cornish_fisher_tail(0.99, np.array(-0.5), np.array(3.0))[0]), 6)
    3.301284
    """
    level = 1.0 - confidence
    z = ndtri(level)
    first = -np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi) / level
    # Means of z, z^2 and z^3 below the quantile, from integration by parts.
    means = (first, 1.0 + z * first, (z * z + 2.0) * first)

    def expansion(one: float, two: float, three: float) -> FloatArray:
        return (
            one
            + (two - 1.0) * skewness / 6.0
            + (three - 3.0 * one) * excess_kurtosis / 24.0
            - (2.0 * three - 5.0 * one) * skewness**2 / 36.0
        )

    value, shortfall = -expansion(z, z * z, z**3), -expansion(*means)
    outside = ~rises_everywhere(skewness, excess_kurtosis)
    if not outside.any():
        return value, shortfall
    value, shortfall = np.atleast_1d(value).copy(), np.atleast_1d(shortfall).copy()
    rows = np.atleast_1d(outside)
    s, k = np.atleast_1d(skewness)[rows], np.atleast_1d(excess_kurtosis)[rows]
    cubics = np.column_stack(
        [-s / 6.0, 1.0 - k / 8.0 + 5.0 * s**2 / 36.0, s / 6.0, k / 24.0 - s**2 / 18.0]
    )
    tails = np.empty((len(cubics), 2))
    rearranged_tails(cubics, level, tails)
    value[rows], shortfall[rows] = -tails.T
    return value.reshape(np.shape(skewness)), shortfall.reshape(np.shape(skewness))


def rises_everywhere(skewness: FloatArray, excess_kurtosis: FloatArray) -> BoolArray:
    """Whether the expansion is monotone: its slope, a parabola in z, is nowhere below zero.

    Examples
    --------
    >>> rises_everywhere(np.array([0.0, 0.0, -0.5, 2.0]), np.array([0.0, 9.0, 3.0, 3.0])).tolist()
    [True, False, True, False]
    """
    square = excess_kurtosis / 8.0 - skewness**2 / 6.0
    slope = skewness / 3.0
    level = 1.0 - excess_kurtosis / 8.0 + 5.0 * skewness**2 / 36.0
    touches = slope**2 <= 4.0 * square * level
    return np.asarray((square >= 0.0) & (level >= 0.0) & touches)
