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
