"""Which panels of a grid a page shows: one axis along x, the others and the books as panels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.config.grid import Axis
from backtest.replay.worst import RULE, selection, worst_rows
from backtest.studies.grid.cell import FAILED
from backtest.studies.run.figures.footnote import eligible_portfolios

WORDS = {"mpor": "MPOR", "lookback": "look-back", "start": "first day"}  # of axes, in figures
IN_DAYS = ("mpor", "lookback")
MOST_PANELS = 6  # three rows of two: what a page holds


@dataclass(frozen=True, eq=False)
class Panels:
    """The panels of a grid that are shown.

    Parameters
    ----------
    along : the axis along x, and its values in the order of the file.
    data : the rows of the panels shown, with a column `panel`, the name of each.
    titles : of the panels, in lines, the worst first. count : of all panels.
    """

    along: str
    choices: tuple[Any, ...]
    data: pd.DataFrame
    titles: dict[str, str]
    count: int

    @property
    def words(self) -> str:
        """The axis along x in words."""
        return axis_words(self.along)

    @property
    def label(self) -> str:
        """The axis along x in words, with its unit where that is known."""
        return f"{self.words}, days" if self.along in IN_DAYS else self.words

    @property
    def selection(self) -> str:
        """What a figure says of the panels that it leaves out; empty where it shows all."""
        if len(self.titles) == self.count:
            return ""
        return f"{selection(len(self.titles), self.count, 'panels')} are shown, by {RULE}. "


def axis_words(name: str) -> str:
    """An axis of a grid in words; a model's parameter with the model.

    Examples
    --------
    >>> axis_words("mpor"), axis_words("models.fhs.half_life"), axis_words("account.call_lag")
    ('MPOR', 'half life of fhs', 'call lag')
    """
    if name.startswith("models."):
        model, parameter = name.removeprefix("models.").rsplit(".", 1)
        return f"{axis_words(parameter)} of {model}"
    return WORDS.get(name) or name.rsplit(".", 1)[-1].replace("_", " ")


def named_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with scores, of named books; of random ones where there is no other."""
    scored = table[table[FAILED] == ""]
    named = scored["portfolio"].isin(eligible_portfolios(scored["portfolio"].unique()))
    return scored[named].reset_index(drop=True)


def panels_of(table: pd.DataFrame, axes: Sequence[Axis]) -> Panels:
    """The panels of a grid's table with the most evidence against a margin, worst first.

    Random books have none beside named ones, as in the figures of a run. The axis along x is the
    first one with several values: it is the one that a file names first.

    Examples
    --------
    >>> axes = [Axis(("mpor",), (1, 2)), Axis(("confidence",), (0.98, 0.99))]
    >>> rows = [(m, c, "var", "a", m * c) for m in (1, 2) for c in (0.98, 0.99)]
    >>> columns = ["mpor", "confidence", "model", "portfolio", "coverage_p"]
    >>> same = {"failed": "", "exceedance_rate": 0.01, "max_shortfall": 0.0}
    >>> shown = panels_of(pd.DataFrame(rows, columns=columns).assign(**same), axes)
    >>> shown.along, list(shown.titles)
    ('mpor', ['a, confidence 0.98', 'a, confidence 0.99'])
    """
    several = [axis for axis in axes if len(axis.choices) > 1] or list(axes)
    along, others = several[0], [axis.name for axis in several[1:]]
    rows = named_rows(table)
    place = pd.Series("", index=rows.index)
    for name in others:
        place += f", {axis_words(name)} " + rows[name].astype(str)
    rows.insert(0, "panel", rows["portfolio"] + place)
    titles = dict(zip(rows["panel"], rows["portfolio"] + "\n" + place.str[2:], strict=True))
    worst = rows.loc[worst_rows(rows, None), "panel"].unique()
    shown = list(worst[:MOST_PANELS])
    return Panels(
        along.name,
        tuple(along.shown(value) for value in along.choices),
        rows[rows["panel"].isin(shown)].reset_index(drop=True),
        {panel: titles[panel].strip() for panel in shown},
        len(worst),
    )
