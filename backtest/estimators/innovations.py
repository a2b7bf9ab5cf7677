"""Standardised distributions: quantile, expected shortfall and probability at unit variance."""

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from backtest.types import FloatArray


def unit_tail(confidence: float, freedom: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    r"""VaR and ES, losses positive, of a unit-variance Student loss; normal where freedom is inf.

    .. math:: q = t_\nu^{-1}(c) \sqrt{(\nu - 2) / \nu}, \qquad
              e = \frac{f_\nu(t)}{1 - c} \frac{\nu + t^2}{\nu - 1} \sqrt{(\nu - 2) / \nu}

    Examples
    --------
    >>> [round(float(x), 6) for x in unit_tail(0.99, np.inf)]
    [2.326348, 2.665214]
    >>> [round(float(x), 6) for x in unit_tail(0.99, 4.0)]
    [2.649492, 3.69151]
    """
    from scipy.special import gammaln

    nu = np.asarray(freedom, dtype=np.float64)
    normal = np.isinf(nu)
    known = np.where(normal, 10.0, nu)
    t = stdtrit(known, confidence)
    unit = np.sqrt((known - 2.0) / known)
    log_density = (
        gammaln((known + 1.0) / 2.0)
        - gammaln(known / 2.0)
        - 0.5 * np.log(np.pi * known)
        - (known + 1.0) / 2.0 * np.log1p(t * t / known)
    )
    mean = np.exp(log_density) / (1.0 - confidence) * (known + t * t) / (known - 1.0)
    z = ndtri(confidence)
    density = np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)
    return np.where(normal, z, t * unit), np.where(
        normal, density / (1.0 - confidence), mean * unit
    )


def unit_probability(value: FloatArray, freedom: FloatArray) -> FloatArray:
    """P(X <= value) of a unit-variance Student; normal where freedom is inf; NaN stays NaN.

    Examples
    --------
    >>> unit_probability(np.array([0.0, -2.649492]), np.array([np.inf, 4.0])).round(6).tolist()
    [0.5, 0.01]
    """
    normal = np.isinf(freedom)
    known = np.where(normal, 10.0, freedom)
    student = stdtr(known, value * np.sqrt(known / (known - 2.0)))
    return np.where(normal, ndtr(value), student)


def cornish_fisher_tail(
    confidence: float, skewness: FloatArray, excess_kurtosis: FloatArray
) -> tuple[FloatArray, FloatArray]:
    r"""VaR and ES of a P&L of mean 0 and variance 1 by the Cornish-Fisher expansion.

    .. math:: \tilde z = z + \frac{(z^2 - 1) S}{6} + \frac{(z^3 - 3z) K}{24}
              - \frac{(2z^3 - 5z) S^2}{36}, \qquad z = \Phi^{-1}(1 - c)

    VaR is -z~, ES the exact mean of -z~ over the tail. Where skewness is large the expansion is
    not monotone and means nothing: see Maillard.

    References
    ----------
    Cornish, E. & Fisher, R. (1938). Moments and cumulants in the specification of distributions.
    Revue de l'Institut International de Statistique, 5(4), 307-320.
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

    return -expansion(z, z * z, z**3), -expansion(*means)
