"""Test of clusters by Ziggel, Berens, Weiss and Wied: the sum of squared spells, simulated."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backtest.scores.exceedances.exact import tied_pvalue
from backtest.scores.exceedances.ranks import tied_pvalues
from backtest.scores.exceedances.record import runs_of
from backtest.scores.result import TestResult
from backtest.types import BoolArray, DataError, FloatArray, StudyError

FEW = 32  # exceedances; most records have fewer, and share what is drawn for so many


def squared_spells(exceedances: ArrayLike, *, draws: int = 999, seed: int = 0) -> TestResult:
    r"""Test that exceedances, given their number, are spread over the days at random.

    .. math:: t_1^2 + \sum_{i=2}^{m} (t_i - t_{i-1})^2 + (n - t_m)^2

    with the days :math:`t_i` of exceedances in 1 .. n. It is large if exceedances cluster, because
    the other spells are then long. The law given m is simulated: under independent days every
    choice of m days out of n is equally likely at any rate, so the p-value is exact. It is
    one-sided, with ties broken at random.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, without a missing day.

    Returns
    -------
    TestResult; not identified with fewer than two exceedances, or if all days are exceedances.

    Raises
    ------
    DataError : a missing day. StudyError : draws below 1.

    References
    ----------
    Ziggel, D., Berens, T., Weiss, G. & Wied, D. (2014). A new set of improved Value-at-Risk
    backtests. Journal of Banking & Finance, 48, 29-41.

    Examples
    --------
    >>> result = squared_spells(np.isin(np.arange(250), [49, 50, 51]))
    >>> result.statistic, result.verdict()
    (41706.0, 'rejected')
    """
    if draws < 1:
        raise StudyError(f"draws is {draws}; give 1 or more.")
    runs = runs_of(exceedances)
    days = len(np.asarray(exceedances))
    if sum(len(run) for run in runs) != days or len(runs) > 1:
        raise DataError("the sum of squared spells needs every day; a day is missing.")
    name, assumed = "Ziggel et al. squared spells", f"independent days; {draws:,} drawn records"
    count = int(runs[0].sum()) if runs else 0
    if count < 2 or count == days:
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    statistic = _sum_of_squares(runs[0])
    null = _drawn_sums(days, count, draws, seed)
    return TestResult(
        name, statistic, tied_pvalue(statistic, null, np.random.default_rng(seed)), True, assumed
    )


def squared_spells_pvalues(records: BoolArray, *, draws: int = 999, seed: int = 0) -> FloatArray:
    """P-values of `squared_spells` for many records, (days, records); NaN where not identified.

    Examples
    --------
    >>> record = np.isin(np.arange(250), [49, 50, 51])
    >>> many = squared_spells_pvalues(np.column_stack([record, record & False]))
    >>> bool(many[0] == squared_spells(record).pvalue), bool(np.isnan(many[1]))
    (True, True)
    """
    counts = np.count_nonzero(records, axis=0)
    pvalues = np.full(len(counts), np.nan)
    for count in np.unique(counts[(counts >= 2) & (counts < len(records))]).tolist():
        alike = np.flatnonzero(counts == count)
        days = np.nonzero(records[:, alike].T)[1].reshape(-1, count) + 1.0
        statistics = (np.diff(days, prepend=0.0, append=len(records)) ** 2).sum(axis=1)
        null = _drawn_sums(len(records), count, draws, seed)
        pvalues[alike] = tied_pvalues(statistics, null, seed=seed)
    return pvalues


@lru_cache(maxsize=64)
def _drawn_sums(days: int, count: int, draws: int, seed: int) -> FloatArray:
    """Sums of records with `count` exceedances on days drawn without replacement."""
    chosen = np.sort(_shuffled_days(days, max(count, FEW), draws, seed)[:, :count], axis=1) + 1.0
    return np.asarray((np.diff(chosen, prepend=0.0, append=days) ** 2).sum(axis=1))


@lru_cache(maxsize=4)
def _shuffled_days(days: int, count: int, draws: int, seed: int) -> NDArray[np.intp]:
    """(draws, count) day numbers in random order: the first m of them are m days without order."""
    numbers = np.random.default_rng(seed).random((draws, days))
    if count < days:
        # The smallest numbers come first: to find them takes less than to put all in order.
        smallest = np.argpartition(numbers, count, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(numbers, smallest, axis=1), axis=1)
        return np.take_along_axis(smallest, order, axis=1)
    return np.argsort(numbers, axis=1)


def _sum_of_squares(record: BoolArray) -> float:
    days = np.flatnonzero(record) + 1.0
    return float((np.diff(days, prepend=0.0, append=len(record)) ** 2).sum())
