"""Likelihood ratios of coverage from counts alone, for a record known only from a report."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, xlogy

from backtest.scores.checks import check_confidence
from backtest.scores.result import TestResult
from backtest.types import BoolArray, FloatArray, StudyError

Counts = NDArray[np.int64]  # (...,), one a portfolio


def _share(part: Counts, whole: Counts) -> FloatArray:
    """Return part / whole, 0 where whole is 0."""
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
    observed_rate = _share(exceedances, observations)
    ratio = 2.0 * (
        xlogy(observations - exceedances, (1.0 - observed_rate) / confidence)
        + xlogy(exceedances, observed_rate / rate)
    )
    return np.where(np.asarray(observations) > 0, np.maximum(ratio, 0.0), np.nan)


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


def independence_of(
    n00: Counts, n01: Counts, n10: Counts, n11: Counts
) -> tuple[FloatArray, BoolArray]:
    """Statistic, and whether it is identified: both states are followed by a day at least once."""
    identified = (n00 + n01 > 0) & (n10 + n11 > 0)
    return independence_statistic(n00, n01, n10, n11), np.asarray(identified)


def kupiec_counts(exceedances: int, observations: int, *, confidence: float = 0.99) -> TestResult:
    """Kupiec's test from the number of exceedances; equals `kupiec` of the whole record.

    Raises
    ------
    StudyError : a count below 0 or above the days; a confidence outside (0, 1).

    References
    ----------
    Kupiec, P. (1995). Techniques for verifying the accuracy of risk measurement models.
    Journal of Derivatives, 3(2), 73-84.

    Examples
    --------
    >>> round(kupiec_counts(57, 1043, confidence=0.95).statistic, 5)
    0.46147
    """
    check_confidence(confidence)
    if not 0 <= exceedances <= observations:
        raise StudyError(
            f"{exceedances} exceedances in {observations} days; give a count from 0 to the days."
        )
    count, days = np.array(exceedances), np.array(observations)
    statistic = float(unconditional_statistic(count, days, confidence=confidence))
    return TestResult(
        "Kupiec proportion of failures",
        statistic,
        float(chdtrc(1.0, statistic)),
        observations > 0,
        "independent days; chi-squared, 1 df",
    )


def independence_counts(transitions: Sequence[int]) -> TestResult:
    """Christoffersen's independence test from its four counts.

    transitions : n00, n01, n10, n11: numbers of days by (state of the day before, state of the
        day), where 1 is an exceedance.

    Raises
    ------
    StudyError : not four counts of 0 or more.

    References
    ----------
    Christoffersen, P. (1998). Evaluating interval forecasts. International Economic Review,
    39(4), 841-862.

    Examples
    --------
    >>> round(independence_counts([932, 53, 53, 4]).statistic, 5)
    0.25866
    """
    if len(transitions) != 4 or min(transitions) < 0:
        raise StudyError(f"transitions are {list(transitions)}; give n00, n01, n10, n11.")
    statistic, identified = independence_of(*np.array(transitions, dtype=np.int64))
    is_identified = bool(identified)
    return TestResult(
        "Christoffersen independence",
        float(statistic),
        float(chdtrc(1.0, statistic)) if is_identified else float("nan"),
        is_identified,
        "a first-order Markov chain; chi-squared, 1 df",
    )


def coverage_counts(
    exceedances: int,
    observations: int,
    transitions: Sequence[int],
    *,
    confidence: float = 0.99,
) -> TestResult:
    """Christoffersen's conditional coverage: the sum of `kupiec_counts` and `independence_counts`.

    Examples
    --------
    >>> round(coverage_counts(57, 1043, [932, 53, 53, 4], confidence=0.95).statistic, 5)
    0.72013
    """
    rate = kupiec_counts(exceedances, observations, confidence=confidence)
    independence = independence_counts(transitions)
    is_identified = rate.identified and independence.identified
    statistic = rate.statistic + independence.statistic
    return TestResult(
        "Christoffersen conditional coverage",
        statistic,
        float(chdtrc(2.0, statistic)) if is_identified else float("nan"),
        is_identified,
        "a first-order Markov chain; chi-squared, 2 df",
    )
