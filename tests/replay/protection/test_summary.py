"""The summary of a protection against plain sums, and a year in worlds whose answer is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.clearing import Firm, Member, Structure
from backtest.clearing.ledger import BEARERS, FELLOW, FUND
from backtest.clearing.setting import DRAWS
from backtest.replay.protection import close_out, protect
from backtest.replay.protection.concentration import concentration
from backtest.replay.protection.summary import Losses, differences, summary
from backtest.replay.protection.yearly import by_year, watched


@pytest.fixture(scope="module")
def done():
    market = bt.load_market("sample")
    frame = pd.DataFrame(
        {"UST10Y": [1e8, -2e8, 1e8, 0.0], "BTC": [2e7, 0.0, -1e7, 3e7]},
        index=["a", "b", "c", "own"],
    )
    structure = Structure(
        (
            Member("a", "A", resources=0.0),
            Member("b", "A", resources=0.0),
            Member("c", "A", resources=0.0),
            Member("own", "A", "house"),
        ),
        {"A": Firm(capital=1e5)},
    )
    return protect(market, bt.Book.from_frame(frame), {"var": st.HistoricalVaR()}, structure)


def test_amounts_are_plain_sums_over_days(done):
    table = summary(done)
    assert list(table.index) == list(done.outcomes)
    for key, outcome in done.outcomes.items():
        row, days = table.loc[key], len(done.days)
        for bearer in BEARERS[1:]:
            b = BEARERS.index(bearer)
            without = outcome.base[:, :, b].sum() / days
            drawn = outcome.paid[:, :, b].sum() / days - without
            assert row[bearer] == pytest.approx(252.0 * (without / done.horizon + drawn), abs=0.1)
        assert row["fellow_usd"] == pytest.approx(row["fellow customers"])
        assert row["fellow_day"] == pytest.approx(outcome.touched[:, 0].mean())
        assert row["fellow_given"] == pytest.approx(row["fellow_usd"] / row["fellow_times"])
        base = outcome.base[:, :, FELLOW].sum(axis=1)
        assert row["fellow_largest"] == base.max() > 0.0
        assert row["fellow_date"] == done.days[base.argmax()]
        assert row["fellow_usd"] <= row["fellow_watched"] + 1e-6


def test_ends_hold_the_mean_where_there_are_ends(done):
    table = summary(done)
    assert (table["fellow_events"] >= 5).any()
    for _, row in table.iterrows():
        for name in ("fellow", "fund", "uncovered"):
            known = row[f"{name}_events"] >= 5
            assert known == (row[f"{name}_low"] <= row[f"{name}_usd"] <= row[f"{name}_high"])
            given = [row[f"{name}_given{end}"] for end in ("_low", "", "_high")]
            amount = [row[f"{name}{end}"] for end in ("_low", "_usd", "_high")]
            if known:
                assert given == sorted(given)
                assert given == pytest.approx([usd / row[f"{name}_times"] for usd in amount])
            else:
                assert np.isnan(given[0]) and np.isnan(given[2])
            assert row[f"{name}_events_year_low"] <= row[f"{name}_events_year"]
            assert row[f"{name}_events_year"] <= row[f"{name}_events_year_high"]
            if not row[f"{name}_events"]:
                years = len(done.days) / 252.0
                assert row[f"{name}_events_year_high"] == pytest.approx(2.9957 / years, rel=1e-4)


def test_the_largest_share_has_ends_where_amounts_have(done):
    table, amounts = concentration(done), summary(done)
    assert (table["events"] == amounts["fellow_events"]).all() and (table["events"] >= 5).any()
    for _, row in table[table["events"] >= 5].iterrows():
        low, high = row["largest_share_low"], row["largest_share_high"]
        assert 0.0 < low < row["largest_share"] <= high <= 1.0
    assert table.loc[table["events"] < 5, "largest_share_low"].isna().all()


def test_differences_are_those_of_the_summary(done):
    table, more = summary(done), differences(done)
    silos = table.loc["var", "silos"]
    assert "silos" not in more.index.get_level_values("arrangement")
    for key, row in more.iterrows():
        ours = table.loc[key]
        assert row["margin_saved"] == pytest.approx(1.0 - ours["margin"] / silos["margin"])
        assert row["margin_saved_low"] <= row["margin_saved"] <= row["margin_saved_high"]
        for name in ("fellow", "fund", "uncovered"):
            gap = ours[f"{name}_usd"] - silos[f"{name}_usd"]
            assert row[f"{name}_usd"] == pytest.approx(gap, abs=1.0)
    assert differences(done, against="nothing").empty


def test_another_seed_moves_little_beside_what_other_dates_would(done):
    first = summary(done).loc[("var", "silos")]
    width = first["fellow_high"] - first["fellow_low"]
    others = [
        summary(close_out(done.margined, done.structure, draws=DRAWS, seed=seed))
        for seed in range(1, 5)
    ]
    for table in others:
        there = table.loc[("var", "silos")]
        assert abs(there["fellow_usd"] - first["fellow_usd"]) < 1e-4 * width
        assert there["fellow_drawn"] == pytest.approx(first["fellow_drawn"], rel=0.05)
        assert there["fellow_drawn"] > 0.0


def test_drawn_defaults_alone_are_no_evidence(done):
    losses = Losses.of(done, "var", "silos", FUND)
    still = replace(losses, base=np.zeros_like(losses.base))
    assert still.amount.events == 0 and np.isnan(still.amount.ends[1:]).all()
    assert still.amount.mean == pytest.approx(still.amount_drawn.mean)


# A year in worlds whose answer is known.


def test_one_jump_is_one_loss_though_every_close_out_that_spans_it_sees_it():
    days, horizon = 5040, 3
    moves = np.zeros(days + horizon)
    moves[100::504] = 7.0  # ten jumps in twenty years of 252 days, each 5 beyond what there is
    loss = np.convolve(moves, np.ones(horizon))[horizon : days + horizon]
    base = np.maximum(loss - 2.0, 0.0)
    yearly = by_year(base, base, horizon=horizon, margin_days=252.0).mean()
    assert yearly == pytest.approx(10 * 5.0 / 20)
    assert watched(base, horizon=horizon, margin_days=252.0) == pytest.approx(10 * 5.0 / 20)


def test_drawn_defaults_come_once_whatever_a_close_out_spans():
    # Each day with probability 1 / 252 a default that leaves 3 unpaid: 3 a year for any horizon.
    paid = np.full(1000, 3.0 / 252.0)
    for horizon in (1, 2, 5):
        yearly = by_year(paid, np.zeros(1000), horizon=horizon, margin_days=252.0)
        assert yearly.mean() == pytest.approx(3.0)


def sequential(base, horizon):
    """Losses of an account looked at every day: one that fails is closed out, then begins anew."""
    total, free = 0.0, 0
    for t in np.flatnonzero(base > 0.0):
        if t >= free:
            total, free = total + base[t], t + horizon
    return total


@pytest.mark.parametrize(("dof", "least", "most"), [(4, 1.1, 1.4), (200, 1.5, 2.0)])
def test_accounts_looked_at_every_day_lose_more_than_close_outs_in_a_row(dof, least, most):
    # docs/intervals.md prints the ratio: most where tails are thin.
    horizon, rng = 2, np.random.default_rng(11)
    moves = rng.standard_t(dof, 2_000_000)
    loss = moves[:-1] + moves[1:]
    base = np.maximum(loss - np.quantile(loss, 0.997), 0.0)
    in_a_row = np.mean([base[phase::horizon].sum() for phase in range(horizon)])
    assert by_year(base, base, horizon=horizon, margin_days=len(base)).mean() == pytest.approx(
        in_a_row
    )
    ratio = sequential(base, horizon) / in_a_row
    assert least < ratio < most
    assert ratio <= watched(base, horizon=horizon, margin_days=len(base)) / in_a_row
