"""Dollars a year: the same amounts from the ledgers by plain numpy, and what must hold of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.clearing import ARRANGEMENTS, Firm, Member, Structure
from backtest.clearing.ledger import BEARERS
from backtest.clearing.rules import Rules
from backtest.clearing.setting import Setting
from backtest.replay.protection.protect import protect
from backtest.studies.protect.capital import own_capital
from backtest.studies.protect.dollar_sections import bearer_section, cell
from backtest.studies.protect.dollars import (
    GROUPS,
    OTHERS,
    STUCK,
    DollarTerms,
    Rate,
    account_dollars,
    counted_for_capital,
    dollars,
)

TERMS = DollarTerms(Rate(0.01, 0.005, 0.02), Rate(0.10, 0.05, 0.20), 0.08)
GROSS, COMMINGLED = "customers gross, segregated", "customers gross, commingled"


@pytest.fixture(scope="module")
def market():
    return bt.load_market("sample", end="2019-12-31")


@pytest.fixture(scope="module")
def book(market):
    legs = {
        "UST10Y": [900e6, 0.0, -100e6, 300e6],
        "UST5Y@CME": [-1.6e9, 200e6, 0.0, -550e6],
        "BTC": [0.0, 20e6, -15e6, 0.0],
    }
    return bt.Book.from_frame(pd.DataFrame(legs, index=["basis", "long", "short", "own"]), market)


@pytest.fixture(scope="module")
def structure():
    names = ("basis", "long", "short")
    customers = tuple(Member(name, "A", resources=0.0) for name in names)
    return Structure((*customers, Member("own", "A", "house")))


@pytest.fixture(scope="module")
def done(market, book, structure):
    models = {"var": st.HistoricalVaR(lookback=250)}
    return protect(market, book, models, structure, draws=20, seed=3)


@pytest.fixture(scope="module")
def table(done):
    return dollars(done, TERMS)


def test_margin_and_funding_are_those_of_the_accounts(done, table):
    for arrangement in ("silos", GROSS, COMMINGLED):
        posted = done.outcomes["var", arrangement].required.sum(axis=(1, 2)).mean()
        assert table.loc[("var", arrangement), "margin"] == pytest.approx(posted)
    saved = table.loc[("var", "silos"), "margin"] - table.loc[("var", GROSS), "margin"]
    assert saved > 0
    row = table.loc[("var", GROSS)]
    assert row["funding_freed"] == pytest.approx(0.01 * saved)
    assert 0 < row["funding_freed_low"] < row["funding_freed"] < row["funding_freed_high"]
    silos = table.xs("silos", level="arrangement").filter(regex="freed|loss|net")
    assert (silos == 0.0).all(axis=None)


def test_expected_losses_by_plain_numpy(done, table):
    """A year of margin days; a move of prices is in two close-outs, a drawn default in one."""
    a_year = done.settings["silos"].rules.assumptions.margin_days

    def yearly(arrangement, bearers, counted, stuck):
        outcome = done.outcomes["var", arrangement]
        columns = [BEARERS.index(bearer) for bearer in bearers]
        total = 0.0
        for t, (paid, base) in enumerate(zip(outcome.paid, outcome.base, strict=True)):
            moved = base[:, columns].sum() + stuck * outcome.base_stuck[t, 0]
            in_all = paid[:, columns].sum() + stuck * outcome.stuck[t, 0]
            total += (in_all - moved) + moved / counted
        return a_year * total / len(outcome.paid)

    others = tuple(bearer for bearers in GROUPS.values() for bearer in bearers)
    assert sorted(others) == sorted(set(BEARERS) - {"accounts"})
    for group, bearers in {**GROUPS, STUCK: (), OTHERS: others}.items():
        also = group in (STUCK, OTHERS)
        for arrangement in (GROSS, COMMINGLED):
            extra = [
                yearly(arrangement, bearers, n, also) - yearly("silos", bearers, n, also)
                for n in (2, 1)
            ]
            row = table.loc[("var", arrangement)]
            assert row[f"loss_{group}"] == pytest.approx(extra[0], abs=1e-3)
            assert row[f"loss_{group}_low"] <= min(extra) + 1e-3
            assert row[f"loss_{group}_high"] >= max(extra) - 1e-3
    assert table["loss_others"].abs().max() > 0.0


def test_net_is_what_is_freed_less_what_others_lose(table):
    net = table["funding_freed"] + table["capital_freed"] - table["loss_others"]
    np.testing.assert_allclose(table["net"], net, rtol=1e-9, atol=1e-6)
    assert (table["net_low"] <= table["net"]).all() and (table["net"] <= table["net_high"]).all()
    by_group = table[[f"loss_{group}" for group in (*GROUPS, STUCK)]].sum(axis=1)
    np.testing.assert_allclose(table["loss_others"], by_group, atol=1e-6)


def test_capital_is_of_futures_customers_alone(done, table):
    """Treasuries at FICC count once they are commingled with futures; the firm's own never."""
    required = {a: done.outcomes["var", a].required for a in ("silos", GROSS, COMMINGLED)}
    futures = done.book.silos.index("CME")
    for arrangement in ("silos", GROSS):
        at_cme = required[arrangement][:, :3, futures].sum(axis=1).mean()
        assert table.loc[("var", arrangement), "capital"] == pytest.approx(0.08 * at_cme)
    everywhere = required[COMMINGLED][:, :3].sum(axis=(1, 2)).mean()
    assert table.loc[("var", COMMINGLED), "capital"] == pytest.approx(0.08 * everywhere)


@pytest.mark.parametrize(("regime", "counts"), [("4d", True), ("LSOC", True), ("15c3-3", False)])
def test_cleared_swaps_count_as_futures_do_and_securities_do_not(regime, counts):
    """17 CFR 1.17(b), as 74 FR 69279 changed it: what is cleared over the counter counts too."""
    members = (Member("fund", "A", regimes={"CME": regime}), Member("own", "A", "house"))
    silos, rules, margin = ARRANGEMENTS["silos"], Rules.of(), np.ones((2, 2))
    setting = Setting(Structure(members), ("FICC", "CME"), silos, rules, margin, margin > 0.0)
    assert counted_for_capital(setting).tolist() == [[False, counts], [False, False]]


def test_single_accounts_sum_to_all_of_them(done, table):
    alone = account_dollars(done, done.book.portfolios, TERMS)
    totals = alone.groupby(["model", "arrangement"])[["margin", "funding_freed"]].sum()
    np.testing.assert_allclose(totals, table.loc[totals.index, totals.columns], atol=1e-6)


def test_rates_scale_what_they_price(done, table):
    double = replace(TERMS, spread=Rate(0.02, 0.01, 0.04))
    again = dollars(done, double)
    columns = ["funding_freed", "funding_freed_low", "funding_freed_high"]
    np.testing.assert_allclose(again[columns], 2.0 * table[columns])
    np.testing.assert_array_equal(again["loss_others"], table["loss_others"])


def test_own_capital_knows_no_arrangement_and_says_what_a_rule_lacks(market, book, structure):
    table = own_capital(market, book, structure, bt.Coverage(), TERMS)
    assert set(table.index.get_level_values("account")) == {"own"}
    net = table.loc[("own", "17 CFR 240.15c3-1")]
    # Long 300m of 10 years at 4 %, short 550m of 5 years at 3 %, one category: the difference and
    # half of the smaller side.
    by_head = (550e6 * 0.03 - 300e6 * 0.04) + 0.5 * 300e6 * 0.04
    assert net["capital"] == pytest.approx(by_head)
    assert (net["cost"], net["cost_low"]) == pytest.approx((0.10 * by_head, 0.05 * by_head))


def test_own_capital_of_positions_by_day_is_that_of_each_day(market, book, structure):
    half = len(market.dates) // 2
    exposure = np.repeat(book.exposure[None], len(market.dates), axis=0)
    exposure[half:] *= 2.0
    daily = bt.Book(book.portfolios, book.instruments, exposure, dates=market.dates)
    tables = [own_capital(market, one, structure, bt.Coverage(), TERMS) for one in (book, daily)]
    constant, changing = (table["capital"]["own", "17 CFR 240.15c3-1"] for table in tables)
    assert changing == pytest.approx(constant * (2.0 - half / len(market.dates)))


def test_where_nobody_loses_anything_no_table_says_who(market, book, structure):
    safe = tuple(
        member if member.kind == "house" else replace(member, resources=1e15, default_rate=0.0)
        for member in structure.members
    )
    firms = {"A": Firm(capital=1e15, default_rate=0.0)}
    done = protect(
        market, book.select([1, 3]), {"var": st.HistoricalVaR(lookback=250)},
        Structure((safe[1], safe[3]), firms), score_from="2019-12-02",
    )  # fmt: skip
    table = dollars(done, TERMS)
    assert (table.filter(like="loss_") == 0.0).all(axis=None)
    assert bearer_section(table).tables == ()
    assert bearer_section(table.assign(loss_fellow=1e6)).tables[0].groups


def test_a_cost_that_nobody_has_stated_is_in_no_sum(done, table):
    unknown = {
        key: replace(one, stuck=one.stuck * np.nan, base_stuck=one.base_stuck * np.nan)
        for key, one in done.outcomes.items()
    }
    found = dollars(replace(done, outcomes=unknown), TERMS)
    row = found.loc[("var", GROSS)]
    assert np.isnan(row["loss_stuck"]) and cell(row, "loss_stuck") == "n/a"
    known = (table["loss_others"] - table["loss_stuck"]).to_numpy()
    assert found["loss_others"].to_numpy() == pytest.approx(known)
    assert not np.isnan(row["net_low"]) and table["loss_stuck"].abs().max() > 0.0
