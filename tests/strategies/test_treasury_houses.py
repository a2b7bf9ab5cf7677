"""Houses of Treasuries: Monte Carlo and SPAN 2 over periods of their own, against plain loops."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.estimators.schedule import refit_days
from backtest.model.delta_gamma import book_scenarios
from backtest.parameters.sources import parameter_source
from tests.strategies.test_span2 import slow_twin
from tests.support import by_hand
from tests.support.copula import drawn
from tests.support.markets import levels_of

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
SHORT = {"lookback": 80, "draws": 1000, "stress_days": 40}
CONTRACT = {
    "icc_treasury_like": [
        {"lookback": 60, "draws": 500, "stress_days": 30},
        {"lookback": 80, "draws": 500, "stress_days": 40, "mpor": 3, "measure": "es"},
    ],
    "cme_sc_like": [
        {"lookback": 60, "min_lookback": 40},
        {"lookback": 100, "min_lookback": 60, "weight": 0.5, "mpor": 1},
    ],
}


def book_of(market, **usd):
    return bt.Book.from_frame(pd.DataFrame(usd, index=["p"]), market)


# --- ICE Clear Credit-like


def volatilities(one, decay):
    """EWMA foreseen at each close, begun with the mean square of 1 / (1 - decay) shocks."""
    begin = int(np.ceil(round(1.0 / (1.0 - decay), 9)))
    out = [float("nan")] * len(one)
    variance = sum(x * x for x in one[1 : begin + 1]) / begin
    out[begin] = variance**0.5
    for t in range(begin + 1, len(one)):
        variance = decay * variance + (1.0 - decay) * one[t] ** 2
        out[t] = variance**0.5
    return np.array(out)


def stressed(one, sigma, day, *, weight, days):
    """Today's volatility with the highest root mean square of past windows."""
    windows = [
        (sum(x * x for x in one[s - days + 1 : s + 1]) / days) ** 0.5 for s in range(days, day + 1)
    ]
    return (1 - weight) * sigma[day] + weight * max(windows, default=sigma[day])


@pytest.mark.parametrize("real", [False, True], ids=["random", "real yields, as published"])
def test_icc_by_scipys_copula_and_loops(real, small_market):
    """Bonds by durations coupon by coupon, draws by scipy; nothing of the package fits or ranks."""
    market, terms, confidence, days = small_market, SHORT, 0.95, (150, 200, 259)
    if real:
        market = bt.load_market("treasury", start="2006-02-09", end="2012-12-31")
        terms = {"lookback": 750, "draws": 10_000, "stress_days": 250}
        confidence, days = 0.99, (900, 1300, 1700)
    usd, lookback, draws = {"2Y": -4e7, "10Y": 2e7}, terms["lookback"], terms["draws"]
    book = book_of(market, **{f"UST{k}": v for k, v in usd.items()})
    model = st.IccTreasuryLike(seed=3, **({} if real else terms))
    found = model.margin(market, book, bt.Coverage(confidence=confidence, mpor=5))[:, 0]
    levels = levels_of(market)
    past = book_scenarios(market, book, coverage=COVERAGE)
    names = [market.factors[f] for f in past.factor]
    one = {k: np.append(0.0, np.diff(levels[k])) for k in usd}
    sigma = {k: volatilities(one[k], 0.97) for k in usd}
    z = np.full(past.shocks.shape, np.nan)
    for c, (name, power) in enumerate(zip(names, past.power, strict=True)):
        for s in range(36, len(z)):
            shock = (levels[name][s] - levels[name][s - 2]) / sigma[name][s - 2]
            z[s, c] = shock if power == 1 else shock * shock / 2.0
    first = 36 + lookback - 1  # two days after the 34 shocks that start the volatility
    assert np.isnan(found[:first]).all() and not np.isnan(found[first:]).any()
    due = refit_days(market.dates, 20)
    for day in (first, *days):
        fitted = max(t for t in range(first, day + 1) if t == first or due[t])
        scenarios = drawn(replace(past, shocks=z), fitted, lookback=lookback, draws=draws, seed=3)
        losses = np.zeros(draws)
        for c, (name, power) in enumerate(zip(names, past.power, strict=True)):
            duration, convexity = by_hand.duration_convexity(
                levels[name][day], by_hand.TENOR_YEARS[name]
            )
            scale = stressed(one[name], sigma[name], day, weight=0.25, days=terms["stress_days"])
            per_usd = -duration * scale if power == 1 else convexity * scale**2
            losses -= usd[name] * per_usd * scenarios[c]
        rank = round(draws * (1 - confidence))
        assert found[day] == pytest.approx(max(0.0, sorted(losses)[-rank]), rel=1e-9)


def test_margin_of_one_coin_moves_with_its_stressed_volatility(small_market):
    """One factor without curvature: margins are to each other as the volatilities."""
    book = book_of(small_market, BTC=1e6)
    plain, kept_up = (
        st.IccTreasuryLike(**SHORT, stress_weight=weight).margin(small_market, book, COVERAGE)[:, 0]
        for weight in (0.0, 0.4)
    )
    level = levels_of(small_market)["BTC"]
    one = np.append(0.0, np.diff(level) / level[:-1])
    sigma = volatilities(one, 0.97)
    for day in (120, 180, 259):
        blended = stressed(one, sigma, day, weight=0.4, days=40)
        assert kept_up[day] / plain[day] == pytest.approx(blended / sigma[day], rel=1e-9)


def test_icc_without_stress_is_near_filtered_history():
    """Two ways to the tail of rescaled shocks: they differ by what simulation leaves, some 2 %."""
    market = bt.load_market("treasury", start="2006-02-09", end="2012-12-31")
    book = bt.Book.from_frame(
        pd.DataFrame({"UST10Y": [1e8, 0.0], "UST2Y": [0.0, -1e8]}, index=["long", "short"]), market
    )
    coverage = bt.Coverage(mpor=2)
    drawn_margin = st.IccTreasuryLike(stress_weight=0.0).margin(market, book, coverage)
    ranked = st.FilteredHistorical(lookback=750).margin(market, book, coverage)
    known = ~np.isnan(drawn_margin) & ~np.isnan(ranked)
    ratio = drawn_margin[known] / ranked[known]
    assert known.sum() > 1500
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.02) and np.std(ratio) < 0.06


# --- CME Securities Clearing-like


def test_cme_sc_is_span_2_over_its_own_days(small_market):
    usd = {"UST2Y": 4e7, "UST10Y": -1e7}
    terms = {"lookback": 100, "weight": 0.6, "floor": 0.9, "decay": 0.96, "threshold": 0.2}
    model, span2 = (kind(**terms, min_lookback=60) for kind in (st.CmeScLike, st.Span2))
    book = book_of(small_market, **usd)
    two, five = (model.margin(small_market, book, replace(COVERAGE, mpor=days)) for days in (2, 5))
    assert_array_equal(two, five)
    assert_array_equal(two, span2.margin(small_market, book, COVERAGE))
    for day in (150, 259):
        assert two[day, 0] == pytest.approx(slow_twin(model, small_market, usd, day), rel=1e-9)


# --- all of them


def test_what_is_assumed_of_the_new_houses_is_marked():
    assert parameter_source("icc_treasury").mark == (
        "NOT VERIFIED: lookback, draws, decay, stress_weight, stress_days"
    )
    assert parameter_source("cme_sc").mark == "NOT VERIFIED"
    for kind in ("IccTreasuryLike", "CmeScLike"):
        assert "-like**" in getattr(st, kind).__doc__


@pytest.mark.parametrize(
    "house",
    [
        st.FiccVaR(lookback=60, at_least=60, stress=()),
        st.IccTreasuryLike(**SHORT),
        st.CmeScLike(lookback=60, min_lookback=40),
    ],
    ids=["ficc", "icc", "cme_sc"],
)
def test_customers_gross_are_the_sum_of_theirs_and_net_is_what_is_left(house, small_market):
    """ALPHA long 100, BETA short 60: gross margins both, net the 40 between them."""
    names = {"UST10Y@ALPHA": 1e8, "UST10Y@BETA": -6e7}
    gross = st.Siloed(base=house).margin(small_market, book_of(small_market, **names), COVERAGE)
    net = house.margin(small_market, book_of(small_market, **names), COVERAGE)
    alone = {
        usd: house.margin(small_market, book_of(small_market, UST10Y=usd), COVERAGE)
        for usd in (1e8, -6e7, 4e7)
    }
    known = ~np.isnan(net[:, 0])
    assert known.sum() > 100
    assert_allclose(gross[known], (alone[1e8] + alone[-6e7])[known], rtol=1e-9)
    if not isinstance(house, st.CmeScLike):  # half the bid-offer is paid on both positions
        assert_allclose(net[known], alone[4e7][known], rtol=1e-7)
    assert (gross[known] > 2.0 * net[known]).all()
