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
    nu = np.asarray(freedom, dtype=np.float64)
    z = float(ndtri(confidence))
    density = np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)
    unknown = np.isnan(nu)
    quantile = np.where(unknown, np.nan, z)
    shortfall = np.where(unknown, np.nan, density / (1.0 - confidence))
    student = np.isfinite(nu)
    if student.any():
        # A fit stands for weeks of days: each freedom is looked up once.
        freedoms, fit = np.unique(nu[student], return_inverse=True)
        of_fit = _student_tail(confidence, freedoms)
        quantile[student], shortfall[student] = of_fit[0][fit], of_fit[1][fit]
    return quantile, shortfall


def _student_tail(confidence: float, freedom: FloatArray) -> tuple[FloatArray, FloatArray]:
    """`unit_tail` of finite degrees of freedom."""
    from scipy.special import gammaln

    t = np.asarray(stdtrit(freedom, confidence), dtype=np.float64)
    unit = np.sqrt((freedom - 2.0) / freedom)
    log_density = (
        gammaln((freedom + 1.0) / 2.0)
        - gammaln(freedom / 2.0)
        - 0.5 * np.log(np.pi * freedom)
        - (freedom + 1.0) / 2.0 * np.log1p(t * t / freedom)
    )
    mean = np.exp(log_density) / (1.0 - confidence) * (freedom + t * t) / (freedom - 1.0)
    return t * unit, mean * unit


def unit_probability(value: FloatArray, freedom: FloatArray) -> FloatArray:
    """P(X <= value) of a unit-variance Student; normal where freedom is inf; NaN stays NaN.

    Examples
    --------
    >>> unit_probability(np.array([0.0, -2.649492]), np.array([np.inf, 4.0])).round(6).tolist()
    [0.5, 0.01]
    """
    probability = np.asarray(ndtr(value))
    probability[np.isnan(freedom)] = np.nan
    student = np.isfinite(freedom)
    if student.any():
        nu = freedom[student]
        probability[student] = stdtr(nu, value[student] * np.sqrt(nu / (nu - 2.0)))
    return probability
