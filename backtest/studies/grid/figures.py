"""Small multiples of a grid: exceedance rates, and margins, along one axis."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import label_of
from backtest.present.marks import model_keys
from backtest.present.naming import brief, span
from backtest.present.numbers import percent
from backtest.present.panels import book_panels, label_rows
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, ModelStyle, model_styles
from backtest.studies.grid.panels import Panels
from backtest.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BELOW = 0.42  # inches under a panel for ticks and label
SPREAD = 0.5  # of the distance between two values, over which the models stand apart
ABOVE = 1.06  # of the highest mark: where a panel ends
MOST_LABELS = 6  # values of an axis that are written under one panel
RATES = ["exceedance_rate", "exceedance_rate_low", "exceedance_rate_high", "allowed_rate"]
MARGINS = ["mean_margin", "equal_coverage_margin"]
Draw = Callable[["Axes", pd.DataFrame, dict[str, ModelStyle]], None]


def exceedance_rates(panels: Panels, *, footnote: str, simulated: bool) -> Figure:
    """Exceedance rate with its 95 % interval along the first axis, a line a model.

    panels : the data with a column `allowed_rate`. footnote : source, standard, models.
    """
    return Figure(
        name="exceedance_rates",
        data=panels.data[["panel", panels.along, "model", *RATES]],
        caption=_caption(
            panels,
            rates_finding(panels.data),
            f"Days on which the loss exceeded the requirement, by {panels.words}",
            f"Bars: 95 % intervals. Dashed: the rate that the confidence allows. {footnote}",
        ),
        paint=lambda canvas: _paint(canvas, panels, _draw_rates, "days exceeded, %", share=True),
        simulated=simulated,
    )


def margins(panels: Panels, *, footnote: str, simulated: bool) -> Figure:
    """Mean margin, and the margin of equal coverage, along the first axis, a line a model.

    footnote : source, standard, models.
    """
    return Figure(
        name="margins",
        data=panels.data[["panel", panels.along, "model", *MARGINS]],
        caption=_caption(
            panels,
            margins_finding(panels),
            f"Mean margin, by {panels.words}",
            "Each panel has a scale of its own. Hollow: the margin that in hindsight just met the "
            f"standard (equal coverage). {footnote}",
        ),
        paint=lambda canvas: _paint(
            canvas, panels, _draw_margins, "mean margin, USD m", share=False
        ),
        simulated=simulated,
    )


def _caption(panels: Panels, finding: str, measure: str, note: str) -> Caption:
    alt = f"{measure}; a line a model, a panel each: {'; '.join(panels.titles)}."
    return Caption.of(finding, measure=measure, footnote=f"{panels.selection}{note}", alt=alt)


def rates_finding(data: pd.DataFrame) -> str:
    """In how many cells the rate is above the allowed one, and in how many its interval is.

    data : a row a cell and model, exceedance_rate with _low, allowed_rate.

    Examples
    --------
    >>> cells = {"exceedance_rate": [0.02, 0.03, 0.0], "exceedance_rate_low": [0.005, 0.02, 0.0]}
    >>> rates_finding(pd.DataFrame(cells).assign(allowed_rate=0.01))
    'Rates are above the allowed one in 2 of 3 cells drawn, with the whole 95 % interval in 1'
    """
    above = int((data["exceedance_rate"] > data["allowed_rate"]).sum())
    surely = int((data["exceedance_rate_low"] > data["allowed_rate"]).sum())
    return (
        f"Rates are above the allowed one in {above or 'none'} of {len(data):,} cells drawn, with "
        f"the whole 95 % interval in {surely or 'none'}"
    )


def margins_finding(panels: Panels) -> str:
    """How mean margins change from the first value of the axis to the last."""
    first, last = panels.choices[0], panels.choices[-1]
    table = panels.data.pivot_table(
        index=["panel", "model"], columns=panels.along, values="mean_margin", sort=False
    )
    if first == last or not {first, last} <= set(table.columns):
        return "Mean margin of each model in each panel"
    change = (table[last] / table[first] - 1.0).replace([np.inf, -np.inf], np.nan).dropna()
    if not len(change):
        return "Mean margin of each model in each panel"
    ends = span(change.min(), change.max(), lambda x: percent(x, digits=0, sign=True))
    return (
        f"From {panels.words} {brief(str(first))} to {brief(str(last))} mean margins change by "
        f"{ends}, by model and panel"
    )


def _paint(canvas: Canvas, panels: Panels, draw: Draw, label: str, *, share: bool) -> "Axes":
    styles = model_styles(list(dict.fromkeys(panels.data["model"])))
    keys = legend_height(len(styles))
    sheet, places = book_panels(canvas, panels.titles, keys=keys, below=BELOW, share=share)
    sheet.legend(model_keys(styles, line=True, ms=4), top=0.0, columns=LEGEND_COLUMNS, left=0.1)
    where = {value: x for x, value in enumerate(panels.choices)}
    for panel, axes in places.items():
        rows = panels.data[panels.data["panel"] == panel]
        draw(axes, rows.assign(x=rows[panels.along].map(where)), styles)
        _label_values(axes, panels)
    tops = [axes.dataLim.y1 for axes in places.values()]
    for axes, top in zip(places.values(), tops, strict=True):
        axes.set_ylim(0.0, (max(tops) if share else top) * ABOVE or 1.0)
    label_rows(places, label)
    return next(iter(places.values()))


def _draw_rates(axes: "Axes", rows: pd.DataFrame, styles: dict[str, ModelStyle]) -> None:
    """Rates in percent with their intervals, and the allowed rate at each value."""
    allowed = rows.drop_duplicates("x")
    axes.hlines(100 * allowed["allowed_rate"], allowed["x"] - 0.4, allowed["x"] + 0.4, color=INK,
                lw=0.9, ls=(0, (4, 2)), zorder=2)  # fmt: skip
    for x, of_model, style in _by_model(rows, styles):
        rate, low, high = (
            100 * of_model[name].to_numpy(dtype=float)
            for name in ("exceedance_rate", "exceedance_rate_low", "exceedance_rate_high")
        )
        axes.vlines(x, low, high, color=style.colour, lw=0.8, zorder=3)
        axes.plot(x, rate, color=style.colour, marker=style.marker, ls=style.line, ms=4, lw=1.0,
                  clip_on=False, zorder=4)  # fmt: skip


def _draw_margins(axes: "Axes", rows: pd.DataFrame, styles: dict[str, ModelStyle]) -> None:
    """Mean margins in USD m, and those of equal coverage."""
    for x, of_model, style in _by_model(rows, styles):
        mean, equal = (
            of_model[name].to_numpy(dtype=float) / 1e6
            for name in ("mean_margin", "equal_coverage_margin")
        )
        axes.plot(x, mean, color=style.colour, marker=style.marker, ls=style.line, ms=4, lw=1.0,
                  clip_on=False, zorder=4)  # fmt: skip
        axes.plot(x, equal, color=style.colour, marker=style.marker, ls="", ms=5, mfc="none",
                  mew=0.8, zorder=3)  # fmt: skip


def _by_model(
    rows: pd.DataFrame, styles: dict[str, ModelStyle]
) -> Iterator[tuple[FloatArray, pd.DataFrame, ModelStyle]]:
    """Places, rows and style of each model: they stand apart, so that bars do not hide bars."""
    steps = np.linspace(-SPREAD / 2, SPREAD / 2, len(styles)) if len(styles) > 1 else [0.0]
    for (model, style), step in zip(styles.items(), steps, strict=True):
        of_model = rows[rows["model"] == model].sort_values("x")
        yield of_model["x"].to_numpy(dtype=float) + step, of_model, style


def _label_values(axes: "Axes", panels: Panels) -> None:
    """The values of the axis along x, some of them where they are many."""
    every = -(-len(panels.choices) // MOST_LABELS)
    places = range(0, len(panels.choices), every)
    axes.set_xticks(places, [label_of(str(panels.choices[x]), width=12) for x in places])
    axes.set_xlim(-0.6, len(panels.choices) - 0.4)
    axes.set_xlabel(panels.label)
