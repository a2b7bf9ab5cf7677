"""The most plausible move of each layer, against moves in all directions of two coins."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.clearing import ARRANGEMENTS, Firm, House, Member, Structure
from backtest.replay.protection import protect
from backtest.replay.protection.ladder import EVENTS
from backtest.replay.protection.reverse import ReverseWaterfall
from backtest.replay.protection.stressed import Stressed
from backtest.stress.history import Plausibility
from tests.replay.protection.test_stressed import coins, covariance

NAMES = ["house pooled", "customers gross, commingled"]


def test_what_is_found_is_about_as_near_as_anything_in_any_direction():
    """Seven accounts of two firms: searches from one place each found moves 65 % too far."""
    market, rng = coins(), np.random.default_rng(103)
    names = [f"a{i}" for i in range(7)]
    frame = pd.DataFrame(
        {"BTC": rng.normal(size=7) * 1e6, "ETH@OCC": rng.normal(size=7) * 1e6}, index=names
    )
    kinds = ["house"] * 2 + ["customer"] * 5
    members = tuple(Member(a, "AB"[i % 2], kinds[i]) for i, a in enumerate(names))
    done = protect(
        market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR(lookback=60)},
        Structure(
            members, {name: Firm(multiplier=1.2) for name in "AB"},
            {name: House(capital=2e4, fund=5e4, assessment=1.0) for name in ("CME", "OCC")},
        ),
        arrangements=[ARRANGEMENTS[name] for name in NAMES], coordination=0.5,
    )  # fmt: skip
    stressed = Stressed.of(done, len(market.dates) - 1)
    waterfall = ReverseWaterfall(stressed, ["joint"], "var")
    table = waterfall.table()["distance"]
    angles = np.linspace(0.0, 2.0 * np.pi, 61)[:-1]
    units = np.column_stack([np.cos(angles), np.sin(angles)]) @ np.linalg.cholesky(covariance()).T
    for name in NAMES:
        ladder, nearest = waterfall.ladders["var", name], np.full(len(EVENTS), np.inf)
        for unit in units:
            grid = np.linspace(0.0, min([20.0, *(-0.99 / unit[unit < 0.0])]), 81)
            pnl = stressed.pledged.repricer.pnl(grid[:, None] * unit)
            seen = ladder.reached(pnl)
            first = np.where(seen.any(axis=0), grid[seen.argmax(axis=0)], np.inf)
            nearest = np.minimum(nearest, first)
        found = table.xs(("var", name), level=("model", "arrangement")).to_numpy()
        assert np.isfinite(nearest).all() and (found <= 1.1 * nearest).all(), name


def test_scouts_look_all_around():
    """Of length 1, in both directions of each principal axis and of each two of them."""
    known = Plausibility(np.empty((0, 3)), np.array([[4.0, 0, 1.0], [0, 0, 0], [1.0, 0, 1.0]]))
    around = known.around()
    assert around.shape == (8, 3) and (around[:, 1] == 0.0).all()  # a factor that never moved
    assert [known.distance(unit) for unit in around] == pytest.approx([1.0] * 8)
    inverse = np.linalg.inv(known.covariance[np.ix_([0, 2], [0, 2])])
    products = around[:, [0, 2]] @ inverse @ around[:, [0, 2]].T
    # Each has neighbours at 45 degrees on both sides.
    assert np.sort(products, axis=1)[:, -3:-1] == pytest.approx(np.full((8, 2), np.sqrt(0.5)))
