"""Tests that assume independent days, applied to overlapping losses: on every H-th day."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from backtest.scores.checks import as_indicator
from backtest.scores.result import TestResult
from backtest.types import BoolArray, FloatArray, StudyError


def over_phases(
    test: Callable[[BoolArray], TestResult | FloatArray], exceedances: ArrayLike, *, horizon: int
) -> tuple[FloatArray, FloatArray]:
    """Run a test on every `horizon`-th day, once for each starting day.

    Losses over H days overlap: neighbouring exceedances share H - 1 days of news, so a test that
    assumes independent days does not apply. Losses H days apart do not overlap, and there are H
    starting days. The p-values of these phases are dependent: their minimum is not a p-value.

    Parameters
    ----------
    test : takes (days,) and returns a TestResult, or (days, portfolios) and returns p-values.
    exceedances : (days,) or (days, portfolios) bool or 0/1.
    horizon : days between two observations, 1 or more.

    Returns
    -------
    median, minimum : p-values over the identified phases, () or (portfolios,); NaN where no phase
        is identified.

    Raises
    ------
    StudyError
        When horizon is below 1.

    Examples
    --------
    >>> from backtest.scores.exceedances.coverage import kupiec
    >>> exceedances = np.isin(np.arange(500), [7, 8])
    >>> median, minimum = over_phases(kupiec, exceedances, horizon=2)
    >>> round(float(median), 3), round(float(minimum), 3)
    (0.278, 0.278)
    """
    if horizon < 1:
        raise StudyError(f"horizon is {horizon}; give whole margin days, 1 or more.")
    marked = as_indicator(exceedances)
    phases = []
    for start in range(horizon):
        outcome = test(marked[start::horizon])
        phases.append(outcome.pvalue if isinstance(outcome, TestResult) else outcome)
    # NaN sorts last, so the p-values of the identified phases come first.
    ordered = np.sort(np.array(phases, dtype=np.float64), axis=0)
    identified = np.count_nonzero(~np.isnan(ordered), axis=0, keepdims=True)
    below = np.take_along_axis(ordered, np.maximum(identified - 1, 0) // 2, axis=0)[0]
    above = np.take_along_axis(ordered, np.minimum(identified // 2, horizon - 1), axis=0)[0]
    median = np.where(identified[0] > 0, 0.5 * (below + above), np.nan)
    return median, ordered[0]


def cauchy_combination(pvalues: ArrayLike) -> float:
    r"""One p-value from those of dependent tests of the same hypothesis, such as the phases.

    .. math:: T = \frac{1}{k} \sum_j \cot(\pi p_j), \qquad p = \tfrac12 - \arctan(T) / \pi

    Small p-values decide, and dependence between the tests hardly moves the size. The median of
    phases rejects 0 to 4 % at 5 %; this form 5 % on average, and with the power of more data: tests
    of forecasts over losses of 2 and 5 days, docs/statistics.md.

    Parameters
    ----------
    pvalues : (tests,) in [0, 1]; NaN where not identified.

    Returns
    -------
    P-value; NaN where no test is identified.

    References
    ----------
    Liu, Y. & Xie, J. (2020). Cauchy combination test: a powerful test with analytic p-value
    calculation under arbitrary dependency structures. Journal of the American Statistical
    Association, 115(529), 393-402.

    Examples
    --------
    >>> [round(cauchy_combination(p), 4) for p in ([0.04, 0.04, np.nan], [0.01, 0.6])]
    [0.04, 0.0202]
    """
    values = np.asarray(pvalues, dtype=np.float64)
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    inside = np.clip(known, 1e-300, 1.0 - 1e-10)  # the cotangent has no value at 0 and 1
    return float(np.arctan2(1.0, np.mean(1.0 / np.tan(np.pi * inside))) / np.pi)
