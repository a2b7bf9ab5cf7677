"""Bounds of the past against later years: what a row compares, and that no bound looks ahead."""

import numpy as np
import pandas as pd
import pytest

from backtest.offset.bounds import bound_reduction
from backtest.offset.hindsight import out_of_sample
from backtest.offset.history import SiloHistory, silo_shifts


def drawn(days=1300, seed=0):
    rng = np.random.default_rng(seed)
    return SiloHistory(
        silos=("A", "B"),
        dates=pd.bdate_range("2020-01-01", periods=days).to_numpy().astype("datetime64[D]"),
        loss=rng.standard_t(4, (2, days)),
        margin=rng.uniform(1.5, 2.5, (2, days)),
        confidence=0.95,
        mpor=3,
    )


def test_a_row_compares_the_days_known_with_all_later_ones():
    history = drawn()
    table = out_of_sample({"p": history}, resamples=50)
    assert [str(d.date()) for d in table["until"]] == ["2021-12-31", "2022-12-30", "2023-12-29"]
    row = table.iloc[1]
    cut = int((history.dates < np.datetime64("2023-01-01")).sum())
    # Positions of a day are closed out three rows later: the year ends on row cut - 1.
    past, later = history.between(slice(0, cut - 3)), history.between(slice(cut, 1300))
    point = past.reduction(silo_shifts(cut - 3, 2))
    bounds = bound_reduction(past, point, resamples=50)
    assert (row["days"], row["later_days"]) == (cut - 3, 1300 - cut)
    assert row["total_bound"] == bounds.total and row["dependence_bound"] == bounds.dependence
    after = later.reduction(silo_shifts(1300 - cut, 2))
    assert row["later_total"] == after.total and row["later_dependence"] == after.dependence
    assert row["total_is_safe"] == (bounds.total <= after.total)
    charged = (1 - max(0, bounds.total)) * (past.kappa() @ later.margin)
    assert row["exceedances"] == (later.loss.sum(axis=0) > charged).sum()
    assert row["allowed"] == int((1300 - cut) * 0.05)


def test_later_days_do_not_move_the_bound():
    history = drawn()
    moved = drawn(seed=1)
    cut = int((history.dates < np.datetime64("2022-01-01")).sum())
    loss, margin = (
        np.hstack([a[:, :cut], b[:, cut:]])
        for a, b in ((history.loss, moved.loss), (history.margin, moved.margin))
    )
    other = SiloHistory(history.silos, history.dates, loss, margin, 0.95, 3)
    one, two = (out_of_sample({"p": h}, resamples=30).iloc[0] for h in (history, other))
    for column in ("total", "total_bound", "dependence", "dependence_bound"):
        assert one[column] == two[column]
    assert one["later_total"] != pytest.approx(two["later_total"])
