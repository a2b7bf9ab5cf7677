"""The table of all tests, the tests only it uses, and the known bugs of other packages."""

import numpy as np
import pytest
from scipy import stats

import backtest as bt
import strategies as st
from backtest import DataError, StudyError, scores
from backtest.scores.battery import TESTS, _medians
from backtest.scores.exceedances.many_durations import weibull_statistics
from backtest.scores.exceedances.many_quantiles import DrawnQuantiles, quantile_statistics
from backtest.scores.exceedances.poisson_binomial import count_law
from backtest.scores.exceedances.waiting import time_to_first_exceedance
from backtest.types import tail_count
from tests.support.places import golden

# What the order of days says, and waits: nothing can be said of a record without an exceedance.
OF_MEMORY = {
    "christoffersen", "conditional_coverage", "dynamic_quantile", "tuff", "tbfi", "tbf", "weibull",
    "gmm", "squared_spells",
}  # fmt: skip


def marked(*days, of=250):
    return np.isin(np.arange(of), days)


# Peers' bugs, as seen by running them: tests/golden/edge_cases_hits.json names the versions.


def test_edge_cases_that_break_other_packages():
    """rugarch stops or gives NaN, GAS NaN or inf, christoffersen-lib LR 0 and p 1."""
    cases = golden("edge_cases_hits")["expected"]
    for case in cases.values():
        days = range(case["n"]) if case["hit_index0"] == "all" else case["hit_index0"]
        record, confidence = marked(*days, of=case["n"]), 1.0 - case["p"]
        rate = scores.kupiec(record, confidence=confidence)
        assert rate.statistic == pytest.approx(case["kupiec_LR"], rel=1e-9, abs=1e-9)
        assert rate.pvalue == pytest.approx(case["kupiec_p"], rel=1e-6)
        alone = scores.christoffersen_independence(record)
        assert alone.identified == case["ind_identified"]
        assert alone.statistic == pytest.approx(case["ind_LR"], rel=1e-9, abs=1e-9)
        assert np.isnan(alone.pvalue) != alone.identified
        joint = scores.christoffersen_coverage(record, confidence=confidence)
        assert joint.statistic == pytest.approx(case["cc_LR"], rel=1e-9)
        if "weibull" in case:
            spells = scores.weibull_duration(record)
            assert spells.statistic == pytest.approx(case["weibull"]["LR"], rel=1e-7)
            assert spells.pvalue == pytest.approx(case["weibull"]["p"], rel=1e-6)


@pytest.mark.parametrize("days", [3_750, 20_000, 1_000_000])
def test_no_underflow_in_long_records(days):
    """(1 - p)^T underflows to 0 near 3,750 days at 95 %: NaN in two packages, p = 1 in a third."""
    record = np.zeros(days, bool)
    record[: days // 10] = True  # the worst clusters there can be, twice the rate
    rate = scores.kupiec(record, confidence=0.95)
    shares = np.array([0.1, 0.9])
    wanted = 2.0 * days * (shares * np.log(shares / [0.05, 0.95])).sum()
    assert rate.statistic == pytest.approx(wanted, rel=1e-9) and rate.pvalue < 1e-30
    assert scores.christoffersen_independence(record).pvalue < 1e-30
    assert scores.christoffersen_coverage(record, confidence=0.95).pvalue < 1e-30


def test_no_exceedance_is_neither_a_crash_nor_a_pass():
    """Two packages stop with a subscript error; one says the independence test passes, p = 1."""
    record = np.zeros(250, bool)
    assert scores.kupiec(record).statistic == pytest.approx(-500.0 * np.log(0.99))
    assert scores.christoffersen_independence(record).verdict() == "not identified"
    last = scores.christoffersen_independence(marked(249))
    assert last.verdict() == "not identified" and np.isnan(last.pvalue)


def test_two_spells_are_counted_once():
    """rugarch adds the spells twice where there are only two: b 4.51, p 0.0203, a rejection."""
    found = scores.weibull_duration(marked(0, 99))
    assert found.estimates["b"] == pytest.approx(3.0768, abs=1e-4)
    assert found.verdict() == "not rejected"


def test_one_exceedance_has_no_duration_test():
    """rugarch prints the optimiser's start, b = 2 and p = 1."""
    assert scores.weibull_duration(marked(99)).verdict() == "not identified"


def test_zones_are_not_scaled_from_250_days():
    """Scaled linearly, 500 days turn yellow at 10 and red at 20; the binomial says 9, 15."""
    light = scores.traffic_light(9, 500)
    assert (light.zone, light.yellow_from, light.red_from) == ("yellow", 9, 15)
    assert scores.traffic_light(15, 500).zone == "red"
    assert stats.binom.cdf(9, 500, 0.01) > 0.95 and stats.binom.cdf(15, 500, 0.01) > 0.9999


@pytest.mark.parametrize(("days", "confidence"), [(1, 0.99), (5, 0.99), (51, 0.999), (1, 0.99995)])
def test_no_exceedance_is_never_a_warning(days, confidence):
    assert stats.binom.cdf(0, days, 1 - confidence) >= 0.95
    light = scores.traffic_light(0, days, confidence=confidence)
    assert light.zone == "green" and light.yellow_from == 1
    assert scores.traffic_light(1, days, confidence=confidence).zone != "green"


def test_a_resampled_pvalue_rejects():
    """A bootstrap that is not centred on the null gives p near 1/2, whatever it is given."""
    loss = np.where(np.arange(500) % 20 == 0, 4.0 + np.sin(np.arange(500)), 0.0)
    found = scores.mcneil_frey(loss, np.full(500, 1.0), np.full(500, 2.0), draws=499)
    assert found.pvalue == pytest.approx(1.0 / 500.0)
    many = scores.monte_carlo_pvalue(
        lambda record: scores.kupiec(record == 1).statistic, marked(*range(30)), draws=99
    )
    assert many == pytest.approx(0.01)


def test_the_tail_is_counted_without_float_dust():
    """ceil(n (1 - c)) in floating point makes 500 days at 99 % hold 6 days of tail."""
    assert np.ceil(500 * (1 - 0.99)) == 6 and tail_count(500, 0.99) == 5
    assert np.floor(10 * (1 - 0.9)) == 0 and tail_count(10, 0.9, "floor") == 1
    assert scores.shortfall_by_rank(np.linspace(0.02, 0.98, 10), confidence=0.9, draws=9).identified


# Tests that only the table uses.


def test_squared_spells_by_every_record():
    """The p-value over all choices of 3 days of 12, of a cluster at the start."""
    from itertools import combinations

    def total(days):
        return sum(np.diff([0, *days, 12]) ** 2)

    record = marked(0, 1, 2, of=12)
    every = [total([day + 1 for day in days]) for days in combinations(range(12), 3)]
    here = total([1, 2, 3])
    found = scores.squared_spells(record, draws=4000)
    assert found.statistic == here
    share, ties = np.mean(np.array(every) > here), np.mean(np.array(every) == here)
    assert share - 0.01 <= found.pvalue <= share + ties + 0.01
    for empty in (np.zeros(50, bool), marked(7, of=50), np.ones(50, bool), np.zeros(0, bool)):
        assert scores.squared_spells(empty).verdict() == "not identified"
    with pytest.raises(DataError, match="a day is missing"):
        scores.squared_spells([0.0, 1.0, np.nan, 1.0])


def test_levels_that_vary_by_day():
    rates = np.random.default_rng(0).uniform(0.01, 0.2, 12)
    law = np.zeros(13)
    for code in range(2**12):
        record = np.array([code >> day & 1 for day in range(12)], dtype=bool)
        law[record.sum()] += np.prod(np.where(record, rates, 1.0 - rates))
    assert count_law(rates) == pytest.approx(law, abs=1e-14)
    same = scores.varying_coverage(marked(1, 2, 3, 4, 5, 6), np.full(250, 0.01))
    assert same.pvalue == pytest.approx(stats.binom.sf(5, 250, 0.01))
    assert same.estimates["too_few_p"] == pytest.approx(stats.binom.cdf(6, 250, 0.01))
    assert scores.varying_coverage([False], [0.1]).pvalue == pytest.approx(1.0)
    assert not scores.varying_coverage([], []).identified
    with pytest.raises(DataError, match="one a day"):
        scores.varying_coverage([0, 1], [0.1])
    with pytest.raises(DataError, match="between 0 and 1"):
        scores.varying_coverage([0, 1], [0.1, 1.0])


def test_a_wait_from_an_unknown_start_is_not_known():
    assert not time_to_first_exceedance([np.nan, 0.0, 1.0]).identified
    assert time_to_first_exceedance([0.0, 1.0, np.nan]).identified


@pytest.mark.parametrize("days", range(9))
def test_dynamic_quantile_of_a_few_days_is_not_identified(days):
    record = np.arange(days) == 1
    assert not scores.dynamic_quantile(record, np.arange(days, dtype=float)).identified


def test_dynamic_quantile_drops_no_day_unseen():
    rng = np.random.default_rng(0)
    record, required = (rng.random(300) < 0.05).astype(float), 1.0 + rng.random(300)
    holed, loss = required.copy(), required.copy()
    holed[100:150], loss[7] = np.nan, np.inf
    with pytest.raises(DataError, match="required holds NaN or an infinity"):
        scores.dynamic_quantile(record, holed, confidence=0.95)
    with pytest.raises(DataError, match="loss holds NaN or an infinity"):
        scores.dynamic_quantile(record, required, loss=loss, variant="squared-loss")
    record[100:150] = np.nan
    assert scores.dynamic_quantile(record, holed, confidence=0.95).identified


def test_records_at_once_are_records_one_by_one():
    rng = np.random.default_rng(3)
    records = rng.random((200, 250)) < 0.01
    records[:2] = [np.zeros(250, bool), marked(100)]
    moving = 1e8 * np.exp(0.1 * rng.standard_normal((250, 3)).cumsum(axis=0))
    required = np.column_stack([moving, np.full(250, 3.0)])
    fast = DrawnQuantiles(records, confidence=0.99).statistics(required)
    for book, margin in enumerate(required.T):
        slow = [scores.dynamic_quantile(record, margin).statistic for record in records]
        assert fast[:, book] == pytest.approx(np.array(slow), rel=1e-7, nan_ok=True)
        own = np.repeat(margin[:, None], 200, axis=1)
        many = quantile_statistics(records.T, own, confidence=0.99)
        assert many == pytest.approx(np.array(slow), rel=1e-7, nan_ok=True)
    assert np.isnan(fast[0]).all() and not np.isnan(fast[1]).any()
    assert np.isnan(quantile_statistics(records[:, :8].T, own[:8], confidence=0.99)).all()


@pytest.mark.parametrize("rate", [0.01, 0.2])
def test_weibull_shapes_at_once_are_those_one_by_one(rate):
    records = np.random.default_rng(4).random((250, 60)) < rate
    records[:, 0], records[:, 1] = marked(100), np.arange(250) % 10 == 9  # no spell; the same spell
    slow = np.array([scores.weibull_duration(record).statistic for record in records.T])
    assert weibull_statistics(records) == pytest.approx(slow, rel=1e-6, abs=1e-9, nan_ok=True)
    assert np.isnan(slow[0]) and slow[1] > 10


# The table.


def panel(days=600, books=3):
    rng = np.random.default_rng(4)
    return rng.random((days, books)) < 0.02, 1.0 + rng.random((days, books))


def test_one_row_a_portfolio_and_one_verdict_a_test():
    exceedances, required = panel()
    table = scores.battery(exceedances, required, draws=99)
    assert list(table)[:4] == ["observations", "exceedances", "every", "zone"]
    assert list(table)[4:] == [name for test in TESTS for name in (f"{test}_p", test)]
    assert table["exceedances"].tolist() == exceedances.sum(axis=0).tolist()
    for test in TESTS:
        rejected = table[f"{test}_p"] <= 0.05
        assert (table[test] == "rejected").equals(rejected)
    record = exceedances[:, 1]
    assert table.loc[1, "kupiec_p"] == scores.kupiec_exact(int(record.sum()), 600).pvalue
    assert table.loc[1, "christoffersen_p"] == scores.exact_pvalue(record)
    count = int(record.sum())
    assert table.loc[1, "binomial_p"] == pytest.approx(stats.binom.sf(count - 1, 600, 0.01))


def test_the_middle_of_phases_is_that_of_those_which_answer():
    rng = np.random.default_rng(2)
    for phases in (1, 2, 3, 6):
        pvalues = rng.random((phases, 40))
        pvalues[rng.random(pvalues.shape) < 0.5] = np.nan
        pvalues[:, 0] = np.nan
        found, known = _medians(pvalues), ~np.isnan(pvalues).all(axis=0)
        assert found[known].tolist() == np.nanmedian(pvalues[:, known], axis=0).tolist()
        assert np.isnan(found[~known]).all() and not known[0]


def test_no_draws_gives_the_chi_squared_laws():
    exceedances, required = panel()
    row = scores.battery(exceedances, required, draws=0).iloc[0]
    record = exceedances[:, 0]
    assert row["kupiec_p"] == scores.kupiec(record).pvalue
    assert row["conditional_coverage_p"] == scores.christoffersen_coverage(record).pvalue
    assert row["weibull_p"] == scores.weibull_duration(record).pvalue
    assert row["dynamic_quantile_p"] == scores.dynamic_quantile(record, required[:, 0]).pvalue
    assert row["squared_spells"] == "not identified"


def test_overlapping_days_are_tested_apart():
    """The table of H = 3 is the median of the tables of the three phases, and never says H = 1."""
    exceedances, required = panel()
    table = scores.battery(exceedances, required, horizon=3, draws=0)
    phases = [
        scores.battery(exceedances[start::3], required[start::3], draws=0) for start in range(3)
    ]
    for test in TESTS.keys() - {"squared_spells"}:
        whole = np.array([phase[f"{test}_p"] for phase in phases])
        assert table[f"{test}_p"].to_numpy() == pytest.approx(np.nanmedian(whole, axis=0))
    assert (table["every"] == 3).all() and (table["observations"] == 600).all()
    order = ("green", "yellow", "red")
    zones = [sorted((phase["zone"][0] for phase in phases), key=order.index)[1]]
    assert table["zone"][0] == zones[0]


def test_nothing_to_see_is_not_a_pass():
    table = scores.battery(np.zeros((300, 1), bool), np.ones((300, 1)), draws=19)
    unknown = {test for test in TESTS if table[test][0] == "not identified"}
    assert unknown >= OF_MEMORY and not unknown & {"binomial", "kupiec"}
    assert table[[f"{test}_p" for test in unknown]].isna().all(axis=None)
    assert table["zone"][0] == "green" and table["binomial_p"][0] == 1.0


def test_fewer_days_than_the_horizon_identify_little():
    table = scores.battery(np.zeros((3, 1), bool), np.ones((3, 1)), horizon=5, draws=19)
    unknown = {test for test in TESTS if table[test][0] == "not identified"}
    assert unknown >= OF_MEMORY and table["observations"][0] == 3


def test_bad_tables_are_one_clear_error():
    exceedances, required = panel(20)
    with pytest.raises(DataError, match="with a day or more"):
        scores.battery(exceedances[:0], required[:0])
    with pytest.raises(DataError, match="shape"):
        scores.battery(exceedances, required[:, :1])
    with pytest.raises(DataError, match="required holds NaN"):
        scores.battery(exceedances, np.where(required > 1.9, np.nan, required))
    with pytest.raises(StudyError, match="level 5"):
        scores.battery(exceedances, required, level=5)


def test_a_study_has_its_table(small_market, small_book):
    models = {"mine": st.HistoricalVaR(lookback=60)}
    study = bt.run(small_market, small_book, models, coverage=bt.Coverage(mpor=2))
    table = study.tests(draws=0)
    assert table.index.equals(study.scores.index)
    assert (table["coverage_p"] == study.scores["coverage_p"]).all()
    horizon = study.overlap
    assert (table["every"] == horizon).all()
    assert (table["exceedances"] == study.scores["exceedances"]).all()
    # kupiec_p of the summary is the same median of chi-squared p-values.
    assert table["kupiec_p"].to_numpy() == pytest.approx(study.scores["kupiec_p"])
    strict = study.tests(level=1e-9, draws=0)
    assert not (strict["kupiec"] == "rejected").any()


@pytest.mark.slow
def test_clustered_records_are_seen_and_right_ones_left_alone():
    """1,000 days at 95 %: sizes near 5 %, and every test of memory sees P(1|1) = 0.3."""
    rng = np.random.default_rng(6)
    days, count = 1000, 250
    right = rng.random((days, count)) < 0.05
    drawn, clustered = rng.random((days, count)), np.zeros((days, count), bool)
    for day in range(1, days):
        clustered[day] = drawn[day] < np.where(clustered[day - 1], 0.3, 0.05 * 0.7 / 0.95)
    moving = np.exp(0.1 * np.cumsum(rng.standard_normal((days, 1)), axis=0)) * np.ones(count)
    share = {
        name: {
            test: (table[f"{test}_p"] <= 0.05).mean()
            for table in [scores.battery(record, moving, confidence=0.95, draws=999)]
            for test in TESTS
        }
        for name, record in (("right", right), ("clustered", clustered))
    }
    assert max(share["right"].values()) <= 0.05 + 0.06  # four standard errors, shared draws
    for test in ("christoffersen", "conditional_coverage", "dynamic_quantile", "weibull"):
        assert share["clustered"][test] > 0.55, test
    assert share["clustered"]["tbfi"] > 0.4 and share["clustered"]["squared_spells"] > 0.2
