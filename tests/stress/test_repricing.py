"""Full repricing: a scenario is a second day of a market, and nothing else."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.book.liquidation import LiquidationCost
from backtest.instruments import parse_instrument
from backtest.stress import Scenario, stress_losses
from backtest.stress.repricing import repriced_pnl
from tests.support.markets import random_market

KINDS = (
    *("UST2Y", "UST10Y", "UST30Y", "BILL3M", "SWAP10Y", "ZN~curve", "BTC", "ETH@NODAL"),
    *("BTC-PERP", "SPY-CALL-30D", "SPY-PUT-30D-95"),
)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("horizon", [1, 2, 12])
def test_a_move_that_came_gains_what_it_gained(name, horizon, option_market):
    """Twelve days are more than two weeks, the longest gap of a market: they go in two steps."""
    instrument = parse_instrument(name)
    rows = np.arange(0, len(option_market.dates) - horizon)
    later = option_market.levels[rows + horizon]
    elapsed = (option_market.dates[rows + horizon] - option_market.dates[rows]).astype(float)
    gained = repriced_pnl([instrument], option_market, rows, later=later, elapsed=elapsed)[:, 0]
    known = instrument.pnl(option_market, horizon)[: len(rows)]
    assert gained == pytest.approx(known, rel=1e-10, abs=1e-12)


def by_hand(coupon: float, later: dict[float, float], tenor: float, days: int) -> float:
    """Price of a bond issued at par, `days` later on another curve, less 1: plain loops."""
    left = tenor - days / 365.25
    tenors = sorted(later)
    above = next(t for t in tenors if t >= left)
    below = [t for t in tenors if t <= left][-1]
    share = 0.0 if above == below else (left - below) / (above - below)
    par = later[below] + share * (later[above] - later[below])
    price = 0.0
    for i in range(1, int(2 * tenor) + 1):
        price += coupon / 2 * (1 + par / 2) ** (-2 * (i / 2 - days / 365.25))
    return price + (1 + par / 2) ** (-2 * left) - 1.0


def test_a_bond_under_a_stated_move_is_priced_as_by_hand():
    dates = pd.bdate_range("2024-01-02", periods=40)
    curve = {2: 0.041, 5: 0.043, 10: 0.045, 30: 0.047}
    frame = pd.DataFrame({f"{t}Y": np.full(40, y) for t, y in curve.items()}, index=dates)
    market = bt.Market.from_frame(frame, simulated=True)
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8, -3e7]}, index=["long", "short"]))
    move = Scenario("steeper", {"2Y": -0.005, "5Y": 0.001, "10Y": 0.01, "30Y": 0.012})
    losses = stress_losses(
        market, book, [move], coverage=bt.Coverage(mpor=2), day=str(market.dates[-1])
    )
    later = {2.0: 0.036, 5.0: 0.044, 10.0: 0.055, 30.0: 0.059}
    # Two business days most often take two calendar days.
    gain = by_hand(0.045, later, 10.0, 2)
    assert losses[0, :, 0] == pytest.approx([-1e8 * gain, 3e7 * gain], rel=1e-11)


def test_a_historic_move_is_made_from_todays_levels():
    """A yield moves by as much, a price by the same share; each over its own MPOR."""
    market = random_market(60, seed=5)
    coverage = bt.Coverage(mpor={"FICC": 3, "CME": 1})
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [1e6]}, index=["both"])
    book = bt.Book.from_frame(frame, market)
    start, today = 20, 50
    scenario = Scenario("seen", start=market.dates[start])
    losses = stress_losses(market, book, [scenario], coverage=coverage, day=str(market.dates[50]))
    btc = market.level("BTC")
    assert losses[0, 0, 1] == pytest.approx(-1e6 * (btc[start + 1] / btc[start] - 1), rel=1e-12)
    moved = market.levels[today] + (market.levels[start + 3] - market.levels[start])
    years = {0.25: 0, 2.0: 1, 5.0: 2, 10.0: 3, 30.0: 4}
    days = int((market.dates[start + 3] - market.dates[start]).astype(int))
    curve = {t: float(moved[j]) for t, j in years.items()}
    gain = by_hand(float(market.level("10Y")[today]), curve, 10.0, days)
    assert losses[0, 0, 0] == pytest.approx(-1e8 * gain, rel=1e-10)


def test_losses_are_those_of_run_where_the_levels_come_back():
    """Day 1 and day 3 have the same levels, so the move from day 1 loses on 3 what it lost on 1."""
    dates = pd.bdate_range("2024-01-01", periods=5)  # a Monday
    frame = pd.DataFrame(
        {"2Y": [0.04, 0.03, 0.045, 0.03, 0.02], "10Y": [0.04, 0.042, 0.05, 0.042, 0.04],
         "BTC": [100.0, 80.0, 60.0, 80.0, 90.0]}, index=dates,
    )  # fmt: skip
    market = bt.Market.from_frame(frame, simulated=True)
    positions = pd.DataFrame({"UST10Y": [1e8, -1e7], "BTC": [1e6, 5e6]}, index=["a", "b"])
    book = bt.Book.from_frame(positions, market)
    coverage = bt.Coverage(mpor=1)
    scenario = Scenario("again", start=market.dates[1])
    losses = stress_losses(market, book, [scenario], coverage=coverage, day="2024-01-04")
    assert losses[0] == pytest.approx(book.loss(market, coverage)[1], rel=1e-12)


def test_the_cost_of_closing_out_is_that_of_the_day():
    market = random_market(90, seed=8)
    positions = pd.DataFrame({"UST10Y": [1e8], "BTC": [-5e7]}, index=["a"])
    plain = bt.Book.from_frame(positions, market)
    costly = bt.Book.from_frame(positions, market, liquidation=LiquidationCost())
    day, coverage = str(market.dates[80]), bt.Coverage()
    scenarios = [Scenario("half", {"BTC": -0.5}), Scenario("seen", start=market.dates[5])]
    more, less = (
        stress_losses(market, book, scenarios, coverage=coverage, day=day)
        for book in (costly, plain)
    )
    cost = (costly.loss(market, coverage) - plain.loss(market, coverage))[80]
    assert (cost > 0.0).all() and more - less == pytest.approx(np.stack([cost, cost]), rel=1e-9)


def test_positions_are_those_of_the_day_in_usd():
    market = random_market(40, seed=2)
    table = pd.DataFrame(
        {"date": market.dates[[0, 30]], "account": "a", "instrument": "BTC", "coins": [2.0, 5.0]}
    )
    book = bt.Book.from_positions(table, market, gaps="unchanged")
    half = [Scenario("half", {"BTC": -0.5})]
    for row, coins in ((29, 2.0), (35, 5.0)):
        losses = stress_losses(
            market, book, half, coverage=bt.Coverage(), day=str(market.dates[row])
        )
        expected = 0.5 * coins * market.level("BTC")[row]
        assert losses.ravel() == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize(
    ("scenario", "day", "message"),
    [
        (Scenario("x", {"GOLD": 0.1}), "", "moves 'GOLD', which the market does not have"),
        (Scenario("x", {"BTC": -1.0}), "", "moves the price BTC by -1; a price cannot fall"),
        (Scenario("x", start=np.datetime64("2020-02-24")), "2020-02-24", "was not over on"),
        (Scenario("x", {"BTC": -0.1}), "2020-02-23", "2020-02-23, which is no margin day"),
    ],
)
def test_what_cannot_be_is_one_line(scenario, day, message):
    market = random_market(60, seed=5)
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    with pytest.raises(bt.StudyError, match=message) as refused:
        stress_losses(market, book, [scenario], coverage=bt.Coverage(), day=day)
    assert "\n" not in str(refused.value)


def test_a_scenario_is_stated_or_seen():
    for arguments in ({}, {"moves": {"BTC": 0.1}, "start": np.datetime64("2020-01-01")}):
        with pytest.raises(bt.StudyError, match="either moves or the day"):
            Scenario("x", **arguments)
