"""Figure: exceedance rate against mean margin, a point a folder and model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import width_of
from backtest.present.marks import draw_allowed, model_keys
from backtest.present.naming import brief, model_name
from backtest.present.numbers import MILLION, millions, money, percent
from backtest.present.placing import NEAR, placed_labels
from backtest.present.sheet import LEGEND_COLUMNS, LINE, WIDTH, Caption, legend_height
from backtest.present.style import FAINT, INK, model_styles
from backtest.studies.compare.letters import spans
from backtest.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT, LEFT, RIGHT = 2.9, 0.62, 0.3  # inches
ALLOWED = 0.8  # inches that the words of the allowed rate take


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
        f"{row['model']} of {row['folders']}: {millions(row['mean_margin'])}, "
        f"{percent(row['exceedance_rate'], digits=2)}"
        for row in data.to_dict("records")
    )
    caption = Caption.of(
        ranking_finding(data, currency=currency),
        measure="Exceedance rate against mean margin, folder by folder",
        footnote="Over the books that all folders have; hollow where coverage is rejected in one "
        f"of them. Folders: {'; '.join(folders)}.",
        alt=f"Scatter of exceedance rate against mean margin in {currency} m, a point a model and "
        f"folder: {described}.",
    )
    return Figure(
        name="ranking",
        data=data,
        caption=caption,
        paint=lambda canvas: _paint(canvas, data, f"mean margin a book, {currency} m"),
        simulated=simulated,
    )


def ranking_finding(data: pd.DataFrame, *, currency: str) -> str:
    """The least mean margin of those that keep the standard, and how many do.

    data : a row a point: model, folders, keeps, mean_margin.

    Examples
    --------
    >>> rows = {"model": ["var", "offset"], "folders": ["A", "B"], "keeps": [True, False]}
    >>> ranking_finding(pd.DataFrame(rows | {"mean_margin": [2e6, 1e6]}), currency="USD")
    'Of 2 candidates 1 is not rejected; the least mean margin among those is 2.00m USD, var of A'
    """
    kept = data[data["keeps"].astype(bool)]
    if not len(kept):
        return f"Coverage is rejected for each of {len(data):,} candidates in some book"
    best: Any = kept.iloc[int(kept["mean_margin"].argmin())]
    who = f"{brief(model_name(str(best['model'])))} of {best['folders']}"
    verb = "are" if len(kept) > 1 else "is"
    return (
        f"Of {len(data):,} candidates {len(kept):,} {verb} not rejected; the least mean margin "
        f"among those is {money(best['mean_margin'])} {currency}, {who}"
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
    sheet.legend(model_keys(styles, mec=INK, ms=6), top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
    axes = sheet.panel(left=LEFT, right=RIGHT, top=legend, height=HEIGHT)
    places = np.column_stack([data["mean_margin"] / MILLION, 100.0 * data["exceedance_rate"]])
    for place, row in zip(places, data.to_dict("records"), strict=True):
        style = styles[row["model"]]
        face = style.colour if row["keeps"] else "white"
        axes.scatter(float(place[0]), float(place[1]), s=34, marker=style.marker,
                     facecolors=face, edgecolors=style.colour, linewidths=1.1, clip_on=False,
                     zorder=4)  # fmt: skip
    for allowed in data["allowed_rate"].unique():
        draw_allowed(axes, 100.0 * allowed, color=INK)
    axes.margins(x=0.08)
    axes.set_ylim(0, 1.15 * max(places[:, 1].max(), 100.0 * data["allowed_rate"].max()))
    axes.set_xlim(*axes.get_xlim())
    _write_letters(axes, places, list(data["folders"]), 100.0 * data["allowed_rate"].unique())
    axes.set_ylabel("exceedance rate, %")
    axes.set_xlabel(cost)
    axes.grid(visible=True)
    return axes


def _write_letters(
    axes: "Axes", places: FloatArray, letters: Sequence[str], allowed: FloatArray
) -> None:
    """The letters of each point beside it; a fine line leads to those that stand further off."""
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    room = (WIDTH - LEFT - RIGHT, HEIGHT)
    points = (places - low) / (high - low) * room
    sizes = [(width_of(words) + 0.02, LINE) for words in letters]
    over = (allowed - low[1]) / (high[1] - low[1]) * HEIGHT
    lines = [(room[0] - ALLOWED, y, room[0], y + LINE + 0.04) for y in over]
    middles = placed_labels(points, sizes, room, taken=lines)
    for words, place, away, size in zip(
        letters, places, 72 * (middles - points), sizes, strict=True
    ):
        reach = np.maximum(np.abs(away) / 72 - np.array(size) / 2, 0.0)
        line = {"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            words, place, xytext=tuple(away), textcoords="offset points", ha="center", va="center",
            arrowprops=line if np.hypot(*reach) > NEAR else None, zorder=6,
        )  # fmt: skip
