"""Figure: exceedance rate against mean margin, a point a folder and model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.marks import draw_allowed, model_keys
from backtest.present.numbers import MILLION
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, model_styles
from backtest.studies.compare.letters import spans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 2.9  # inches


def rate_against_margin(
    ranking: pd.DataFrame, folders: Sequence[str], *, simulated: bool, currency: str = "USD"
) -> Figure:
    """A mark a model, a letter a folder; those at one point share a mark and their letters.

    ranking : of `ranking_table`. folders : letter and name of each, for the footnote.

    Examples
    --------
    >>> row = {"folder": "A", "model": "var", "keeps": True, "exceedance_rate": 0.012,
    ...        "allowed_rate": 0.01, "mean_margin": 2e6}
    >>> figure = rate_against_margin(
    ...     pd.DataFrame([row, row | {"folder": "B"}]), ["A one", "B two"], simulated=False
    ... )
    >>> figure.data["folders"].tolist(), figure.draw().get_xlabel()
    (['A, B'], 'mean margin a book, USD m')
    """
    data = _points(ranking)
    described = "; ".join(
        f"{row['model']} of {row['folders']}: {row['mean_margin'] / MILLION:.2f}, "
        f"{row['exceedance_rate']:.2%}"
        for row in data.to_dict("records")
    )
    caption = Caption(
        "Exceedance rate against mean margin, folder by folder",
        "Over the books that all folders have; hollow where coverage is rejected in one of them. "
        f"Folders: {'; '.join(folders)}.",
        f"Scatter of exceedance rate against mean margin in {currency} m, a point a model and "
        f"folder: {described}.",
    )
    return Figure(
        name="ranking",
        data=data,
        caption=caption,
        paint=lambda canvas: _paint(canvas, data, f"mean margin a book, {currency} m"),
        simulated=simulated,
    )


def _points(ranking: pd.DataFrame) -> pd.DataFrame:
    """A row a point: folders whose model has the same rate and margin are one."""
    keys = ["model", "exceedance_rate", "mean_margin", "allowed_rate", "keeps"]
    grouped = ranking.groupby(keys, sort=False)["folder"]
    return grouped.agg(spans).rename("folders").reset_index()


def _paint(canvas: Canvas, data: pd.DataFrame, cost: str) -> "Axes":
    styles = model_styles(list(dict.fromkeys(data["model"])))
    legend = legend_height(len(styles))
    sheet = canvas(legend + HEIGHT + 0.42)
    sheet.legend(model_keys(styles, mec=INK, ms=6), top=0.0, columns=LEGEND_COLUMNS, left=0.5)
    axes = sheet.panel(left=0.5, right=0.45, top=legend, height=HEIGHT)
    middle = 0.5 * (data["mean_margin"].min() + data["mean_margin"].max()) / MILLION
    for row in data.to_dict("records"):
        style = styles[row["model"]]
        place = row["mean_margin"] / MILLION, 100.0 * row["exceedance_rate"]
        face = style.colour if row["keeps"] else "white"
        axes.scatter(*place, s=34, marker=style.marker, facecolors=face, edgecolors=style.colour,
                     linewidths=1.1, clip_on=False, zorder=4)  # fmt: skip
        # Letters stand towards the middle, so that none leaves the sheet.
        side = -1 if place[0] > middle else 1
        axes.annotate(row["folders"], place, xytext=(4 * side, 3), textcoords="offset points",
                      ha="right" if side < 0 else "left", zorder=6)  # fmt: skip
    for allowed in data["allowed_rate"].unique():
        draw_allowed(axes, 100.0 * allowed, color=INK)
    axes.set_ylim(0, None)
    axes.set_ylabel("exceedance rate, %")
    axes.set_xlabel(cost)
    axes.grid(visible=True)
    return axes
