"""A Student copula fitted and drawn with scipy, as one writes it: the twin of `JointDraws`."""

import numpy as np
from scipy import optimize, special, stats

from backtest.estimators.dependence import FREEDOM, nearest_correlation
from backtest.model.delta_gamma import Scenarios
from backtest.types import DaysByFactors, FloatArray


def minus_likelihood(values: DaysByFactors, correlation: FloatArray, freedom: float) -> float:
    """Minus the log-likelihood of the copula of (days, columns), by scipy's densities."""
    y = special.stdtrit(freedom, stats.rankdata(values, axis=0) / (len(values) + 1))
    joint = stats.multivariate_t(shape=correlation, df=freedom).logpdf(y).sum()
    return float(stats.t(freedom).logpdf(y).sum() - joint)


def t_copula(values: DaysByFactors) -> tuple[FloatArray, float]:
    """Correlation by Kendall's tau, and the likeliest degrees of freedom, by scipy's searches."""
    width = values.shape[1]
    tau = np.eye(width)
    for i in range(width):
        for j in range(i):
            tau[i, j] = tau[j, i] = stats.kendalltau(values[:, i], values[:, j]).statistic
    correlation = nearest_correlation(np.sin(np.pi / 2.0 * tau))
    uniform, place = np.unique(
        stats.rankdata(values, axis=0) / (len(values) + 1), return_inverse=True
    )
    inverse = np.linalg.inv(correlation)

    def less_constants(nu: float) -> float:
        y = special.stdtrit(nu, uniform)[place.reshape(values.shape)]
        distance = np.einsum("ij,jk,ik->i", y, inverse, y)
        joint = special.gammaln((nu + width) / 2) + (width - 1) * special.gammaln(nu / 2)
        return -float(
            len(values) * (joint - width * special.gammaln((nu + 1) / 2))
            - (nu + width) / 2 * np.log1p(distance / nu).sum()
            + (nu + 1) / 2 * np.log1p(y * y / nu).sum()
        )

    fit = optimize.minimize_scalar(less_constants, bounds=FREEDOM, method="bounded")
    return correlation, float(fit.x)


def drawn(past: Scenarios, day: int, *, lookback: int, draws: int, seed: int) -> FloatArray:
    """(columns, draws) scenarios of the copula fitted on `day`."""
    window = past.shocks[day - lookback + 1 : day + 1]
    factors, first, source = np.unique(
        np.column_stack([past.factor, past.steps]), axis=0, return_index=True, return_inverse=True
    )
    rng = np.random.default_rng(seed)
    uniform, normal = rng.random(draws), rng.standard_normal((draws, len(factors)))
    moving = np.ptp(window[:, first], axis=0) > 0
    correlation, freedom = t_copula(window[:, first[moving]])
    mixing = np.sqrt(freedom / (2.0 * special.gammaincinv(freedom / 2.0, uniform)))
    student = normal[:, moving] @ np.linalg.cholesky(correlation).T * mixing[:, None]
    rank = (special.stdtr(freedom, student) * lookback).astype(int).clip(max=lookback - 1)
    values = np.tile(window[-1, first], (draws, 1))
    ordered = np.sort(window[:, first[moving]], axis=0)
    values[:, moving] = np.take_along_axis(ordered, rank, axis=0)
    values = values[:, source.ravel()].T
    return np.ascontiguousarray(np.where(past.power[:, None] == 1, values, values**2 / 2.0))
