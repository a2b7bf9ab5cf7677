"""Likelihood-ratio tests of coverage: how many exceedances, and whether one calls the next.

The tests are two-sided and take days as independent. Over-coverage is a cost and not a failure,
and losses over several days overlap, so the verdict of this project is `coverage_p` (verdict.py);
these are printed beside it because everyone knows them.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, xlogy

from backtest.scores.checks import as_indicator, check_confidence
from backtest.scores.record import runs_of
from backtest.scores.result import TestResult
from backtest.types import BoolArray, FloatArray

Counts = NDArray[np.int64]  # (...,), one a portfolio


def _share(part: Counts, whole: Counts) -> FloatArray:
    """Give part / whole, 0 where whole is 0."""
    share = np.zeros(np.shape(whole))
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def unconditional_statistic(
    exceedances: Counts, observations: Counts, *, confidence: float
) -> FloatArray:
    r"""Kupiec's likelihood ratio from counts; NaN where there is no observation.

    .. math:: 2 \left[(T - x) \ln \frac{1 - x/T}{1 - p} + x \ln \frac{x/T}{p}\right],
              \qquad 0 \ln 0 = 0

    Examples
    --------
    >>> round(float(unconditional_statistic(np.array(57), np.array(1043), confidence=0.95)), 5)
    0.46147
    """
    rate = 1.0 - confidence
    seen = _share(exceedances, observations)
    ratio = 2.0 * (
        xlogy(observations - exceedances, (1.0 - seen) / confidence)
        + xlogy(exceedances, seen / rate)
    )
    return np.where(np.asarray(observations) > 0, np.maximum(ratio, 0.0), np.nan)


def transition_counts(exceedances: BoolArray) -> tuple[Counts, Counts, Counts, Counts]:
    """Days by (state yesterday, state today): n00, n01, n10, n11, each with the trailing shape.

    Examples
    --------
    >>> [int(n) for n in transition_counts(np.array([False, True, True, False, False]))]
    [1, 1, 1, 1]
    """
    before, after = exceedances[:-1], exceedances[1:]
    n11 = np.count_nonzero(before & after, axis=0)
    n10 = np.count_nonzero(before, axis=0) - n11
    n01 = np.count_nonzero(after, axis=0) - n11
    n00 = before.shape[0] - n11 - n10 - n01
    return np.asarray(n00), np.asarray(n01), np.asarray(n10), np.asarray(n11)


def independence_statistic(n00: Counts, n01: Counts, n10: Counts, n11: Counts) -> FloatArray:
    r"""Christoffersen's likelihood ratio of a Markov chain against independent days.

    .. math:: 2 \left[\sum_{ij} n_{ij} \ln \pi_{ij} - \sum_j n_{\cdot j} \ln \pi_j\right]

    Examples
    --------
    >>> counts = [np.array(n) for n in (932, 53, 53, 4)]
    >>> round(float(independence_statistic(*counts)), 5)
    0.25866
    """
    calm, stressed, total = n00 + n01, n10 + n11, n00 + n01 + n10 + n11
    after_calm, after_stressed = _share(n01, calm), _share(n11, stressed)
    overall = _share(n01 + n11, total)
    chain = (
        xlogy(n00, 1.0 - after_calm)
        + xlogy(n01, after_calm)
        + xlogy(n10, 1.0 - after_stressed)
        + xlogy(n11, after_stressed)
    )
    independent = xlogy(n00 + n10, 1.0 - overall) + xlogy(n01 + n11, overall)
    return np.asarray(np.maximum(2.0 * (chain - independent), 0.0))


def _independence(
    n00: Counts, n01: Counts, n10: Counts, n11: Counts
) -> tuple[FloatArray, BoolArray]:
    """Statistic, and whether both states are left at least once (else nothing is identified)."""
    identified = (n00 + n01 > 0) & (n10 + n11 > 0)
    return independence_statistic(n00, n01, n10, n11), np.asarray(identified)


def kupiec_pvalues(exceedances: ArrayLike, *, confidence: float = 0.99) -> FloatArray:
    """P-values of Kupiec's test for many portfolios at once.

    Parameters
    ----------
    exceedances : (days, portfolios) bool or 0/1.
    confidence : level the requirement is meant to cover, in (0, 1).

    Returns
    -------
    (portfolios,) p-values, NaN without a day.

    Examples
    --------
    >>> kupiec_pvalues(np.zeros((250, 2), bool)).round(4).tolist()
    [0.025, 0.025]
    """
    check_confidence(confidence)
    marked = as_indicator(exceedances)
    count = np.asarray(np.count_nonzero(marked, axis=0))
    days = np.full(count.shape, marked.shape[0])
    return np.asarray(chdtrc(1.0, unconditional_statistic(count, days, confidence=confidence)))


def christoffersen_pvalues(exceedances: ArrayLike) -> FloatArray:
    """P-values of Christoffersen's independence test for many portfolios at once.

    Parameters
    ----------
    exceedances : (days, portfolios) bool or 0/1.

    Returns
    -------
    (portfolios,) p-values, NaN where not identified.

    Examples
    --------
    >>> christoffersen_pvalues(np.zeros((250, 2), bool)).tolist()
    [nan, nan]
    """
    statistic, identified = _independence(*transition_counts(as_indicator(exceedances)))
    return np.where(identified, chdtrc(1.0, statistic), np.nan)


def kupiec(exceedances: ArrayLike, *, confidence: float = 0.99) -> TestResult:
    """Test, after Kupiec, whether the rate of exceedances is 1 - confidence.

    Two-sided: too few exceedances reject as well as too many.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, NaN where a day is missing: it is no observation.
    confidence : level the requirement is meant to cover, in (0, 1).

    Returns
    -------
    TestResult; not identified without a known day.

    Raises
    ------
    DataError, StudyError
        For values other than 0, 1 and NaN, and for a confidence outside (0, 1).

    References
    ----------
    Kupiec, P. (1995). Techniques for verifying the accuracy of risk measurement models.
    Journal of Derivatives, 3(2), 73-84.

    Examples
    --------
    >>> exceedances = np.arange(250) < 6
    >>> round(kupiec(exceedances, confidence=0.99).statistic, 3)
    3.555
    """
    check_confidence(confidence)
    runs = runs_of(exceedances)
    days, count = np.array(sum(map(len, runs))), np.array(sum(map(np.count_nonzero, runs)))
    statistic = float(unconditional_statistic(count, days, confidence=confidence))
    return TestResult(
        "Kupiec proportion of failures",
        statistic,
        float(chdtrc(1.0, statistic)),
        bool(days > 0),
        "independent days; chi-squared, 1 df",
    )


def christoffersen_independence(exceedances: ArrayLike) -> TestResult:
    """Test, after Christoffersen, whether an exceedance is likelier on the day after one.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, NaN where a day is missing: no transition crosses it.

    Returns
    -------
    TestResult; not identified unless both states, exceedance and none, are followed by a day.

    Raises
    ------
    DataError
        For values other than 0, 1 and NaN.

    References
    ----------
    Christoffersen, P. (1998). Evaluating interval forecasts. International Economic Review,
    39(4), 841-862.

    Examples
    --------
    >>> christoffersen_independence([0, 0, 0, 0]).identified
    False
    """
    moves = np.zeros(4, dtype=np.int64)
    for run in runs_of(exceedances):
        moves += transition_counts(run)
    statistic, identified = _independence(*moves)
    known = bool(identified)
    return TestResult(
        "Christoffersen independence",
        float(statistic),
        float(chdtrc(1.0, statistic)) if known else float("nan"),
        known,
        "a first-order Markov chain; chi-squared, 1 df",
    )


def christoffersen_coverage(exceedances: ArrayLike, *, confidence: float = 0.99) -> TestResult:
    """Test, after Christoffersen, for the right rate and independent days together.

    The sum of `kupiec` on all days and `christoffersen_independence` on their transitions, as in
    MATLAB and rugarch.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, NaN where a day is missing.
    confidence : level the requirement is meant to cover, in (0, 1).

    Returns
    -------
    TestResult; identified where both of its parts are.

    Raises
    ------
    DataError, StudyError
        For values other than 0, 1 and NaN, and for a confidence outside (0, 1).

    References
    ----------
    Christoffersen, P. (1998). Evaluating interval forecasts. International Economic Review,
    39(4), 841-862.

    Examples
    --------
    >>> exceedances = np.isin(np.arange(250), [99, 100])
    >>> round(christoffersen_coverage(exceedances).statistic, 3)
    7.602
    """
    rate = kupiec(exceedances, confidence=confidence)
    independence = christoffersen_independence(exceedances)
    known = rate.identified and independence.identified
    statistic = rate.statistic + independence.statistic
    return TestResult(
        "Christoffersen conditional coverage",
        statistic,
        float(chdtrc(2.0, statistic)) if known else float("nan"),
        known,
        "a first-order Markov chain; chi-squared, 2 df",
    )
