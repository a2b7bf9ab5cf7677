"""Reverse stress: closed forms of linear books, brute force where there is none."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.stress import DIRECTIONS, Backing, StressPlan, stress_test
from backtest.stress.directions import FURTHEST, Direction, Path, Target, stated_directions
from backtest.stress.history import Plausibility
from backtest.stress.joint import nearest_move
from backtest.stress.positions import Held
from backtest.stress.reverse import ReverseStress
from tests.support.markets import random_market
from tests.support.places import ROOT

COVERAGE = bt.Coverage(mpor=2)
EXACT = 1e-9


def coins(days: int = 200, seed: int = 1) -> bt.Market:
    """Two prices that move together, and a third."""
    draws = np.random.default_rng(seed).normal(size=(days, 3)) * [0.03, 0.02, 0.04]
    draws[:, 1] += 0.7 * draws[:, 0]
    dates = pd.bdate_range("2022-01-03", periods=days)
    prices = 100 * np.exp(draws.cumsum(axis=0))
    frame = pd.DataFrame(prices, index=dates, columns=["BTC", "ETH", "SOL"])
    return bt.Market.from_frame(frame, simulated=True)


def reversed_stress(market, positions, margin, *, row=None, backing=None, plan=None):
    """Rows of reverse stress and their moves, of margins that are the same on all days."""
    book = bt.Book.from_frame(pd.DataFrame(positions).T.fillna(0.0), market)
    margins = np.tile(margin, (len(market.dates), 1)).astype(float)
    row = len(market.dates) - 1 if row is None else row
    result = stress_test(
        market, book, {"m": margins}, plan or StressPlan(row, worst_days=1), coverage=COVERAGE,
        backing=backing,
    )  # fmt: skip
    return result.reverse.set_index(["name", "layer", "direction"]), result.moves


def covariance(market, row, horizon=2):
    """Sample covariance of overlapping relative moves, by numpy alone."""
    levels = market.levels[: row + 1]
    return np.cov(levels[horizon:] / levels[:-horizon] - 1.0, rowvar=False)


def test_a_linear_book_has_the_closed_form_of_lagrange():
    market, row, margin = coins(), 150, 4e5
    held = {"BTC": 2e6, "ETH": -1e6, "SOL": 5e5}
    rows, moves = reversed_stress(market, {"a": held}, [margin], row=row)
    gradient = -np.array(list(held.values()))  # USD lost per unit of a relative move
    cov = covariance(market, row)
    size = np.sqrt(gradient @ cov @ gradient)
    joint = rows.loc["a", "margin", "joint"]
    assert joint["multiple"] == pytest.approx(margin / size, rel=EXACT)
    assert joint["distance"] == pytest.approx(margin / size, rel=1e-6)
    assert joint["loss"] == pytest.approx(margin, rel=EXACT)
    move = moves[moves["direction"] == "joint"].set_index("factor")["move"]
    assert move.loc[list(market.factors)].to_numpy() == pytest.approx(
        cov @ gradient * margin / size**2, rel=1e-7
    )
    seen = market.levels[2 : row + 1] / market.levels[: row - 1] - 1.0
    assert joint["days_as_far"] == pytest.approx((seen @ gradient >= margin).mean())


def test_one_factor_alone_is_a_division():
    market, row, margin = coins(), 150, 4e5
    rows, moves = reversed_stress(market, {"a": {"BTC": 2e6, "ETH": -1e6}}, [margin], row=row)
    deviations = np.sqrt(np.diag(covariance(market, row)))
    down, up = rows.loc["a", "margin", "BTC down"], rows.loc["a", "margin", "ETH up"]
    assert down["multiple"] == pytest.approx(margin / 2e6 / deviations[0], rel=EXACT)
    assert up["multiple"] == pytest.approx(margin / 1e6 / deviations[1], rel=EXACT)
    alone = moves[moves["direction"] == "BTC down"]
    assert alone["factor"].tolist() == ["BTC"]
    assert alone["move"].to_numpy() == pytest.approx([-margin / 2e6], rel=EXACT)
    # Alone is never nearer than together.
    assert down["distance"] > rows.loc["a", "margin", "joint"]["multiple"]
    x = np.array([-margin / 2e6, 0.0, 0.0])
    expected = np.sqrt(x @ np.linalg.inv(covariance(market, row)) @ x)
    assert down["distance"] == pytest.approx(expected, rel=1e-7)
    seen = market.level("BTC")[2 : row + 1] / market.level("BTC")[: row - 1] - 1.0
    assert down["days_as_far"] == pytest.approx((seen <= -margin / 2e6).mean())
    assert not rows.loc["a", "margin", "BTC up"]["reached"]
    assert "SOL up" not in rows.index.get_level_values("direction")  # the book does not hold it


def test_all_yields_move_as_one_and_the_margin_is_used_up_to_the_dollar():
    market = random_market(260, seed=3)
    rows, moves = reversed_stress(market, {"a": {"UST2Y": 1e8, "UST30Y": 1e8}}, [3e6])
    up = rows.loc["a", "margin", "all yields up"]
    own = moves[(moves["direction"] == "all yields up")]
    assert own["factor"].tolist() == ["3M", "2Y", "5Y", "10Y", "30Y"]
    assert np.ptp(own["move"].to_numpy()) == 0.0 and up["loss"] == pytest.approx(3e6, rel=EXACT)
    # The move lies where delta and gamma put it, but for roll-down and third order.
    book = bt.Book.from_frame(pd.DataFrame({"UST2Y": [1e8], "UST30Y": [1e8]}, index=["a"]), market)
    delta, gamma = sum(i.sensitivity(market)[-1] * 1e8 for i in book.instruments)
    carry = sum(1e8 * market.level(i.factor)[-1] * 2 / 365.25 for i in book.instruments)
    x = own["move"].iloc[0]
    assert -(delta * x + gamma * x * x / 2) - carry == pytest.approx(3e6, rel=0.02)


def test_firms_and_funds_are_used_up_in_their_order():
    """Two accounts of 1m USD; margins 0.1m and 0.2m, one has 0.05m itself, 0.3m capital.

    First the smaller margin at -10 %, then 0.3m lacked: (x - 0.15) + (x - 0.2) = 0.3, x = 0.325;
    with contributions of 0.1m x = 0.375, with 0.4m of funds x = 0.575.
    """
    backing = Backing(
        {"a": "F", "b": "F", "c": "G"}, {"a": 0.05e6}, {"F": 0.3e6}, {"F": 0.1e6}, {"F": 0.4e6}
    )
    positions = {name: {"BTC": 1e6} for name in "abc"}
    rows, _ = reversed_stress(coins(), positions, [0.1e6, 0.2e6, 2e6], backing=backing)
    deviation = np.sqrt(covariance(coins(), 199)[0, 0])
    expected = {
        ("a", "margin"): 0.1, ("a", "margin and resources"): 0.15, ("b", "margin"): 0.2,
        ("F", "margin of the first account"): 0.1, ("F", "capital"): 0.325,
        ("F", "the firm's contributions"): 0.375, ("F", "the funds of its houses"): 0.575,
    }  # fmt: skip
    for (name, layer), move in expected.items():
        for direction in ("BTC down", "joint"):  # a linear book of one coin: both are one move
            found = rows.loc[name, layer, direction]["multiple"]
            assert found * deviation == pytest.approx(move, rel=1e-8), (name, layer, direction)
    assert rows.loc["F", "capital", "joint"]["loss"] == pytest.approx(0.3e6, rel=1e-7)
    never = rows.sort_index().loc[("c", "margin")]
    assert not never["reached"].any() and never[["multiple", "loss"]].isna().all(axis=None)


def test_a_firm_is_no_farther_than_its_nearest_account_nor_any_stated_direction():
    """One account is long, the others are short or hold something else: many ways to lose."""
    backing = Backing({name: "F" for name in "abcd"}, capital={"F": 2e5})
    positions = {
        "a": {"BTC": 1e6}, "b": {"BTC": -2e6, "ETH": 1e6}, "c": {"SOL": -3e6},
        "d": {"BTC": 5e6, "ETH": -7e6},
    }  # fmt: skip
    rows, _ = reversed_stress(coins(), positions, [1e5, 2e5, 4e5, 2e5], backing=backing)
    own = [rows.loc[name, "margin", "joint"]["multiple"] for name in "abcd"]
    first = rows.loc["F", "margin of the first account", "joint"]["multiple"]
    assert first == pytest.approx(min(own), rel=1e-9)
    for (name, layer, direction), row in rows[rows["reached"]].iterrows():
        joint = rows.loc[name, layer, "joint"]
        assert joint["distance"] <= row["distance"] * (1 + 1e-9), (name, layer, direction)
    assert rows.loc["F", "capital", "joint"]["multiple"] > first


def test_no_random_direction_uses_a_firm_up_sooner():
    """Bonds, coins and four accounts; 20,000 directions, each to just short of the move."""
    market, row = random_market(260, seed=12), 259
    positions = pd.DataFrame(
        {
            "UST2Y": [0.0, -9e7, 4e7, 0.0], "UST10Y": [4e7, 2e7, 0.0, -3e7],
            "BTC": [0.0, 1e6, -2e6, 3e6], "ETH": [2e6, 0.0, 1e6, -2e6],
        }, index=list("abcd"),
    )  # fmt: skip
    book = bt.Book.from_frame(positions, market)
    held, known = Held(market, book, COVERAGE, row), Plausibility.of(market, row, 2)
    margins = np.array([4e5, 3e5, 2e5, 3e5])
    root = np.linalg.cholesky(known.covariance)
    draws = np.random.default_rng(1).standard_t(2, size=(20_000, len(market.factors)))
    units = draws / np.linalg.norm(draws, axis=1, keepdims=True) @ root.T
    backing = Backing({name: "F" for name in "abcd"}, capital={"F": 4e5}, fund={"F": 1e6})
    reverse = ReverseStress(held, {"m": margins}, backing, DIRECTIONS, range(4))
    rows = reverse.tables()[0].set_index(["name", "layer", "direction"])
    for layer, amount in backing.layers("F").items():
        target = Target(held.exposure, np.zeros(4), margins, amount)
        distance = rows.loc["F", layer, "joint"]["multiple"]
        assert distance < 20.0
        assert (target.gap(held.repricer.pnl(0.999 * distance * units)) <= 0.0).all()


class Coins:
    """A stand-in for a repricer of two coins, whose P&L is their relative move."""

    market = bt.Market.from_frame(
        pd.DataFrame({"BTC": [1.0], "ETH": [1.0]}, index=[pd.Timestamp("2024-01-02")]),
        simulated=True,
    )
    row = 0

    def pnl(self, moves):
        return moves


def test_the_example_of_the_page_by_hand():
    """docs/stress.md: long 10m BTC, short 5m ETH, deviations 5 % and 7 %, correlation .8."""
    known = Plausibility(np.zeros((1, 2)), np.array([[0.0025, 0.0028], [0.0028, 0.0049]]))
    target = Target(np.array([[10e6, -5e6]]), np.zeros(1), np.array([0.5e6]))
    found = nearest_move(Coins(), known, target)
    assert round(found.multiple, 3) == 1.644
    assert found.move.round(4).tolist() == [-0.0595, -0.0189]
    assert round(known.distance(np.array([-0.05, 0.0])), 3) == 1.667
    page = (ROOT / "docs" / "stress.md").read_text(encoding="utf-8")
    assert all(words in page for words in ("**1.644**", "**(-5.95 %, -1.89 %)**", "1.667"))


class Wave:
    """A stand-in for a repricer whose loss rises to 4 and falls again: x (4 - x)."""

    market = coins()
    row = 199

    def pnl(self, moves):
        x = moves[:, :1]
        return -x * (4.0 - x)


def test_of_a_loss_that_comes_back_the_first_crossing_counts():
    unit = np.array([1.0, 0.0, 0.0])
    target = Target(np.ones((1, 1)), np.zeros(1), np.array([3.0]))
    none = Target(np.ones((1, 1)), np.zeros(1), np.array([4.0]))  # touched, and strictly is the law
    crossings = Path(Direction("x", unit), Wave()).first_crossings([target, none])
    assert crossings[0] == pytest.approx(1.0, rel=1e-12) and np.isinf(crossings[1])


def test_an_option_book_is_searched_as_brute_force_finds_it(option_market):
    """A short put: price and volatility move against each other, and the loss is curved."""
    market = option_market
    book = bt.Book.from_frame(pd.DataFrame({"SPY-PUT-30D-95": [-1e8]}, index=["a"]), market)
    held = Held(market, book, COVERAGE, len(market.dates) - 1)
    known = Plausibility.of(market, held.row, 2)
    target = Target(held.exposure, np.zeros(1), np.array([4e6]))
    found = nearest_move(held.repricer, known, target)
    # Every direction of the two factors, conditional means of the others (which do not matter).
    places = [market.factors.index(f) for f in ("SPY", "VIX")]
    root = np.linalg.cholesky(known.covariance[np.ix_(places, places)])
    nearest = np.inf
    for angle in np.linspace(0.0, 2 * np.pi, 721):
        unit = np.zeros(len(market.factors))
        unit[places] = root @ [np.cos(angle), np.sin(angle)]
        path = Path(Direction("ray", unit), held.repricer)
        nearest = min(nearest, float(path.first_crossings([target])[0]))
    assert found.multiple == pytest.approx(nearest, rel=1e-4)
    assert known.distance(found.move) == pytest.approx(found.multiple, rel=1e-6)


def test_time_alone_uses_a_margin_of_nothing_up(option_market):
    """An option bought loses as time passes, so that no move at all is needed."""
    rows, _ = reversed_stress(option_market, {"a": {"SPY-CALL-30D": 1e6}}, [0.0])
    assert rows.loc["a", "margin", "SPY down"]["multiple"] == 0.0
    assert rows.loc["a", "margin", "joint"]["multiple"] == 0.0


def test_directions_end_where_no_market_can_go():
    market = random_market(120, seed=4)
    known = Plausibility.of(market, 119, 2)
    every = {d.name: d for d in stated_directions(market, known, market.factors, ["each factor"])}
    assert every["10Y up"].furthest(market, 119) == pytest.approx(
        min(FURTHEST, (0.25 - market.level("10Y")[-1] - 1e-4) / known.deviations[3])
    )
    assert every["BTC down"].furthest(market, 119) * known.deviations[5] <= 0.99 + 1e-12
    assert every["BTC up"].furthest(market, 119) == FURTHEST


def test_what_no_day_did_is_infinitely_far():
    twice = np.array([[1.0, 2.0], [2.0, 4.0]])  # the second factor always moves by twice the first
    known = Plausibility(np.empty((0, 2)), twice)
    assert known.distance(np.array([1.0, 2.0])) == pytest.approx(1.0)
    assert known.distance(np.array([1.0, 0.0])) == np.inf
    still = Plausibility(np.empty((0, 2)), np.diag([1.0, 0.0]))
    assert still.distance(np.array([3.0, 0.0])) == pytest.approx(3.0)
    assert still.distance(np.array([3.0, 1e-9])) == np.inf


def test_a_test_knows_nothing_of_what_came_later():
    """The law: on the market as it was known that day every table is the same."""
    market, row = random_market(260, seed=9), 180
    positions = pd.DataFrame({"UST10Y": [5e7, -2e7], "BTC": [5e6, 0.0]}, index=["a", "b"])
    plan = StressPlan(row, worst_days=3)
    results = []
    for seen in (market, market.until(row)):
        book = bt.Book.from_frame(positions, seen)
        margins = np.full((len(seen.dates), 2), 1e6)
        results.append(stress_test(seen, book, {"m": margins}, plan, coverage=COVERAGE))
    for name, table in results[0].by_file().items():
        pd.testing.assert_frame_equal(table, results[1].by_file()[name], rtol=1e-12)


def test_a_short_history_is_one_line():
    market = random_market(25, seed=9)
    with pytest.raises(bt.StudyError, match="only 23 moves over 2 margin days are known on"):
        reversed_stress(market, {"a": {"BTC": 1e6}}, [1e5])
    margins = np.full((25, 1), np.nan)
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["a"]))
    with pytest.raises(bt.StudyError, match="model 'm' has no margin on 2020-02-04"):
        stress_test(market, book, {"m": margins}, StressPlan(24), coverage=COVERAGE)
    with pytest.raises(bt.StudyError, match="capital of 'F' is -1.0; give USD, 0 or more"):
        Backing(capital={"F": -1.0})
