"""Cross-margining of two clearing houses, against loops and known answers."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.model.mismatch import MISMATCH
from backtest.parameters.sources import parameter_source, parameter_sources
from tests.support import by_hand
from tests.support.books import book_of
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
}
WAIVERS = {
    ("cross_margining", "more confidence never lowers it"): (
        "the houses' saving can pass the threshold, and is a ratio of margins of several models"
    ),
}


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


def test_who_has_eligible_positions_at_one_house_alone_has_one_account_there(small_market):
    usd = {"UST10Y@CME": [6e7, 6e7], "BTC": [-8e6, -8e6], "UST2Y": [0.0, 5e7]}
    book = bt.Book.from_frame(pd.DataFrame(usd, index=["at CME", "at both"]), small_market)
    parts = st.CrossMargining(base=HS).parts(small_market, book, COVERAGE)
    at_cme, at_both = np.moveaxis(parts.by_silo[:, :, list(parts.silos).index("CME")], 1, 0)
    one_account = HS.margin(small_market, book.in_silo("CME"), COVERAGE)[:, 0]
    assert_allclose(at_cme, one_account, rtol=1e-12)
    known = ~np.isnan(at_both)
    assert (np.abs(at_both / one_account - 1.0)[known] > 0.01).any()
    assert_allclose(parts.steps["separate accounts"][known, 0], 0.0, atol=1e-6)


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


def test_the_sources_of_nested_houses_are_marked():
    model = st.CrossMargining(houses={"FICC": st.FiccVaR()})
    assert {source.name for source in parameter_sources(model)} == {
        "cme_ficc/2026",
        "ficc_gsd/2025",
    }
    assert parameter_source("cme_ficc/2024").mark == "NOT VERIFIED: threshold, excluded"
    assert parameter_source("ficc_gsd/2018").mark == "NOT VERIFIED: lookback, stress, charge_days"
