"""All tests of a record of exceedances: one row for each portfolio, like MATLAB's runtests.

P-values hold in small samples: they are counted exactly where possible, else simulated, because the
chi-squared laws reject right models too often at 99 % (docs/statistics.md). Counting and simulation
use the rate that the model claims, for the tests of independence too.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from backtest.scores.checks import as_indicator, check_confidence
from backtest.scores.exceedances.coverage import (
    christoffersen_coverage,
    christoffersen_independence,
    kupiec,
)
from backtest.scores.exceedances.durations import gmm_duration, weibull_duration
from backtest.scores.exceedances.dynamic_quantile import drawn_statistics, dynamic_quantile
from backtest.scores.exceedances.exact import (
    binomial_one_sided,
    exact_pvalue,
    kupiec_exact,
    tied_pvalue,
)
from backtest.scores.exceedances.squared_spells import squared_spells
from backtest.scores.exceedances.waiting import (
    mixed_kupiec,
    time_between_exceedances,
    time_to_first_exceedance,
)
from backtest.scores.exceedances.zones import Zone, traffic_light
from backtest.scores.overlapping.overlap import check_horizon
from backtest.scores.result import TestResult
from backtest.types import BoolArray, DataError, FloatArray, StudyError

Statistic = Callable[[BoolArray, float], TestResult]  # of a record at a confidence
PValue = Callable[["_Law", BoolArray, FloatArray], float]  # of a record and its requirement
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
    if marked.ndim != 2 or margins.shape != marked.shape or marked.shape[0] < horizon:
        raise DataError(
            f"exceedances have shape {marked.shape} and required {margins.shape}; give both as "
            "(days, portfolios), with a day for every phase."
        )
    if np.isnan(margins).any():
        raise DataError("required holds NaN; cut the warm-up and the last days before scoring.")
    law = _Law(confidence, draws, seed)
    rows = []
    for book in range(marked.shape[1]):
        phases = [slice(start, None, horizon) for start in range(horizon)]
        records = [marked[phase, book] for phase in phases]
        row: dict[str, object] = {"observations": len(marked), "exceedances": marked[:, book].sum()}
        if verdict_p is not None:
            pvalue = float(verdict_p[book])
            row |= {"coverage_p": pvalue, "coverage": verdict_of(pvalue, level)}
        row |= {"every": horizon, "zone": _zone(records, confidence)}
        for test, pvalue_of in TESTS.items():
            pvalue = _median(
                [
                    pvalue_of(law, record, margins[phase, book])
                    for phase, record in zip(phases, records, strict=True)
                ]
            )
            row[f"{test}_p"], row[test] = pvalue, verdict_of(pvalue, level)
        rows.append(row)
    return pd.DataFrame(rows)


def verdict_of(pvalue: float, level: float) -> str:
    """Verdict of a p-value; NaN is 'not identified'.

    Examples
    --------
    >>> verdict_of(float("nan"), 0.05), verdict_of(0.01, 0.05)
    ('not identified', 'rejected')
    """
    return TestResult("", UNKNOWN, pvalue, not np.isnan(pvalue), "").verdict(level)


class _Law:
    """Simulated records at one confidence, shared by all portfolios and phases."""

    def __init__(self, confidence: float, draws: int, seed: int) -> None:
        self.confidence, self.draws, self.seed = confidence, draws, seed
        self.records: dict[int, BoolArray] = {}
        self.statistics: dict[tuple[Statistic, int], FloatArray] = {}

    def drawn(self, days: int) -> BoolArray:
        """(draws, days) records of a right model."""
        if days not in self.records:
            uniform = np.random.default_rng(self.seed).random((self.draws, days))
            self.records[days] = uniform < 1.0 - self.confidence
        return self.records[days]

    def null(self, test: Statistic, days: int) -> FloatArray:
        """(draws,) statistics of a test under a right model."""
        if (test, days) not in self.statistics:
            values = [test(record, self.confidence).statistic for record in self.drawn(days)]
            self.statistics[test, days] = np.array(values)
        return self.statistics[test, days]


def _counted(counted: Callable[[BoolArray, float], float], limit: Statistic) -> PValue:
    """P-value counted over all possible records; chi-squared if `draws` is 0."""

    def pvalue(law: _Law, record: BoolArray, required: FloatArray) -> float:
        if law.draws:
            return counted(record, law.confidence)
        return limit(record, law.confidence).pvalue

    return pvalue


def _among_drawn(test: Statistic) -> PValue:
    """P-value among simulated records; chi-squared if `draws` is 0."""

    def pvalue(law: _Law, record: BoolArray, required: FloatArray) -> float:
        result = test(record, law.confidence)
        if not law.draws or not result.identified:
            return result.pvalue
        null = law.null(test, len(record))
        return tied_pvalue(result.statistic, null, np.random.default_rng(law.seed))

    return pvalue


def _dynamic_quantile(law: _Law, record: BoolArray, required: FloatArray) -> float:
    """P-value among simulated records with this requirement, on which the law depends."""
    result = dynamic_quantile(record, required, confidence=law.confidence)
    if not law.draws or not result.identified:
        return result.pvalue
    null = drawn_statistics(law.drawn(len(record)), required, confidence=law.confidence)
    return tied_pvalue(result.statistic, null, np.random.default_rng(law.seed))


def _squared_spells(law: _Law, record: BoolArray, required: FloatArray) -> float:
    """P-value from the test's own draws, which have as many exceedances as the record."""
    return squared_spells(record, draws=law.draws, seed=law.seed).pvalue if law.draws else UNKNOWN


# In the order of the columns. A new test is a function in one of the rooms and a row here.
TESTS: dict[str, PValue] = {
    "binomial": lambda law, record, required: (
        binomial_one_sided(int(record.sum()), len(record), confidence=law.confidence).pvalue
    ),
    "kupiec": _counted(
        lambda record, level: kupiec_exact(int(record.sum()), len(record), confidence=level).pvalue,
        lambda record, level: kupiec(record, confidence=level),
    ),
    "christoffersen": _counted(
        lambda record, level: exact_pvalue(record, confidence=level),
        lambda record, level: christoffersen_independence(record),
    ),
    "conditional_coverage": _counted(
        lambda record, level: exact_pvalue(record, test="conditional coverage", confidence=level),
        lambda record, level: christoffersen_coverage(record, confidence=level),
    ),
    "dynamic_quantile": _dynamic_quantile,
    "tuff": _among_drawn(lambda record, level: time_to_first_exceedance(record, confidence=level)),
    "tbfi": _among_drawn(lambda record, level: time_between_exceedances(record, confidence=level)),
    "tbf": _among_drawn(lambda record, level: mixed_kupiec(record, confidence=level)),
    "weibull": _among_drawn(lambda record, level: weibull_duration(record)),
    "gmm": _among_drawn(lambda record, level: gmm_duration(record, confidence=level)),
    "squared_spells": _squared_spells,
}


def _zone(records: list[BoolArray], confidence: float) -> Zone:
    lights = [traffic_light(int(r.sum()), len(r), confidence=confidence).zone for r in records]
    return sorted(lights, key=ZONES.index)[len(lights) // 2]


def _median(pvalues: list[float]) -> float:
    identified = [pvalue for pvalue in pvalues if not np.isnan(pvalue)]
    return float(np.median(identified)) if identified else UNKNOWN
