"""Fire sales: positions of customers that cannot pay move prices, once."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.book.liquidation import daily_volatility, load_costs
from backtest.clearing import ARRANGEMENTS, Firm, House, Member, Structure
from backtest.kernels.parties import Day
from backtest.kernels.settled_accounts import new_settled, settle_accounts
from backtest.replay.protection import protect
from backtest.replay.protection.fire_sale import (
    cannot_pay,
    feedback,
    fire_sale_table,
    impacts,
    positions,
)

KEY = ("var", "customers gross, commingled")


def done_of(**stated):
    market = bt.load_market("sample", end="2020-12-31")
    frame = pd.DataFrame(
        {"UST10Y": [1e8, -2e8, 1e8, 0.0], "BTC": [2e8, 0.0, -1e8, 3e7]},
        index=["a", "b", "c", "own"],
    )
    members = [Member(name, "A", **stated) for name in "abc"]
    small = House(capital=1e3, fund=1e5)
    structure = Structure(
        (*members, Member("own", "A", "house")),
        {"A": Firm(capital=1e5)},
        {"FICC": small, "CME": small},
    )
    return protect(
        market, bt.Book.from_frame(frame), {"var": st.HistoricalVaR()}, structure,
        arrangements=[ARRANGEMENTS["silos"], ARRANGEMENTS[KEY[1]]],
    )  # fmt: skip


@pytest.fixture(scope="module")
def done():
    return done_of(resources=0.0)


@pytest.mark.parametrize("key", [("var", "silos"), KEY])
def test_who_cannot_pay_is_who_fails_without_a_draw(done, key):
    """Legs apart: lacks less gains elsewhere; legs that net: their sum. By account and by day."""
    outcome, failed = done.outcomes[key], cannot_pay(done, *key)
    assert failed.any() and not failed[:, 3].any()
    for t in np.flatnonzero(failed.any(axis=1))[:20]:
        for a in range(3):
            beyond = [done.loss[t, a, h] - outcome.collateral[t, a, h] for h in range(2)]
            gains = sum(max(-done.loss[t, a, h], 0.0) for h in range(2))
            lack = sum(max(x, 0.0) for x in beyond) - gains
            nets = key == KEY and a != 1  # the second account clears at one house alone
            assert failed[t, a] == ((sum(beyond) if nets else lack) > 0.01)


@pytest.mark.parametrize("key", [("var", "silos"), KEY])
def test_who_cannot_pay_is_who_the_close_out_says_has_failed(done, key):
    outcome, setting = done.outcomes[key], done.settings[key[1]]
    accounts, firms = setting.kernel_accounts(), setting.kernel_firms()
    nobody, zero = np.zeros(5, dtype=np.bool_), np.zeros(4)
    failed, out = cannot_pay(done, *key), new_settled(4, 2)
    collateral, required, holdings = outcome.collateral, outcome.required, outcome.holdings
    for t in range(len(done.days)):
        day = Day(
            done.loss[t], collateral[t], required[t], holdings.at_house[t],
            holdings.advanced[t], zero,
        )  # fmt: skip
        settle_accounts(day, accounts, firms, True, nobody, out)
        assert (failed[t] == (out.failed & ~accounts.own)).all()


def test_every_account_has_the_move_on_what_it_holds(done):
    failed, held, unit = cannot_pay(done, *KEY), positions(done), impacts(done)
    added = feedback(done, failed, held, unit)
    t = int(np.flatnonzero(failed.any(axis=1))[0])
    for h, instrument in enumerate(done.book.instruments):  # one instrument a house
        sold = sum(held[t, a, h] for a in range(4) if failed[t, a])
        terms = load_costs("liquidation")
        volatility = daily_volatility(instrument, done.margined.market)[done.window.rows][t]
        volume = terms.of(instrument).adv_usd
        falls = np.sign(sold) * terms.impact.coefficient * volatility * np.sqrt(abs(sold) / volume)
        for a in range(4):
            assert added[t, a, h] == pytest.approx(held[t, a, h] * falls, abs=1e-6)
    assert (added[~failed.any(axis=1)] == 0.0).all()


def test_losses_of_those_behind_the_margin_are_those_of_the_larger_losses(done):
    table = fire_sale_table(done)
    assert list(table.index) == list(done.outcomes)
    for key, row in table.iterrows():
        assert row["fellow_usd"] == pytest.approx(done.summary().loc[key, "fellow_usd"])
        assert row["sale_days"] == cannot_pay(done, *key).any(axis=1).sum() > 0
    assert (table["uncovered_usd_there"] > table["uncovered_usd"]).any()
    bounded = 0
    for name in ("fellow", "fund", "uncovered"):
        more, events = table[f"{name}_added"], table[f"{name}_added_events"]
        gap = table[f"{name}_usd_there"] - table[f"{name}_usd"]
        assert more.to_numpy() == pytest.approx(gap.to_numpy(), abs=1e-6)
        low, high = table[f"{name}_added_low"], table[f"{name}_added_high"]
        assert (low.isna() == (events < 5)).all() and (high.isna() == (events < 5)).all()
        assert ((low < more) & (more < high))[events >= 5].all()
        bounded += int((events >= 5).sum())
    assert bounded > 0


def test_where_everybody_can_pay_nothing_moves():
    table = fire_sale_table(done_of(resources=1e12))
    assert (table["sale_days"] == 0).all() and table["date"].isna().all()
    for name in ("fellow", "fund", "uncovered"):
        assert (table[f"{name}_usd"] == table[f"{name}_usd_there"]).all()
        assert (table[f"{name}_added_events"] == 0).all() and (table[f"{name}_added"] == 0.0).all()
