"""The share of unsafe bounds beside a bound is that of the nearest cell, or a refusal by name."""

import numpy as np
import pytest

from backtest.offset.calibration import CELLS, CHOSEN, COMPARED, HISTORIES, calibrate
from backtest.offset.drift import CorrelationDrift
from backtest.offset.families import FAMILIES
from backtest.offset.grid import every_cell, grid, nearest_cell

STILL = CorrelationDrift(centre=0.0, deviation=0.0)


def nearest(drift=STILL, **given):
    return nearest_cell(
        **({"days": 2196, "mpor": 2, "confidence": 0.99, "silos": 2} | given), drift=drift
    )


def test_the_grid_holds_every_cell_of_every_world():
    cells = every_cell()[every_cell()["method"] == CHOSEN]
    assert set(cells["world"]) == {world.name for world in FAMILIES}
    assert len(cells) == len(FAMILIES) * len(CELLS)


def test_the_nearest_world_and_the_worst_one():
    table = grid().query("days == 2196 and mpor == 2 and confidence == .99 and silos == 2")
    table = table.set_index("world")["unsafe"]
    jumps = nearest(CorrelationDrift(0.05, 0.55))
    assert jumps.unsafe == table["regimes of +.6 or -.6"]
    assert jumps.unsafe_worst == table.max()
    assert "regimes of +.6 or -.6; MPOR 2, 2,196 days, 99.0%" in jumps.cell
    # Worlds of the same correlation differ in volatility: the worst of them stands for all.
    alike = [name for name in table.index if "hedged -.6" in name]
    assert len(alike) == 3
    assert nearest(CorrelationDrift(-0.6, 0.0)).unsafe == table[alike].max()
    assert "errs unsafely in" in jumps.sentence()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"mpor": 10}, "MPOR 10 was not measured (1, 2, 5 were)"),
        ({"days": 300}, "300 scored days were not measured (500, 750, 1,500, 2,196 were)"),
        ({"days": 5000}, "5,000 scored days were not measured"),
        ({"confidence": 0.9}, "confidence 0.9 was not measured (0.95, 0.975, 0.99 were)"),
        ({"silos": 5}, "5 silos were not measured (2, 3 were)"),
        ({"drift": CorrelationDrift(0.95, 0.0)}, "correlation +0.95 that drifts by 0.00"),
    ],
)
def test_where_no_cell_is_near_the_input_is_named(given, reason):
    cell = nearest(**given)
    assert np.isnan(cell.unsafe) and reason in cell.cell
    assert cell.sentence().startswith("no assurance: ")


def test_a_longer_history_takes_the_cell_of_a_shorter_one():
    assert "1,500 days" in nearest(days=1900).cell
    assert "MPOR 5" in nearest(mpor=4).cell and "MPOR 2" in nearest(mpor=3).cell


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 6, 8, 9])
def test_cells_computed_again_equal_the_published_ones(number):
    """The same histories again: the published shares, up to two histories for rounding."""
    world, cell = FAMILIES[number], COMPARED[2]
    again = calibrate(world, [cell]).set_index("method")
    published = every_cell().query("world == @world.name and base == @cell.base")
    for name in ("days", "mpor", "confidence", "silos"):
        published = published[published[name] == getattr(cell, name)]
    published = published.set_index("method")
    for column in ("total", "dependence", "distance_total", "distance_dependence"):
        np.testing.assert_allclose(again[column], published.loc[again.index, column], atol=0.003)
    for column in ("unsafe_total", "unsafe_dependence"):
        gap = (again[column] - published.loc[again.index, column]).abs()
        assert gap.max() <= 2.5 / HISTORIES
