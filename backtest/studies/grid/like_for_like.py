"""Which rows of a grid compare the values of an axis: the same days, the same other values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.config.grid import SHORT, Axis


@dataclass(frozen=True, eq=False)
class LikeForLike:
    """The cells in which every value of an axis is scored from the same day.

    Parameters
    ----------
    cells : their values, a column an axis; without rows where no cells compare the values.
    scored : how many cells of the grid have scores. first_days : the first scored day of each of
        those, ISO, each once, sorted.
    """

    cells: pd.DataFrame
    scored: int
    first_days: tuple[str, ...]
    axis: Axis

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those rows of a grid's table that are of these cells."""
        if not len(self.cells):
            return rows.iloc[:0]
        return rows.merge(self.cells, on=list(self.cells.columns), how="inner")

    @property
    def words(self) -> str:
        """What is said of the cells; empty where all begin on one day."""
        if len(self.first_days) <= 1:
            return "" if len(self.cells) else "not compared: some value of each set has no scores"
        if len(self.cells):
            return (
                f"of the {len(self.cells):,} of {self.scored:,} cells in which all its values are "
                "scored from the same day"
            )
        return f"not compared: its values are scored from different days, {self.remedy}"

    @property
    def remedy(self) -> str:
        """How its values would be scored from one day."""
        if self.axis.target == SHORT["start"]:
            return "as the axis has it"
        return f'which score_from = "{self.first_days[-1]}" in the study file makes one'


def like_for_like(
    axis: Axis, axes: Sequence[Axis], cells: Sequence[Mapping[str, Any]]
) -> LikeForLike:
    """The cells that compare the values of an axis.

    Cells that differ in no other axis are a set. A set is kept where every value has scores and
    all begin on one day: a longer look-back warms up for longer, and what it then leaves out is a
    period and not what the parameter moves. Last days differ by an MPOR at most, and may.

    cells : of `Grid.cells`.
    """
    scored = [cell for cell in cells if not cell["failed"]]
    names = [each.name for each in axes]
    frame = pd.DataFrame([cell["values"] | {"first day": cell["first_scored"]} for cell in scored])
    days = tuple(sorted({cell["first_scored"] for cell in scored}))
    if frame.empty:
        return LikeForLike(frame, 0, days, axis)
    others = [name for name in names if name != axis.name]
    sets = frame.groupby(others, sort=False) if others else frame.groupby(lambda _: 0)
    equal = sets["first day"].transform("nunique") == 1
    whole = sets[axis.name].transform("nunique") == frame[axis.name].nunique()
    return LikeForLike(frame.loc[equal & whole, names], len(scored), days, axis)
