"""`protect` on simulated histories: paths stand alone, and workers change nothing."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.clearing import ARRANGEMENTS
from backtest.replay.monte_carlo import path_market
from backtest.replay.protection import Margined, close_out
from backtest.replay.protection.paths import COLUMNS, ProtectedPaths, protect_paths
from backtest.scores.money.over_paths import mean_over_paths
from tests.support.protected import ACCOUNTS, MEMBERS, drawn_market

SIMULATOR = bt.StationaryBootstrap(block_size=20)
SOME = [ARRANGEMENTS[n] for n in ("silos", "customers omnibus, commingled")]


@pytest.fixture(scope="module")
def world():
    import strategies as st

    market = drawn_market()
    book = bt.Book.from_frame(pd.DataFrame.from_dict(ACCOUNTS, orient="index").fillna(0.0))
    firms = {"A": bt.Firm(capital=1e4), "B": bt.Firm()}
    models = {"var": st.HistoricalVaR(lookback=60)}
    return market, book, models, bt.Structure(MEMBERS, firms)


def run(world, **options) -> ProtectedPaths:
    return protect_paths(
        SIMULATOR, *world, arrangements=SOME, coordination=0.5, draws=3, seed=9, **options
    )


def test_workers_and_the_number_of_paths_change_no_bit(world):
    three, four = run(world, paths=3), run(world, paths=4, n_jobs=2)
    assert three.amounts.tobytes() == four.amounts[:3].tobytes()
    assert three.base.tobytes() == four.base[:3].tobytes()
    assert (four.amounts[1] != four.amounts[2]).any()


def test_a_path_is_protect_on_its_market(world):
    market, book, models, structure = world
    found = run(world, paths=2)
    scale = Margined.of(market, book, models, structure).scale
    path = path_market(SIMULATOR, market, seed=9, path=1)
    done = close_out(
        Margined.of(path, book, models, structure), structure, arrangements=SOME,
        coordination=0.5, draws=3, seed=9, path=1, scale=scale,
    )  # fmt: skip
    assert found.keys == tuple(done.outcomes)
    for o, outcome in enumerate(done.outcomes.values()):
        fund = outcome.paid[:, :, 8].sum(axis=1).mean(), outcome.base[:, :, 8].sum(axis=1).mean()
        yearly = 252.0 * (fund[1] / done.horizon + fund[0] - fund[1])
        assert found.amounts[1, o, COLUMNS.index("mutual fund")] == pytest.approx(yearly)
        margin = outcome.holdings.posted.sum(axis=(1, 2, 3))
        own = outcome.required[:, done.settings["silos"].is_own].sum(axis=(1, 2))
        assert found.amounts[1, o, 0] == pytest.approx((margin + own).mean())
    assert found.amounts[:, :, COLUMNS.index("largest imbalance")].max() < 0.01


def test_a_year_of_a_path_is_that_of_the_summary_also_where_houses_close_out_over_other_days(world):
    market, book, models, structure = world
    coverage = bt.Coverage(mpor={"FICC": 4, "CME": 1})
    found = run(world, paths=1, coverage=coverage)
    of_history = Margined.of(market, book, models, structure, coverage=coverage)
    path = path_market(SIMULATOR, market, seed=9, path=0)
    done = close_out(
        Margined.of(path, book, models, structure, coverage=coverage), structure,
        arrangements=SOME, coordination=0.5, draws=3, seed=9, path=0, scale=of_history.scale,
    )  # fmt: skip
    table, same = done.summary(), {
        "fellow customers": "fellow_usd", "mutual fund": "fund_usd", "firms": "firms",
        "fellow customers lose": "fellow_times", "mutual fund pays": "fund_times",
        "a firm fails": "firms_fail",
    }  # fmt: skip
    for o, key in enumerate(found.keys):
        for column, name in same.items():
            here = found.amounts[0, o, COLUMNS.index(column)]
            assert here == pytest.approx(table.loc[key, name], rel=1e-9, abs=1e-6)
        # Accounts are closed out as often as a firm fails.
        outcome = done.outcomes[key]
        by_house = outcome.base[:, :, 1:].sum(axis=(0, 2))
        often = (by_house / done.spans).sum() / by_house.sum()
        base, stuck = outcome.base_stuck[:, 0], outcome.stuck[:, 0]
        cost = found.amounts[0, o, COLUMNS.index("close-out of accounts not ported")]
        assert cost == pytest.approx(252.0 * (base * often + stuck - base).mean())
        assert cost > 0.0
    assert (
        found.amounts[0, :, [COLUMNS.index("firms"), COLUMNS.index("a firm fails")]] > 0.0
    ).all()


def test_means_have_intervals_or_say_that_there_are_too_few_paths():
    values = np.zeros((40, 1, len(COLUMNS)))
    values[:, 0, 0] = np.arange(40.0)
    fund, uncovered = COLUMNS.index("mutual fund"), COLUMNS.index("uncovered")
    values[:6, 0, fund], values[:2, 0, uncovered] = 10.0, 10.0
    table = ProtectedPaths((("var", "silos"),), values, values).summary().loc["var", "silos"]
    assert table.loc["margin", "mean"] == 19.5
    half = 2.0227 * np.arange(40.0).std(ddof=1) / np.sqrt(40)  # Student's point, 39 degrees
    assert table.loc["margin", "high"] - 19.5 == pytest.approx(half, rel=1e-4)
    # Six of forty paths: the exact interval of a Poisson count of 6 begins at 2.202.
    assert table.loc["mutual fund", "mean"] == 1.5 and table.loc["mutual fund", "paths_with"] == 6
    assert table.loc["mutual fund", "low"] == pytest.approx(2.202 * 10 / 40, rel=1e-3)
    assert table.loc["mutual fund", "high"] > 13.06 * 10 / 40
    assert np.isnan(table.loc["uncovered", "low"]) and table.loc["uncovered", "mean"] == 0.5


def test_what_every_path_has_is_known():
    """The least of the paths is in all of them: only what lies above it is rare."""
    above = np.array([0.0, 1.0, 3.0, 0.0, 2.0, 0.0])
    found, alone = mean_over_paths(100.0 + above, 100.0 + above), mean_over_paths(above, above + 1)
    assert found.low == pytest.approx(100.0 + alone.low) and found.events == 6
    assert found.high == pytest.approx(100.0 + alone.high)
    rounding = np.array([3e-11, -2e-11] * 8)
    none = mean_over_paths(rounding, rounding)
    assert (none.mean, none.events) == (0.0, 0) and np.isnan(none.low)
    same = mean_over_paths(np.full(8, 7.0), np.full(8, 7.0))
    assert (same.low, same.mean, same.high) == (7.0, 7.0, 7.0)


def test_what_nobody_knows_of_a_path_is_unknown_of_all():
    """A cost that no table states is not nothing."""
    unknown = np.array([4.0, np.nan, 5.0, 0.0, 6.0, 2.0])
    for base in (unknown, np.zeros(6)):
        found = mean_over_paths(unknown, base)
        assert np.isnan([found.mean, found.low, found.high]).all()
    assert (mean_over_paths(unknown, unknown).events, found.events) == (5, 0)


@pytest.mark.parametrize(
    ("options", "words"), [({"paths": 0}, "paths is 0"), ({"n_jobs": 0}, "n_jobs is 0")]
)
def test_nothing_to_do_is_refused(world, options, words):
    with pytest.raises(bt.StudyError, match=words):
        run(world, **options)
