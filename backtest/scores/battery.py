"""All tests of a record of exceedances: one row for each portfolio, like MATLAB's runtests.

P-values hold in small samples: they are counted exactly where possible, else simulated, because the
chi-squared laws reject right models too often at 99 % (docs/statistics.md). Counting and simulation
use the rate that the model claims, for the tests of independence too.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from backtest.scores.checks import as_indicator, check_confidence, column_blocks
from backtest.scores.exceedances.coverage import (
    christoffersen_coverage,
    christoffersen_independence,
    kupiec,
    transition_counts,
)
from backtest.scores.exceedances.durations import gmm_duration, weibull_duration
from backtest.scores.exceedances.dynamic_quantile import dynamic_quantile
from backtest.scores.exceedances.exact import exact_pvalue, kupiec_exact
from backtest.scores.exceedances.many_durations import weibull_statistics
from backtest.scores.exceedances.many_quantiles import quantile_statistics
from backtest.scores.exceedances.many_waits import (
    between_statistics,
    first_statistics,
    gmm_statistics,
    mixed_statistics,
)
from backtest.scores.exceedances.right_model import Law, Statistics
from backtest.scores.exceedances.squared_spells import squared_spells_pvalues
from backtest.scores.exceedances.waiting import (
    mixed_kupiec,
    time_between_exceedances,
    time_to_first_exceedance,
)
from backtest.scores.exceedances.zones import Zone, zones_of
from backtest.scores.overlapping.overlap import binomial_pvalues, check_horizon
from backtest.scores.result import TestResult
from backtest.types import (
    BoolArray,
    DataError,
    DaysByPortfolios,
    FloatArray,
    Progress,
    StudyError,
    counted,
    unheard,
)

Statistic = Callable[[BoolArray, float], TestResult]  # of a record at a confidence
Classes = Callable[[BoolArray], NDArray[np.int64]]  # of (days, records): (records, numbers)
# Of the records of a phase and their requirements, (days, portfolios) each: (portfolios,).
PValues = Callable[[Law, BoolArray, DaysByPortfolios], FloatArray]
ZONES: tuple[Zone, ...] = ("green", "yellow", "red")
UNKNOWN = float("nan")


def battery(
    exceedances: ArrayLike,
    required: ArrayLike,
    *,
    confidence: float = 0.99,
    horizon: int = 1,
    level: float = 0.05,
    draws: int = 499,
    seed: int = 0,
    verdict_p: FloatArray | None = None,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Run all tests of exceedance records, on days whose losses do not overlap.

    Every test here assumes independent days. Losses over `horizon` days are dependent, so each test
    uses every horizon-th day, from each starting day in turn (a phase), and its p-value is the
    median over the phases in which it is identified. A median of dependent p-values is a summary,
    usually a cautious one, without a proven size: `coverage_p` remains the verdict. 'binomial' is
    one-sided (too many exceedances). The other tests that use the rate (kupiec,
    conditional_coverage, tuff, tbf, tbfi, gmm) reject over-coverage too.

    Parameters
    ----------
    exceedances : (days, portfolios) bool or 0/1, consecutive margin days.
    required : (days, portfolios) requirement of the same day, for the dynamic quantile test.
    horizon : MPOR in margin days. level : significance level of the verdicts.
    draws : simulated records for the p-values that cannot be counted, the same for all portfolios:
        with 499 the standard error of a nominal 5 % is 1 %, with the same error in all rows. 0
        takes the chi-squared laws for all tests but the binomial (squared_spells has no such law
        and is then not identified).
    verdict_p : (portfolios,) p-values of `coverage_p`, shown first; None leaves them out.
    progress : told of the tests that are done.

    Returns
    -------
    One row for each portfolio: observations and exceedances (all days), coverage_p and its verdict
    if given, every (the horizon), zone (Basel's, by the binomial for the days of a phase; the upper
    median over phases), then for each test its p-value `<test>_p` and its verdict `<test>`:
    'rejected', 'not rejected', or 'not identified' (p-value NaN), which is not a pass.

    Raises
    ------
    DataError, StudyError
        For shapes that differ, values other than 0 and 1, a horizon below 1, a level or confidence
        outside (0, 1).

    Examples
    --------
    >>> exceedances = np.isin(np.arange(500), [90, 91, 92, 300])[:, None]
    >>> row = battery(exceedances, np.ones((500, 1)), draws=99).iloc[0]
    >>> row["zone"], row["kupiec"], row["christoffersen"]
    ('green', 'not rejected', 'rejected')
    """
    check_confidence(confidence)
    check_horizon(horizon)
    if not 0.0 < level < 1.0 or draws < 0:
        raise StudyError(f"level {level}, draws {draws}; give a level in (0, 1) and 0 draws up.")
    marked, margins = as_indicator(exceedances), np.asarray(required, dtype=np.float64)
    if marked.ndim != 2 or margins.shape != marked.shape or not len(marked):
        raise DataError(
            f"exceedances have shape {marked.shape} and required {margins.shape}; give both as "
            "(days, portfolios), with a day or more."
        )
    if np.isnan(margins).any():
        raise DataError("required holds NaN; cut the warm-up and the last days before scoring.")
    law = Law(confidence, draws, seed)
    phases = [slice(start, None, horizon) for start in range(min(horizon, len(marked)))]
    table: dict[str, object] = {"observations": len(marked), "exceedances": marked.sum(axis=0)}
    if verdict_p is not None:
        table |= {"coverage_p": verdict_p, "coverage": _verdicts(verdict_p, level)}
    table |= {"every": horizon, "zone": _zones([marked[phase] for phase in phases], confidence)}
    for test, pvalues_of in counted(progress, "tests", TESTS.items(), len(TESTS)):
        found = np.array([pvalues_of(law, marked[phase], margins[phase]) for phase in phases])
        table[f"{test}_p"] = pvalues = _medians(found)
        table[test] = _verdicts(pvalues, level)
    return pd.DataFrame(table, index=range(marked.shape[1]))


def verdict_of(pvalue: float, level: float) -> str:
    """Verdict of a p-value; NaN is 'not identified'.

    Examples
    --------
    >>> verdict_of(float("nan"), 0.05), verdict_of(0.01, 0.05)
    ('not identified', 'rejected')
    """
    return TestResult("", UNKNOWN, pvalue, not np.isnan(pvalue), "").verdict(level)


def _each(test: Callable[[BoolArray, float], float]) -> Statistics:
    """Apply a function of one record to many."""

    def many(records: BoolArray, confidence: float) -> FloatArray:
        return np.array([test(record, confidence) for record in records.T], dtype=np.float64)

    return many


def _known(result: TestResult) -> float:
    """The statistic; NaN where it is not identified."""
    return result.statistic if result.identified else float("nan")


def _counted(
    counted: Callable[[BoolArray, float], float], limit: Statistic, *, by: Classes
) -> PValues:
    """P-values counted over all possible records; chi-squared if `draws` is 0.

    by : whole numbers on which the p-value depends, so that one record of each kind is asked.
    """
    chi_squared = _each(lambda record, confidence: limit(record, confidence).pvalue)

    def pvalues(law: Law, records: BoolArray, required: DaysByPortfolios) -> FloatArray:
        if not law.draws:
            return chi_squared(records, law.confidence)
        _, first, kind = np.unique(by(records), axis=0, return_index=True, return_inverse=True)
        return _each(counted)(records[:, first], law.confidence)[kind.ravel()]

    return pvalues


def _among_drawn(test: Statistic, statistics: Statistics | None = None) -> PValues:
    """P-values among simulated records; chi-squared if `draws` is 0.

    statistics : those of the test, of many records at once, NaN where not identified; unless
        given, of one record after another.
    """
    of_many = statistics or _each(lambda record, confidence: _known(test(record, confidence)))
    chi_squared = _each(lambda record, confidence: test(record, confidence).pvalue)

    def pvalues(law: Law, records: BoolArray, required: DaysByPortfolios) -> FloatArray:
        if not law.draws:
            return chi_squared(records, law.confidence)
        observed = of_many(records, law.confidence)
        return law.rank(observed, law.null(of_many, len(records)))

    return pvalues


def _dynamic_quantile(law: Law, records: BoolArray, required: DaysByPortfolios) -> FloatArray:
    """P-values among simulated records with the book's requirement, on which the law depends."""
    if not law.draws:
        one = partial(dynamic_quantile, confidence=law.confidence)
        books = zip(records.T, required.T, strict=True)
        return np.array([one(record, margin).pvalue for record, margin in books])
    pvalues = np.empty(records.shape[1])
    for columns in column_blocks(*records.shape):
        margins = np.ascontiguousarray(required[:, columns])
        observed = quantile_statistics(records[:, columns], margins, confidence=law.confidence)
        pvalues[columns] = observed
        if not np.isnan(observed).all():
            null = law.null_quantiles(len(records)).statistics(margins)
            pvalues[columns] = law.rank(observed, null)
    return pvalues


def _squared_spells(law: Law, records: BoolArray, required: DaysByPortfolios) -> FloatArray:
    """P-values from the test's own draws, which have as many exceedances as the record."""
    if not law.draws:
        return np.full(records.shape[1], UNKNOWN)
    return squared_spells_pvalues(records, draws=law.draws, seed=law.seed)


def _transitions(records: BoolArray) -> NDArray[np.int64]:
    """(records, 5) exceedances and transitions, on which the exact tests of a record depend."""
    return np.column_stack([records.sum(axis=0), *transition_counts(records)]).astype(np.int64)


# In the order of the columns. A new test is a function in one of the rooms and a row here.
TESTS: dict[str, PValues] = {
    "binomial": lambda law, records, required: binomial_pvalues(
        records.sum(axis=0), len(records), confidence=law.confidence
    ),
    "kupiec": _counted(
        lambda record, level: kupiec_exact(int(record.sum()), len(record), confidence=level).pvalue,
        lambda record, level: kupiec(record, confidence=level),
        by=lambda records: records.sum(axis=0)[:, None],
    ),
    "christoffersen": _counted(
        lambda record, level: exact_pvalue(record, confidence=level),
        lambda record, level: christoffersen_independence(record),
        by=_transitions,
    ),
    "conditional_coverage": _counted(
        lambda record, level: exact_pvalue(record, test="conditional coverage", confidence=level),
        lambda record, level: christoffersen_coverage(record, confidence=level),
        by=_transitions,
    ),
    "dynamic_quantile": _dynamic_quantile,
    "tuff": _among_drawn(
        lambda record, level: time_to_first_exceedance(record, confidence=level), first_statistics
    ),
    "tbfi": _among_drawn(
        lambda record, level: time_between_exceedances(record, confidence=level), between_statistics
    ),
    "tbf": _among_drawn(
        lambda record, level: mixed_kupiec(record, confidence=level), mixed_statistics
    ),
    "weibull": _among_drawn(
        lambda record, level: weibull_duration(record),
        lambda records, level: weibull_statistics(records),
    ),
    "gmm": _among_drawn(
        lambda record, level: gmm_duration(record, confidence=level), gmm_statistics
    ),
    "squared_spells": _squared_spells,
}


def _zones(phases: list[BoolArray], confidence: float) -> list[Zone]:
    """Upper median over phases of the zone of each portfolio."""
    lights = [zones_of(phase.sum(axis=0), len(phase), confidence=confidence) for phase in phases]
    return [sorted(zones, key=ZONES.index)[len(zones) // 2] for zones in zip(*lights, strict=True)]


def _medians(pvalues: FloatArray) -> FloatArray:
    """(portfolios,) medians over phases, axis 0, of what is identified; NaN where nothing is."""
    # numpy's nanmedian takes longer for a few columns than the tests themselves.
    ranked, known = np.sort(pvalues, axis=0), np.count_nonzero(~np.isnan(pvalues), axis=0)
    column = np.arange(pvalues.shape[1])
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(ranked) - 1)
    return np.asarray(0.5 * (ranked[low, column] + ranked[high, column]))


def _verdicts(pvalues: FloatArray, level: float) -> list[str]:
    return [verdict_of(float(pvalue), level) for pvalue in pvalues]
