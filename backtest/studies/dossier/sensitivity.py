"""What finished grids say of one model: each value of each axis, over the other axes and books."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.config.grid import LOOKBACK, Axis
from backtest.present.numbers import money, percent
from backtest.present.table import records
from backtest.studies.dossier.folders import GRID, Folder
from backtest.studies.grid.cell import FAILED
from backtest.studies.grid.like_for_like import LikeForLike, like_for_like
from backtest.studies.grid.store import stored_grid
from backtest.studies.run.verdict import SIGNIFICANT


@dataclass(frozen=True, eq=False)
class Varied:
    """A grid in which the model under review is one of the models.

    Parameters
    ----------
    folder : of the grid. axes : of the grid, as its study file has them.
    rows : of the model that have scores, a row a cell and book.
    failed : how many cells have none. table : the model's table in the grid's study.
    cells : of `Grid.cells`.
    """

    folder: Folder
    axes: tuple[Axis, ...]
    rows: pd.DataFrame
    failed: int
    model: str
    table: dict[str, Any]
    cells: tuple[dict[str, Any], ...] = ()

    def alike(self, axis: Axis) -> LikeForLike:
        """The cells in which all values of an axis are scored from the same day."""
        return like_for_like(axis, self.axes, self.cells)

    def axes_of(self, key: str) -> tuple[Axis, ...]:
        """The axes that vary a parameter of the model; a look-back axis varies every one."""
        path = ("models", self.model, *key.split("."))
        return tuple(
            axis
            for axis in self.axes
            if axis.path == path
            or (axis.path == (LOOKBACK,) and key.rpartition(".")[2] == LOOKBACK)
        )


def grids_of(folders: Sequence[Folder], model: str) -> tuple[Varied, ...]:
    """The grids among the folders that have the model, each table as it was written."""
    return tuple(
        each
        for each in (_varied(f, model) for f in folders if f.record.kind == GRID)
        if each is not None
    )


def _varied(folder: Folder, model: str) -> Varied | None:
    grid = stored_grid(folder.path)
    if model not in grid.config.models:
        return None
    of_model = grid.table[grid.table["model"] == model]
    rows = of_model[of_model[FAILED] == ""].reset_index(drop=True)
    failed = sum(bool(cell["failed"]) for cell in grid.cells)
    table = dict(grid.provenance.study["models"][model])
    return Varied(folder, grid.axes, rows, failed, model, table, tuple(grid.cells))


def axis_effects(grid: Varied, axis: Axis) -> pd.DataFrame:
    """A row a value of an axis, over the rows of the model that compare its values.

    Those are of cells that begin on the same day for every value; where there are none, no row.

    Returns
    -------
    Index of the values as the grid's table has them. `rows`, `least_days`, `most_days`, `rejected`
    (coverage p at or below 5 %, each row for itself), `exceedances`, `exceedance_rate`, and the
    means over the rows `mean_margin` and `equal_coverage_margin`, USD.
    """
    values = [axis.shown(value) for value in axis.choices]
    compared = grid.alike(axis).of(grid.rows)
    rows = [_effect(compared[compared[axis.name] == value]) for value in values]
    return pd.DataFrame(rows, index=pd.Index(values, name=axis.name))


def _effect(rows: pd.DataFrame) -> dict[str, float]:
    days = rows["observations"].astype(float)
    exceedances = rows["exceedances"].astype(float)
    return {
        "rows": len(rows),
        "least_days": float(days.min()),
        "most_days": float(days.max()),
        "rejected": int((rows["coverage_p"].astype(float) <= SIGNIFICANT).sum()),
        "exceedances": float(exceedances.sum()),
        "exceedance_rate": float(exceedances.sum() / days.sum()) if len(rows) else float("nan"),
        "mean_margin": float(rows["mean_margin"].astype(float).mean()),
        "equal_coverage_margin": float(rows["equal_coverage_margin"].astype(float).mean()),
    }


def effect_sentence(grid: Varied, axis: Axis) -> str:
    """What each value of an axis gives, in words, from `axis_effects`."""
    alike = grid.alike(axis)
    if not len(alike.cells):
        return f"{grid.folder.label}: {axis.name} is {alike.words}."
    effects = [(value, row) for value, row in records(axis_effects(grid, axis)) if row["rows"]]
    spans = {(row["least_days"], row["most_days"]) for _, row in effects}
    words = [
        f"{value}: {percent(row['exceedance_rate'], digits=2)} of "
        f"{'' if len(spans) == 1 else days_words(row) + ' '}days, "
        f"{money(row['mean_margin'])}, {int(row['rejected']):,} of {int(row['rows']):,} "
        "rejected"
        for value, row in effects
    ]
    where = f" ({alike.words})" if alike.words else ""
    return f"{grid.folder.label}: {'; '.join(words)}{where}."


def days_words(row: Any) -> str:
    """Scored days of the rows that have a value, lowest and highest.

    Examples
    --------
    >>> days_words({"least_days": 1696.0, "most_days": 2196.0})
    '1,696 to 2,196'
    """
    least, most = int(row["least_days"]), int(row["most_days"])
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def moves_nothing(grid: Varied, axis: Axis) -> bool:
    """Whether every value of an axis that has scores gives the same ones, book by book."""
    names = [other.name for other in grid.axes if other.name != axis.name]
    by = [*names, "portfolio"]
    scores = [*("observations", "exceedances", "mean_margin", "coverage_p")]
    values = grid.rows.groupby(axis.name)
    tables = [rows.set_index(by)[scores].astype(float).sort_index() for _, rows in values]
    return len(tables) > 1 and all(table.equals(tables[0]) for table in tables[1:])
