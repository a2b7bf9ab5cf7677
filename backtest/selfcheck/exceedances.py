"""Tests of exceedances at their edges: none, all, the first day, a missing day, a tiny tail."""

import numpy as np

from backtest.scores.checks import as_indicator
from backtest.scores.exceedances.counts import kupiec_counts
from backtest.scores.exceedances.coverage import christoffersen_independence, kupiec
from backtest.scores.exceedances.durations import weibull_duration
from backtest.scores.exceedances.exact import binomial_one_sided, exact_pvalue, kupiec_exact
from backtest.scores.exceedances.record import spells_of
from backtest.scores.overlapping.interval import rate_interval
from backtest.scores.result import TestResult
from backtest.selfcheck.row import Refused, Row
from backtest.types import BoolArray

PACKAGES = "rugarch 1.4-9, tstests 1.0.2, GAS 0.3.4: an error or infinity"


def _record(*days: int, of: int = 250) -> BoolArray:
    """A record of exceedances on some days, counted from 0."""
    return np.isin(np.arange(of), days)


def _numbers(result: TestResult) -> list[float]:
    return [result.statistic, result.pvalue]


def _interval(count: int, days: int, level: float) -> list[float]:
    low, high = rate_interval(_record(*range(count), of=days)[:, None], horizon=1, level=level)
    return [float(low[0]), float(high[0])]


ROWS = (
    Row(
        "Kupiec: no exceedance in 250 days at 99 %",
        f"jsboige/CoursIA#845; {PACKAGES}",
        lambda: _numbers(kupiec(_record())),
        right=[5.025167926750726, 0.02498150305344973],
        by="-500 ln 0.99, chi-squared",
    ),
    Row(
        "Kupiec: 250 exceedances in 250 days",
        PACKAGES,
        lambda: _numbers(kupiec(_record(*range(250)))),
        right=[2302.5850929940457, 0.0],
        by="-500 ln 0.01",
    ),
    Row(
        "Kupiec: 27 in 250 days, a p-value beyond 1 - cdf",
        "statsmodels/statsmodels#10274",
        lambda: np.log10(kupiec_counts(27, 250).pvalue),
        right=-18.867279035207194,
        by="erfc of the root of half the ratio",
    ),
    Row(
        "Kupiec without an observation",
        "definition",
        lambda: kupiec_counts(0, 0).verdict(),
        right="not identified",
        by="no day, no evidence",
    ),
    Row(
        "Kupiec by the binomial law: no exceedance in 250 days",
        "Hipparchus-Math/hipparchus#9",
        lambda: kupiec_exact(0, 250).pvalue,
        right=0.09475996401738511,
        by="P(0) + P(7 or more), exact fractions",
    ),
    Row(
        "Kupiec by the binomial law: 30 in 250 days",
        "IEZhu/Agents#57",
        lambda: np.log10(kupiec_exact(30, 250).pvalue),
        right=-22.20078734567454,
        by="P(30 or more), exact fractions",
    ),
    Row(
        "19 heads or more of 20",
        "hail-is/hail#8419",
        lambda: binomial_one_sided(19, 20, confidence=0.5).pvalue,
        right=21 / 2**20,
        by="20 + 1 of 2^20 rows",
        tolerance=1e-15,
    ),
    Row(
        "at most 0 and at least 0 of 250",
        "XENONnT/straxen#991",
        lambda: [binomial_one_sided(0, 250, too=too).pvalue for too in ("few", "many")],
        right=[0.99**250, 1.0],
        by="the observed count is in both",
    ),
    Row(
        "exceedances given as the words 'True' and 'False'",
        "ibaris/VaR#7",
        lambda: as_indicator(np.array(["True", "False"])),
        right=Refused("give True or False"),
        by="text is no count: every word would be true",
    ),
    Row(
        "Christoffersen: one exceedance in the middle",
        PACKAGES,
        lambda: christoffersen_independence(_record(99)).statistic,
        right=0.008064537982836129,
        by="the likelihoods of 247, 1, 1, 0 by plain logarithms",
    ),
    Row(
        "Christoffersen: one exceedance, on the last day",
        PACKAGES,
        lambda: christoffersen_independence(_record(249)).verdict(),
        right="not identified",
        by="no day follows it",
    ),
    Row(
        "Christoffersen: two in a row",
        PACKAGES,
        lambda: christoffersen_independence(_record(99, 100)).statistic,
        right=7.493804085225834,
        by="the likelihoods of 246, 1, 1, 1 by plain logarithms",
    ),
    Row(
        "a missing day between two exceedances",
        "definition",
        lambda: christoffersen_independence([0.0, 1.0, float("nan"), 1.0, 0.0, 0.0]).statistic,
        right=1.0464962875290964,
        by="the likelihoods of 1, 1, 1, 0: the days beside the gap are no pair",
    ),
    Row(
        "spells of exceedances on the first day and the hundredth",
        "rugarch 1.4-9, VaRDurTest: counts the first spell twice",
        lambda: weibull_duration(_record(0, 99)).estimates["b"],
        right=3.076815990378854,
        by="one whole spell of 99 days and one cut off after 150",
        tolerance=1e-5,
    ),
    Row(
        "days between exceedances on days 0, 99 and 104",
        "rugarch 1.4-9, VaRDurTest: counts the first spell twice",
        lambda: spells_of(_record(0, 99, 104)).complete,
        right=[99.0, 5.0],
        by="counting",
    ),
    Row(
        "three exceedances in a row in 12 days at 80 %, exact",
        "ExactVaRTest (R)",
        lambda: exact_pvalue(_record(2, 3, 4, of=12), confidence=0.8),
        right=0.05694986649599984,
        by="all 4,096 records",
    ),
    Row(
        "interval of no exceedance in 18 days at 99 %",
        "statsmodels/statsmodels#2609",
        lambda: _interval(0, 18, 0.99),
        right=[0.0, 0.25498502848277477],
        by="1 - 0.005^(1/18)",
    ),
    Row(
        "interval of no exceedance in 1,000 days at 1 - 1e-7",
        "statsmodels/statsmodels#9141",
        lambda: _interval(0, 1000, 1.0 - 1e-7),
        right=[0.0, 0.01667072243152068],
        by="1 - (5e-8)^(1/1000)",
    ),
)
