"""Models in force at clearing houses: cross-margining and FICC, against loops and known answers."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.model.deficiency import largest_deficiencies
from backtest.model.mismatch import MISMATCH
from backtest.parameters.in_force import in_force
from backtest.parameters.sources import parameter_source, parameter_sources
from backtest.studies.run.facts import omissions_sentence
from tests.support import by_hand
from tests.support.contracts import HISTORICAL
from tests.support.markets import levels_of, random_market

HS = st.HistoricalVaR(lookback=60)
COVERAGE = bt.Coverage(confidence=0.95)
BOTH = ("treasury", "crypto")
FICC = {"kind": "ficc_var", "lookback": 60, "at_least": 60, "stress": [], "mpor": 3}
CONTRACT = {
    "cross_margining": [
        {"base": HISTORICAL},
        {"base": HISTORICAL, "eligible": ["treasury", "crypto"]},
        {
            "houses": {"FICC": FICC, "CME": {"kind": "historical_var", "lookback": 80}},
            "base": HISTORICAL,
            "eligible": ["UST10Y", "UST10Y@CME", "BTC"],
            "limit": "reduction",
            "threshold": 0.0,
        },
        {"base": HISTORICAL, "parameters": "emir_27/2013"},
        {"base": HISTORICAL, "parameters": "cme_ficc/2025", "account": "customer"},
    ],
    "ficc_var": [
        {k: v for k, v in FICC.items() if k != "kind"},
        {
            "lookback": 80,
            "at_least": 30,
            "stress": ["2022-01-20", "2022-03-10"],  # in the market of `tests/studies/clocks`
            "net_floor": {"2Y": 0.002, "30Y": 0.02, "BTC": 0.1},
            "gross_floor": {"10Y": 0.001},
            "minimum": {"10Y": 0.01},
            "charge_days": 100,
        },
        {"lookback": 80, "at_least": 30, "stress": [], "charge_days": 100},
    ],
}
WAIVERS = {
    ("cross_margining", "more confidence never lowers it"): (
        "the houses' saving can pass the threshold, and is a ratio of margins of several models"
    ),
    ("ficc_var", "more confidence never lowers it"): (
        "a higher value at risk leaves smaller deficiencies, so the backtesting charge falls"
    ),
}


def book_of(*rows, **kept):
    names = [f"p{i}" for i in range(len(rows))]
    return bt.Book.from_frame(pd.DataFrame(list(rows), index=names).fillna(0.0), **kept)


# --- cross-margining


def test_the_published_sample_is_the_cap_to_the_cent(small_market):
    """343.24m USD of margin falls to 68.65m: a hedge so good that the 80 % cap decides."""
    hedge = {"UST10Y": 1e8, "UST10Y@CME": -0.999e8}
    unit = st.CrossMargining(base=HS).parts(small_market, book_of(hedge), COVERAGE)
    gross = unit.steps["gross"][-1, 0]
    scale = 343.24e6 / gross
    parts = st.CrossMargining(base=HS).parts(
        small_market, book_of({k: v * scale for k, v in hedge.items()}), COVERAGE
    )
    steps = {name: values[-1, 0] for name, values in parts.steps.items()}
    assert steps["gross"] == pytest.approx(343.24e6)
    assert sum(steps.values()) == pytest.approx(68.648e6)
    assert f"{sum(steps.values()) / 1e6:.2f}" == "68.65"
    assert steps["cap and floor"] > 0.19 * 343.24e6


def test_the_emir_form_grants_less_than_the_form_of_cme_and_ficc():
    """80 % of the difference is not 80 % of the margin: they agree on a perfect hedge alone."""
    savings = np.array([0.0, 0.1, 0.5, 0.79, 0.8, 0.9, 1.0])
    ours = st.CrossMargining().granted_share(savings)
    emir = st.CrossMargining(parameters="emir_27/2013").granted_share(savings)
    assert_allclose(ours, [0.0, 0.1, 0.5, 0.79, 0.8, 0.8, 0.8])
    assert_allclose(emir, [0.0, 0.08, 0.4, 0.632, 0.64, 0.72, 0.8])
    assert (emir[1:-1] < ours[1:-1]).all() and emir[-1] == ours[-1]


def test_emir_and_cme_ficc_differ_on_a_market(small_market):
    book = book_of({"UST10Y": 1e8, "UST10Y@CME": -4e7})
    ours, emir = (
        st.CrossMargining(base=HS, limit=limit).parts(small_market, book, COVERAGE)
        for limit in ("margin", "reduction")
    )
    gross, kept = ours.steps["gross"][100:], ours.by_silo[100:].sum(axis=2)
    assert (kept < 0.9 * gross).all() and (kept > 0.2 * gross).all()  # neither limit idle
    # RTS 27: M >= sum of margins - 0.8 (sum of margins - joint margin).
    joint = HS.margin(small_market, book, COVERAGE)[100:]
    assert_allclose(emir.by_silo[100:].sum(axis=2), gross - 0.8 * (gross - joint), rtol=1e-9)
    assert_allclose(kept, joint, rtol=1e-9)


def test_below_the_threshold_nothing_is_granted_and_nothing_is_added():
    terms = st.CrossMargining(threshold=0.01)
    assert terms.granted_share(np.array([0.0099, 0.01, -0.2])).tolist() == [0.0, 0.01, 0.0]
    assert st.CrossMargining(threshold=0.0).granted_share(np.array([-0.2])).tolist() == [0.0]
    assert np.isnan(terms.granted_share(np.array([np.nan]))).all()


@pytest.mark.parametrize("real", [False, True], ids=["random", "real"])
def test_each_day_once_more_by_loops(real, request):
    """Two houses, two lookbacks, one portfolio with an ineligible leg; every number by hand."""
    market = request.getfixturevalue("real_market") if real else random_market(300, seed=9)
    usd = {"UST10Y": 6e7, "UST2Y": -5e7, "BTC": 8e6, "ETH": -3e6}
    lookbacks = {"FICC": 250, "CME": 120}
    model = st.CrossMargining(
        houses={s: st.HistoricalVaR(lookback=n) for s, n in lookbacks.items()},
        eligible=("treasury", "BTC"),
    )
    parts = model.parts(market, book_of(usd), COVERAGE)
    required = model.margin(market, book_of(usd), COVERAGE)
    levels = levels_of(market)
    own = {"FICC": {"10Y": 6e7, "2Y": -5e7}, "CME": {"BTC": 8e6}}
    for t in range(260, len(market.dates), 1 + len(market.dates) // 25):

        def tail(position, house, t=t):
            n = lookbacks[house]
            pnls = by_hand.scenario_pnls(levels, position, t, 2, n)
            return by_hand.historical_margin(pnls, int(np.ceil(round(n * 0.05, 9))))

        savings = []
        for house in own:
            apart = [tail(position, house) for position in own.values()]
            savings.append(1 - tail(own["FICC"] | own["CME"], house) / sum(apart))
        s = min(savings)
        s = 0.0 if s < 0.01 else min(s, 0.80)
        margin = {house: tail(own[house], house) for house in own}
        outside = tail({"ETH": -3e6}, "CME")
        assert_allclose(
            parts.by_silo[t, 0],
            [(1 - s) * margin["FICC"], (1 - s) * margin["CME"] + outside],
            rtol=1e-9,
        )
        assert_allclose(required[t, 0], parts.by_silo[t, 0].sum(), rtol=1e-12)
        one_account = tail({"BTC": 8e6, "ETH": -3e6}, "CME")
        found = {name: values[t, 0] for name, values in parts.steps.items()}
        assert_allclose(found["gross"], margin["FICC"] + one_account, rtol=1e-9)
        assert_allclose(
            found["separate accounts"], margin["CME"] + outside - one_account, atol=1e-3
        )
        root = np.hypot(*margin.values())
        assert_allclose(found["diversification"], root - sum(margin.values()), rtol=1e-9)
        netted = (1 - min(savings)) * sum(margin.values())
        assert_allclose(found["dependence"], netted - root, rtol=1e-7, atol=1e-3)


def test_what_is_not_eligible_stays_siloed(small_market, small_book):
    siloed = st.Siloed(base=HS).margin(small_market, small_book, COVERAGE)
    in_force = st.CrossMargining(base=HS)
    assert_allclose(in_force.margin(small_market, small_book, COVERAGE), siloed, rtol=1e-12)
    short = st.CrossMargining(base=HS, eligible=BOTH, over_years=30.0)
    assert_allclose(short.margin(small_market, small_book, COVERAGE), siloed, rtol=1e-12)
    assert (
        st.CrossMargining(base=HS, eligible=BOTH).margin(small_market, small_book, COVERAGE)[100:]
        < siloed[100:]
    ).any()


def test_a_house_without_positions_has_no_say(small_market):
    """What others hold at a third house does not touch a portfolio that holds nothing there."""
    frame = pd.DataFrame(
        {"UST10Y": [1e8, 0.0], "UST10Y@CME": [-8e7, 0.0], "UST10Y@LCH": [0.0, 1e8]},
        index=["two houses", "third"],
    )
    severe = st.HaircutOnly(haircuts={"UST10Y": 0.1, "UST10Y@CME": 0.1, "UST10Y@LCH": 0.1})
    model = st.CrossMargining(base=HS, houses={"LCH": severe})
    required = model.margin(small_market, bt.Book.from_frame(frame), COVERAGE)
    alone = model.margin(small_market, bt.Book.from_frame(frame.iloc[:1, :2]), COVERAGE)
    assert_array_equal(required[:, 0], alone[:, 0])
    asked = st.CrossMargining(base=HS, houses={"CME": severe})
    gross = st.Siloed(base=HS).margin(small_market, bt.Book.from_frame(frame), COVERAGE)
    apart = asked.parts(small_market, bt.Book.from_frame(frame), COVERAGE)
    assert (required[100:, 0] < 0.9 * gross[100:, 0]).all()
    # A house that nets nothing sees no saving, and the smaller saving decides.
    assert_allclose(apart.by_silo.sum(axis=2)[100:, 0], apart.steps["gross"][100:, 0])


def test_mpor_mismatch_is_what_the_days_not_shared_take_back(small_market):
    coverage = bt.Coverage(confidence=0.95, mpor={"FICC": 3, "CME": 2})
    usd = {"UST10Y": 1e8, "UST10Y@CME": -1e8}
    parts = st.CrossMargining(base=HS, cap=1.0, threshold=0.0).parts(
        small_market, book_of(usd), coverage
    )
    capped = st.CrossMargining(base=HS, cap=0.3).parts(small_market, book_of(usd), coverage)
    levels = levels_of(small_market)
    for t in (100, 180, 259):

        def tail(position, horizon, t=t):
            pnls = np.array(by_hand.scenario_pnls(levels, position, t, horizon, 60))
            return pnls, by_hand.historical_margin(pnls, 3)

        long, m_long = tail({"10Y": 1e8}, 3)
        short, m_short = tail({"10Y": -1e8}, 2)
        own = by_hand.historical_margin(long + short, 3) / (m_long + m_short)
        long, s_long = tail({"10Y": 1e8 * 1.5**0.5}, 2)
        same = by_hand.historical_margin(long + short, 3) / (s_long + m_short)
        expected = (own - same) * (m_long + m_short)
        assert parts.steps[MISMATCH][t, 0] == pytest.approx(expected, rel=1e-7)
        assert expected > 0
        taken_back = max(own, 0.7) - max(same, 0.7)  # a cap of 30 % lets no more be lost
        limited = capped.steps[MISMATCH][t, 0]
        assert limited == pytest.approx(taken_back * (m_long + m_short), rel=1e-7, abs=1e-6)
    three = st.CrossMargining(
        base=st.FiccVaR(stress=(), lookback=60, at_least=60, charge_days=0), threshold=0.0
    )
    fixed = three.parts(small_market, book_of(usd), coverage)
    assert_allclose(fixed.steps[MISMATCH][100:], 0.0, atol=1e-6)


@pytest.mark.parametrize("misspelt", ["tresury", "UTS10Y"])
def test_a_misspelt_product_is_an_error(misspelt, small_market, small_book):
    with pytest.raises(bt.StudyError, match=f"names '{misspelt}', neither an asset class"):
        st.CrossMargining(eligible=(misspelt,)).margin(small_market, small_book, COVERAGE)
    st.CrossMargining(base=HS, eligible=("ZN", "SPY")).margin(small_market, small_book, COVERAGE)


# --- FICC


@pytest.fixture(scope="module")
def treasuries():
    """The packaged par yields of 2006 to 2010: the stressed year 2008 is in them."""
    return bt.load_market("treasury", start="2006-01-01", end="2010-12-31")


def test_ficc_by_loops_with_a_stressed_year_and_the_third_largest_deficiency(treasuries):
    """Real yields: 3-day scenarios of 250 days and of 2008, ranked; deficiencies coupon by coupon.

    Nothing of the package prices or ranks here.
    """
    model = st.FiccVaR(
        lookback=250, at_least=120, charge_days=252, net_floor={"10Y": 0.011}, gross_floor={}
    )
    usd = {"2Y": -3e7, "10Y": 2e7}
    book = book_of({f"UST{k}": v for k, v in usd.items()})
    required = model.margin(treasuries, book, bt.Coverage(mpor=2))[:, 0]
    levels, days = levels_of(treasuries), treasuries.dates
    stressed = [
        s for s in range(len(days)) if "2008-01-01" <= str(days[s]) <= "2008-12-31" and s >= 3
    ]

    def floored(t):
        duration = {
            k: by_hand.duration_convexity(levels[k][t], by_hand.TENOR_YEARS[k]) for k in usd
        }
        latest = range(max(3, t - 249), t + 1)
        losses = []
        for s in [*latest, *(s for s in stressed if s < latest[0])]:
            loss = 0.0
            for k, x in usd.items():
                move = levels[k][s] - levels[k][s - 3]
                loss += x * (duration[k][0] * move - duration[k][1] * move * move / 2)
            losses.append(loss)
        rank = int(np.ceil(round(len(losses) * 0.01, 9)))
        # One bucket up to ten years holds both legs: net 10m USD short.
        return max(0.0, sorted(losses)[-rank], 0.011 * abs(-3e7 + 2e7))

    def deficiency(s):
        if s < 122:
            return 0.0
        later = {k: levels[k][s + 3] for k in levels}
        calendar = int((days[s + 3] - days[s]).astype(int))
        loss = -sum(
            x * by_hand.treasury_pnl(levels[k][s], later, by_hand.TENOR_YEARS[k], calendar)
            for k, x in usd.items()
        )
        return max(0.0, loss - floored(s))

    assert np.isnan(required[:122]).all() and not np.isnan(required[122])
    charged = 0
    for t in (122, 200, 520, 700, 850, 1100, len(days) - 1):
        known = [deficiency(s) for s in range(max(0, t - 3 - 251), t - 2)]
        charge = sorted(known)[-3]
        charged += charge > 0
        assert required[t] == pytest.approx(floored(t) + charge, rel=1e-8)
    assert charged >= 2


def test_the_minimum_is_the_tail_of_late_history_by_loops(treasuries):
    """Volatile months raise the minimum before they raise the tail of years; never below it."""
    usd = {"2Y": -3e7, "10Y": 2e7}
    book = book_of({f"UST{k}": v for k, v in usd.items()})
    model = st.FiccVaR(lookback=500, at_least=300, stress=(), charge_days=0, minimum_lookback=120)
    required = model.margin(treasuries, book, bt.Coverage())[:, 0]
    levels, bound = levels_of(treasuries), 0
    for t in range(303, len(treasuries.dates), 40):
        tail = {
            n: by_hand.historical_margin(
                by_hand.scenario_pnls(levels, usd, t, 3, n), int(np.ceil(round(n * 0.01, 9)))
            )
            for n in (min(500, t - 2), 120)
        }
        assert required[t] == pytest.approx(max(tail.values()), rel=1e-9)
        bound += tail[120] > max(n for k, n in tail.items() if k != 120)
    assert bound >= 3
    for idle in (0, 500, 600):
        plain = replace(model, minimum_lookback=idle).margin(treasuries, book, bt.Coverage())[:, 0]
        assert (required[303:] >= plain[303:]).all() and (required[303:] > plain[303:]).any()


def test_versions_of_the_rule_differ_by_the_minimum(treasuries):
    """Only the minimum margin amount came in 2024; a date picks the version."""
    book = book_of({"UST10Y": 1e8})
    before, after, now = (
        in_force(st.FiccVaR(lookback=900, stress=()), day)
        for day in (date(2024, 11, 7), date(2024, 11, 8), date(2026, 6, 30))
    )
    assert before.parameters == "ficc_gsd/2018" and after.parameters == "ficc_gsd/2024"
    assert now.parameters == "ficc_gsd/2025"
    margins = [m.margin(treasuries, book, bt.Coverage()) for m in (before, after, now)]
    assert_array_equal(margins[1], margins[2])
    known = ~np.isnan(margins[0])
    without = replace(after, minimum_lookback=0).margin(treasuries, book, bt.Coverage())
    assert_array_equal(margins[0], without)
    assert (margins[1][known] != margins[0][known]).any()


def test_with_the_charge_no_more_days_than_allowed_were_short(treasuries):
    """The law of the charge: added in hindsight to its own window, at most two days stay short."""
    book = book_of({"UST10Y": 1e8}, {"UST2Y": -1e8})
    coverage = bt.Coverage(mpor=3)
    plain = st.FiccVaR(lookback=250, at_least=250, stress=(), charge_days=0)
    base = plain.margin(treasuries, book, coverage)
    charge = largest_deficiencies(treasuries, book, base, coverage=coverage, days=252, rank=3)
    loss = book.loss(treasuries, coverage).sum(axis=2)
    for t in range(600, len(loss)):
        window = slice(t - 3 - 251, t - 2)
        assert ((loss[window] > base[window] + charge[t]).sum(axis=0) <= 2).all()
    full = replace(plain, charge_days=252).margin(treasuries, book, coverage)
    assert_allclose(full, base + charge)
    assert (charge > 0).any()


def test_its_own_days_or_those_of_the_study(small_market, small_book):
    own = st.FiccVaR(lookback=100, at_least=60, stress=())
    two, five = (
        own.margin(small_market, small_book, bt.Coverage(confidence=0.95, mpor=d)) for d in (2, 5)
    )
    assert_array_equal(two, five)
    studys = replace(own, mpor=None, charge_days=0, lookback=60)
    assert_allclose(
        studys.margin(small_market, small_book, COVERAGE),
        HS.margin(small_market, small_book, COVERAGE),
        rtol=1e-9,
    )


def test_floors_by_bucket_are_sums_of_rates(small_market):
    book = book_of({"UST2Y": 1e8, "UST5Y": -4e7, "UST10Y": 3e7, "UST30Y": 1e7, "BTC": 1e3})
    model = st.FiccVaR(
        lookback=60,
        at_least=60,
        stress=(),
        charge_days=0,
        net_floor={"5Y": 0.5, "BTC": 1.0},
        gross_floor={"5Y": 0.25, "10Y": 0.5},
        minimum={"30Y": 1.0},
    )
    floors = 0.5 * 6e7 + 1.0 * 1e3 + 0.25 * 1.4e8 + 0.5 * 3e7
    by_minimum = 1.0 * (1e8 - 4e7 + 3e7 + 1e7)  # one bucket of up to thirty years
    required = model.margin(small_market, book, COVERAGE)
    assert required[-1, 0] == pytest.approx(max(floors, by_minimum)) == by_minimum
    floored = replace(model, minimum={}).margin(small_market, book, COVERAGE)
    assert floored[-1, 0] == pytest.approx(floors)
    with pytest.raises(bt.StudyError, match="has a rate for 'BTX', neither a maturity"):
        replace(model, net_floor={"BTX": 0.1}).margin(small_market, book, COVERAGE)


def test_a_bond_future_stands_in_the_bucket_of_what_is_delivered(small_market):
    rates = {"5Y": 0.5, "10Y": 0.7, "30Y": 1.0}
    model = st.FiccVaR(lookback=60, at_least=60, stress=(), charge_days=0, net_floor=rates)
    book = book_of(
        {"ZT~curve": 1e8},
        {"ZN~curve": 1e8},  # notes of 6.5 years and more, though its main factor is the 5-year
        {"ZB~curve": 1e8},  # bonds of 15 years and more, though its main factor is the 10-year
        {"ZN~curve": -1e8, "UST10Y": 1e8},
        {"ZN~curve": -1e8, "UST5Y": 1e8},
    )
    required = model.margin(small_market, book, COVERAGE)[-1]
    assert required[:3] == pytest.approx([0.5e8, 0.7e8, 1e8])
    assert required[3] < 0.1e8 and required[4] == pytest.approx(1.2e8)


def test_a_stressed_year_the_market_does_not_reach_is_said(small_market, small_book):
    own = ("2019-01-01", "2019-12-31")
    with pytest.raises(bt.StudyError, match=r"starts on 2019-01-01, the market on 2020-01-01; set"):
        st.FiccVaR(stress=own).margin(small_market, small_book, COVERAGE)
    for wrong in (("2020-02-01",), ("2020-03-01", "2020-02-01"), ("spring", "autumn")):
        with pytest.raises(bt.StudyError, match="give its first and last day"):
            st.FiccVaR(stress=wrong).margin(small_market, small_book, COVERAGE)


def test_beside_bitcoin_the_stressed_year_is_left_out_and_said(small_market, small_book):
    model = st.FiccVaR(at_least=60)
    required = model.margin(small_market, small_book, COVERAGE)
    without = replace(model, stress=()).margin(small_market, small_book, COVERAGE)
    assert_array_equal(required, without)
    assert not np.isnan(required[-1]).any()
    models = {"ficc": model, "houses": st.Siloed(base=model), "var": HS}
    study = bt.run(small_market, small_book, models, coverage=COVERAGE, audit=False)
    sentence = (
        "ficc_var leaves out its stressed year, 2008-01-01 to 2008-12-31: prices start on "
        "2020-01-01."
    )
    assert study.provenance.omissions == {"ficc": (sentence,), "houses": (sentence,)}
    assert omissions_sentence(study) == f"ficc: {sentence} houses: {sentence}"


def test_a_stressed_year_counts_from_the_days_on_which_it_is_known(small_market, small_book):
    model = st.FiccVaR(
        lookback=40, at_least=30, stress=("2020-03-02", "2020-04-30"), mpor=None, charge_days=60
    )
    first = int(small_market.dates.searchsorted(np.datetime64("2020-03-02")))
    bt.check_causal(
        model, small_market, small_book, coverage=COVERAGE, cuts=[first + 5, first + 45, 150, 258]
    )
    without = replace(model, stress=())
    ours, plain = (m.margin(small_market, small_book, COVERAGE) for m in (model, without))
    # Until the window has moved past the first stressed day they are among the latest anyway.
    assert_array_equal(ours[: first + 40], plain[: first + 40])
    assert (ours[first + 40 :] != plain[first + 40 :]).any()


def test_the_sources_of_nested_houses_are_marked():
    model = st.CrossMargining(houses={"FICC": st.FiccVaR()})
    assert {source.name for source in parameter_sources(model)} == {
        "cme_ficc/2026",
        "ficc_gsd/2025",
    }
    assert parameter_source("cme_ficc/2024").mark == "NOT VERIFIED: threshold, excluded"
    assert parameter_source("ficc_gsd/2018").mark == "NOT VERIFIED: lookback, stress, charge_days"
