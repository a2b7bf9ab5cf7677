"""Likelihood-ratio tests of coverage: of the number of exceedances, and of their independence.

The tests are two-sided and assume independent days. But over-coverage is a cost and not a failure,
and losses over several days overlap, so the verdict of this project is `coverage_p` (verdict.py).
These tests are shown beside it because risk desks know them.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from backtest.scores.checks import as_indicator, check_confidence
from backtest.scores.exceedances.counts import (
    Counts,
    coverage_counts,
    independence_counts,
    independence_of,
    kupiec_counts,
    unconditional_statistic,
)
from backtest.scores.exceedances.record import runs_of
from backtest.scores.result import TestResult
from backtest.types import BoolArray, FloatArray


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
    statistic, identified = independence_of(*transition_counts(as_indicator(exceedances)))
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
    return kupiec_counts(*_rate(exceedances), confidence=confidence)


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
    return independence_counts(_transitions(exceedances))


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
    return coverage_counts(*_rate(exceedances), _transitions(exceedances), confidence=confidence)


def _rate(exceedances: ArrayLike) -> tuple[int, int]:
    """Exceedances, and known days, of one record."""
    runs = runs_of(exceedances)
    return sum(int(np.count_nonzero(run)) for run in runs), sum(len(run) for run in runs)


def _transitions(exceedances: ArrayLike) -> list[int]:
    """Transitions of one record between neighbouring known days."""
    counts = np.zeros(4, dtype=np.int64)
    for run in runs_of(exceedances):
        counts += transition_counts(run)
    return [int(n) for n in counts]
