"""Tests of waiting times against a geometric law: to the first exceedance, and to all others."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from backtest.scores.checks import check_confidence
from backtest.scores.exceedances.coverage import kupiec
from backtest.scores.exceedances.record import runs_of
from backtest.scores.result import TestResult
from backtest.types import FloatArray, StudyError


def time_to_first_exceedance(exceedances: ArrayLike, *, confidence: float = 0.99) -> TestResult:
    r"""Kupiec's TUFF: the day of the first exceedance against a rate of 1 - confidence.

    .. math:: -2 \ln \frac{p (1-p)^{n-1}}{(1/n)(1-1/n)^{n-1}}

    Not identified without an exceedance, or if a day before the first one is missing.

    References
    ----------
    Kupiec, P. (1995). Techniques for verifying the accuracy of risk measurement models.
    Journal of Derivatives, 3(2), 73-84.

    Examples
    --------
    >>> round(time_to_first_exceedance(np.arange(1043) == 57, confidence=0.95).statistic, 4)
    1.7354
    """
    runs = runs_of(exceedances)
    if not runs or not runs[0].any() or np.isnan(np.asarray(exceedances, dtype=np.float64)[0]):
        return first_exceedance_on(None, confidence=confidence)
    return first_exceedance_on(int(np.argmax(runs[0])) + 1, confidence=confidence)


def first_exceedance_on(day: int | None, *, confidence: float = 0.99) -> TestResult:
    """`time_to_first_exceedance` from its day number, counted from 1; None without an exceedance.

    Raises
    ------
    StudyError : a day below 1; a confidence outside (0, 1).

    Examples
    --------
    >>> round(first_exceedance_on(58, confidence=0.95).statistic, 4)
    1.7354
    """
    check_confidence(confidence)
    name, assumed = "Kupiec time until first failure", "independent days; chi-squared, 1 df"
    if day is None:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    if day < 1:
        raise StudyError(f"the first exceedance is on day {day}; the first day is 1.")
    statistic = float(waiting_ratio(np.array([float(day)]), confidence)[0])
    return TestResult(name, statistic, float(chdtrc(1.0, statistic)), True, assumed)


def time_between_exceedances(exceedances: ArrayLike, *, confidence: float = 0.99) -> TestResult:
    """Haas's TBFI: every spell, the first from the start, against the rate; x df.

    The spell from the start of the record counts as complete, as in Haas; the spell after the last
    exceedance does not count. The sum does not follow the chi-squared law: at 5 % a right model is
    rejected in 11 % of records of 1,000 days at 99 %, 16 % at 95 %; use `monte_carlo_pvalue`.

    References
    ----------
    Haas, M. (2001). New methods in backtesting. caesar, Bonn.

    Examples
    --------
    >>> result = time_between_exceedances(np.arange(1000) % 100 == 99)
    >>> round(result.statistic, 9), round(result.pvalue, 9)
    (0.0, 1.0)
    """
    check_confidence(confidence)
    name = "Haas time between failures, independence"
    waits = _waits(exceedances)
    assumed = f"independent days; chi-squared, {len(waits)} df"
    if len(waits) == 0:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    statistic = float(waiting_ratio(waits, confidence).sum())
    return TestResult(name, statistic, float(chdtrc(len(waits), statistic)), True, assumed)


def mixed_kupiec(exceedances: ArrayLike, *, confidence: float = 0.99) -> TestResult:
    """Haas's TBF: the rate (Kupiec) and every spell together; x + 1 df.

    References
    ----------
    Haas, M. (2001). New methods in backtesting. caesar, Bonn.

    Examples
    --------
    >>> result = mixed_kupiec(np.arange(1000) % 100 == 99)
    >>> round(result.statistic, 9), round(result.pvalue, 9)
    (0.0, 1.0)
    """
    spells = time_between_exceedances(exceedances, confidence=confidence)
    rate = kupiec(exceedances, confidence=confidence)
    freedom = len(_waits(exceedances)) + 1
    name, assumed = "Haas mixed Kupiec", f"independent days; chi-squared, {freedom} df"
    if not spells.identified:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    statistic = spells.statistic + rate.statistic
    return TestResult(name, statistic, float(chdtrc(freedom, statistic)), True, assumed)


def _waits(exceedances: ArrayLike) -> FloatArray:
    """Days to each exceedance, from the start of its run or from the one before it."""
    waits = [np.diff(np.flatnonzero(run), prepend=-1) for run in runs_of(exceedances)]
    return np.concatenate(waits).astype(np.float64) if waits else np.empty(0)


def waiting_ratio(waits: FloatArray, confidence: float) -> FloatArray:
    """Likelihood ratio of each geometric wait; n = 1 gives -2 ln p.

    Examples
    --------
    >>> waiting_ratio(np.array([1.0, 100.0]), 0.99).round(4).tolist()
    [9.2103, 0.0]
    """
    rate = 1.0 - confidence
    best_fit = np.where(waits > 1, (waits - 1.0) * np.log1p(-1.0 / np.maximum(waits, 2.0)), 0.0)
    ratio = np.log(rate) + (waits - 1.0) * np.log(confidence) + np.log(waits) - best_fit
    return np.asarray(np.maximum(-2.0 * ratio, 0.0))
