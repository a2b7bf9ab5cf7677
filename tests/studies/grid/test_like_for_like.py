"""What an axis moves is told of rows that it can touch, on days that all its values share."""

from itertools import product
from types import SimpleNamespace

import pandas as pd

from backtest.config.grid import Axis
from backtest.studies.grid.answer import grid_answer
from backtest.studies.grid.like_for_like import like_for_like

SHORT_LOOKBACK, LONG_LOOKBACK = "2017-08-18", "2019-08-20"
BASE = Axis(("models", "offset", "base", "lookback"), (250, 1000))
OWN = Axis(("models", "offset", "lookback"), (250, 1000))
LAG = Axis(("account", "call_lag"), (0, 1))


def grid_of(axes, first_day, rejects):
    """A grid by hand: rows of 'offset' and of 'var', a p-value by model and values of a cell."""
    names = [axis.name for axis in axes]
    rows, cells = [], []
    for values in product(*(axis.choices for axis in axes)):
        at = dict(zip(names, values, strict=True))
        cells.append({"values": at, "failed": "", "first_scored": first_day(at)})
        for model in ("offset", "var"):
            p = 0.01 if rejects(model, at) else 0.5
            scores = {"exceedances": 9.0, "allowed": 5.0, "exceedance_rate": 0.01}
            rows.append(at | scores | {"model": model, "portfolio": "one", "coverage_p": p})
    origin = SimpleNamespace(prices=SimpleNamespace(simulated=False))
    return SimpleNamespace(
        table=pd.DataFrame(rows).assign(failed="", max_shortfall=0.0),
        axes=tuple(axes), cells=cells, provenance=origin,
    )  # fmt: skip


def longest(at):
    return LONG_LOOKBACK if 1000 in at.values() else SHORT_LOOKBACK


def test_values_are_compared_in_the_cells_that_share_their_days():
    grid = grid_of([BASE, OWN], longest, lambda model, at: False)
    alike = like_for_like(BASE, grid.axes, grid.cells)
    assert alike.cells.to_numpy().tolist() == [[250, 1000], [1000, 1000]]
    assert set(alike.of(grid.table)[OWN.name]) == {1000} and len(alike.of(grid.table)) == 4
    assert alike.words.startswith("of the 2 of 4 cells")


def test_values_without_common_days_are_not_ranked_and_the_remedy_is_told():
    """Rejections of the years that a look-back leaves out are none that it moves."""
    grid = grid_of([BASE, LAG], longest, lambda model, at: at[BASE.name] == 250)
    alike = like_for_like(BASE, grid.axes, grid.cells)
    assert not len(alike.cells) and alike.of(grid.table).empty
    assert f'score_from = "{LONG_LOOKBACK}"' in alike.words
    assert "moves this most" not in grid_answer(grid)[0]
    assert (
        f"values of {BASE.name} are scored from different days and not compared"
        in grid_answer(grid)[0]
    )


def test_a_set_without_one_of_the_values_compares_nothing():
    grid = grid_of([BASE, LAG], lambda at: SHORT_LOOKBACK, lambda model, at: False)
    grid.cells[0]["failed"] = "no days"
    alike = like_for_like(BASE, grid.axes, grid.cells)
    assert set(alike.cells[LAG.name]) == {1} and len(alike.cells) == 2
    assert alike.words == ""


def test_of_a_parameter_of_a_model_no_other_models_rows_are_counted():
    """Half of a model's own rows is a quarter of all, of which the others never move."""
    moved = grid_of(
        [BASE], lambda at: SHORT_LOOKBACK, lambda m, at: m == "offset" and at[BASE.name] == 250
    )
    first = grid_answer(moved)[0]
    assert f"is {BASE.name}, from 0.0 % of the rows of offset at 1000 to 100.0 % at 250" in first
    others = grid_of(
        [BASE], lambda at: SHORT_LOOKBACK, lambda m, at: m == "var" and at[BASE.name] == 250
    )
    assert "moves this most" not in grid_answer(others)[0]
