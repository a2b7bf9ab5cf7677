"""FICC: ten years and a stressed year, a minimum of late history, floors, the charge; by loops."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.model.deficiency import largest_deficiencies
from backtest.parameters.in_force import in_force
from backtest.studies.run.facts import omissions_sentence
from tests.support import by_hand
from tests.support.books import book_of
from tests.support.markets import levels_of

HS = st.HistoricalVaR(lookback=60)
COVERAGE = bt.Coverage(confidence=0.95)
CONTRACT = {
    "ficc_var": [
        {"lookback": 60, "at_least": 60, "stress": [], "mpor": 3},
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
        {"lookback": 80, "at_least": 30, "stress": [], "charge_days": 0, "minimum_lookback": 40},
    ],
}
WAIVERS = {
    ("ficc_var", "more confidence never lowers it"): (
        "a higher value at risk leaves smaller deficiencies, so the backtesting charge falls"
    ),
}


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
