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
    finite_nu = np.where(normal, 10.0, nu)
    t = stdtrit(finite_nu, confidence)
    unit = np.sqrt((finite_nu - 2.0) / finite_nu)
    log_density = (
        gammaln((finite_nu + 1.0) / 2.0)
        - gammaln(finite_nu / 2.0)
        - 0.5 * np.log(np.pi * finite_nu)
        - (finite_nu + 1.0) / 2.0 * np.log1p(t * t / finite_nu)
    )
    mean = np.exp(log_density) / (1.0 - confidence) * (finite_nu + t * t) / (finite_nu - 1.0)
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
    finite_nu = np.where(normal, 10.0, freedom)
    student = stdtr(finite_nu, value * np.sqrt(finite_nu / (finite_nu - 2.0)))
    return np.where(normal, ndtr(value), student)
