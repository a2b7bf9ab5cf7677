"""Basel SCO60: capital of crypto positions, by hand."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st

COVERAGE = bt.Coverage()
CONTRACT = {
    "basel_sco60": [{}, {"classified": {"BTC": "2b"}, "recognised": 0.5}],
}


def capital(market, model=None, **usd):
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]))
    return float((model or st.CryptoCapital()).margin(market, book, COVERAGE)[0, 0])


@pytest.mark.parametrize(
    ("usd", "groups", "required"),
    [
        ({"BTC": 100.0}, {}, 100.0),  # 2a: all of a position without a hedge
        ({"BTC": -100.0}, {}, 100.0),
        ({"BTC": 100.0, "BTC@NODAL": -100.0}, {}, 35.0),  # 100 - 65
        ({"BTC": 100.0, "BTC@NODAL": -40.0}, {}, 74.0),  # 100 - 26
        ({"BTC": 100.0, "BTC@NODAL": 40.0}, {}, 140.0),
        ({"BTC": 100.0, "ETH": -100.0}, {}, 200.0),  # one asset is no hedge of another
        ({"BTC": 100.0, "BTC@NODAL": -100.0}, {"BTC": "2b"}, 100.0),  # the larger side
        ({"BTC": 60.0, "BTC@NODAL": -100.0}, {"BTC": "2b"}, 100.0),
        ({"BTC": 100.0, "ETH": -50.0}, {"BTC": "2b", "ETH": "2b"}, 150.0),
        ({"USDC": 100.0}, {}, 8.0),  # 1b: a claim at 100 %
        ({"USDC": 100.0}, {"USDC": "2b"}, 100.0),
        ({"UST10Y": 100.0}, {}, 0.0),  # no cryptoasset
    ],
)
def test_capital_by_hand(usd, groups, required, priced_market):
    model = st.CryptoCapital(classified=groups)
    assert capital(priced_market, model, **usd) == pytest.approx(required, rel=1e-12)


@pytest.fixture(scope="module")
def priced_market():
    days = pd.bdate_range("2024-01-02", periods=3)
    tenors = dict.fromkeys(("3M", "2Y", "5Y", "7Y", "10Y", "30Y"), [0.04, 0.04, 0.05])
    prices = {"BTC": [1.0, 2.0, 4.0], "ETH": [3.0, 2.0, 1.0], "USDC": [1.0, 1.0, 0.9]}
    return bt.Market.from_frame(pd.DataFrame(tenors | prices, index=days))


def test_a_coin_and_its_contracts_at_one_venue_are_one_position(priced_market):
    market = priced_market
    assert capital(market, **{"BTC-PERP": 100.0, "BTC@NODAL": -100.0}) == 0.0
    assert capital(market, **{"BTC-PERP": 100.0, "BTC": -100.0}) == pytest.approx(35.0)


@pytest.mark.parametrize(
    ("tier_1", "required"),
    [
        (1e9, 35.0),  # 100 of exposure is far below 1 %
        (10_000.0, 35.0),  # exactly 1 %
        (8_000.0, 35.0 + 0.2 * 65.0),  # 80 allowed: a fifth of it is 2b
        (5_000.0, 35.0 + 0.5 * 65.0),  # exactly 2 %
        (4_999.0, 100.0),
    ],
)
def test_beyond_the_limit_positions_are_2b(tier_1, required, priced_market):
    model = st.CryptoCapital(tier_1=tier_1)
    hedged = {"BTC": 100.0, "BTC@NODAL": -100.0}
    assert capital(priced_market, model, **hedged) == pytest.approx(required, rel=1e-12)


def test_the_two_remembered_ways_to_recognise_a_hedge_bear_each_other_out(priced_market):
    """35 % by the simplified approach; by sensitivities sqrt(1 + 1 - 2 x .94) = 34.6 %."""
    simplified = capital(priced_market, **{"BTC": 1.0, "BTC@NODAL": -1.0})
    assert simplified == pytest.approx(np.sqrt(2 - 2 * 0.94), abs=0.005)


def test_options_are_refused(option_market):
    frame = pd.DataFrame([{"SPY-PUT-30D": 1.0}], index=["put"])
    model = st.CryptoCapital()
    assert (model.margin(option_market, bt.Book.from_frame(frame), COVERAGE) == 0.0).all()
