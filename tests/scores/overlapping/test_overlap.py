"""One-sided tests of coverage under overlap and over panels: laws, known answers, and sizes."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy.stats import binom

from backtest.scores import (
    TestResult,
    bootstrap_coverage,
    bootstrap_pvalues,
    clustered_bootstrap,
    clustered_coverage,
    day_weights,
    hac_coverage,
    naive_coverage,
    stationary_indices,
    thinned_coverage,
)
from backtest.scores import checks as score_checks
from backtest.scores.overlapping.hac import count_inflation
from backtest.scores.overlapping.overlap import binomial_pvalues, thinned_pvalues
from backtest.types import BoolArray, DataError, StudyError
from tests.tools.overlap_study import overlap_size_study

DAYS = 300
WEIGHTS = day_weights(stationary_indices(DAYS, resamples=199, seed=4))
RECORDS = arrays.arrays(np.bool_, (DAYS,), elements=some.integers(0, 19).map(lambda k: k == 0))
PANELS = arrays.arrays(np.bool_, (40, 3), elements=some.integers(0, 4).map(lambda k: k == 0))


def of_one_book(record: BoolArray, horizon: int) -> dict[str, TestResult]:
    return {
        "naive": naive_coverage(record),
        "thinned": thinned_coverage(record, horizon=horizon),
        "hac": hac_coverage(record, horizon=horizon),
        "bootstrap": bootstrap_coverage(record, weights=WEIGHTS),
        "clustered": clustered_coverage(record[:, None], horizon=horizon),
    }


@pytest.mark.parametrize(("count", "trials"), [(0, 250), (1, 250), (5, 250), (22, 2196), (40, 40)])
def test_binomial_tail(count: int, trials: int) -> None:
    expected = binom.sf(count - 1, trials, 0.01)
    assert float(binomial_pvalues(count, trials, confidence=0.99)) == pytest.approx(expected)
    record = np.arange(trials) < count
    assert naive_coverage(record).pvalue == pytest.approx(expected)
    # A horizon of a day is no overlap: nothing to thin
    assert thinned_coverage(record, horizon=1).pvalue == pytest.approx(expected)


def test_phases_by_hand() -> None:
    # Days 0, 2, 4 hold three exceedances of three, days 1, 3, 5 none: 2 x 0.1^3
    result = thinned_coverage([1, 0, 1, 0, 1, 0], horizon=2, confidence=0.9)
    assert (result.statistic, result.pvalue) == (3.0, pytest.approx(0.002))


def test_inflation_by_hand() -> None:
    # Two runs of two in eight days: mean 1/2, autocovariances 1/4, 1/32, and -5/32 at two days
    counts = np.array([1, 1, 0, 0, 1, 1, 0, 0])
    gamma = [0.25, 0.03125, -0.1875]
    for lag, expected in enumerate(gamma):
        centred = counts - 0.5
        assert np.sum(centred[lag:] * centred[: 8 - lag]) / 8 == expected
    assert float(count_inflation(counts, 1, horizon=2)) == 1.0 + 2.0 * 0.03125 / 0.25
    # Flat to lag 1, half at lag 2
    assert float(count_inflation(counts, 1, horizon=2, lags=2)) == max(
        1.0, 1.0 + 2.0 * (0.03125 - 0.5 * 0.1875) / 0.25
    )
    # Newey and West: 2/3 and 1/3, from lag 1 on
    runs = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    centred = runs - 1 / 3
    one, two = (np.sum(centred[k:] * centred[:-k]) / 9 for k in (1, 2))
    expected = 1.0 + 2.0 * (2 / 3 * one + 1 / 3 * two) / (2 / 9)
    assert float(count_inflation(runs, 1, horizon=1, lags=2)) == pytest.approx(expected)


def test_hac_by_hand() -> None:
    # 20 runs of two in 1,000 days: two in a row on 2 % of days, 0.04^2 expected by chance
    record = np.arange(1000) % 50 < 2
    inflation = 1.0 + 2.0 * (0.02 - 0.04**2) / (0.04 * 0.96)
    result = hac_coverage(record, horizon=2, confidence=0.97)
    assert result.statistic == pytest.approx(10 / np.sqrt(30 * 0.97 * inflation), rel=1e-3)
    # Half of what the steps of a divided count fall short of whole steps is added.
    effective = 40 / inflation + 0.5 * (1.0 - 1.0 / inflation)
    assert result.pvalue == pytest.approx(
        float(binomial_pvalues(effective, 1000 / inflation, confidence=0.97)), rel=5e-3
    )


@given(RECORDS, some.integers(1, 6))
def test_over_coverage_never_rejects(record: BoolArray, horizon: int) -> None:
    record = record & (np.cumsum(record) <= 3)  # an expected 3 of 300
    for name, result in of_one_book(record, horizon).items():
        assert result.identified
        if name == "thinned":
            continue  # three of three in one phase of H is evidence, whatever the total
        assert result.pvalue > 0.3, name


@given(RECORDS, some.integers(1, 6))
def test_one_book_is_a_panel_of_one(record: BoolArray, horizon: int) -> None:
    results = of_one_book(record, horizon)
    assert results["clustered"].pvalue == pytest.approx(results["hac"].pvalue)
    assert results["clustered"].statistic == pytest.approx(results["hac"].statistic)
    dates = clustered_bootstrap(record[:, None], weights=WEIGHTS)
    assert dates.pvalue == results["bootstrap"].pvalue
    assert dates.statistic == results["bootstrap"].statistic
    assert dates.pvalue == bootstrap_pvalues(record[:, None], weights=WEIGHTS)[0]


@given(RECORDS)
def test_without_overlap_hac_is_the_binomial_test(record: BoolArray) -> None:
    results = of_one_book(record, 1)
    for name in ("thinned", "hac"):
        assert results[name].pvalue == pytest.approx(results["naive"].pvalue, rel=1e-9), name


@given(PANELS, some.integers(2, 5), some.integers(1, 3))
def test_copies_of_books_are_no_evidence(panel: BoolArray, copies: int, horizon: int) -> None:
    # Books that avoid each other have an inflation held at 1, of which copies would make more.
    assume(float(count_inflation(panel.sum(axis=1), 3, horizon=horizon)) > 1.0)
    wide = np.repeat(panel, copies, axis=1)
    for test in (
        lambda cells: clustered_coverage(cells, horizon=horizon, confidence=0.9),
        lambda cells: clustered_bootstrap(cells, confidence=0.9, seed=1),
    ):
        assert test(wide).pvalue == pytest.approx(test(panel).pvalue, rel=1e-9)
    share = panel.mean()
    if share > 0.1:
        naive_once, naive = (naive_coverage(cells, confidence=0.9) for cells in (panel, wide))
        assert naive.statistic > naive_once.statistic


@given(PANELS, some.permutations(range(3)))
def test_books_have_no_order(panel: BoolArray, order: list[int]) -> None:
    for horizon in (1, 2):
        before = clustered_coverage(panel, horizon=horizon)
        assert clustered_coverage(panel[:, order], horizon=horizon) == before


@given(RECORDS, some.integers(2, 5))
def test_days_said_twice_are_no_evidence_to_phases(record: BoolArray, horizon: int) -> None:
    # Every day repeated H times makes H equal phases; Bonferroni then pays for all of them.
    said_again = np.repeat(record, horizon)
    single = naive_coverage(record).pvalue
    expected = min(1.0, horizon * single)
    assert thinned_coverage(said_again, horizon=horizon).pvalue == pytest.approx(expected)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_thinned_size_by_enumeration(rate: float, level: float) -> None:
    """All records of 12 days: independent, and each day said twice, the most that overlap does."""
    for said, days in ((1, 12), (2, 6)):
        news = np.array(list(product([False, True], repeat=days))).T
        chance = np.prod(np.where(news, rate, 1.0 - rate), axis=0)
        pvalues = thinned_pvalues(np.repeat(news, said, axis=0), horizon=2, confidence=1.0 - rate)
        assert chance.sum() == pytest.approx(1.0)
        assert chance[pvalues <= level].sum() <= level


def test_a_run_is_weaker_evidence_than_the_same_number_apart() -> None:
    apart, runs = np.zeros(DAYS, bool), np.zeros(DAYS, bool)
    apart[::34] = True  # nine, in both phases
    runs[[10, 11, 12, 100, 101, 102, 200, 201, 202]] = True
    assert naive_coverage(apart).pvalue == naive_coverage(runs).pvalue < 0.01
    assert hac_coverage(apart, horizon=3).pvalue < 0.01 < hac_coverage(runs, horizon=3).pvalue


def test_ten_thousand_books() -> None:
    rng = np.random.default_rng(5)
    wild = rng.random((500, 1)) < 0.02
    panel = wild & (rng.random((500, 10_000)) < 0.5)  # true rate 1 %, all on wild days
    result = clustered_coverage(panel, horizon=2)
    # Half the books share each wild day, so 10,000 of them weigh as much as two
    share = panel.mean(axis=1)
    inflation = float(count_inflation(panel.sum(axis=1), 10_000, horizon=1))
    assert inflation == pytest.approx(
        10_000 * share.var() / (share.mean() * (1.0 - share.mean())), rel=1e-9
    )
    assert 4000 < inflation < 6000
    assert 0.05 < result.pvalue < 1.0
    assert naive_coverage(panel | np.roll(panel, 100, axis=0)).pvalue == 0.0
    everything = clustered_coverage(np.ones((500, 10_000), bool), horizon=2)
    assert everything.pvalue == pytest.approx(0.01**250, abs=1e-300)
    nothing = clustered_coverage(np.zeros((500, 10_000), bool), horizon=2)
    assert nothing.pvalue == 1.0


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = np.random.default_rng(0).random((50, 7)) < 0.1
    whole = clustered_coverage(panel, horizon=2)
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 100)
    assert clustered_coverage(panel.astype(float), horizon=2) == whole


def test_bad_input_is_named() -> None:
    panel = np.zeros((10, 2), bool)
    with pytest.raises(DataError, match=r"shape \(10, 2\); give \(days,\)"):
        thinned_coverage(panel, horizon=2)
    with pytest.raises(DataError, match=r"shape \(10,\); give \(days, portfolios\)"):
        clustered_coverage(panel[:, 0], horizon=2)
    with pytest.raises(DataError, match=r"shape \(10, 0\)"):
        clustered_bootstrap(panel[:, :0])
    with pytest.raises(DataError, match="exceedances hold nan"):
        clustered_coverage(np.full((10, 2), np.nan), horizon=2)
    with pytest.raises(DataError, match="single value"):
        naive_coverage(1)
    with pytest.raises(StudyError, match="horizon is 0"):
        hac_coverage(panel[:, 0], horizon=0)
    with pytest.raises(StudyError, match="lags is 1 for a horizon of 5; give 4 or more"):
        hac_coverage(panel[:, 0], horizon=5, lags=1)
    with pytest.raises(StudyError, match="confidence is 99"):
        bootstrap_coverage(panel[:, 0], confidence=99)
    with pytest.raises(DataError, match="for 10 scored days"):
        clustered_bootstrap(panel, weights=WEIGHTS)


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    return overlap_size_study(histories=2000, resamples=199, seed=23)


def above(nominal: float, histories: pd.Series) -> pd.Series:
    """Nominal size and three standard errors of the simulation."""
    return nominal + 3.0 * np.sqrt(nominal * (1.0 - nominal) / histories)


@pytest.mark.slow
def test_sizes_are_right_where_dependence_is_overlap_and_shared_dates(study: pd.DataFrame) -> None:
    sound = study[study["world"] != "GARCH-t, constant"]
    ours = sound[sound["test"].isin(["thinned", "HAC", "bootstrap", "HAC, 60 lags"])]
    # 6 worlds of one book x 2 lengths x 4 tests, and the panels, which have no thinned test
    assert len(ours) == 6 * 2 * 4 + 2 * 3
    assert (ours["size_5"] <= above(0.05, ours["histories"])).all()
    assert (ours["size_1"] <= above(0.01, ours["histories"])).all()


@pytest.mark.slow
def test_naive_sizes_are_wrong(study: pd.DataFrame) -> None:
    naive = study[study["test"] == "naive"].set_index(["world", "H", "days"])["size_5"]
    independent = naive.xs(1, level="H")
    assert (independent < 0.055).all()
    assert (naive.xs(5, level="H") > 0.09).all() and (naive.xs(10, level="H") > 0.15).all()
    assert (naive["50 books correlated 0.5"] > 0.25).all()


@pytest.mark.slow
def test_the_worlds_are_what_they_say(study: pd.DataFrame) -> None:
    # Volatility of months makes the mean over 2,000 histories itself uncertain by 2 to 3 %
    slow = study["world"] == "GARCH-t, constant"
    assert study.loc[~slow, "true_rate"].between(0.0095, 0.0105).all()
    assert study.loc[slow, "true_rate"].between(0.0090, 0.0110).all()


@pytest.mark.slow
def test_what_the_documents_admit(study: pd.DataFrame) -> None:
    rows = study.set_index(["world", "H", "days", "test"]).sort_index()
    # A requirement that ignores volatility is rejected too often by all; least by the bootstrap
    constant = rows.loc[("GARCH-t, constant", 2, 2196), "size_5"]
    assert constant["naive"] > constant["HAC"] > 0.12
    assert 0.05 < constant["bootstrap"] < 0.11 and constant["HAC, 60 lags"] < 0.11
    # The normal tail of a skewed count rejects too often: hence effective counts
    assert rows.loc[("t4 days, overlapping", 10, 500, "HAC, normal"), "size_1"] > 0.015
    # More power than twice the mean is why Bonferroni was chosen, HAC beats both
    power = rows.loc[("t4 days, overlapping", 5, 2196), "power_5"]
    assert power["HAC"] > power["thinned"] + 0.05 > power["2 x mean"] + 0.25
