"""Kupiec and Christoffersen against published numbers, their edge cases, and the phases."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy.stats import cauchy

from backtest.scores import TestResult as Outcome
from backtest.scores import (
    cauchy_combination,
    christoffersen_coverage,
    christoffersen_independence,
    christoffersen_pvalues,
    kupiec,
    kupiec_pvalues,
    over_phases,
)
from backtest.scores.exceedances.counts import (
    coverage_counts,
    independence_counts,
    independence_statistic,
    kupiec_counts,
    unconditional_statistic,
)
from backtest.types import BoolArray, DataError, StudyError
from tests.support.places import golden


def record(days: int, exceeded: list[int]) -> BoolArray:
    return np.isin(np.arange(days), exceeded)


def pof(count: int, days: int, confidence: float) -> float:
    statistic = unconditional_statistic(np.array(count), np.array(days), confidence=confidence)
    return float(statistic)


def independence(*counts: int) -> float:
    return float(independence_statistic(*(np.array(count) for count in counts)))


def test_mathworks_documentation() -> None:
    """Pof, cci and cc of varbacktest, Equity against Normal95 and Normal99."""
    case = golden("mathworks_varbacktest")
    given, printed = case["inputs"], case["expected"]
    days, other, moves = given["observations"], given["normal99"], given["transitions"]
    results = {
        "pof": kupiec_counts(given["failures"], days, confidence=0.95),
        "pof_normal99": kupiec_counts(other["failures"], days, confidence=other["confidence"]),
        "cci": independence_counts(moves),
        "cc": coverage_counts(given["failures"], days, moves, confidence=0.95),
    }
    for name, result in results.items():
        assert [result.statistic, result.pvalue] == pytest.approx(printed[name], rel=2e-4), name


@pytest.mark.parametrize(
    ("count", "confidence", "transitions", "rate", "chain"),
    [
        (166, 0.99, (1467, 70, 69, 96), 471.596309196609, 294.473896975476),
        (284, 0.95, (1272, 147, 146, 137), 311.998461569185, 197.952172065323),
    ],
)
def test_matlab_in_full_precision(
    count: int, confidence: float, transitions: tuple[int, ...], rate: float, chain: float
) -> None:
    # alejandro-cermeno/2021_Market_Timing-Cerme-o, varbacktest output, 1,703 days
    assert pof(count, 1703, confidence) == pytest.approx(rate, rel=1e-12)
    assert independence(*transitions) == pytest.approx(chain, rel=1e-12)


def test_counts_alone_give_what_was_printed_of_them() -> None:
    """A repository's cc to 15 digits, and counts that cannot be."""
    full = coverage_counts(166, 1703, (1467, 70, 69, 96), confidence=0.99)
    assert full.statistic == pytest.approx(766.070206172084, rel=1e-12)
    assert coverage_counts(0, 250, (249, 0, 0, 0)).verdict() == "not identified"
    assert kupiec_counts(0, 0).verdict() == "not identified"
    with pytest.raises(StudyError, match="8 exceedances in 7 days"):
        kupiec_counts(8, 7)
    for wrong in ([1, 2, 3], [4, -1, 0, 0]):
        with pytest.raises(StudyError, match="give n00, n01, n10, n11"):
            independence_counts(wrong)


def test_jorion_question_ten() -> None:
    # Jorion, Value at Risk, chapter 6: 252 days, 6 exceedances of which 4 follow another. It
    # counts 252 transitions, a calm day before the first included.
    rate, chain = pof(6, 252, 0.99), independence(244, 2, 2, 4)
    assert rate == pytest.approx(3.498777, abs=1e-6)
    assert chain == pytest.approx(25.837428, abs=1e-6)
    assert rate + chain == pytest.approx(29.336, abs=1e-3)
    exceedances = record(253, [51, 52, 53, 54, 151, 152])
    assert christoffersen_independence(exceedances).statistic == pytest.approx(chain, rel=1e-12)


def test_exercise_with_a_perfect_rate() -> None:
    # q4quant exercise: 250 days, 4 %, ten exceedances in runs
    exceedances = record(250, [40, 41, 42, 100, 101, 200, 201, 202, 203, 204])
    assert kupiec(exceedances, confidence=0.96).statistic == pytest.approx(0.0, abs=1e-12)
    assert kupiec(exceedances, confidence=0.96).pvalue == pytest.approx(1.0, abs=1e-5)
    assert christoffersen_independence(exceedances).statistic == pytest.approx(39.44368, abs=1e-5)


def test_kupiec_of_a_basel_year() -> None:
    # Kupiec's statistic of 0 .. 10 exceedances in 250 days at 99 %
    published = [5.025, 1.176, 0.108, 0.095, 0.769, 1.957, 3.555, 5.497, 7.734, 10.229, 12.955]
    assert [round(pof(count, 250, 0.99), 3) for count in range(11)] == published


@pytest.mark.parametrize(
    ("days", "confidence", "lowest", "highest"),
    [
        (255, 0.99, 1, 6),
        (510, 0.99, 2, 10),
        (1000, 0.99, 5, 16),
        (255, 0.975, 3, 11),
        (510, 0.975, 7, 20),
        (1000, 0.975, 16, 35),
        (255, 0.95, 7, 20),
        (510, 0.95, 17, 35),
        (1000, 0.95, 38, 64),
        (1000, 0.90, 82, 119),
    ],
)
def test_kupiec_non_rejection_regions(
    days: int, confidence: float, lowest: int, highest: int
) -> None:
    # Kupiec (1995), table of non-rejection regions at the 95 % test confidence level
    panel = np.arange(days)[:, None] < np.arange(131)
    accepted = np.flatnonzero(kupiec_pvalues(panel, confidence=confidence) > 0.05)
    assert (accepted[0], accepted[-1]) == (lowest, highest)
    assert accepted.size == highest - lowest + 1


EDGES = [
    # days, exceedance days, POF, p of POF, independence, identified, conditional coverage;
    # computed independently, at 99 %
    (250, [], 5.025167926750726, 0.02498150305344973, 0.0, False, 5.025167926750726),
    (250, [99], 1.1764911353210774, 0.278071490014, 0.008064537982836, True, 1.1845556733039),
    (250, [249], 1.1764911353210774, 0.278071490014, 0.0, False, 1.1764911353210774),
    (250, [99, 100], 0.10843521623679919, 0.741932700953, 7.493804085225834, True, 7.602239301463),
    (250, [49, 199], 0.10843521623679919, 0.741932700953, 0.032389017899, True, 0.140824234136),
    (250, [0, 99], 0.10843521623679919, 0.741932700953, 0.016161726095, True, 0.124596942332),
    (250, list(range(250)), 2302.5850929940457, 0.0, 0.0, False, 2302.5850929940457),
]


@pytest.mark.parametrize(
    ("days", "exceeded", "rate", "pvalue", "chain", "identified", "both"), EDGES
)
def test_edge_cases(
    days: int,
    exceeded: list[int],
    rate: float,
    pvalue: float,
    chain: float,
    identified: bool,
    both: float,
) -> None:
    exceedances = record(days, exceeded)
    by_rate = kupiec(exceedances, confidence=0.99)
    by_chain = christoffersen_independence(exceedances)
    by_both = christoffersen_coverage(exceedances, confidence=0.99)
    assert by_rate.statistic == pytest.approx(rate, abs=1e-9)
    assert by_rate.pvalue == pytest.approx(pvalue, abs=1e-9)
    assert by_chain.statistic == pytest.approx(chain, abs=1e-9)
    assert by_both.statistic == pytest.approx(both, abs=1e-9)
    assert by_chain.identified is identified and by_both.identified is identified
    assert np.isnan(by_chain.pvalue) is not identified
    assert np.isnan(by_both.pvalue) is not identified


@pytest.mark.parametrize(
    ("transitions", "confidence", "rate", "chain", "both"),
    [
        # rugarch VaRTest on its own example, printed
        ((1481, 9, 9, 0), 0.99, 2.82934861252456, 0.1087254933590, 2.938074106),
        ((1358, 67, 67, 7), 0.95, 0.0140945811337, 2.7427802512566, 2.756874832),
        # GAS BacktestVaR on the S&P 500, and esback's own data set
        ((4746, 251, 251, 24), 0.95, 0.50748328432769, 6.1377717937, 6.64525507804),
        ((4232, 139, 139, 16), 0.975, 14.239432997725, 15.515177582, 29.75461058012),
    ],
)
def test_other_packages_on_daily_data(
    transitions: tuple[int, int, int, int],
    confidence: float,
    rate: float,
    chain: float,
    both: float,
) -> None:
    """Transitions of each package's series, and what it prints; nothing else of a series counts."""
    exceedances = record_with(*transitions)
    statistics = (
        kupiec(exceedances, confidence=confidence).statistic,
        christoffersen_independence(exceedances).statistic,
        christoffersen_coverage(exceedances, confidence=confidence).statistic,
    )
    assert statistics == pytest.approx((rate, chain, both), abs=1e-8)


def record_with(calm: int, starts: int, ends: int, stays: int) -> BoolArray:
    """A record with this many transitions, from and to a day without exceedance."""
    assert starts == ends
    one_day, long_run = [True, False], [True] * stays
    return np.array([False] * (calm + 1) + long_run + one_day * starts)


panels = arrays.arrays(np.bool_, some.tuples(some.integers(2, 40), some.integers(1, 4)))


@given(panels)
def test_a_panel_is_its_columns(panel: BoolArray) -> None:
    for column, together, chain in zip(
        panel.T, kupiec_pvalues(panel, confidence=0.9), christoffersen_pvalues(panel), strict=True
    ):
        assert together == pytest.approx(kupiec(column, confidence=0.9).pvalue, nan_ok=True)
        assert chain == pytest.approx(christoffersen_independence(column).pvalue, nan_ok=True)


@given(panels, some.integers(1, 6))
def test_phases_leave_out_what_is_not_identified(panel: BoolArray, horizon: int) -> None:
    medians, minima = over_phases(christoffersen_pvalues, panel, horizon=horizon)
    for column, median, minimum in zip(panel.T, medians, minima, strict=True):
        outcomes = [christoffersen_independence(column[s::horizon]) for s in range(horizon)]
        known = [outcome.pvalue for outcome in outcomes if outcome.identified]
        assert median == pytest.approx(np.median(known) if known else np.nan, nan_ok=True)
        assert minimum == pytest.approx(min(known, default=np.nan), nan_ok=True)


def test_phases_of_one_day_are_the_test_itself() -> None:
    exceedances = record(250, [3, 77, 78])
    median, minimum = over_phases(partial(kupiec, confidence=0.99), exceedances, horizon=1)
    assert median == minimum == kupiec(exceedances).pvalue


def test_a_result_says_what_it_assumed() -> None:
    assert str(christoffersen_independence([0, 0, 0])) == (
        "Christoffersen independence: not identified"
    )
    assert "independent days" in str(kupiec([0, 1, 0], confidence=0.5))
    assert isinstance(kupiec([0, 1]), Outcome)


def test_a_resampled_pvalue_at_the_level_rejects() -> None:
    """With 499 draws a test of size 5 % rejects at 25 / 500, as power and families count it."""
    assert Outcome("drawn", 1.0, 25 / 500, True, "").verdict() == "rejected"
    assert Outcome("drawn", 1.0, 26 / 500, True, "").verdict() == "not rejected"


def test_no_day_identifies_nothing() -> None:
    outcome = kupiec(np.zeros(0, bool))
    assert not outcome.identified and np.isnan(outcome.pvalue)


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"exceedances hold 2; give True or False"):
        kupiec([0.0, 2.0, np.nan])
    with pytest.raises(DataError, match=r"exceedances hold nan; give True or False"):
        kupiec_pvalues([[0.0], [np.nan]])
    with pytest.raises(DataError, match=r"shape \(3, 2\); give one portfolio"):
        kupiec(np.zeros((3, 2)))
    with pytest.raises(DataError, match=r"shape \(\); give one portfolio"):
        kupiec(True)
    with pytest.raises(StudyError, match=r"confidence is 99; give a level in \(0, 1\)"):
        kupiec([0, 1], confidence=99)
    with pytest.raises(StudyError, match="horizon is 0"):
        over_phases(kupiec, [0, 1], horizon=0)


@given(some.lists(some.floats(1e-6, 0.999), min_size=1, max_size=10))
def test_cauchy_combination_is_the_tail_of_a_mean_of_cauchy_scores(pvalues: list[float]) -> None:
    expected = cauchy.sf(np.mean(cauchy.isf(pvalues)))
    assert cauchy_combination(pvalues) == pytest.approx(expected, rel=1e-6)
    assert cauchy_combination([*pvalues, np.nan]) == cauchy_combination(pvalues)
    # Tests that agree are one test.
    assert cauchy_combination([pvalues[0]] * 7) == pytest.approx(pvalues[0], rel=1e-9)


def test_cauchy_combination_at_the_edges() -> None:
    assert np.isnan(cauchy_combination([np.nan, np.nan]))
    assert cauchy_combination([0.0, 1e-200]) < 1e-150
    assert 0.99 < cauchy_combination([1.0, 1.0]) <= 1.0
