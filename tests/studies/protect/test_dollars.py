"""Dollars a year: the same amounts from the ledgers by plain numpy, and what must hold of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import backtest as bt
import strategies as st
from backtest.clearing import ARRANGEMENTS, Firm, Member, Structure
from backtest.clearing.ledger import BEARERS
from backtest.clearing.rules import Rules
from backtest.clearing.setting import Setting
from backtest.replay.protection.protect import protect
from backtest.scores.money.rare import FEWEST_EVENTS
from backtest.studies.protect.capital import own_capital
from backtest.studies.protect.dollar_sections import bearer_section, cell
from backtest.studies.protect.dollars import (
    DollarTerms,
    Rate,
    account_dollars,
    counted_for_capital,
    dollars,
)
from backtest.studies.protect.groups import GROUPS, STUCK, TOGETHER

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
    for group, bearers in {**GROUPS, STUCK: (), TOGETHER: others}.items():
        also = group in (STUCK, TOGETHER)
        for arrangement in (GROSS, COMMINGLED):
            extra = [
                yearly(arrangement, bearers, n, also) - yearly("silos", bearers, n, also)
                for n in (2, 1)
            ]
            row = table.loc[("var", arrangement)]
            assert row[f"loss_{group}"] == pytest.approx(extra[0], abs=1e-3)
            low, high = row[f"loss_{group}_low"], row[f"loss_{group}_high"]
            if row[f"loss_{group}_events"] < FEWEST_EVENTS:
                assert np.isnan([low, high]).all()
            else:
                assert low <= min(extra) + 1e-3 and high >= max(extra) - 1e-3
    assert table["loss_others"].abs().max() > 0.0


def by_gamma_law(events, largest):
    """A sum of amounts that are 0 or more, and its bounds of 95 %, as Fay and Feuer print them."""
    total, squares = sum(events), sum(e * e for e in events)
    shape = total**2 / squares
    more, spread = total + largest, squares + largest**2
    low = stats.gamma.ppf(0.05, a=shape, scale=total / shape)
    return total, low, stats.gamma.ppf(0.95, a=more**2 / spread, scale=spread / more)


def test_bounds_are_those_of_events_and_of_slow_cosines_by_hand(done, table):
    a_year = done.settings["silos"].rules.assumptions.margin_days
    ours, silos = (done.outcomes["var", arrangement] for arrangement in (GROSS, "silos"))
    moved = (ours.base - silos.base)[:, :, 1:].sum(axis=(1, 2))
    moved += (ours.base_stuck - silos.base_stuck)[:, 0]
    moved[np.abs(moved) < 0.01] = 0.0
    days = np.flatnonzero(moved)
    runs = np.split(days, np.flatnonzero(np.diff(days) > 20) + 1)
    events = [moved[run].sum() for run in runs]
    row = table.loc[("var", GROSS)]
    assert len(events) == row["loss_others_events"] == row["net_events"] >= FEWEST_EVENTS
    largest = max(map(abs, events))
    (up, up_low, up_high), (down, down_low, down_high) = (
        by_gamma_law([side * e for e in events if side * e > 0.0], largest) for side in (1, -1)
    )
    low = up - down - np.hypot(up - up_low, down_high - down)
    high = up - down + np.hypot(up_high - up, down - down_low)
    each = a_year / len(moved)  # a move in each of the two close-outs that it is in, not once
    # Drawn defaults add next to nothing here.
    assert row["loss_others_low"] == pytest.approx(min(each * low, each * low / 2), rel=0.01)
    assert row["loss_others_high"] == pytest.approx(each * high, rel=0.01)

    required = {a: done.outcomes["var", a].required.sum(axis=(1, 2)) for a in ("silos", GROSS)}
    saved = required["silos"] - required[GROSS]
    n = len(saved)
    waves = [
        np.sqrt(2 / n) * sum(saved * np.cos(np.pi * j * (np.arange(n) + 0.5) / n)) for j in (1, 2)
    ]
    half = stats.t.ppf(0.975, 2) * np.sqrt(np.mean(np.square(waves)) / n)
    assert row["funding_freed_low"] == pytest.approx(0.005 * (saved.mean() - half))
    assert row["funding_freed_high"] == pytest.approx(0.02 * (saved.mean() + half))
    assert row["net_low"] == pytest.approx(row["freed_low"] - row["loss_others_high"])
    assert row["net_high"] == pytest.approx(row["freed_high"] - row["loss_others_low"])


def test_net_is_what_is_freed_less_what_others_lose(table):
    net = table["funding_freed"] + table["capital_freed"] - table["loss_others"]
    np.testing.assert_allclose(table["net"], net, rtol=1e-9, atol=1e-6)
    bounded = table[table["net_low"].notna()]
    assert (bounded["net_low"] <= bounded["net"]).all()
    assert (bounded["net"] <= bounded["net_high"]).all() and len(bounded) == len(table)
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
    losses = table.filter(like="loss_")
    assert ((losses == 0.0) | losses.isna()).all(axis=None)
    assert cell(table.loc[("var", GROSS)], "net").endswith(" (no bound: 0 events)")
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


@pytest.mark.parametrize("unknown", [("customers gross, segregated",), ("silos",)])
def test_a_cost_that_only_one_side_lacks_or_only_a_draw_asks_for_is_no_zero(done, unknown):
    """Firms that fail in one arrangement alone, or of a drawn default: not 0, but unknown."""
    by_draw = {key: replace(one, stuck=one.stuck * np.nan) for key, one in done.outcomes.items()}
    one_side = {
        key: replace(one, base_stuck=one.base_stuck * np.nan, stuck=one.stuck * np.nan)
        if key[1] in unknown
        else one
        for key, one in done.outcomes.items()
    }
    for outcomes in (by_draw, one_side):
        row = dollars(replace(done, outcomes=outcomes), TERMS).loc[("var", GROSS)]
        assert np.isnan(row["loss_stuck"]) and cell(row, "loss_stuck") == "n/a"
        assert not np.isnan(row["loss_others"])
