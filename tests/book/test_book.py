"""Books: losses by silo, sizing by risk, what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.book.losses import total_loss
from tests.support.markets import random_market

COVERAGE = bt.Coverage(confidence=0.95)
BASE = st.HistoricalVaR(lookback=60)


def test_loss_is_minus_exposure_times_pnl_by_silo(small_market, small_book):
    loss = small_book.loss(small_market, COVERAGE)
    assert loss.shape == (260, 4, 2) and small_book.silos == ("FICC", "CME")
    bond = -5e7 * bt.Treasury(10).pnl(small_market, 2)
    coin = -5e6 * (small_market.level("BTC")[2:] / small_market.level("BTC")[:-2] - 1)
    np.testing.assert_allclose(loss[:-2, 0, 0], bond[:-2], rtol=1e-12)
    np.testing.assert_allclose(loss[:-2, 0, 1], coin, rtol=1e-12)
    assert np.isnan(loss[-2:]).all() and not np.isnan(loss[:-2]).any()


def test_the_loss_of_all_silos_is_the_sum_of_theirs(small_market, small_book):
    cost = bt.book.LiquidationCost()
    for book in (small_book, replace(small_book, liquidation=cost), small_book.in_silo("CME")):
        by_silo = book.loss(small_market, COVERAGE)
        np.testing.assert_array_equal(total_loss(book, small_market, COVERAGE), by_silo.sum(axis=2))


def test_mpor_by_silo_holds_each_leg_over_its_own(small_market, small_book):
    loss = small_book.loss(small_market, bt.Coverage(mpor={"FICC": 3, "CME": 1}))
    bond = -5e7 * bt.Treasury(10).pnl(small_market, 3)
    coin = -5e6 * bt.Spot("BTC").pnl(small_market, 1)
    np.testing.assert_allclose(loss[:-3, 0, 0], bond[:-3], rtol=1e-12)
    np.testing.assert_allclose(loss[:-3, 0, 1], coin[:-3], rtol=1e-12)
    assert np.isnan(loss[-3:]).all()


def test_units_bought_once_gain_with_their_price(small_market):
    frame = pd.DataFrame({"BTC": [1e6]}, index=["units"])
    held = bt.Book.from_frame(frame, small_market, rebalance="never")
    loss = held.loss(small_market, bt.Coverage(mpor=1))[:-1, 0, 0]
    price = small_market.level("BTC")
    np.testing.assert_allclose(loss, -1e6 / price[0] * np.diff(price), rtol=1e-10)


def test_risk_matched_legs_have_equal_stand_alone_margin(small_market):
    weights = pd.DataFrame({"UST10Y": [1.0, -1.0], "BTC": [1.0, 1.0]}, index=["long", "short"])
    book = bt.Book.risk_matched(weights, small_market, base=BASE, coverage=COVERAGE, gross=1e8)
    np.testing.assert_allclose(np.abs(book.exposure).sum(axis=1), 1e8)
    first = 61  # 60 shocks over 2 days end on day 61
    legs = [BASE.margin(small_market, leg, COVERAGE)[first] for leg in book.by_instrument()]
    np.testing.assert_allclose(legs[0], legs[1], rtol=1e-12)
    assert (np.sign(book.exposure) == np.sign(weights.to_numpy())).all()


def test_sizing_knows_nothing_after_its_day(small_market):
    weights = pd.DataFrame({"UST10Y": [1.0], "BTC": [1.0]}, index=["long"])
    whole = bt.Book.risk_matched(weights, small_market, base=BASE, coverage=COVERAGE, gross=1e8)
    cut = bt.Book.risk_matched(
        weights, small_market.until(61), base=BASE, coverage=COVERAGE, gross=1e8
    )
    np.testing.assert_allclose(whole.exposure, cut.exposure, rtol=1e-12)


def test_random_books_are_seeded(small_market):
    def draw(seed):
        return bt.Book.random(
            ["UST10Y", "BTC"],
            small_market,
            base=BASE,
            coverage=COVERAGE,
            gross=1e6,
            portfolios=3,
            seed=seed,
        ).exposure

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.allclose(draw(1), draw(2))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"BTCC": [1.0]}, "Did you mean 'BTC'"),
        ({"UST7Y": [1.0]}, "unknown instrument 'UST7Y'"),
        ({"10Y": [1.0]}, "unknown instrument '10Y'"),
        ({"BTC": [np.nan]}, "is nan; give USD"),
    ],
)
def test_what_cannot_be_held_is_named(columns, said):
    with pytest.raises(bt.StudyError, match=said):
        bt.Book.from_frame(pd.DataFrame(columns, index=["p"]), random_market(20))


def test_a_book_needs_distinct_names():
    frame = pd.DataFrame({"BTC": [1.0, 2.0]}, index=["p", "p"])
    with pytest.raises(bt.StudyError, match="'p' is twice"):
        bt.Book.from_frame(frame)
