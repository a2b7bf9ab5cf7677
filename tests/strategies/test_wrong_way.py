"""The add-on for funds that fail with their custodian: by hand, by loops, and what it leaves."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from tests.support.contracts import HISTORICAL

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
CONTRACT = {
    "wrong_way_like": [{"base": HISTORICAL}, {"base": HISTORICAL, "coins": ["BTC"], "fall": 0.3}]
}
BASE = st.HistoricalVaR(lookback=60)
MODEL = st.WrongWayLike(base=BASE, fall=0.5)


def margins(model, market, **usd):
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]))
    return model.margin(market, book, COVERAGE)[:, 0]


def test_a_custodied_fund_is_charged_its_fall_beside_the_rest(small_market):
    both = margins(MODEL, small_market, BTC=1e6, UST10Y=-2e6)
    rest = margins(BASE, small_market, UST10Y=-2e6)
    np.testing.assert_allclose(both[60:], rest[60:] + 0.5e6, rtol=1e-12)
    two = margins(MODEL, small_market, BTC=1e6, ETH=-1e6, UST10Y=-2e6)
    np.testing.assert_allclose(two[60:], rest[60:] + 0.5e6, rtol=1e-12)  # no gain pays for it


@pytest.mark.parametrize("usd", [{"UST10Y": 1e6}, {"BTC": -1e6, "UST10Y": 1e6}])
def test_nothing_is_added_where_no_fund_loses(small_market, usd):
    np.testing.assert_array_equal(
        margins(MODEL, small_market, **usd), margins(BASE, small_market, **usd)
    )


def test_futures_and_perpetuals_are_no_shares():
    instruments = (bt.Perpetual("BTC"), bt.Future("BTC_CME"), bt.Spot("BTC"), bt.Spot("USDC"))
    book = bt.Book(("book",), instruments, np.ones((1, 4)))
    assert st.WrongWayLike()._custodied(book) == [2]


def test_never_below_the_base_and_more_for_a_deeper_fall(small_market, small_book):
    base = BASE.margin(small_market, small_book, COVERAGE)
    shallow, deep = (
        st.WrongWayLike(base=BASE, fall=fall).margin(small_market, small_book, COVERAGE)
        for fall in (0.01, 0.9)
    )
    known = ~np.isnan(base)
    assert (shallow[known] >= base[known]).all() and (deep[known] >= shallow[known]).all()
    assert (deep > base)[known].any() and (deep == base)[known].any()


def test_an_option_on_a_fund_is_revalued(option_market):
    put = bt.Option("BTC", days=30, kind="put")
    levels = option_market.to_frame()
    levels["BTC-VOL"] = 4 * levels["VIX"]
    market = bt.Market.from_frame(levels)
    usd = np.array([[1e6, 1e6], [0.0, -1e6]])
    book = bt.Book(("hedged", "short put"), (bt.Spot("BTC"), put), usd)
    loss = st.WrongWayLike(fall=0.5)._loss(market, book)
    # What the put pays for the fall of the shares, whoever wrote it bears.
    np.testing.assert_allclose(loss.sum(axis=1), 0.5e6, rtol=1e-12)
    assert (loss[:, 1] > 0.2e6).all()
