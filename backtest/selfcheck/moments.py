"""Covariances, volatilities and standard laws: what constant, huge and tiny values do to them."""

import numpy as np

from backtest.estimators.cornish_fisher import cornish_fisher_tail
from backtest.estimators.correlation import (
    correlation_of,
    rolling_covariance,
    shrunk_covariance,
)
from backtest.estimators.ewma import ewma_variance
from backtest.estimators.innovations import unit_probability, unit_tail
from backtest.estimators.skewed import skewed_tail
from backtest.selfcheck.row import Row
from backtest.types import FloatArray

NAN = float("nan")


def _constant_columns() -> FloatArray:
    columns = np.column_stack([np.repeat(1.810, 1448), np.repeat(0.576, 1448)])
    return correlation_of(rolling_covariance(columns, 1448)[-1])


def _variance(values: list[float], lookback: int) -> FloatArray:
    return rolling_covariance(np.array(values)[:, None], lookback)[:, 0, 0]


def _few_observations() -> bool:
    moves = np.array([[2.0, 0.0, 0.0], [2.0, -2.0, 1.0], [-1.0, -2.0, -1.0]])
    return bool(np.linalg.eigvalsh(shrunk_covariance(moves, 3)[-1]).min() >= 0.0)


def _in_order() -> list[bool]:
    """Beyond the expansion's domain: VaR rises with the confidence, and ES is no lower."""
    levels = np.linspace(0.90, 0.999, 50)
    tails = np.array([cornish_fisher_tail(c, np.array(2.0), np.array(3.0)) for c in levels])
    value, shortfall = tails.T
    return [bool((np.diff(value) >= 0.0).all()), bool((shortfall >= value).all())]


ROWS = (
    Row(
        "correlation of two columns that never move",
        "numpy/numpy#32446",
        _constant_columns,
        right=[[1.0, 0.0], [0.0, 1.0]],
        by="neither varies, so nothing is shared",
    ),
    Row(
        "variance of zeros after a first value of 1,000",
        "pandas-dev/pandas#42064",
        lambda: _variance([1000.0] + [0.0] * 30, 10)[-1],
        right=0.0,
        by="ten zeros",
        tolerance=0.0,
    ),
    Row(
        "variance of the last two of 1200, 1.3e17, 1.5e17, 1995, 1990",
        "pandas-dev/pandas#54518",
        lambda: _variance([1.2e3, 1.3e17, 1.5e17, 1995.0, 1990.0], 2)[-1],
        right=6.25,
        by="2.5 squared",
    ),
    Row(
        "variance of five equal values after others",
        "pandas-dev/pandas#46049",
        lambda: _variance([-3.0, -3, -4, -5, -4, -3, -2, -3, -4, -5, -5, -5, -5, -5], 5)[-1],
        right=0.0,
        by="five times -5",
        tolerance=0.0,
    ),
    Row(
        "shrunk covariance of three days of three series",
        "microprediction/skaters#224",
        _few_observations,
        right=True,
        by="no variance of a sum is below zero",
    ),
    Row(
        "EWMA variance of 1, 3, 2 with a decay of one half",
        "pandas-dev/pandas#18863",
        lambda: ewma_variance(np.array([[1.0], [3.0], [2.0]]), decay=0.5)[:, 0],
        right=[NAN, 5.0, 4.5],
        by="(1 + 9) / 2, then (5 + 4) / 2",
    ),
    Row(
        "95 % quantile of a unit-variance Student law with 3 degrees",
        "bashtage/arch#598",
        lambda: unit_tail(0.95, 3.0)[0],
        right=1.358715012583857,
        by="the number its maintainer gives",
    ),
    Row(
        "probability below that quantile's mirror image",
        "bashtage/arch#423",
        lambda: unit_probability(np.array([-1.358715012583857]), np.array([3.0])),
        right=[0.05],
        by="by symmetry",
    ),
    Row(
        "ES of a normal law at 97.5 %",
        "ranaroussi/quantstats#547",
        lambda: unit_tail(0.975, np.inf),
        right=[1.959963984540054, 2.337802792201413],
        by="density at the quantile over 2.5 %, scipy.stats",
    ),
    Row(
        "skewed Student law without skew, and with one of -0.2",
        "Hansen (1994)",
        lambda: [skewed_tail(0.99, 4.0, skew)[0] for skew in (0.0, -0.2)],
        right=[2.649492, 3.018223],
        by="Hansen's density integrated by quadrature",
        tolerance=1e-6,
    ),
    Row(
        "Cornish-Fisher without skew and excess kurtosis at 99 %",
        "dcajasn/Riskfolio-Lib#236",
        lambda: cornish_fisher_tail(0.99, np.array(0.0), np.array(0.0)),
        right=[2.3263478740408408, 2.6652142203458076],
        by="the normal law",
    ),
    Row(
        "Cornish-Fisher, skewness -0.5, excess kurtosis 3, at 99 %",
        "dcajasn/Riskfolio-Lib#236",
        lambda: cornish_fisher_tail(0.99, np.array(-0.5), np.array(3.0))[0],
        right=3.301284,
        by="its polynomial by hand",
        tolerance=1e-6,
    ),
    Row(
        "Cornish-Fisher beyond its domain: VaR in order, ES above it",
        "JDE65/D-ratio#2",
        _in_order,
        right=[True, True],
        by="a quantile rises",
    ),
)
