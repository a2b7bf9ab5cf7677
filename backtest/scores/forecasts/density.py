"""Tests of a whole forecast density, from its probability integral transforms (PIT).

A PIT is the forecast probability of a P&L no better than the realised one: small on bad days,
uniform and independent if the forecast is right.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, log_ndtr, ndtr, ndtri

from backtest.scores.forecasts.expected_shortfall import as_forecasts
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError

LOG_ROOT = 0.5 * np.log(2.0 * np.pi)


def as_pit(pit: ArrayLike) -> FloatArray:
    """Probabilities strictly between 0 and 1, one a day.

    Raises
    ------
    DataError : another shape, NaN, or a value at or beyond 0 or 1.
    """
    (values,) = as_forecasts(pit=pit)
    if not ((values > 0) & (values < 1)).all():
        raise DataError(
            "pit must lie strictly between 0 and 1; a forecast excluded the realised P&L."
        )
    return values


def berkowitz(pit: ArrayLike) -> TestResult:
    r"""Berkowitz's full test: normal scores are N(0, 1) without autocorrelation.

    .. math:: z_t = \Phi^{-1}(u_t), \quad z_t - \mu = \rho (z_{t-1} - \mu) + \sigma e_t

    by exact conditional maximum likelihood (given the first day), against mu = 0, sigma = 1,
    rho = 0: chi-squared, 3 df. rugarch removes the mean first, so its ratio differs slightly.

    References
    ----------
    Berkowitz, J. (2001). Testing density forecasts, with applications to risk management.
    Journal of Business & Economic Statistics, 19(4), 465-474.

    Examples
    --------
    >>> berkowitz(np.random.default_rng(2).random(1000)).verdict()
    'not rejected'
    """
    z = ndtri(as_pit(pit))
    name, assumed = "Berkowitz density", "normal scores, AR(1); chi-squared, 3 df"
    if len(z) < 4:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    regressors = np.column_stack([np.ones(len(z) - 1), z[:-1]])
    fit = np.linalg.lstsq(regressors, z[1:], rcond=None)[0]
    residual = z[1:] - regressors @ fit
    variance = float((residual**2).mean())
    if variance == 0.0:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    statistic = float((z[1:] ** 2).sum() - len(residual) * (np.log(variance) + 1.0))
    estimates = {
        "mean": float(fit[0] / (1.0 - fit[1])),
        "scale": float(np.sqrt(variance)),
        "autocorrelation": float(fit[1]),
    }
    return TestResult(name, statistic, float(chdtrc(3, statistic)), True, assumed, estimates)


def berkowitz_tail(pit: ArrayLike, *, tail: float = 0.05) -> TestResult:
    """Berkowitz's tail test: normal scores below the `tail` probability, the rest censored; 2 df.

    Not identified with fewer than two scores in the tail, or with all of them the same.

    Raises
    ------
    StudyError : a tail outside (0, 1).

    References
    ----------
    Berkowitz, J. (2001), as `berkowitz`.

    Examples
    --------
    >>> berkowitz_tail(np.random.default_rng(2).random(1000)).verdict()
    'not rejected'
    """
    from scipy.optimize import minimize  # heavy

    _check_tail(tail)
    z = ndtri(as_pit(pit))
    cut = float(ndtri(tail))
    inside, outside = z[z < cut], int((z >= cut).sum())
    name = f"Berkowitz tail, {tail:.1%}"
    assumed = "independent normal scores, censored; chi-squared, 2 df"
    if len(inside) < 2 or np.ptp(inside) == 0.0:
        return TestResult(name, float("nan"), float("nan"), False, assumed)

    def cost(parameters: FloatArray) -> float:
        mean, log_scale = parameters
        scaled = (inside - mean) / np.exp(log_scale)
        density = -0.5 * (scaled**2).sum() - len(inside) * (LOG_ROOT + log_scale)
        return -float(density + outside * log_ndtr((mean - cut) / np.exp(log_scale)))

    fit = minimize(cost, np.zeros(2), method="BFGS", options={"gtol": 1e-8})
    statistic = max(2.0 * (cost(np.zeros(2)) - float(fit.fun)), 0.0)
    estimates = {"mean": float(fit.x[0]), "scale": float(np.exp(fit.x[1]))}
    return TestResult(name, statistic, float(chdtrc(2, statistic)), True, assumed, estimates)


def cumulative_exceedances(pit: ArrayLike, *, tail: float = 0.05) -> FloatArray:
    """(days,) distance of each day below the tail probability: (1 - u / tail)^+ (Du-Escanciano).

    Examples
    --------
    >>> cumulative_exceedances([0.025, 0.5]).tolist()
    [0.5, 0.0]
    """
    _check_tail(tail)
    return np.asarray(np.maximum(1.0 - as_pit(pit) / tail, 0.0))


def _check_tail(tail: float) -> None:
    if not 0.0 < tail < 1.0:
        raise StudyError(f"tail is {tail}; give a probability in (0, 1), such as 0.05.")


def shortfall_by_pit(pit: ArrayLike, *, tail: float = 0.05) -> TestResult:
    r"""Costanzino-Curran, Du-Escanciano: cumulative exceedances have mean tail / 2.

    .. math:: U = \sqrt T (\bar H - \alpha / 2) / \sqrt{\alpha (1/3 - \alpha / 4)} \sim N(0, 1)

    Two-sided p-value; `estimates` holds the one-sided one (ES too small).

    References
    ----------
    Costanzino, N. & Curran, M. (2015). Backtesting general spectral risk measures with application
    to expected shortfall. Risk, March. Du, Z. & Escanciano, J. (2017). Backtesting expected
    shortfall: accounting for tail risk. Management Science, 63(4), 940-958.

    Examples
    --------
    >>> shortfall_by_pit(np.random.default_rng(2).random(1000)).verdict()
    'not rejected'
    """
    beyond = cumulative_exceedances(pit, tail=tail)
    spread = np.sqrt(tail * (1.0 / 3.0 - tail / 4.0))
    statistic = float(np.sqrt(len(beyond)) * (beyond.mean() - tail / 2.0) / spread)
    return TestResult(
        "Du-Escanciano unconditional",
        statistic,
        2.0 * float(ndtr(-abs(statistic))),
        True,
        "independent days; normal",
        {"one_sided_p": float(ndtr(-statistic))},
    )


def shortfall_independence(pit: ArrayLike, *, tail: float = 0.05, lags: int = 5) -> TestResult:
    """Du-Escanciano's conditional test: cumulative exceedances without autocorrelation.

    Box-Pierce over `lags`, autocovariances about tail / 2 and over n - j days; chi-squared.

    References
    ----------
    Du, Z. & Escanciano, J. (2017), as `shortfall_by_pit`.

    Examples
    --------
    >>> shortfall_independence(np.random.default_rng(2).random(1000)).verdict()
    'not rejected'
    """
    if lags < 1:
        raise StudyError(f"lags is {lags}; give 1 or more.")
    centred = cumulative_exceedances(pit, tail=tail) - tail / 2.0
    days = len(centred)
    name, assumed = "Du-Escanciano conditional", f"independent days; chi-squared, {lags} df"
    if days <= lags + 1 or not (centred > -tail / 2.0).any():
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    variance = float((centred**2).mean())
    correlations = [
        float(centred[lag:] @ centred[:-lag]) / (days - lag) / variance
        for lag in range(1, lags + 1)
    ]
    statistic = days * float(np.square(correlations).sum())
    return TestResult(name, statistic, float(chdtrc(lags, statistic)), True, assumed)


def pit_histogram(pit: ArrayLike, *, bins: int = 20) -> TestResult:
    """Pearson's chi-squared test of equal shares in `bins` equal bins.

    `estimates` holds the share of days in each bin, by its lower end.

    References
    ----------
    Diebold, F., Gunther, T. & Tay, A. (1998). Evaluating density forecasts with applications to
    financial risk management. International Economic Review, 39(4), 863-883.

    Examples
    --------
    >>> result = pit_histogram([0.1, 0.4, 0.6, 0.9], bins=2)
    >>> dict(result.estimates), result.pvalue
    ({'0': 0.5, '0.5': 0.5}, 1.0)
    """
    if bins < 2:
        raise StudyError(f"bins is {bins}; give 2 or more.")
    values = as_pit(pit)
    count = np.histogram(values, bins=bins, range=(0.0, 1.0))[0]
    expected = len(values) / bins
    statistic = float(((count - expected) ** 2 / expected).sum())
    shares = {f"{i / bins:g}": float(share) for i, share in enumerate(count / len(values))}
    return TestResult(
        "PIT histogram",
        statistic,
        float(chdtrc(bins - 1, statistic)),
        True,
        f"independent days; chi-squared, {bins - 1} df",
        shares,
    )
