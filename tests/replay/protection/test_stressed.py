"""Stress by arrangement: a day that happened gives its own ledger; layers by hand on one coin."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.account.account import AccountTerms
from backtest.account.mix import Mix
from backtest.clearing import ARRANGEMENTS, Firm, House, Member, Structure
from backtest.clearing.ledger import BEARERS
from backtest.replay.protection import protect
from backtest.replay.protection.ladder import EVENTS
from backtest.replay.protection.reverse import ReverseWaterfall
from backtest.replay.protection.reverse_accounts import ALL, MARGIN, ReverseAccounts
from backtest.replay.protection.standing import Standing
from backtest.replay.protection.stressed import Stressed
from backtest.stress import Scenario, StressPlan
from backtest.stress.history import Plausibility
from tests.support.places import ROOT

EVERYWHERE = "all houses"
SMALL = House(capital=2e4, fund=1e5)


def done_of(collateral="cash", **asked):
    """Three customers and a firm's own account at two houses, most of whom lose at times."""
    market = bt.load_market("sample", end="2019-12-31")
    frame = pd.DataFrame(
        {"UST10Y": [1e8, -1e8, 8e7, 5e7], "BTC": [2e7, -4e6, -1e7, 3e6]},
        index=["a", "b", "c", "own"],
    )
    structure = Structure(
        (*(Member(name, "A", resources=1e4) for name in "abc"), Member("own", "A", "house")),
        {"A": Firm(capital=1e5, multiplier=1.1)},
        {"FICC": SMALL, "CME": SMALL},
    )
    return protect(
        market, bt.Book.from_frame(frame), {"var": st.HistoricalVaR(lookback=250)}, structure,
        account=AccountTerms(collateral=collateral), **asked,
    )  # fmt: skip


def realised(market, row, horizon=2):
    """The moves of the days after a row as a scenario that states them, and their days."""
    moved = market.levels[row + horizon] - market.levels[row]
    is_price = np.array([kind == "price" for kind in market.kinds])
    moves = np.where(is_price, moved / market.levels[row], moved)
    passed = int((market.dates[row + horizon] - market.dates[row]).astype(int))
    return Scenario("as it came", dict(zip(market.factors, moves.tolist(), strict=True))), passed


@pytest.mark.parametrize("collateral", ["cash", Mix({"cash": 0.5, "BTC": 0.5}, own={"BTC": 0.2})])
def test_the_moves_that_came_give_the_ledger_of_the_day(collateral):
    """Of every arrangement, bearer and house; collateral of coins falls with them."""
    done = done_of(collateral, coordination=0.6)
    market, first = done.margined.market, done.window.rows.start
    beyond = done.outcomes["var", "silos"].base[:, :, 1:].sum(axis=(1, 2))
    seen = 0
    for t in np.argsort(-beyond)[:12]:
        scenario, passed = realised(market, first + int(t))
        if passed != 2:  # a scenario that is stated takes as many days as the MPOR usually does
            continue
        seen += 1
        plan = StressPlan(first + int(t), (scenario,), worst_days=0)
        table = Stressed.of(done, plan.row).scenarios(plan)
        for key, outcome in done.outcomes.items():
            for h, house in enumerate(done.book.silos):
                row = table.loc[(*key, "as it came", house)]
                assert row[list(BEARERS)].to_numpy(float) == pytest.approx(
                    outcome.base[t, h], abs=1e-4
                )
                assert row["loss"] == pytest.approx(done.loss[t, :, h].sum(), abs=1e-4)
            whole = table.loc[(*key, "as it came", EVERYWHERE)]
            chances = whole[["fellow_lose", "fund_pays", "firm_fails"]].to_numpy(float)
            assert chances == pytest.approx(outcome.base_touched[t, :3])
            lacks = np.maximum(done.loss[t] - outcome.collateral[t], 0.0).sum(axis=1)
            if key[1] == "silos":
                assert whole["lacking"] == (lacks > 0.0).sum()
    assert seen >= 3 and beyond.max() > 1e5


@pytest.fixture(scope="module")
def done():
    return done_of()


def test_money_is_conserved_and_the_worst_days_are_the_worst(done):
    plan = StressPlan(done.window.rows.stop - 1, (Scenario("half", {"BTC": -0.5}),), worst_days=2)
    stressed = Stressed.of(done, plan.row)
    table = stressed.scenarios(plan)
    assert (table[list(BEARERS)].sum(axis=1) - table["loss"]).abs().max() < 0.01
    whole = table.xs(EVERYWHERE, level="house")
    parts = table.drop(index=EVERYWHERE, level="house")
    keys = ["model", "arrangement", "scenario"]
    sums = parts[list(BEARERS)].groupby(level=keys, sort=False).sum()
    assert sums.to_numpy() == pytest.approx(whole[list(BEARERS)].to_numpy(), abs=1e-6)
    # All historic days at once, and what accounts then leave to others.
    held = stressed.pledged.held
    loss = held.losses_by_silo(held.historic(held.historic_starts))
    left = np.max(
        [
            one.close_out(loss, np.ones(loss.shape[:2])).paid[:, :, 1:].sum(axis=(1, 2))
            for one in stressed.standing.values()
        ],
        axis=0,
    )
    worst = [str(held.historic_starts[i]) for i in left.argsort()[::-1][:2]]
    assert table["start"].unique().tolist() == ["", *worst]


def coins(days=300, seed=4):
    """Two coins that move together."""
    draws = np.random.default_rng(seed).normal(size=(days, 2)) * [0.03, 0.02]
    draws[:, 1] += 0.5 * draws[:, 0]
    dates = pd.bdate_range("2022-01-03", periods=days)
    prices = 100 * np.exp(draws.cumsum(axis=0))
    frame = pd.DataFrame(prices, index=dates, columns=["BTC", "ETH"])
    return bt.Market.from_frame(frame, simulated=True)


def stressed_coins(positions, members, *, names, directions, coordination=1.0, **structure):
    """Reverse stress of coins at the last close, of the arrangements named."""
    market = coins()
    book = bt.Book.from_frame(pd.DataFrame(positions).T.fillna(0.0), market)
    done = protect(
        market, book, {"var": st.HistoricalVaR(lookback=100)}, Structure(members, **structure),
        arrangements=[ARRANGEMENTS[name] for name in names], coordination=coordination,
    )  # fmt: skip
    stressed = Stressed.of(done, len(market.dates) - 1)
    return stressed, ReverseWaterfall(stressed, directions, "var")


def covariance(horizon=2):
    levels = coins().levels
    return np.cov(levels[horizon:] / levels[:-horizon] - 1.0, rowvar=False)


def test_layers_are_reached_one_after_another_as_by_hand():
    """One coin, one house: a customer of 2m long, another of 0.4m short, under 4d.

    With V of the first, x its loss: x = V uses the margin up, then come its resources of 0.05m and
    capital of 0.1m, contributions of 0.02m, all that the second has, its margin and its gain of
    0.2 x, capital of the house of 0.03m, a fund of 0.04m, assessments of twice that.
    """
    stressed, waterfall = stressed_coins(
        {"long": {"BTC": 2e6}, "short": {"BTC": -0.4e6}},
        (Member("long", "A", resources=5e4), Member("short", "A", resources=0.0)),
        names=["silos"], directions=["each factor", "joint"],
        firms={"A": Firm(capital=1e5, contributions={"CME": 2e4})},
        houses={"CME": House(capital=3e4, fund=4e4, assessment=2.0)},
    )  # fmt: skip
    table = waterfall.table().loc["var", "silos"]
    long, short = stressed.standing["var", "silos"].collateral[:, 0]
    own = long + 5e4 + 1e5
    fellow = own + 2e4 + short + 3e4
    lost = np.array([long, own, own + 2e4, own + 2e4, fellow, fellow + 4e4, fellow + 12e4])
    lost[4:] /= 1.0 - 0.2  # of each dollar that the first loses the second gains a fifth
    down = table.xs("BTC down", level="direction")
    assert list(down.index) == list(EVENTS)
    deviation = np.sqrt(covariance()[0, 0])
    assert down["multiple"].to_numpy() == pytest.approx(lost / 2e6 / deviation, rel=1e-7)
    assert down["move of BTC"].to_numpy() == pytest.approx(-lost / 2e6, rel=1e-7)
    assert down["whose"].tolist() == ["long"] + 6 * ["A"]
    # Nothing but this coin is held: the most plausible move is the same one with its usual company.
    joint = table.xs("joint", level="direction")["distance"]
    assert joint.to_numpy() == pytest.approx(down["multiple"].to_numpy(), rel=1e-6)
    up = table.xs("BTC up", level="direction")
    gap = np.array([short, short + 1e5]) / 0.4e6 / deviation
    assert up["multiple"].to_numpy()[:2] == pytest.approx(gap, rel=1e-7)
    assert up["whose"].iloc[0] == "short"


TWO_HOUSES = {
    "positions": {"hedged": {"BTC": 2e6, "ETH@OCC": -1.5e6}, "coin": {"BTC": 1e5}},
    "members": (Member("hedged", "A", resources=5e4), Member("coin", "A")),
    "names": ["silos", "customers gross, commingled"],
    "directions": ["each factor", "joint"],
}


def test_a_leg_apart_has_its_own_margin_and_a_pool_has_one():
    """Lagrange, by numpy alone: the nearest leg, or the sum with the covariance of both."""
    stressed, waterfall = stressed_coins(**TWO_HOUSES)
    table = ReverseAccounts(waterfall).table().xs("joint", level="direction")
    cov, positions = covariance(), np.array([2e6, -1.5e6])
    assert stressed.pledged.held.book.silos == ("CME", "OCC")
    alone = stressed.standing["var", "silos"].collateral[0]
    legs = alone / np.abs(positions) / np.sqrt(np.diag(cov))
    assert table.loc[("var", "silos", "hedged", MARGIN), "distance"] == pytest.approx(
        legs.min(), rel=1e-6
    )
    name = "customers gross, commingled"
    pooled = stressed.standing["var", name].collateral[0].sum()
    size = np.sqrt(positions @ cov @ positions)
    row = table.xs(("var", name, "hedged"), level=("model", "arrangement", "account"))
    assert row.loc[MARGIN, "margin"] == pooled < alone.sum()
    assert row.loc[MARGIN, "distance"] == pytest.approx(pooled / size, rel=1e-6)
    assert row.loc[ALL, "distance"] == pytest.approx((pooled + 5e4 + 0.01) / size, rel=1e-6)
    assert not row["apart"].any() and "coin" not in table.index.get_level_values("account")


def test_what_is_found_apart_is_as_near_as_any_of_many_random_directions():
    """All that a customer has, legs apart: lacks less gains at the other house, by plain numpy."""
    stressed, waterfall = stressed_coins(**TWO_HOUSES)
    table = ReverseAccounts(waterfall).table().xs("joint", level="direction")
    found = table.loc[("var", "silos", "hedged", ALL), "distance"]
    margin = stressed.standing["var", "silos"].collateral[0]
    angles = np.linspace(0.0, 2.0 * np.pi, 20_001)
    unit = np.column_stack([np.cos(angles), np.sin(angles)]) @ np.linalg.cholesky(covariance()).T
    low, high = np.zeros(len(unit)), np.full(len(unit), 50.0)
    for _ in range(60):  # what is left unpaid only grows along a direction once it is there
        middle = (low + high) / 2.0
        loss = -middle[:, None] * unit * [2e6, -1.5e6]
        lack = np.maximum(loss - margin, 0.0).sum(axis=1)
        unpaid = lack - 5e4 - np.maximum(-loss, 0.0).sum(axis=1) > 0.01
        low, high = np.where(unpaid, low, middle), np.where(unpaid, middle, high)
    assert found == pytest.approx(high.min(), rel=1e-5)


def test_the_page_by_hand():
    """The four distances that docs/stress.md works out for margins that it states."""
    name = "customers gross, commingled"
    both = {"both": {"BTC": 1e6, "ETH@OCC": -1e6}}
    asked = TWO_HOUSES | {"positions": both, "members": (Member("both", "A", resources=5e4),)}
    stressed, _ = stressed_coins(**asked)
    margins = {"silos": 1.2e5, name: 4e4}
    standing = {
        key: replace(one, collateral=np.full((1, 2), margins[key[1]]))
        for key, one in stressed.standing.items()
    }
    waterfall = ReverseWaterfall(replace(stressed, standing=standing), ["each factor", "joint"], "")
    moves = np.random.default_rng(1).normal(size=(200, 2))
    stated = np.array([[0.0025, 0.002], [0.002, 0.0025]])
    vars(waterfall)["known"] = Plausibility(moves, stated)
    table = ReverseAccounts(waterfall).table().xs("joint", level="direction")["distance"]
    distances = [table["var", "silos", "both", MARGIN], table["var", name, "both", MARGIN]]
    distances += [table["var", name, "both", ALL], table["var", "silos", "both", ALL]]
    page = (ROOT / "docs/stress.md").read_text(encoding="utf-8").rsplit("### By hand", 1)[1]
    assert [f"{x:.2f}" for x in distances] == re.findall(r"\*\*([\d.]+)\*\*", page)


def test_where_houses_may_close_out_apart_the_leg_decides():
    """Segregated legs with coordination of one half; commingled ones always net."""
    names = ["customers gross, segregated", "customers gross, commingled"]
    asked = TWO_HOUSES | {"names": names, "directions": ["each factor"]}
    stressed, waterfall = stressed_coins(**asked, coordination=0.5)
    apart, net = (stressed.standing["var", name] for name in names)
    assert apart.nets.tolist() == [False, False] and net.nets.tolist() == [True, False]
    table = ReverseAccounts(waterfall).table().xs("BTC down", level="direction")
    part = apart.collateral[0, 0]
    deviation = np.sqrt(covariance()[0, 0])
    reached = table.loc[("var", names[0], "hedged", MARGIN), "multiple"]
    assert reached == pytest.approx(part / 2e6 / deviation, rel=1e-7)
    # The whole structure sees the same, as a margin of its own.
    first = waterfall.table().loc[("var", names[0], EVENTS[0], "BTC down")]
    coin = apart.collateral[1, 0] / 1e5
    assert first["multiple"] == pytest.approx(min(part / 2e6, coin) / deviation, rel=1e-7)


def test_the_firm_that_is_named_is_the_one_that_fails():
    """What a firm advanced at one house pays nothing at another."""
    stressed, waterfall = stressed_coins(
        {"long": {"BTC": 2e6}, "other": {"BTC": 1e6, "ETH@OCC": 1e3}},
        (Member("long", "A", resources=0.0), Member("other", "B", resources=0.0)),
        names=["silos"], directions=["each factor"],
        firms={name: Firm(capital=1e4) for name in "AB"},
    )  # fmt: skip
    advanced = np.array([[0.0, 5e6], [0.0, 0.0]])  # A at OCC, where nobody of its owes anything
    standing = {key: replace(one, advanced=advanced) for key, one in stressed.standing.items()}
    again = ReverseWaterfall(replace(stressed, standing=standing), ["each factor"], "var")
    first = again.table().loc[("var", "silos", "a firm fails", "BTC down")]
    lost = {"A": 2e6, "B": 1e6}
    by_hand = {
        name: (stressed.standing["var", "silos"].collateral[a, 0] + 1e4) / lost[name]
        for a, name in enumerate(lost)
    }
    assert first["whose"] == min(by_hand, key=by_hand.__getitem__) == "A"
    assert first["move of BTC"] == pytest.approx(-min(by_hand.values()), rel=1e-7)


def test_a_model_without_margin_on_the_day_is_one_line(done):
    with pytest.raises(bt.StudyError, match="'var' has no margin on .*choose a later day"):
        Standing.of(done, "var", "silos", 10)


def test_without_a_direction_that_reaches_it_nothing_is_said(done):
    """Ample capital and resources: no layer beyond margins is reached."""
    members = tuple(replace(m, resources=None if m.kind == "house" else 1e12)
                    for m in done.structure.members)  # fmt: skip
    rich = Structure(members, {"A": Firm(capital=1e12)}, done.structure.houses)
    again = bt.protect(
        done.margined.market, done.book, done.margined.models, rich,
        arrangements=[ARRANGEMENTS["silos"]],
    )  # fmt: skip
    stressed = Stressed.of(again, again.window.rows.stop - 1)
    table = ReverseWaterfall(stressed, ["all yields", "joint"], "var").table().loc["var", "silos"]
    by_event = table["reached"].groupby(level="event", sort=False).any()
    assert by_event.tolist() == [True] + 6 * [False]
    unreached = table[~table["reached"]]
    assert unreached["distance"].isna().all() and (unreached["whose"] == "").all()
