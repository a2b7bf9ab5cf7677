"""Tests of coverage from daily counts, with a variance that is robust to autocorrelation.

The exceedances of a day, over one book or ten thousand, are one number, and the days form one
dependent series. The autocovariances show how much more its total varies than with independent
days, and the binomial test is applied to the counts divided by this ratio.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backtest.scores.checks import check_confidence
from backtest.scores.overlapping.overlap import (
    binomial_pvalues,
    check_horizon,
    check_record,
    standardised,
)
from backtest.scores.result import TestResult
from backtest.types import FloatArray, StudyError

DailyCounts = NDArray[np.int64]  # (days, ...)


def count_inflation(
    counts: DailyCounts, portfolios: float, *, horizon: int, lags: int | None = None
) -> FloatArray:
    r"""Variance of the total, relative to independent days and books; at least 1.

    With :math:`\gamma_k` the autocovariances of the daily share of books and r its mean:

    .. math:: f = \frac{\gamma_0 + 2 \sum_{k \ge 1} w_k \gamma_k}{r (1 - r) / portfolios},
              \qquad w_k = 1 \; (k < H), \quad
              w_k = 1 - \frac{k - H + 1}{lags - H + 2} \; (H \le k \le lags)

    The weights are 1 over the lags at which losses overlap (Hansen & Hodrick) and then decline; for
    H = 1 they are those of Newey & West. Numerator and denominator both use the observed rate, so f
    hardly depends on the rate and can be applied at the rate of H0.

    Parameters
    ----------
    counts : (days, ...) books with an exceedance.
    portfolios : number of books.
    horizon : MPOR in margin days, 1 or more.
    lags : last lag, horizon - 1 or more; None is horizon - 1.

    Returns
    -------
    (...) ratios >= 1; portfolios x horizon, the value under full dependence, if every book has an
    exceedance on every day.

    Examples
    --------
    >>> two_alike = np.array([0, 2, 0, 0, 0, 0, 2, 0])
    >>> count_inflation(two_alike, 2, horizon=1).tolist()
    2.0
    """
    last = horizon - 1 if lags is None else lags
    if last < horizon - 1:
        raise StudyError(
            f"lags is {lags} for a horizon of {horizon}; give {horizon - 1} or more, or None."
        )
    share = counts / portfolios
    rate = share.mean(axis=0)
    centred = share - rate
    days = len(counts)
    total = np.mean(centred**2, axis=0)
    for lag in range(1, min(last, days - 1) + 1):
        weight = min(1.0, 1.0 - (lag - horizon + 1) / (last - horizon + 2))
        total = total + 2.0 * weight * np.sum(centred[lag:] * centred[:-lag], axis=0) / days
    independent = rate * (1.0 - rate) / portfolios
    inflation = np.full(np.shape(rate), float(portfolios * horizon))
    np.divide(total, independent, out=inflation, where=independent > 0.0)
    return np.maximum(inflation, 1.0)


def effective_binomial(
    counts: DailyCounts, portfolios: float, inflation: FloatArray, *, confidence: float
) -> FloatArray:
    r"""Probability of the total or more, where its variance is f times the binomial one.

    With x exceedances in n days of m books and :math:`h = \max(f / m, 1)`:

    .. math:: P\{B(n m / f, 1 - confidence) \ge x / f + (1 - 1 / h) / 2\}

    continued to fractions. The count of a book divided by h moves in steps of 1 / h, and the
    binomial supposes steps of 1: the last term is half the difference, without which the test is
    too careful. For one book and f = 1 this is the binomial, exactly.

    Parameters
    ----------
    counts : (days, ...) books with an exceedance, of `portfolios` books.
    inflation : (...) f, 1 or more.

    Returns
    -------
    (...) p-values; 1 where there is no exceedance.

    References
    ----------
    Rao, J. & Scott, A. (1992). A simple method for the analysis of clustered binary data.
    Biometrics, 48(2), 577-585.

    Examples
    --------
    >>> five_days = np.eye(250, 5, dtype=int).sum(axis=1)
    >>> p = effective_binomial(five_days, 1, np.array([1.0, 2.0]), confidence=0.99)
    >>> p.round(4).tolist()
    [0.1078, 0.1721]
    """
    total, trials = counts.sum(axis=0), len(counts) * portfolios / inflation
    runs = np.maximum(inflation / portfolios, 1.0)
    effective = np.where(total > 0, total / inflation + 0.5 * (1.0 - 1.0 / runs), 0.0)
    return binomial_pvalues(np.minimum(effective, trials), trials, confidence=confidence)


def effective_pvalues(
    counts: DailyCounts,
    portfolios: int,
    *,
    horizon: int,
    confidence: float,
    lags: int | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Standardised totals and p-values of many panels at once.

    Parameters
    ----------
    counts : (days, ...) books with an exceedance, one series a panel.
    portfolios : number of books in each panel.

    Returns
    -------
    statistic, pvalue : (...).

    Examples
    --------
    >>> once, twice = np.eye(250, 4, dtype=int), 2 * np.eye(250, 4, dtype=int)
    >>> one = effective_pvalues(once.sum(axis=1), 1, horizon=1, confidence=0.99)
    >>> two = effective_pvalues(twice.sum(axis=1), 2, horizon=1, confidence=0.99)
    >>> [round(float(value), 4) for value in (*one, *two)]
    [0.9535, 0.2419, 0.9535, 0.2419]
    """
    inflation = count_inflation(counts, portfolios, horizon=horizon, lags=lags)
    trials = len(counts) * portfolios / inflation
    statistic = standardised(counts.sum(axis=0) / inflation, trials, confidence=confidence)
    return statistic, effective_binomial(counts, portfolios, inflation, confidence=confidence)


def hac_coverage(
    exceedances: ArrayLike, *, horizon: int, confidence: float = 0.99, lags: int | None = None
) -> TestResult:
    r"""Test of one book with a variance robust to autocorrelation, after Hansen and Hodrick.

    .. math:: z = \frac{x - n p_0}{\sqrt{n p_0 (1 - p_0) f}}, \qquad p_0 = 1 - confidence

    f is `count_inflation`. The p-value is the binomial one of x / f exceedances in n / f days
    (Rao & Scott), exact for f = 1. A count of rare days is skewed: the normal tail of z rejects
    a sound requirement in up to 7.0 % of histories at 5 %, 2.6 % at 1 % (n = 500, H = 10). Measured
    sizes here are 2.9 to 4.7 % at 5 %, 0.4 to 0.9 % at 1 %, for H = 1 to 10, n = 500 and 2,196.

    It is valid if only the overlap causes dependence. A requirement that ignores volatility has
    exceedances that cluster for months: 19 % of these are rejected at 5 % (n = 2,196, H = 2), and
    10.4 % with `lags=60`, which has a size of 2.9 to 5.7 % elsewhere (docs/overlap.md).

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, consecutive margin days.
    horizon : MPOR in margin days, 1 or more; the longest, where silos differ.
    confidence : level the requirement is meant to cover, in (0, 1).
    lags : last autocovariance counted, horizon - 1 or more; None is horizon - 1.

    Returns
    -------
    TestResult; the statistic is z.

    Raises
    ------
    DataError, StudyError
        For values other than 0 and 1, no day, a horizon below 1, a confidence outside (0, 1), lags
        below horizon - 1.

    References
    ----------
    Hansen, L. & Hodrick, R. (1980). Forward exchange rates as optimal predictors of future spot
    rates. Journal of Political Economy, 88(5), 829-853.

    Newey, W. & West, K. (1987). A simple, positive semi-definite, heteroskedasticity and
    autocorrelation consistent covariance matrix. Econometrica, 55(3), 703-708.

    Rao, J. & Scott, A. (1992). A simple method for the analysis of clustered binary data.
    Biometrics, 48(2), 577-585.

    Examples
    --------
    >>> exceedances = np.isin(np.arange(500), [40, 41, 200, 201, 300, 301, 420, 421])
    >>> result = hac_coverage(exceedances, horizon=2)
    >>> round(result.statistic, 3), round(result.pvalue, 3)
    (0.957, 0.2)
    """
    check_confidence(confidence)
    check_horizon(horizon)
    marked = check_record(exceedances, "days")
    statistic, pvalue = effective_pvalues(
        marked.astype(np.int64), 1, horizon=horizon, confidence=confidence, lags=lags
    )
    last = horizon - 1 if lags is None else lags
    return TestResult(
        "Binomial with a HAC variance",
        float(statistic),
        float(pvalue),
        True,
        f"dependence over lags of at most {last} days; effective counts",
    )
