"""Tests of ES and of densities against known answers, by hand, by laws and at their edges."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from backtest import DataError, StudyError, scores
from backtest.scores.forecasts.calibration import hommel
from backtest.scores.forecasts.expected_shortfall import tail_of
from backtest.scores.forecasts.shortfall_regression import quantile_regression
from tests.support.places import GOLDEN, PEER_DATA, golden, needs_peer_data

FILES = [("sp500_normal_var95_full", 0.95), ("esback_risk_forecasts", 0.975)]
DAYS = 250
Q, E = tail_of(0.025, None)


def peer_answers(name):
    return golden(name, PEER_DATA)["expected"]


def forecasts(name):
    """Losses, VaR, ES, volatility; the files are in return space."""
    table = pd.read_csv(PEER_DATA / f"{name}.csv")
    return -table["ret"], -table["var"], -table["es"], table["sigma"]


@needs_peer_data
@pytest.mark.parametrize(("file", "confidence"), FILES)
def test_forecasts_that_peers_have_tested(file, confidence):
    expected, (loss, var, es, sigma) = peer_answers(file), forecasts(file)
    printed = expected["nolde_ziegel_cc"]
    for side, theirs in (("two", "twosided"), ("one", "onesided")):
        for scale, form in ((None, "simple"), (sigma, "general")):
            found = scores.conditional_calibration(
                loss, var, es, confidence=confidence, scale=scale, side=side
            )
            assert found.pvalue == pytest.approx(printed[f"pvalue_{theirs}_{form}"], rel=1e-8)
    residuals = scores.mcneil_frey(loss, var, es)
    wanted = expected["es_mcneil_frey_unstandardised"]
    assert residuals.statistic == pytest.approx(wanted["t"], rel=1e-9)
    assert residuals.pvalue == pytest.approx(wanted["p_one_sided_normal"], rel=1e-8)
    assert residuals.estimates["student_p"] == pytest.approx(wanted["p_one_sided_student"])
    z2 = scores.acerbi_szekely(loss, var, es, confidence=confidence, draws=9).statistic
    assert z2 == pytest.approx(expected["acerbi_szekely_Z2"], rel=1e-9)
    tick = scores.tick_loss(loss, var, confidence=confidence).mean()
    assert tick == pytest.approx(expected["quantile_loss_mean"], rel=1e-9)
    fz0 = scores.fz0_loss(loss, var, es, confidence=confidence).mean()
    assert fz0 == pytest.approx(expected["fz0_loss_mean"], rel=1e-9)


@needs_peer_data
@pytest.mark.parametrize("level", ["01", "05"])
def test_rugarch_example(level):
    expected = peer_answers(f"rugarch_VaRTest_example_a{level}")
    table = pd.read_csv(PEER_DATA / "rugarch_dji30_AA_example.csv")
    loss, var, es = -table["ret"], -table[f"var{level}"], -table[f"es{level}"]
    confidence = 1.0 - int(level) / 100.0
    exceeded = (loss > var).to_numpy()
    assert exceeded.sum() == expected["breaches"]
    rate = scores.kupiec(exceeded, confidence=confidence)
    assert rate.statistic == pytest.approx(expected["kupiec_LR"], rel=1e-9)
    both = scores.christoffersen_coverage(exceeded, confidence=confidence)
    assert both.statistic == pytest.approx(expected["cc_LR"], rel=1e-9)
    spells = scores.weibull_duration(exceeded)
    assert spells.pvalue == pytest.approx(expected["weibull_LRp"], abs=1e-8)
    residuals = scores.mcneil_frey(loss, var, es)
    assert residuals.pvalue == pytest.approx(expected["es_p_normal"], rel=1e-9)
    tick = scores.tick_loss(loss, var, confidence=confidence).mean()
    assert tick == pytest.approx(expected["quantile_loss_mean"], rel=1e-9)


@needs_peer_data
def test_densities_of_the_rugarch_example():
    pit = pd.read_csv(PEER_DATA / "rugarch_dji30_AA_example.csv")["pit"]
    expected = peer_answers("berkowitz_pit")
    whole = scores.berkowitz(pit)
    assert whole.statistic == pytest.approx(expected["full_LR_exact_conditional_ML"], rel=1e-9)
    tail = scores.berkowitz_tail(pit)
    assert tail.statistic == pytest.approx(expected["tail_LR"], rel=1e-8)
    assert tail.estimates["mean"] == pytest.approx(expected["tail_mu"], abs=1e-5)
    expected = peer_answers("du_escanciano_pit")
    rate = scores.shortfall_by_pit(pit)
    assert rate.statistic == pytest.approx(expected["z"], rel=1e-9)
    assert rate.pvalue == pytest.approx(expected["p_two_sided"], rel=1e-9)
    assert rate.estimates["one_sided_p"] == pytest.approx(expected["p_one_sided_upper"])
    calls = scores.shortfall_independence(pit)
    assert calls.statistic == pytest.approx(expected["C5"], rel=1e-9)


@needs_peer_data
def test_regression_is_near_the_joint_one_of_esback():
    """Their p-values by a joint fit: 5.6e-4 and 8.9e-4; another estimator of the same two."""
    found = scores.shortfall_regression(*forecasts("esback_risk_forecasts")[:3], draws=0)
    assert 1e-4 < found.pvalue < 1e-3
    assert found.pvalue == found.estimates["limit_p"]


def test_model_confidence_set_of_two_packages():
    table = pd.read_csv(GOLDEN / "mcs_losses.csv")
    expected = golden("mcs")["expected"]
    found = scores.model_confidence_set({name: table[name] for name in table})
    assert found.index[found["included"]].tolist() == expected["included"]
    for name, pvalue in expected["pvalues_mcs_pkg"].items():
        assert found.loc[name, "pvalue"] == pytest.approx(pvalue, abs=0.03)


def history(seed=0, days=DAYS, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal(days)


def bands(days=DAYS, scale=1.0):
    return np.full(days, Q * scale), np.full(days, E * scale)


def test_matlab_z2_from_its_counts():
    """MathWorks' esbacktest: the Z2 of 1,966 days at 97.5 %, and its p under both laws."""
    case = golden("mathworks_varbacktest")
    z2, printed = case["inputs"]["expected_shortfall"]["z2"], case["expected"]
    days = case["inputs"]["expected_shortfall"]["observations"]
    loss = np.random.default_rng(5).standard_normal(days)
    base = scores.acerbi_szekely(loss, *bands(days), draws=9).statistic
    worse = np.where(loss > Q, loss * (1.0 - z2) / (1.0 - base), loss)
    normal = scores.acerbi_szekely(worse, *bands(days), draws=4000)
    assert normal.statistic == pytest.approx(z2)
    assert normal.pvalue == pytest.approx(printed["z2_normal_p"], abs=0.004)
    fatter = scores.acerbi_szekely(worse, *bands(days), freedom=3, draws=4000)
    assert fatter.pvalue == pytest.approx(printed["z2_t3_p"], abs=0.007)


@pytest.mark.parametrize(("freedom", "confidence"), [(None, 0.975), (3, 0.975), (5.5, 0.99)])
def test_tails_are_the_integral_of_the_quantiles(freedom, confidence):
    law = stats.norm() if freedom is None else stats.t(freedom)
    quantile, shortfall = tail_of(1.0 - confidence, freedom)
    assert quantile == pytest.approx(law.ppf(confidence))
    assert shortfall == pytest.approx(law.expect(lb=quantile) / (1.0 - confidence), rel=1e-6)


def test_statistics_by_hand():
    loss, var, es = [3.0, 0.0, 5.0, 1.0], [2.0] * 4, [4.0] * 4
    ask = {"confidence": 0.5, "draws": 9}
    assert scores.acerbi_szekely(loss, var, es, which="Z1", **ask).statistic == pytest.approx(0.0)
    # 1 - (3/4 + 5/4) / (4 x 0.5)
    assert scores.acerbi_szekely(loss, var, es, **ask).statistic == pytest.approx(0.0)
    # mean of (2 - (L - 2)+ / 0.5) / 4 = (0, 2, -4, 2) / 4
    assert scores.minimally_biased(loss, var, es, **ask).statistic == pytest.approx(0.0)
    # residuals -1, 1
    assert scores.mcneil_frey(loss, var, es).statistic == pytest.approx(0.0)
    assert scores.fz0_loss([3.0], [2.0], [4.0], confidence=0.5)[0] == pytest.approx(
        1.0 / 2.0 + 0.5 + np.log(4.0) - 1.0
    )
    assert hommel(np.array([0.02, 0.5, 0.5, 0.5])) == pytest.approx(4 * (25 / 12) * 0.02)


def test_losses_are_smallest_for_the_right_forecast():
    """Both scoring functions are strictly consistent: the mean over a law is least at the truth."""
    x = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    grid = np.linspace(-0.2, 0.2, 9)
    tick = [scores.tick_loss(x, Q + step, confidence=0.975).mean() for step in grid]
    assert np.argmin(tick) == 4
    joint = {
        (a, b): scores.fz0_loss(x, np.full(x.size, Q + a), np.full(x.size, E + b)).mean()
        for a in grid
        for b in grid
        if E + b >= Q + a  # any other is no VaR and ES of one law
    }
    assert min(joint, key=joint.get) == (grid[4], grid[4])


SEVERITY = {
    "Z1": lambda *s: scores.acerbi_szekely(*s, which="Z1", draws=199),
    "Z2": lambda *s: scores.acerbi_szekely(*s, draws=199),
    "biased": lambda *s: scores.minimally_biased(*s, draws=199),
    "residuals": scores.mcneil_frey,
    "resampled": lambda *s: scores.mcneil_frey(*s, draws=199),
    "two": scores.conditional_calibration,
    "one": lambda *s: scores.conditional_calibration(*s, side="one"),
    "under": lambda *s: scores.conditional_calibration(*s, side="under-coverage"),
    "general": lambda *s: scores.conditional_calibration(*s, scale=s[1]),
    "regression": lambda *s: scores.shortfall_regression(*s, draws=0),
}


@pytest.mark.parametrize("test", SEVERITY)
def test_the_unit_and_the_order_of_days_do_not_matter(test):
    rng = np.random.default_rng(8)
    sigma = 1.0 + rng.random(800)
    series = np.array([sigma * rng.standard_normal(800), Q * sigma, E * sigma])
    here = SEVERITY[test](*series)
    assert here.identified and 0.0 < here.pvalue <= 1.0
    in_cents = SEVERITY[test](*(1e9 * series))
    assert in_cents.statistic == pytest.approx(here.statistic, rel=1e-6)
    assert in_cents.pvalue == pytest.approx(here.pvalue, rel=1e-6)
    moved = SEVERITY[test](*series[:, rng.permutation(800)])
    assert moved.statistic == pytest.approx(here.statistic, rel=1e-9)


@pytest.mark.parametrize("test", [name for name in SEVERITY if name not in ("two", "one")])
def test_too_small_forecasts_are_what_rejects(test):
    """All forecasts halved are rejected by every test; the one-sided ones stand more."""
    rng = np.random.default_rng(8)
    sigma = 1.0 + rng.random(1500)
    loss = sigma * rng.standard_normal(1500)
    assert SEVERITY[test](loss, 0.5 * Q * sigma, 0.5 * E * sigma).verdict(0.01) == "rejected"
    if test not in ("general", "regression"):
        careful = SEVERITY[test](loss, 1.25 * Q * sigma, 1.25 * E * sigma)
        assert careful.verdict() == "not rejected"


RECORDS = {
    "none": np.zeros(DAYS),
    "one": np.where(np.arange(DAYS) == 5, 3.0, 0.0),
    "two alike": np.where(np.isin(np.arange(DAYS), [3, 9]), 3.0, 0.0),
    "all alike": np.full(DAYS, 3.0),
    "all": 3.0 + np.arange(DAYS) / DAYS,
    "one calm day": np.zeros(1),
    "one bad day": np.full(1, 3.0),
}
UNKNOWN = {
    "Z1": {"none", "one calm day"},
    "Z2": set(),
    "biased": {"none", "one calm day", "all alike", "one bad day"},
    "residuals": set(RECORDS) - {"all"},
    "resampled": set(RECORDS) - {"all"},
    "two": set(RECORDS) - {"all"},
    "one": {"none", "one calm day"},
    "under": {"none", "one calm day"},
    "general": {"none", "one calm day"},
    "regression": set(RECORDS),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("test", SEVERITY)
@pytest.mark.parametrize("record", RECORDS)
def test_edge_records_have_a_defined_result(test, record):
    loss = RECORDS[record]
    result = SEVERITY[test](loss, *(band[: len(loss)] for band in bands()))
    assert result.identified == (record not in UNKNOWN[test])
    assert np.isfinite(result.statistic) == result.identified
    assert np.isfinite(result.pvalue) == result.identified


@pytest.mark.parametrize("test", SEVERITY)
def test_bad_input_is_one_clear_error(test):
    loss, (var, es) = history(), bands()
    for wrong in (np.nan, np.inf):
        with pytest.raises(DataError, match="loss holds"):
            SEVERITY[test](np.where(np.arange(DAYS) == 7, wrong, loss), var, es)
    with pytest.raises(DataError, match="shape"):
        SEVERITY[test](loss, var[:-1], es)
    with pytest.raises(DataError, match="shape"):
        SEVERITY[test]([], [], [])


@pytest.mark.parametrize("test", [*SEVERITY, "tick", "fz0", "regression"])
def test_a_sign_or_an_order_the_wrong_way_round_is_one_line(test):
    """Negative VaR and ES once gave p = 4e-29 without a word; an ES below its VaR passed."""
    ask = {
        **SEVERITY,
        "tick": lambda x, v, e: scores.tick_loss(x, v),
        "fz0": scores.fz0_loss,
        "regression": scores.shortfall_regression,
    }[test]
    loss, (var, es) = history(), bands()
    with pytest.raises(DataError, match=r"value_at_risk is negative on 250 of 250 .* give -value"):
        ask(loss, -var, -es)
    if test != "tick":
        with pytest.raises(DataError, match="expected_shortfall is negative .* give -expected"):
            ask(loss, var, -es)
        with pytest.raises(DataError, match=r"expected_shortfall is 1.95996 where .* is 2.3378"):
            ask(loss, es, var)
        one_day = np.where(np.arange(len(es)) == 7, 0.9 * var, es)
        with pytest.raises(DataError, match=r"\(1 of 250 days\)"):
            ask(loss, var, one_day)


def test_a_loss_without_an_end_has_no_score():
    loss, (var, es) = history(), bands()
    endless = np.where(np.arange(len(var)) == 7, np.inf, var)
    for ask in (
        lambda: scores.tick_loss(loss, endless),
        lambda: scores.tick_loss(-np.abs(endless), var),
        lambda: scores.fz0_loss(loss, var, np.maximum(es, endless)),
    ):
        with pytest.raises(DataError, match="hold an infinity; give finite values, or NaN"):
            ask()


def test_a_book_that_is_sure_to_earn_on_some_days_is_no_reversed_sign():
    loss, (var, es) = history(), bands()
    calm = np.where(np.arange(len(var)) % 5 == 0, -0.1, var)
    assert np.isfinite(scores.tick_loss(loss, calm)).all()
    assert scores.mcneil_frey(loss, calm, es).identified


def test_bad_settings_name_the_value():
    loss, (var, es) = history(), bands()
    with pytest.raises(DataError, match="above zero"):
        scores.acerbi_szekely(loss, 0.0 * var, 0.0 * es)
    with pytest.raises(DataError, match="scale"):
        scores.mcneil_frey(loss, var, es, scale=np.zeros(DAYS))
    with pytest.raises(StudyError, match="Z3"):
        scores.acerbi_szekely(loss, var, es, which="Z3")
    with pytest.raises(StudyError, match="freedom is 1"):
        scores.acerbi_szekely(loss, var, es, freedom=1)
    with pytest.raises(StudyError, match="side is 'left'"):
        scores.conditional_calibration(loss, var, es, side="left")
    with pytest.raises(DataError, match="strictly between"):
        scores.berkowitz([0.5, 1.0])
    for test in (scores.berkowitz_tail, scores.shortfall_by_pit, scores.shortfall_independence):
        with pytest.raises(StudyError, match="tail is 1.5"):
            test(np.full(20, 0.5), tail=1.5)


@pytest.mark.parametrize("count", [1, 2])
def test_walds_calibration_is_not_identified_by_one_or_two_exceedances(count):
    """As published it rejects whatever they are; with one, the statistic is the number of days."""
    rng = np.random.default_rng(count)
    for _ in range(50):
        loss = np.zeros(DAYS)
        loss[rng.choice(DAYS, count, replace=False)] = stats.norm.isf(0.025 * rng.random(count))
        table = np.column_stack([0.025 - (loss >= Q), Q - E + (loss >= Q) * (loss - Q) / 0.025])
        mean = table.mean(axis=0)
        published = DAYS * mean @ np.linalg.solve(table.T @ table / DAYS, mean)
        assert stats.chi2.sf(published, 2) < 0.05
        if count == 1:
            assert published == pytest.approx(DAYS)
        assert not scores.conditional_calibration(loss, *bands()).identified
        assert scores.conditional_calibration(loss, *bands(), side="under-coverage").identified


@pytest.mark.filterwarnings("error")
def test_edge_densities():
    flat = np.full(60, 0.5)
    assert not scores.berkowitz(flat).identified and not scores.berkowitz_tail(flat).identified
    assert not scores.shortfall_independence(flat).identified
    assert scores.shortfall_by_pit(flat).statistic < 0.0  # no tail day is evidence of its own
    two = np.where(np.arange(60) < 2, 0.01, 0.5)
    assert not scores.berkowitz_tail(two).identified
    assert list(scores.pit_histogram(flat, bins=4).estimates.values()) == [0.0, 0.0, 1.0, 0.0]
    assert scores.berkowitz([0.3]).verdict() == "not identified"


def test_third_statistic_by_hand_and_its_signs():
    pit = (np.arange(200) + 0.5) / 200.0
    worst = -stats.norm.ppf(pit[:5]).mean()
    null = [
        -stats.norm.ppf(np.sort(np.random.default_rng(i).random(200))[:5]).mean()
        for i in range(2000)
    ]
    found = scores.shortfall_by_rank(pit, draws=4000)
    assert found.statistic == pytest.approx(1.0 - worst / np.mean(null), abs=0.01)
    loss = history(3, 500)
    assert scores.shortfall_by_rank(stats.norm.cdf(-2.0 * loss), draws=499).pvalue < 0.01
    assert scores.shortfall_by_rank(stats.norm.cdf(-0.5 * loss), draws=499).pvalue > 0.9
    with pytest.raises(DataError, match="no day"):
        scores.shortfall_by_rank(np.full(20, 0.5), confidence=0.99)


@given(some.integers(0, 2**32 - 1), some.floats(0.05, 0.95))
def test_a_regression_quantile_splits_the_days(seed, level):
    """Koenker and Bassett: at most n tau residuals are below zero, at most n (1 - tau) above."""
    rng = np.random.default_rng(seed)
    x, y = rng.random(60), rng.standard_normal(60)
    residual = y - quantile_regression(y, x, level)
    assert (residual < -1e-9).sum() <= 60 * level + 1e-9
    assert (residual > 1e-9).sum() <= 60 * (1.0 - level) + 1e-9
    assert (np.abs(residual) <= 1e-9).sum() >= 2


def test_regression_coefficients_are_those_of_the_law():
    rng = np.random.default_rng(2)
    sigma = 1.0 + 2.0 * rng.random(20_000)
    loss = sigma * rng.standard_normal(20_000)
    right = scores.shortfall_regression(loss, Q * sigma, E * sigma)
    assert right.estimates["slope"] == pytest.approx(1.0, abs=0.15)
    half = scores.shortfall_regression(loss, 0.5 * Q * sigma, 0.5 * E * sigma)
    assert half.estimates["slope"] == pytest.approx(2.0 * right.estimates["slope"], rel=1e-6)


def test_an_e_process_is_the_product_of_its_bets():
    record = np.isin(np.arange(100), [3, 4, 50])
    found = scores.monitor_coverage(record)
    wealth = 1.0
    for day in range(100):
        gains = record[:day] / 0.01 - 1.0
        bet = min(max(gains.sum() / (gains**2).sum(), 0.0), 0.5) if day else 0.0
        wealth *= 1.0 - bet + bet * record[day] / 0.01
        assert found.wealth[day] == pytest.approx(wealth)
    assert found.bet[0] == 0.0
    later = scores.monitor_coverage(np.append(record, [True, True]))
    assert later.wealth[:100] == pytest.approx(found.wealth)  # no day knows the next
    flood = scores.monitor_coverage(np.ones(5000))
    assert flood.pvalue == 0.0 and flood.rejected_on(0.05) is not None
    assert scores.monitor_coverage(np.zeros(50)).pvalue == 1.0
    with pytest.raises(DataError):
        scores.monitor_coverage([0.0, 2.0])
    with pytest.raises(DataError, match="above value_at_risk"):
        scores.monitor_shortfall([0.0], [1.0], [1.0])


def test_days_and_portfolios_do_not_meet_by_broadcasting():
    with pytest.raises(DataError, match="one shape"):
        scores.tick_loss(np.ones(4), np.ones((4, 1)))
    with pytest.raises(DataError, match="one shape"):
        scores.fz0_loss(np.ones(4), np.ones(4), np.ones((4, 1)))
    assert scores.tick_loss(np.ones(4), 2.0).shape == (4,)


def test_one_day_has_no_resamples():
    """All resamples of one day are that day: p would be 1 / (draws + 1), whatever it was."""
    assert not scores.minimally_biased([3.0], [1.0], [2.0], draws=99).identified
    assert not scores.minimally_biased([3.0] * 9, [1.0] * 9, [2.0] * 9, draws=99).identified
    assert scores.minimally_biased([3.0, 0.0], [1.0] * 2, [2.0] * 2, draws=99).identified


def test_models_that_are_one_model_are_compared_as_one():
    """arch never returns from the set, and calls a twin of the benchmark better, p = 0."""
    rng = np.random.default_rng(0)
    base, worse = rng.random(300), rng.random(300) + 0.2
    alone = scores.model_confidence_set({"base": base, "worse": worse}, draws=100)
    found = scores.model_confidence_set(
        {"base": base, "twin": base + 1e-17, "worse": worse}, draws=100
    )
    assert found.loc[["base", "worse"]].equals(alone)
    assert found.loc["twin", "included"] and found.loc["twin", "pvalue"] == 1.0
    found = scores.superior_models(
        {"base": base, "twin": base, "worse": base + 0.2 * rng.random(300)}, benchmark="base"
    )
    assert found.pvalue > 0.3 and found.estimates == {} and found.statistic < 0.0
    with pytest.raises(DataError, match="differ by the same"):
        scores.superior_models({"base": base, "more": base + 0.5}, benchmark="base")


def test_comparison_has_no_favourite():
    rng = np.random.default_rng(1)
    one, other = rng.random(300), rng.random(300) + 0.05
    here = scores.diebold_mariano(one, other, horizon=3)
    swapped = scores.diebold_mariano(other, one, horizon=3)
    assert here.statistic == pytest.approx(-swapped.statistic) and here.statistic < 0
    assert here.pvalue == pytest.approx(swapped.pvalue)
    # One lag less is Student's t of the differences, with n - 1 in the variance.
    plain = scores.diebold_mariano(one, other)
    assert plain.statistic == pytest.approx(stats.ttest_1samp(one - other, 0.0).statistic)
    assert plain.pvalue == pytest.approx(stats.ttest_1samp(one - other, 0.0).pvalue)
    same = scores.diebold_mariano(one, one)
    assert not same.identified and np.isnan(same.pvalue)
    with pytest.raises(DataError, match="nothing to compare"):
        scores.model_confidence_set({"a": one, "b": one})
    shifted = scores.diebold_mariano(one + 0.1, one)  # The same every day, but for rounding.
    assert not shifted.identified and np.isnan(shifted.pvalue)
    with pytest.raises(StudyError, match="horizon is 300"):
        scores.diebold_mariano(one, other, horizon=300)
    with pytest.raises(StudyError, match="known: a, b"):
        scores.superior_models({"a": one, "b": other}, benchmark="c")


@pytest.mark.slow
@pytest.mark.parametrize("test", ["Z1", "Z2", "biased", "resampled", "under", "Z3"])
def test_right_models_are_rejected_no_more_often_than_stated(test):
    """Size at 5 % on 500 normal days, and power where VaR and ES are 20 % too small."""
    sizes = {"Z1": 0.05, "Z2": 0.05, "biased": 0.08, "resampled": 0.07, "under": 0.03, "Z3": 0.05}
    power = {"Z1": 0.05, "Z2": 0.6, "biased": 0.45, "resampled": 0.05, "under": 0.15, "Z3": 0.6}
    share = {}
    for scale in (1.0, 0.8):
        found = []
        for seed in range(400):
            loss = history(seed, 500)
            if test == "Z3":
                pit = np.clip(stats.norm.cdf(-loss / scale), 1e-15, 1 - 1e-15)
                found.append(scores.shortfall_by_rank(pit, draws=199, seed=seed).pvalue)
            else:
                found.append(SEVERITY[test](loss, *bands(500, scale)).pvalue)
        share[scale] = np.mean(np.array(found) <= 0.05)
    assert share[1.0] <= sizes[test] + 0.033  # three standard errors
    assert share[0.8] >= power[test]


@pytest.mark.slow
def test_resampling_mends_the_size_of_the_regression():
    """1,000 normal days: the chi-squared law rejects a right model three times too often."""
    limit, resampled = [], []
    sigma = np.exp(0.3 * np.sin(np.arange(1000) / 40.0))
    for seed in range(200):
        loss = sigma * history(seed, 1000)
        found = scores.shortfall_regression(loss, Q * sigma, E * sigma, draws=99, seed=seed)
        resampled.append(found.pvalue)
        limit.append(found.estimates["limit_p"])
    assert np.mean(np.array(limit) <= 0.05) > 0.09
    assert np.mean(np.array(resampled) <= 0.05) <= 0.10


@pytest.mark.slow
def test_a_monitor_read_every_day_errs_at_most_at_its_level():
    rng = np.random.default_rng(0)
    coverage = [scores.monitor_coverage(rng.random(1000) < 0.01).pvalue for _ in range(1000)]
    assert np.mean(np.array(coverage) <= 0.05) <= 0.05
    tail = [
        scores.monitor_shortfall(rng.standard_normal(1000), *bands(1000)).pvalue
        for _ in range(1000)
    ]
    assert np.mean(np.array(tail) <= 0.05) <= 0.05
