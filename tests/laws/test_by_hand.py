"""Margins, losses, counts and the ladder, each found a second time by `by_hand`'s loops."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from tests.support import by_hand
from tests.support.markets import random_market

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
LOOKBACK, COUNT = 60, 3  # ceil(60 x 5 %)
POSITION = {"UST10Y": 5e7, "UST2Y": -3e7, "BTC": 5e6, "ETH": -2e6}
FACTOR_USD = {"10Y": 5e7, "2Y": -3e7, "BTC": 5e6, "ETH": -2e6}


def levels_of(market):
    return {name: market.level(name) for name in market.factors}


@pytest.fixture(scope="module")
def market():
    return random_market(240, seed=11)


@pytest.fixture(scope="module")
def book(market):
    return bt.Book.from_frame(pd.DataFrame([POSITION], index=["p"]), market)


@pytest.mark.parametrize("measure", ["var", "es"])
@pytest.mark.parametrize("day", [61, 150, 239])
def test_historical_margin(market, book, measure, day):
    model = st.HistoricalVaR(lookback=LOOKBACK, measure=measure)
    required = model.margin(market, book, COVERAGE)
    pnls = by_hand.scenario_pnls(levels_of(market), FACTOR_USD, day, 2, LOOKBACK)
    expected = by_hand.historical_margin(pnls, COUNT, measure)
    assert required[day, 0] == pytest.approx(expected, rel=1e-8)
    assert np.isnan(required[60, 0]) and not np.isnan(required[61, 0])


def test_square_root_scaling(market, book):
    model = st.HistoricalVaR(lookback=LOOKBACK, scaling="sqrt")
    one_day = model.margin(market, book, bt.Coverage(confidence=0.95, mpor=1))
    plain = st.HistoricalVaR(lookback=LOOKBACK).margin(
        market, book, bt.Coverage(confidence=0.95, mpor=1)
    )
    np.testing.assert_array_equal(one_day, plain)
    coin = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["p"]), market)
    scaled = model.margin(market, coin, bt.Coverage(confidence=0.95, mpor=4))
    single = model.margin(market, coin, bt.Coverage(confidence=0.95, mpor=1))
    np.testing.assert_allclose(scaled, 2 * single, rtol=1e-12)


@pytest.mark.parametrize("cap", [0.8, 0.1])
@pytest.mark.parametrize("day", [61, 200])
def test_siloed_and_correlation_offset(market, book, cap, day):
    base = st.HistoricalVaR(lookback=LOOKBACK)
    silos = [
        {k: v for k, v in FACTOR_USD.items() if (k in by_hand.TENOR_YEARS) == bonds}
        for bonds in (True, False)
    ]
    pnls = [by_hand.scenario_pnls(levels_of(market), s, day, 2, LOOKBACK) for s in silos]
    alone = [by_hand.historical_margin(p, COUNT) for p in pnls]
    siloed = st.Siloed(base=base).margin(market, book, COVERAGE)
    assert siloed[day, 0] == pytest.approx(sum(alone), rel=1e-8)
    offset = st.CorrelationOffset(base=base, lookback=LOOKBACK, cap=cap)
    assert offset.margin(market, book, COVERAGE)[day, 0] == pytest.approx(
        by_hand.offset_margin(alone, pnls, cap), rel=1e-8
    )


def test_offset_by_instrument_and_reliable_credit(market, book):
    base, day = st.HistoricalVaR(lookback=LOOKBACK), 120
    legs = [{k: v} for k, v in FACTOR_USD.items()]
    pnls = [by_hand.scenario_pnls(levels_of(market), leg, day, 2, LOOKBACK) for leg in legs]
    alone = [by_hand.historical_margin(p, COUNT) for p in pnls]
    by_leg = st.CorrelationOffset(base=base, lookback=LOOKBACK, by="instrument")
    assert by_leg.margin(market, book, COVERAGE)[day, 0] == pytest.approx(
        by_hand.offset_margin(alone, pnls, 0.8), rel=1e-8
    )
    # Independent walks: no correlation is reliably negative, so nothing is netted.
    reliable = st.CorrelationOffset(base=base, lookback=LOOKBACK, credit="reliable")
    siloed = st.Siloed(base=base)
    np.testing.assert_allclose(
        reliable.margin(market, book, COVERAGE), siloed.margin(market, book, COVERAGE), rtol=1e-12
    )


def test_reliable_credit_nets_what_is_one_position(market):
    frame = pd.DataFrame({"UST10Y": [1e8], "UST10Y@CME": [-1e8]}, index=["p"])
    hedged = bt.Book.from_frame(frame, market)
    model = st.CorrelationOffset(
        base=st.HistoricalVaR(lookback=LOOKBACK), lookback=LOOKBACK, credit="reliable", cap=1.0
    )
    margin, siloed = (
        m.margin(market, hedged, COVERAGE)[-1, 0] for m in (model, st.Siloed(base=model.base))
    )
    assert margin < 0.2 * siloed


def test_zero_variance_gives_correlation_zero(market):
    flat = market.levels.copy()
    flat[:, 5] = 100.0
    still = bt.Market(market.dates, market.factors, flat, market.kinds)
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [1e6]}, index=["p"])
    book = bt.Book.from_frame(frame, still)
    base = st.HistoricalVaR(lookback=LOOKBACK)
    offset = st.CorrelationOffset(base=base, lookback=LOOKBACK).margin(still, book, COVERAGE)
    np.testing.assert_allclose(offset, st.Siloed(base=base).margin(still, book, COVERAGE))


def test_ladder(market):
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [1e7]}, index=["p"])
    book = bt.Book.from_frame(frame, market)
    base = st.HistoricalVaR(lookback=20)
    row = (
        bt.supportable_offset(market, book, base=base, coverage=COVERAGE, bounds=False)
        .to_frame()
        .loc["p"]
    )
    margin = st.Siloed(base=base).parts(market, book, COVERAGE).by_silo[21:-2, 0].T
    loss = book.loss(market, COVERAGE)[21:-2, 0].T
    total, diversification = by_hand.ladder(loss, margin, 0.95)
    assert row["total"] == pytest.approx(total, abs=1e-12)
    assert row["diversification"] == pytest.approx(diversification, abs=1e-12)
    assert row["dependence"] == pytest.approx(total - diversification, abs=1e-12)
    assert row["observations"] == 217 and row["exceedances"] == 10
    assert row["kappa_CME"] == pytest.approx(by_hand.equal_coverage(loss[1], margin[1], 0.95))


def test_real_prices_margin_loss_and_counts(real_market):
    """One margin, one loss, and every count of one book, on the real history."""
    coverage = bt.Coverage()
    frame = pd.DataFrame({"UST10Y": [5e7], "BTC": [5e7]}, index=["long both"])
    book = bt.Book.from_frame(frame, real_market)
    study = bt.run(real_market, book, {"var": st.HistoricalVaR()}, coverage=coverage)
    levels, usd = levels_of(real_market), {"10Y": 5e7, "BTC": 5e7}
    for day in (501, 1500, 2690):
        pnls = by_hand.scenario_pnls(levels, usd, day, 2, 500)
        expected = by_hand.historical_margin(pnls, 5)
        assert study.required["var"].iloc[day, 0] == pytest.approx(expected, rel=1e-8)
    losses = []
    for t in range(len(real_market.dates) - 2):
        later = dict(zip(real_market.factors, real_market.levels[t + 2], strict=True))
        days = int((real_market.dates[t + 2] - real_market.dates[t]).astype(int))
        bond = by_hand.treasury_pnl(levels["10Y"][t], later, 10, days)
        losses.append(-5e7 * bond - 5e7 * (levels["BTC"][t + 2] / levels["BTC"][t] - 1))
    np.testing.assert_allclose(study.loss.iloc[:-2, 0], losses, rtol=1e-8, atol=1e-4)
    required = study.required["var"].iloc[:, 0].to_numpy()
    scored = range(501, len(real_market.dates) - 2)
    exceedances = sum(losses[t] > required[t] for t in scored)
    # The account: yesterday's call arrives today, excess goes back at once.
    breaches = sum(losses[t] > min(required[t], required[max(t - 1, 501)]) for t in scored)
    row = study.summary().loc[("var", "long both")]
    assert (row["observations"], row["allowed"]) == (2196, 21)
    assert (row["exceedances"], row["breaches"]) == (exceedances, breaches)


def test_real_prices_ladder_meets_the_reference(real_market):
    """Total, diversification and dependence of four trades, as a reference has them."""
    weights = pd.DataFrame(
        [
            {"UST10Y": 1.0, "BTC": 1.0},
            {"UST10Y": -1.0, "BTC": 1.0},
            {"BTC": 1.0, "ETH@NODAL": -1.0},
            {"UST10Y": 1.0, "UST5Y@CME": -1.0},
        ],
        index=["long", "short", "crypto", "control"],
    ).fillna(0.0)
    book = bt.Book.risk_matched(
        weights, real_market, base=st.HistoricalVaR(), coverage=bt.Coverage(), gross=1e8
    )
    ladder = bt.supportable_offset(real_market, book).to_frame()
    reference = [
        [0.298, 0.276, 0.022],
        [0.309, 0.304, 0.006],
        [0.474, 0.235, 0.240],
        [0.746, 0.277, 0.469],
    ]
    found = ladder[["total", "diversification", "dependence"]].to_numpy()
    np.testing.assert_allclose(found, reference, atol=6e-4)
