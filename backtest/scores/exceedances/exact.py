"""P-values of coverage tests without asymptotics: by counting all records, or by simulation.

The chi-squared law of the likelihood ratios is an approximation: at a nominal 5 % Kupiec's test
rejects 9.48 % of right models over 250 days at 99 %. With independent days all possible records can
be counted instead, because the statistic depends only on the number of exceedances, on the number
of their runs, and on the first and the last day.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrc, gammaln, xlogy

from backtest.scores.checks import check_confidence
from backtest.scores.exceedances.counts import independence_statistic, unconditional_statistic
from backtest.scores.exceedances.coverage import transition_counts
from backtest.scores.exceedances.record import runs_of
from backtest.scores.result import TestResult
from backtest.types import DataError, FloatArray, StudyError

# Statistics that differ by no more than this differ by rounding and count as equal.
SAME = 1e-9
# Counts with a smaller total probability than this are left out of the sum.
NEGLIGIBLE = 1e-14

IntArray = NDArray[np.int64]
Test = Literal["coverage", "independence", "conditional coverage"]


def kupiec_exact(exceedances: int, observations: int, *, confidence: float = 0.99) -> TestResult:
    """Kupiec's test by the binomial law: probability of all counts with at least this ratio.

    Examples
    --------
    >>> round(kupiec_exact(6, 250).pvalue, 4)
    0.1222
    """
    check_confidence(confidence)
    _check_counts(exceedances, observations)
    every = np.arange(observations + 1)
    whole = np.full(every.shape, observations)
    ratio = unconditional_statistic(every, whole, confidence=confidence)
    law = np.exp(_log_binomial(every, observations, confidence))
    return TestResult(
        "Kupiec proportion of failures",
        float(ratio[exceedances]),
        float(min(1.0, law[ratio >= ratio[exceedances] - SAME].sum())),
        observations > 0,
        "independent days; the binomial, exact",
    )


def kupiec_size(observations: int, *, confidence: float = 0.99, level: float = 0.05) -> float:
    """How often Kupiec's chi-squared test rejects a right model: its true size.

    Examples
    --------
    >>> round(kupiec_size(250), 6)
    0.09476
    """
    from scipy.special import chdtrc

    check_confidence(confidence)
    every = np.arange(observations + 1)
    whole = np.full(every.shape, observations)
    ratio = unconditional_statistic(every, whole, confidence=confidence)
    law = np.exp(_log_binomial(every, observations, confidence))
    return float(law[chdtrc(1.0, ratio) <= level].sum())


def binomial_one_sided(
    exceedances: int, observations: int, *, confidence: float = 0.99, too: str = "many"
) -> TestResult:
    """Binomial test: probability of at least (`too` 'many') or at most ('few') this count.

    Examples
    --------
    >>> round(binomial_one_sided(22, 2196).pvalue, 4)
    0.5254
    >>> round(binomial_one_sided(0, 250, too="few").pvalue, 4)
    0.0811
    """
    check_confidence(confidence)
    _check_counts(exceedances, observations)
    if too not in ("many", "few"):
        raise StudyError(f"too is {too!r}; known: 'many', 'few'.")
    rate = 1.0 - confidence
    if too == "few":
        pvalue = float(bdtr(exceedances, observations, rate))
    else:
        pvalue = float(bdtrc(exceedances - 1, observations, rate)) if exceedances else 1.0
    return TestResult(
        f"Binomial, too {too}",
        float(exceedances),
        pvalue,
        observations > 0,
        "independent days; the binomial, exact",
    )


def exact_pvalue(
    exceedances: ArrayLike, *, test: Test = "independence", confidence: float = 0.99
) -> float:
    """P-value by counting all records of this length with independent days at 1 - confidence.

    Ties count against the model. A record in which the ratio is not identified counts with ratio 0.
    The p-value is NaN if `exceedances` is such a record.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, without a missing day.
    test : 'coverage' (Kupiec), 'independence' or 'conditional coverage' (Christoffersen).

    Raises
    ------
    DataError : a missing day. StudyError : an unknown test.

    References
    ----------
    Counting by runs: Mood, A. (1940). The distribution theory of runs. Annals of Mathematical
    Statistics, 11(4), 367-392.

    Examples
    --------
    >>> record = np.isin(np.arange(12), [2, 3, 4])
    >>> round(exact_pvalue(record, confidence=0.8), 6)
    0.05695
    """
    check_confidence(confidence)
    runs = runs_of(exceedances)
    if len(runs) != 1 or len(runs[0]) != len(np.asarray(exceedances)):
        raise DataError("exact p-values need every day; use monte_carlo_pvalue for this record.")
    record = runs[0]
    days, count = len(record), int(record.sum())
    if test == "coverage":
        return kupiec_exact(count, days, confidence=confidence).pvalue
    if test not in ("independence", "conditional coverage"):
        raise StudyError(f"test is {test!r}; known: coverage, independence, conditional coverage.")
    n00, n01, n10, n11 = (np.asarray(n) for n in transition_counts(record))
    if n00 + n01 == 0 or n10 + n11 == 0:
        return float("nan")
    joint = test == "conditional coverage"
    ratio = float(independence_statistic(n00, n01, n10, n11))
    if joint:
        ratio += float(
            unconditional_statistic(np.array(count), np.array(days), confidence=confidence)
        )
    return min(1.0, _at_least(ratio, days, confidence, joint))


def _at_least(statistic: float, days: int, confidence: float, joint: bool) -> float:
    """Probability of a ratio at least this large over all records of `days` independent days."""
    ratios, weights = _law_of_records(days, confidence, joint)
    return float(weights[ratios >= statistic - SAME].sum())


@lru_cache(maxsize=16)
def _law_of_records(days: int, confidence: float, joint: bool) -> tuple[FloatArray, FloatArray]:
    """Ratios of all classes of records of `days` independent days, and their probabilities."""
    counts, ratios, weights = _classes_of_records(days, confidence)
    if joint:
        whole = np.full(counts.shape, days)
        ratios = ratios + unconditional_statistic(counts, whole, confidence=confidence)
    return ratios, weights


@lru_cache(maxsize=4)
def _classes_of_records(days: int, confidence: float) -> tuple[IntArray, FloatArray, FloatArray]:
    """Count, independence ratio and probability of each class of records with the same runs.

    Records with one count are equally likely: their number times the probability of one.
    """
    every = np.arange(days + 1)
    counts = every[_log_binomial(every, days, confidence) > np.log(NEGLIGIBLE / (days + 1))]
    plain = counts[(counts == 0) | (counts == days)]  # one record each, whose ratio is 0
    inner, ratio, log_share = _runs_of_counts(counts[(counts > 0) & (counts < days)], days)
    count = np.concatenate([plain, inner])
    zeros = np.zeros(len(plain))
    log_one = xlogy(count, 1.0 - confidence) + xlogy(days - count, confidence)
    weight = np.exp(np.concatenate([zeros, log_share]) + log_one)
    # By count, so that sums over classes are added in one order whatever the days are.
    order = np.argsort(count, kind="stable")
    return count[order], np.concatenate([zeros, ratio])[order], weight[order]


def _runs_of_counts(counts: IntArray, days: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Count, independence ratio, and the log number of records, of each class with these counts."""
    # Runs of exceedances and of other days alternate; the states of the first and of the last day
    # fix how many there are of each, and so the transitions.
    ends = np.array([(first, last) for first in (0, 1) for last in (0, 1)])
    count, (first, last) = np.repeat(counts, len(ends)), np.tile(ends, (len(counts), 1)).T
    most = np.minimum(count, days - count + 1)
    start = np.repeat(np.cumsum(most) - most, most)
    count, first, last = (np.repeat(values, most) for values in (count, first, last))
    runs = np.arange(len(count)) - start + 1
    rest = days - count
    gaps = runs + 1 - first - last  # runs of days without an exceedance
    real = (gaps >= 1) & (gaps <= rest)
    count, first, last, runs, rest, gaps = (
        values[real] for values in (count, first, last, runs, rest, gaps)
    )
    ratio = independence_statistic(rest - gaps, runs - first, runs - last, count - runs)
    return count, ratio, _log_choose(count - 1, runs - 1) + _log_choose(rest - 1, gaps - 1)


def monte_carlo_pvalue(
    test: Callable[[FloatArray], TestResult | float],
    exceedances: ArrayLike,
    *,
    confidence: float = 0.99,
    draws: int = 999,
    seed: int = 0,
) -> float:
    """P-value of any statistic of a record, by simulation of records with independent days.

    Exact in small samples at a level that is a multiple of 1 / (draws + 1). Ties are broken at
    random, after Dufour, and missing days stay missing. A simulated record that is not identified
    counts as the smallest; if `exceedances` is not identified the p-value is NaN.

    test : takes (days,) floats, NaN where a day is missing, and returns a result or its statistic
        (NaN if not identified); large values are evidence against the model.

    References
    ----------
    Dufour, J.-M. (2006). Monte Carlo tests with nuisance parameters. Journal of Econometrics,
    133(2), 443-477.

    Examples
    --------
    >>> record = np.isin(np.arange(250), [99, 100])
    >>> from backtest.scores import christoffersen_independence
    >>> monte_carlo_pvalue(christoffersen_independence, record, draws=199) < 0.05
    True
    """
    check_confidence(confidence)
    runs_of(exceedances)
    numbers = np.asarray(exceedances, dtype=np.float64)

    def statistic(record: FloatArray) -> float:
        result = test(record)
        if not isinstance(result, TestResult):
            return result
        return result.statistic if result.identified else float("nan")

    observed = statistic(numbers)
    if np.isnan(observed):
        return float("nan")
    rng = np.random.default_rng(seed)
    null = np.empty(draws)
    for i in range(draws):
        record = (rng.random(len(numbers)) < 1.0 - confidence).astype(np.float64)
        record[np.isnan(numbers)] = np.nan
        null[i] = statistic(record)
    return tied_pvalue(observed, null, rng)


def tied_pvalue(observed: float, null: FloatArray, rng: np.random.Generator) -> float:
    """P-value of a statistic among those under H0, ties broken at random; NaN ranks lowest.

    `ranks.tied_pvalues` gives those of many statistics at once.

    Examples
    --------
    >>> tied_pvalue(2.0, np.array([1.0, 3.0, np.nan]), np.random.default_rng(0))
    0.5
    """
    statistics = np.nan_to_num(null, nan=-np.inf)
    above = int((statistics > observed + SAME).sum())
    tied = int((np.abs(statistics - observed) <= SAME).sum())
    return (above + int(rng.integers(0, tied + 1)) + 1) / (len(statistics) + 1)


def _log_binomial(counts: np.ndarray, days: int, confidence: float) -> FloatArray:
    log = _log_choose(days, counts) + xlogy(counts, 1.0 - confidence)
    return np.asarray(log + xlogy(days - counts, confidence))


def _log_choose(whole: int | IntArray, part: np.ndarray) -> FloatArray:
    return np.asarray(gammaln(whole + 1) - gammaln(part + 1) - gammaln(whole - part + 1))


def _check_counts(exceedances: int, observations: int) -> None:
    if not 0 <= exceedances <= observations or observations < 1:
        raise StudyError(
            f"{exceedances} exceedances in {observations} days; give a count from 0 to the days."
        )
