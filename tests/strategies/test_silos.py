"""Historical margins, silos and the offset between them, found a second time by loops."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from tests.support import by_hand
from tests.support.contracts import HISTORICAL
from tests.support.markets import levels_of, random_market

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
LOOKBACK, COUNT = 60, 3  # ceil(60 x 5 %)
POSITION = {"UST10Y": 5e7, "UST2Y": -3e7, "BTC": 5e6, "ETH": -2e6}
FACTOR_USD = {"10Y": 5e7, "2Y": -3e7, "BTC": 5e6, "ETH": -2e6}
CONTRACT = {
    "siloed": [{"base": HISTORICAL}],
    "haircut_only": [{}],
    "correlation_offset": [
        {"base": HISTORICAL, "lookback": 60},
        {"base": HISTORICAL, "lookback": 80, "by": "instrument", "granted": 0.8, "cap": 0.5},
        {"base": HISTORICAL, "lookback": 60, "credit": "reliable", "min_correlation": 0.0},
        {"base": HISTORICAL, "lookback": 60, "correlation_floor": 0.25},
    ],
    "historical_var": [
        {"lookback": 60},
        {"lookback": 60, "measure": "es"},
        {"lookback": 60, "scaling": "sqrt"},
    ],
}
WAIVERS = {
    ("correlation_offset", "more confidence never lowers it"): (
        "sqrt(m' R m) falls when the smaller of two negatively correlated margins grows"
    ),
}


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
