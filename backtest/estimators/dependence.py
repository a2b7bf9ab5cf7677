"""Fits of joint distributions: multivariate t, t copula, and a valid correlation matrix."""

import numpy as np
from scipy.special import gammaln

from backtest.estimators.student_curves import quantile_curves
from backtest.kernels.concordance import concordance, tied_ranks
from backtest.kernels.copula import FREEDOM, likeliest_freedom
from backtest.types import DaysByFactors, FloatArray


def nearest_correlation(matrix: FloatArray, *, floor: float = 1e-8) -> FloatArray:
    """Correlation matrix with eigenvalues of at least `floor`, diagonal one.

    References
    ----------
    Rebonato, R. & Jaeckel, P. (2000). The most general methodology to create a valid correlation
    matrix. Journal of Risk, 2(2), 17-27 (spectral decomposition).

    Examples
    --------
    >>> nearest_correlation(np.array([[1.0, 0.5], [0.5, 1.0]])).round(6).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    positive = (vectors * np.maximum(values, floor)) @ vectors.T
    scale = np.sqrt(np.diag(positive))
    out = positive / np.outer(scale, scale)
    np.fill_diagonal(out, 1.0)
    return out


def fit_multivariate_t(
    values: DaysByFactors, *, steps: int = 60
) -> tuple[FloatArray, FloatArray, float]:
    """Mean, scatter matrix and degrees of freedom by ECM; the freedom by a search each step.

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_t(5, (4000, 1))
    >>> 4 < fit_multivariate_t(draws)[2] < 6.5
    True
    """
    from scipy.optimize import minimize_scalar

    days, width = values.shape
    mean, scatter, freedom = values.mean(axis=0), np.cov(values.T).reshape(width, width), 8.0
    for _ in range(steps):
        away = values - mean
        distance = np.einsum("ij,jk,ik->i", away, np.linalg.inv(scatter), away)
        weight = (freedom + width) / (freedom + distance)
        mean = (weight[:, None] * values).sum(axis=0) / weight.sum()
        away = values - mean
        scatter = (weight[:, None] * away).T @ away / days
        distance = np.einsum("ij,jk,ik->i", away, np.linalg.inv(scatter), away)

        def minus_likelihood(nu: float, distance: FloatArray = distance) -> float:
            return -float(
                days * (gammaln((nu + width) / 2) - gammaln(nu / 2) - width / 2 * np.log(nu))
                - (nu + width) / 2 * np.log1p(distance / nu).sum()
            )

        fit = minimize_scalar(minus_likelihood, bounds=FREEDOM, method="bounded")
        before, freedom = freedom, float(fit.x)
        if abs(freedom - before) < 1e-6:
            break
    return mean, scatter, freedom


def t_copula(values: DaysByFactors) -> tuple[FloatArray, float]:
    """Correlation (sin of pi/2 Kendall's tau) and degrees of freedom of a Student copula.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> both = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 2000)
    >>> rho, freedom = t_copula(both)
    >>> bool(abs(rho[0, 1] - 0.5) < 0.05), freedom > 10
    (True, True)
    """
    days = len(values)
    columns = np.ascontiguousarray(values.T)
    order = np.argsort(columns, axis=1)
    first, last = np.empty_like(order), np.empty_like(order)
    tied, balance = np.empty(len(order), np.int64), np.zeros((len(order),) * 2, np.int64)
    tied_ranks(columns, order, first, last, tied)
    concordance(order, first, last, balance)
    untied = np.sqrt(days * (days - 1) // 2 - tied)
    tau = balance / untied / untied[:, None]
    np.fill_diagonal(tau, 1.0)
    correlation = nearest_correlation(np.sin(np.pi / 2.0 * tau))
    # Of average ranks, which are whole or half numbers, the quantiles are those of rank / (n + 1).
    places = np.ascontiguousarray((first + last).T)
    curves = quantile_curves(2 * (days + 1))
    return correlation, likeliest_freedom(curves, places, np.linalg.inv(correlation))
