"""Duration, dynamic quantile, zone and exact tests against known answers, laws and edge cases."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

import backtest as bt
from backtest import DataError, StudyError, scores
from backtest.scores.exceedances.durations import geometric_moments
from backtest.scores.exceedances.record import runs_of, spells_of
from tests.support.places import PEER_DATA, golden, needs_peer_data

NAN = float("nan")

# Exceedance days of 250, b, likelihood ratio, p of the Weibull test; rugarch double-counts a spell
# in the third (b = 4.51, p = 0.0203).
WEIBULL = {
    (99, 100): (0.240406, 4.201139012841672, 0.04039683729419683),
    (49, 199): (10.0, 5.626753664075558, 0.017688359917869913),
    (0, 99): (3.076816, 1.0442079987272432, 0.3068448182504902),
}


@pytest.mark.parametrize("days", WEIBULL)
def test_weibull_with_two_exceedances(days):
    shape, ratio, pvalue = WEIBULL[days]
    result = scores.weibull_duration(np.isin(np.arange(250), days))
    assert result.estimates["b"] == pytest.approx(shape, abs=1e-4)
    assert result.statistic == pytest.approx(ratio, rel=1e-8)
    assert result.pvalue == pytest.approx(pvalue, rel=1e-6)
    assert result.estimates["at_edge"] == (days == (49, 199))


@needs_peer_data
@pytest.mark.parametrize(
    ("file", "confidence"), [("sp500_normal_var95_full", 0.95), ("esback_risk_forecasts", 0.975)]
)
def test_published_forecasts(file, confidence):
    expected = golden(file, PEER_DATA)["expected"]
    table = pd.read_csv(PEER_DATA / f"{file}.csv")
    exceeded = (table["ret"] < table["var"]).to_numpy()
    weibull = scores.weibull_duration(exceeded)
    assert weibull.statistic == pytest.approx(expected["duration_weibull"]["LR"], rel=1e-8)
    assert weibull.estimates["b"] == pytest.approx(expected["duration_weibull"]["b"], abs=1e-4)
    plain = scores.dynamic_quantile(exceeded, table["var"], confidence=confidence)
    wanted = expected["dq_engle_manganelli_const_var_4hits"]
    assert plain.statistic == pytest.approx(wanted["stat"], rel=1e-9)
    assert plain.pvalue == pytest.approx(wanted["p"], rel=1e-6)
    squared = scores.dynamic_quantile(
        exceeded, table["var"], loss=-table["ret"], confidence=confidence, variant="squared-loss"
    )
    wanted = expected["dq_GAS_variant_const_var_4hits_ysq"]
    assert squared.statistic == pytest.approx(wanted["stat"], rel=1e-9)
    # The unit of the requirement does not matter, and its sign neither.
    in_usd = scores.dynamic_quantile(exceeded, -1e8 * table["var"], confidence=confidence)
    assert in_usd.statistic == pytest.approx(plain.statistic, rel=1e-9)


def test_matlab_waiting_times():
    """MathWorks' varbacktest: 1,043 days, 57 failures at 95 %, the first on day 58."""
    case = golden("mathworks_varbacktest")
    given, printed = case["inputs"], case["expected"]
    record = np.arange(1, given["observations"] + 1) == given["first_failure"]
    first = scores.time_to_first_exceedance(record, confidence=given["confidence"])
    assert [first.statistic, first.pvalue] == pytest.approx(printed["tuff"], rel=2e-4)
    for kind in ("between_failures", "mixed"):
        law = stats.chi2(given[kind]["freedom"])
        assert law.sf(given[kind]["LR"]) == pytest.approx(printed[f"{kind}_p"], rel=2e-4)
    on_day_one = np.zeros(10, bool)
    on_day_one[0] = True
    sure = scores.time_to_first_exceedance(on_day_one, confidence=0.95)
    assert sure.statistic == pytest.approx(-2 * np.log(0.05))


def test_haas_sums_kupiec_and_every_wait():
    record = np.isin(np.arange(400), [3, 50, 51, 300])
    ratio = 0.0
    for wait in (4, 47, 1, 249):
        free = stats.geom.logpmf(wait, 1 / wait)
        ratio += -2 * (stats.geom.logpmf(wait, 0.01) - free)
    between = scores.time_between_exceedances(record)
    assert between.statistic == pytest.approx(ratio)
    assert between.pvalue == pytest.approx(stats.chi2.sf(ratio, 4))
    both = scores.mixed_kupiec(record)
    assert both.statistic == pytest.approx(ratio + scores.kupiec(record).statistic)
    assert both.pvalue == pytest.approx(stats.chi2.sf(both.statistic, 5))


def test_polynomials_are_orthonormal_under_the_geometric_law():
    days = np.arange(1.0, 4000.0)
    law = stats.geom.pmf(days, 0.02)
    found = geometric_moments(days, 0.02, 5)
    assert (found * law) @ found.T == pytest.approx(np.eye(5), abs=1e-8)
    assert found @ law == pytest.approx(np.zeros(5), abs=1e-8)


def test_gmm_kinds_use_what_they_say():
    record = np.isin(np.arange(1500), [100, 220, 221, 500, 900, 1400])
    spells = np.diff([100, 220, 221, 500, 900, 1400])
    first = (0.99 + 0.01 * (0 - spells + 1) - 0.0) / np.sqrt(0.99)
    rate = scores.gmm_duration(record, kind="rate")
    assert rate.statistic == pytest.approx(first.sum() ** 2 / 5)
    alone = scores.gmm_duration(record, kind="independence")
    assert alone.pvalue == pytest.approx(stats.chi2.sf(alone.statistic, 2))
    joint = scores.gmm_duration(record)
    assert joint.statistic >= rate.statistic
    with pytest.raises(StudyError, match="kind"):
        scores.gmm_duration(record, kind="both")


def test_zones_are_the_binomial_of_their_own_days():
    case = golden("basel_zones")
    given, known = case["inputs"], case["expected"]
    for count, zone in enumerate(known["zone"]):
        light = scores.traffic_light(count, given["days"], confidence=given["confidence"])
        assert light.zone == zone
        assert light.basel_multiplier == known["basel_multiplier"][count]
        assert light.frtb_multiplier == known["frtb_multiplier"][count]
        assert light.cumulative == pytest.approx(known["cumulative"][count], rel=1e-9)
        assert light.type_one == pytest.approx(known["type_one"][count], rel=1e-9)
    for window in known["yellow_and_red_from"]:
        light = scores.traffic_light(0, window["days"], confidence=window["confidence"])
        assert [light.yellow_from, light.red_from] == window["from"]
        assert light.basel_multiplier is None and light.frtb_multiplier is None
    printed = golden("mathworks_varbacktest")["expected"]["tl"]
    light = scores.traffic_light(57, 1043, confidence=0.95)
    assert light.zone == printed["zone"]
    assert light.cumulative == pytest.approx(printed["cumulative"], rel=2e-4)
    assert light.type_one == pytest.approx(printed["type_one"], rel=2e-4)
    assert scores.traffic_light(40, 250, confidence=0.9).zone == "yellow"
    with pytest.raises(StudyError):
        scores.traffic_light(251, 250)


def brute(record, confidence, test):
    """The exact p-value by going through every record."""

    def ratio(hits):
        alone = scores.christoffersen_independence(hits)
        value = alone.statistic if alone.identified else 0.0
        if test == "conditional coverage":
            value += scores.kupiec(hits, confidence=confidence).statistic
        return value

    here, total = ratio(record), 0.0
    for hits in itertools.product([False, True], repeat=len(record)):
        if ratio(np.array(hits)) >= here - 1e-9:
            count = sum(hits)
            total += (1 - confidence) ** count * confidence ** (len(hits) - count)
    return total


@pytest.mark.parametrize("test", ["independence", "conditional coverage"])
@pytest.mark.parametrize("record", ["00111000", "10000001", "01010100", "11000001", "00000100"])
def test_exact_pvalues_count_every_record(record, test):
    given_record = np.array([c == "1" for c in record])
    found = scores.exact_pvalue(given_record, test=test, confidence=0.8)
    assert found == pytest.approx(brute(given_record, 0.8, test), abs=1e-12)


def test_exact_pvalues_and_sizes_that_are_enumerated():
    case = golden("exact_small_sample")
    given, known = case["inputs"], case["expected"]
    record = np.isin(np.arange(given["days"]), given["exceeded_index0"])
    for test in ("independence", "conditional coverage"):
        found = scores.exact_pvalue(record, test=test, confidence=given["confidence"])
        assert found == pytest.approx(known[test]["exact_p"], abs=case["tolerance"])
    alone = scores.christoffersen_independence(record)
    assert alone.statistic == pytest.approx(known["independence"]["LR"], rel=1e-12)
    both = scores.christoffersen_coverage(record, confidence=given["confidence"])
    assert both.statistic == pytest.approx(known["conditional coverage"]["LR"], rel=1e-12)
    for window in known["kupiec_size_nominal_5_percent"]:
        size = scores.kupiec_size(window["days"], confidence=window["confidence"])
        assert size == pytest.approx(window["size"], abs=case["tolerance"])
    assert scores.kupiec_exact(6, 250).pvalue == pytest.approx(
        sum(stats.binom.pmf(x, 250, 0.01) for x in range(251) if x == 0 or x >= 6)
    )


def test_monte_carlo_pvalues_agree_with_the_exact_ones():
    record = np.isin(np.arange(250), [40, 41, 120])

    drawn = scores.monte_carlo_pvalue(
        scores.christoffersen_independence, record, draws=1999, seed=3
    )
    assert drawn == pytest.approx(scores.exact_pvalue(record), abs=0.02)


@pytest.mark.parametrize("edge", ["none", "last", "all", "empty"])
def test_a_drawn_pvalue_is_not_1_where_nothing_is_identified(edge):
    for test in (scores.christoffersen_independence, scores.christoffersen_coverage):
        assert np.isnan(scores.monte_carlo_pvalue(test, EDGES[edge], draws=19))


def test_a_drawn_pvalue_serves_a_record_that_misses_days():
    """As the message of `exact_pvalue` promises; two neighbours a missing day apart are none."""
    record = np.isin(np.arange(250), [40, 41, 120]).astype(float)
    together = scores.monte_carlo_pvalue(scores.christoffersen_independence, record, draws=199)
    record[[39, 42]] = NAN
    record[40:42] = [1.0, NAN]
    apart = scores.monte_carlo_pvalue(scores.christoffersen_independence, record, draws=199)
    assert together < 0.05 < apart


EDGES = {
    "none": np.zeros(250, bool),
    "one": np.arange(250) == 99,
    "first": np.arange(250) == 0,
    "last": np.arange(250) == 249,
    "all": np.ones(250, bool),
    "empty": np.zeros(0, bool),
}
TESTS = {
    "weibull": scores.weibull_duration,
    "gmm": scores.gmm_duration,
    "tuff": scores.time_to_first_exceedance,
    "tbfi": scores.time_between_exceedances,
    "tbf": scores.mixed_kupiec,
    "dq": lambda record: scores.dynamic_quantile(record, np.arange(len(record), dtype=float)),
}
IDENTIFIED = {
    "weibull": {"all"},
    "gmm": {"all"},
    "tuff": {"one", "first", "last", "all"},
    "tbfi": {"one", "first", "last", "all"},
    "tbf": {"one", "first", "last", "all"},
    "dq": {"one", "last"},
}


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("edge", EDGES)
def test_edge_records_are_defined(test, edge):
    result = TESTS[test](EDGES[edge])
    assert result.identified == (edge in IDENTIFIED[test])
    assert np.isnan(result.pvalue) != result.identified
    assert (result.verdict() == "not identified") != result.identified
    if result.identified:
        assert np.isfinite(result.statistic) and 0.0 <= result.pvalue <= 1.0


records = some.lists(some.sampled_from([0.0, 1.0, NAN]), max_size=40)


@given(records)
def test_a_missing_day_splits_a_record(record):
    runs = runs_of(np.array(record, dtype=float))
    assert sum(len(run) for run in runs) == sum(not np.isnan(v) for v in record)
    parts = [spells_of(run) for run in runs]
    whole = spells_of(np.array(record, dtype=float))
    assert whole.complete.tolist() == [d for part in parts for d in part.complete]
    assert whole.censored.tolist() == [d for part in parts for d in part.censored]


def test_a_missing_day_is_never_a_day_without_exceedance():
    whole = np.isin(np.arange(300), [100, 150]).astype(float)
    holed = whole.copy()
    holed[120:130] = NAN
    assert len(spells_of(whole).complete) == 1 and len(spells_of(holed).complete) == 0
    with pytest.raises(DataError, match="every day"):
        scores.exact_pvalue(holed)
    with pytest.raises(DataError, match="hold 2"):
        runs_of([0.0, 2.0])
    with pytest.raises(DataError, match="one portfolio"):
        runs_of(np.zeros((3, 2)))


def test_a_constant_requirement_takes_a_degree_of_freedom_away():
    record = np.isin(np.arange(500), [10, 11, 300, 301, 302])
    moving = scores.dynamic_quantile(record, np.linspace(1, 2, 500))
    fixed = scores.dynamic_quantile(record, np.full(500, 3.0))
    assert "6 df" in moving.assumed and "5 df" in fixed.assumed
    assert fixed.pvalue == pytest.approx(stats.chi2.sf(fixed.statistic, 5))


@pytest.mark.slow
@pytest.mark.parametrize("test", ["weibull", "gmm", "tbfi"])
def test_monte_carlo_pvalues_have_their_size(test):
    """Of right models over 250 days at 95 %, 5 % are rejected at 5 %: the chi-squared laws fail."""
    functions = {
        "weibull": scores.weibull_duration,
        "gmm": lambda r: scores.gmm_duration(r, confidence=0.95),
        "tbfi": lambda r: scores.time_between_exceedances(r, confidence=0.95),
    }
    rng = np.random.default_rng(5)
    pvalues = [
        scores.monte_carlo_pvalue(
            lambda record: functions[test](record).statistic,
            rng.random(250) < 0.05,
            confidence=0.95,
            draws=99,
            seed=i,
        )
        for i in range(400)
    ]
    assert 0.025 <= np.mean(np.array(pvalues) <= 0.05) <= 0.08
    assert stats.kstest(pvalues, "uniform").pvalue > 0.001


@pytest.mark.slow
def test_chi_squared_sizes_that_the_docstrings_state():
    rng = np.random.default_rng(9)
    drawn = [rng.random(1000) < 0.05 for _ in range(1000)]
    share = {
        name: np.mean([test(record).verdict() == "rejected" for record in drawn])
        for name, test in {
            "weibull": scores.weibull_duration,
            "gmm": lambda r: scores.gmm_duration(r, confidence=0.95),
            "tbfi": lambda r: scores.time_between_exceedances(r, confidence=0.95),
        }.items()
    }
    assert share["weibull"] == pytest.approx(0.11, abs=0.03)
    assert share["gmm"] == pytest.approx(0.043, abs=0.02)
    assert share["tbfi"] == pytest.approx(0.16, abs=0.035)


@pytest.mark.parametrize("test", ["weibull", "gmm", "tbfi", "dq"])
def test_clustered_exceedances_are_seen(test):
    """Twenty exceedances of 2,000 days in five clusters: the right rate, the wrong days."""
    clusters = (100, 500, 900, 1300, 1700)
    record = np.isin(np.arange(2000), [day + i for day in clusters for i in range(4)])
    moving = np.random.default_rng(1).random(2000)
    result = scores.dynamic_quantile(record, moving) if test == "dq" else TESTS[test](record)
    assert scores.kupiec(record).verdict() == "not rejected"
    assert result.verdict(0.001) == "rejected"


@pytest.mark.parametrize("day", [1, 2, 58, 1043])
def test_the_day_alone_says_what_the_record_says(day: int) -> None:
    record = np.arange(1, 1044) == day
    record[-1] = True  # what comes after the first does not count
    assert scores.first_exceedance_on(day) == scores.time_to_first_exceedance(record)


def test_no_day_is_not_identified_and_day_zero_is_one_line() -> None:
    assert not scores.first_exceedance_on(None).identified
    with pytest.raises(bt.StudyError, match="on day 0; the first day is 1"):
        scores.first_exceedance_on(0)
