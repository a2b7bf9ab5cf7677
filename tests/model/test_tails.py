"""Estimates on the days on which a book trades, and what stands between those days."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import backtest as bt
from backtest.model.tails import by_group, same_clock, same_holdings, scenario_tails
from backtest.model.volatility_scaled import FactorVolatility

COVERAGE = bt.Coverage(mpor=1)


@pytest.fixture(scope="module")
def weekends() -> bt.Market:
    """Two weeks from a Monday; the bond rests on Saturdays and Sundays."""
    days = pd.date_range("2024-01-01", periods=14)
    traded = np.ones((14, 2), dtype=bool)
    traded[:, 0] = days.day_of_week < 5
    frame = pd.DataFrame({"10Y": np.arange(14) * 1e-3 + 0.03, "BTC": 2.0 ** np.arange(14)}, days)
    return bt.Market.from_frame(frame.where(traded).ffill(), traded=traded)


@pytest.fixture(scope="module")
def book() -> bt.Book:
    usd = {"UST10Y": [1.0, 0.0, 2.0, 0.0], "BTC": [0.0, 1.0, 1.0, 0.0]}
    return bt.Book.from_frame(pd.DataFrame(usd, index=["bond", "coin", "both", "nothing"]))


def test_portfolios_that_trade_on_the_same_days_are_one_group(weekends, book):
    groups = {group.book.portfolios: group for group in same_clock(weekends, book)}
    assert list(groups) == [("bond", "both"), ("coin",)]
    assert groups["bond", "both"].rows.tolist() == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
    assert groups["coin",].rows.tolist() == list(range(14))
    split = {group.book.portfolios: group for group in same_holdings(weekends, book)}
    assert {name: len(group.rows) for name, group in split.items()} == {
        ("bond",): 10, ("coin",): 14, ("both",): 10,
    }  # fmt: skip


def test_an_estimate_stays_on_days_between_and_nothing_held_has_its_own(weekends, book):
    def row_numbers(group):
        return [np.tile(group.rows[:, None], len(group.book.portfolios)).astype(float)]

    out = by_group(weekends, book, row_numbers, empty=(-1.0,))[0]
    open_days = [0, 1, 2, 3, 4, 4, 4, 7, 8, 9, 10, 11, 11, 11]
    assert_array_equal(out[:, 0], open_days)
    assert_array_equal(out[:, 1], range(14))
    assert_array_equal(out[:, 2], open_days)
    assert_array_equal(out[:, 3], -1.0)


def test_a_market_that_always_trades_is_one_group(small_market, small_book):
    (group,) = same_clock(small_market, small_book)
    assert group.book is small_book and len(group.rows) == len(small_market.dates)


def test_tails_are_those_of_scenarios_on_common_days(weekends, book):
    seen = []

    def latest_shock(past):
        seen.append(past.dates)
        loss = -(past.shocks * past.unit) @ past.exposure.T
        return loss, 2.0 * loss

    tails = scenario_tails(weekends, book, COVERAGE, estimate=latest_shock)
    assert [len(dates) for dates in seen] == [10, 14]
    assert np.isnan(tails.value_at_risk[0, :3]).all()
    assert_array_equal(tails.value_at_risk[1:, 1], -1.0)  # the coin doubles every day
    assert_array_equal(tails.expected_shortfall[1:], 2.0 * tails.value_at_risk[1:])
    assert_array_equal(tails.value_at_risk[4:7, 0], tails.value_at_risk[4, 0])
    assert_array_equal(tails.value_at_risk[:, 3], 0.0)


def test_volatility_at_the_start_of_a_shock_is_counted_in_own_days(weekends):
    volatility = FactorVolatility(weekends, decay=0.5)
    sigma, start = volatility.foreseen(0), volatility.at_start(0, 2)
    assert np.isnan(start[[5, 6, 12, 13]]).all()
    assert start[8] == sigma[4] and start[9] == sigma[7]
    assert_array_equal(sigma[4:7], sigma[4])
