"""The sentences that the page of `backtest grid` opens with, from the rows of its table."""

import pandas as pd

from backtest.config.grid import Axis
from backtest.present.numbers import percent, pvalue
from backtest.present.table import records
from backtest.replay.worst import worst_rows
from backtest.studies.grid.like_for_like import like_for_like
from backtest.studies.grid.panels import named_rows
from backtest.studies.grid.study import Grid
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.studies.sentences import counted, joined, not_shown, sentence

UNBOUNDED = "what of a saving is offset, of which no cell computes a bound"
NO_SEARCH = "that the best of its cells is a good choice, since they share their prices"


def grid_answer(grid: Grid) -> tuple[str, ...]:
    """Rejections over the cells and the axis that moves them most, the worst row, the limits."""
    rows = named_rows(grid.table)
    rows = rows[rows["coverage_p"].notna()].reset_index(drop=True)
    failed = sum(bool(cell["failed"]) for cell in grid.cells)
    clauses = [UNBOUNDED, NO_SEARCH]
    if failed:
        clauses.append(f"anything of {counted(failed, 'cell')} without scores")
    last = not_shown(clauses, simulated=grid.provenance.prices.simulated)
    if rows.empty:
        return f"Coverage was tested in none of {counted(len(grid.cells), 'cell')}.", last
    return _rejections(rows, grid), _worst(rows, grid.axes), last


def _rejections(rows: pd.DataFrame, grid: Grid) -> str:
    rejected = rows["coverage_p"] <= SIGNIFICANT
    text = (
        f"over {counted(len(grid.cells), 'cell')} coverage is rejected one by one at "
        f"{percent(SIGNIFICANT, digits=0)} in {int(rejected.sum()) or 'none'} of "
        f"{len(rows):,} rows of a cell, model and named book (chance: "
        f"{SIGNIFICANT * len(rows):.1f})"
    )
    return sentence(text + _widest(rows.assign(rejected=rejected), grid))


def _widest(rows: pd.DataFrame, grid: Grid) -> str:
    """The axis whose values change the share of rejections most; empty where none does.

    Of an axis that sets parameters of one model, the rows of that model: it moves no other. Values
    are compared in cells that begin on the same day; an axis without such cells is not ranked.
    """
    widest: tuple[float, str] = (0.0, "")
    unequal = []
    for axis in grid.axes:
        alike = like_for_like(axis, grid.axes, grid.cells)
        touched = alike.of(rows[rows["model"] == axis.path[1]] if _of_model(axis) else rows)
        shares = touched.groupby(axis.name, sort=False)["rejected"].mean()
        if not len(alike.cells) and len(alike.first_days) > 1:
            unequal.append(axis.name)
        elif len(shares) > 1 and float(shares.max() - shares.min()) > widest[0]:
            where = f" {alike.words}" if alike.words else ""
            words = (
                f"; the axis that moves this most is {axis.name}, from "
                f"{percent(shares.min())} of {_rows_of(axis)} at {shares.idxmin()} to "
                f"{percent(shares.max())} at {shares.idxmax()}{where}"
            )
            widest = (float(shares.max() - shares.min()), words)
    if unequal:
        names = joined(unequal)
        return f"{widest[1]}; values of {names} are scored from different days and not compared"
    return widest[1]


def _of_model(axis: Axis) -> bool:
    """Whether an axis sets a parameter of one model."""
    return axis.path[0] == "models"


def _rows_of(axis: Axis) -> str:
    """Which rows a share is of."""
    return f"the rows of {axis.path[1]}" if _of_model(axis) else "rows"


def _worst(rows: pd.DataFrame, axes: tuple[Axis, ...]) -> str:
    worst = worst_rows(rows, 1)[0]
    row = dict(records(rows))[worst]
    values = ", ".join(f"{axis.name} {row[axis.name]}" for axis in axes)
    return sentence(
        f"the worst row is {row['portfolio']} under {row['model']} at {values}: "
        f"{row['exceedances']:,.0f} exceedances ({row['allowed']:,.0f} allowed), "
        f"{percent(row['exceedance_rate'], digits=2)} of days (p {pvalue(row['coverage_p'])})"
    )
