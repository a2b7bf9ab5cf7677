"""Nolde and Ziegel's conditional calibration of VaR and ES together."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from backtest.scores.checks import check_confidence
from backtest.scores.forecasts.expected_shortfall import as_forecasts
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError

Side = Literal["two", "one", "under-coverage"]
# With one exceedance a combination of the moments is constant over days: always rejected.
FEWEST = 3


def conditional_calibration(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    confidence: float = 0.975,
    scale: ArrayLike | None = None,
    side: Side = "two",
) -> TestResult:
    r"""Test that VaR and ES are both right, conditional on past data: the identification functions.

    .. math:: V_t = \left(\alpha - I_t, \; VaR_t - ES_t + I_t (L_t - VaR_t) / \alpha\right)

    have mean zero. 'two': Wald's T mean' Omega^-1 mean, chi-squared, 2 df; with `scale` (the
    general test) one combination, weighted ((ES - VaR) / alpha, 1) / scale, 1 df. 'one' is the
    form of the esback package: the largest of the studentised means (four with `scale`), each
    tested for a mean above zero, combined by Hommel. It rejects too FEW exceedances and too small
    an ES; 'under-coverage' changes the first sign, so that both parts reject too little margin.

    Wald's form needs many exceedances: over 250, 1,000 and 2,500 normal days at 97.5 % it rejects
    a right model, at 5 %, in 21, 10 and 8 % of records ('under-coverage': 0, 1 and 2 %). With one
    exceedance its statistic is the number of days, and with two it rejected every simulated record,
    so it is not identified below three.

    Parameters
    ----------
    loss, value_at_risk, expected_shortfall : (days,), losses positive, an exceedance is
        loss >= VaR, as the authors have it. scale : (days,) volatility forecasts.

    Returns
    -------
    TestResult; not identified without an exceedance, 'two' below three of them or where the days
    do not differ.

    Raises
    ------
    DataError : shapes, NaN, a scale not above zero. StudyError : an unknown side, confidence.

    References
    ----------
    Nolde, N. & Ziegel, J. (2017). Elicitability and backtesting: perspectives for banking
    regulation. Annals of Applied Statistics, 11(4), 1833-1874.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> bands = np.full(2000, 1.959964), np.full(2000, 2.337803)
    >>> conditional_calibration(rng.standard_normal(2000), *bands).verdict()
    'not rejected'
    """
    check_confidence(confidence)
    if side not in ("two", "one", "under-coverage"):
        raise StudyError(f"side is {side!r}; known: two, one, under-coverage.")
    x, v, e = as_forecasts(
        loss=loss, value_at_risk=value_at_risk, expected_shortfall=expected_shortfall
    )
    rate = 1.0 - confidence
    exceeded = x >= v
    first = np.asarray(rate - exceeded, dtype=np.float64)
    second = v - e + exceeded * (x - v) / rate
    spread = None if scale is None else np.asarray(scale, dtype=np.float64)
    if spread is not None and (spread.shape != x.shape or not (spread > 0).all()):
        raise DataError("scale must hold one volatility above zero a day.")
    name = f"Nolde-Ziegel calibration, {'simple' if spread is None else 'general'}, {side}"
    if not exceeded.any():
        return TestResult(name, float("nan"), float("nan"), False, "an exceedance")
    if side == "two":
        if spread is None:
            table = np.column_stack([first, second])
            return _wald(name, table, enough=int(exceeded.sum()) >= FEWEST)
        return _wald(name, (((e - v) / rate * first + second) / spread)[:, None], enough=True)
    first = -first if side == "under-coverage" else first
    moments = [first, second]
    if spread is not None:
        moments = [first, np.abs(v) * first, second, second / spread]
    return _joined(name, np.column_stack(moments))


def _joined(name: str, table: FloatArray) -> TestResult:
    """Each moment of the (days, moments) table studentised, against a mean above zero."""
    size = np.sqrt((table**2).mean(axis=0))
    mean = np.sqrt(len(table)) * table.mean(axis=0)
    studentised = np.divide(mean, size, out=np.zeros(len(size)), where=size > 0)
    pvalue, assumed = hommel(ndtr(-studentised)), "independent days; Hommel's joining"
    return TestResult(name, float(studentised.max()), pvalue, True, assumed)


def _wald(name: str, table: FloatArray, *, enough: bool) -> TestResult:
    """T mean' Omega^-1 mean of the (days, moments) table, Omega not centred."""
    mean, outer = table.mean(axis=0), table.T @ table / len(table)
    freedom = table.shape[1]
    assumed = f"martingale differences; chi-squared, {freedom} df"
    scale = np.abs(table).max(axis=0)
    if not enough or not scale.all() or np.linalg.matrix_rank(table / scale) < freedom:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    statistic = float(len(table) * mean @ np.linalg.solve(outer, mean))
    return TestResult(name, statistic, float(chdtrc(freedom, statistic)), True, assumed)


def hommel(pvalues: FloatArray) -> float:
    """One p-value of several dependent ones (Hommel, 1983).

    Examples
    --------
    >>> round(hommel(np.array([0.01, 0.5])), 4)
    0.03
    """
    ranks = np.arange(1, len(pvalues) + 1)
    joined = len(ranks) * (1.0 / ranks).sum() * (np.sort(pvalues) / ranks).min()
    return float(min(joined, 1.0))
