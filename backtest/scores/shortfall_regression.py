"""Backtest of expected shortfall by regression: losses in the tail against the forecast."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from ..types import FloatArray
from .checks import check_confidence
from .expected_shortfall import as_forecasts
from .result import TestResult

FEWEST = 10  # losses beyond the fitted quantile


def shortfall_regression(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    confidence: float = 0.975,
) -> TestResult:
    r"""Mincer-Zarnowitz for ES: ES of the loss is a + b forecast, H0 a = 0 and b = 1; Wald, 2 df.

    Two steps (Barendse): a quantile regression of losses on (1, VaR forecast) gives q; then least
    squares of

    .. math:: q_t + (L_t - q_t)^+ / \alpha \quad \text{on} \quad (1, ES_t)

    whose mean, given what was known, is the ES. Its derivative by q is zero at the quantile, so
    the first step leaves no trace in the second's asymptotic law, taken with White's variance.
    The idea of the backtest is Bayer and Dimitriadis's, who fit both by one joint score (esback);
    p-values are near theirs, not equal. `estimates` holds a and b.

    Parameters
    ----------
    loss, value_at_risk, expected_shortfall : (days,) losses positive.

    Returns
    -------
    TestResult; not identified with fewer than 10 losses beyond q, or a constant ES forecast.

    References
    ----------
    Bayer, S. & Dimitriadis, T. (2022). Regression-based expected shortfall backtesting. Journal of
    Financial Econometrics, 20(3), 437-471. Barendse, S. (2020). Efficiently weighted estimation of
    tail and interquantile expectations. Tinbergen Institute discussion paper.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> scale = 1.0 + rng.random(4000)
    >>> x = scale * rng.standard_normal(4000)
    >>> shortfall_regression(x, 1.959964 * scale, 2.337803 * scale).verdict()
    'not rejected'
    """
    check_confidence(confidence)
    x, v, e = as_forecasts(
        loss=loss, value_at_risk=value_at_risk, expected_shortfall=expected_shortfall
    )
    rate = 1.0 - confidence
    name, assumed = "regression of ES", "independent days; chi-squared, 2 df"
    enough = len(x) * rate >= FEWEST and np.ptp(e) > 1e-9 * np.abs(e).max()
    if not enough:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    unit = float(np.abs(e).mean())  # The unit of money must not matter to the solver.
    x, v, e = x / unit, v / unit, e / unit
    fitted = quantile_regression(x, v, confidence)
    response = fitted + np.maximum(x - fitted, 0.0) / rate
    design = np.column_stack([np.ones(len(x)), e])
    found, covariance = _least_squares(design, response)
    distance = found - np.array([0.0, 1.0])
    statistic = float(distance @ np.linalg.solve(covariance, distance))
    estimates = {"intercept": float(found[0]) * unit, "slope": float(found[1])}
    return TestResult(name, statistic, float(chdtrc(2, statistic)), True, assumed, estimates)


def quantile_regression(response: FloatArray, regressor: FloatArray, level: float) -> FloatArray:
    """Fitted `level` quantile of the response on a constant and one regressor, by its dual.

    References
    ----------
    Koenker, R. & Bassett, G. (1978). Regression quantiles. Econometrica, 46(1), 33-50.

    Examples
    --------
    >>> quantile_regression(np.array([1.0, 2.0, 9.0]), np.ones(3), 0.9).tolist()
    [9.0, 9.0, 9.0]
    """
    from scipy.optimize import linprog

    design = np.vstack([np.ones(len(response)), regressor])
    if np.ptp(regressor) == 0.0:
        design = design[:1]
    found = linprog(
        -response,
        A_eq=design,
        b_eq=(1.0 - level) * design.sum(axis=1),
        bounds=(0.0, 1.0),
        method="highs",
    )
    return np.asarray(-found.eqlin.marginals @ design)


def _least_squares(design: FloatArray, response: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients, and White's covariance of them."""
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ response
    weighted = design * (response - design @ found)[:, None]
    return found, np.asarray(inverse @ (weighted.T @ weighted) @ inverse)
