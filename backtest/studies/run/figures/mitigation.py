"""Figure: how much tools calm a margin against what they cost, relative to the base model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS
from backtest.present.marks import model_keys
from backtest.present.naming import brief, least_to_most, model_name
from backtest.present.numbers import percent, ratio
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import INK, ModelStyle, model_styles
from backtest.replay.findings.disclosures import swing_table
from backtest.replay.study import Study
from backtest.studies.run.figures.footnote import eligible_portfolios, footnote

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEDIAN = "median book"
COST, MARGIN = "cost", "equal_coverage_margin"
CALMED = {"peak_to_trough": "peak to trough", "rise_5": "largest 5-day rise"}


def mitigation_against_cost(
    study: Study, base: str, tools: Sequence[str], swings: pd.DataFrame | None = None
) -> Figure:
    """Swings of margin against mean margin at equal coverage, both as multiples of the base's.

    A row a (tool, book), and a row 'median book' a tool: cost, peak_to_trough, rise_5. NaN where
    the base's number is zero, negative or unbounded.

    Parameters
    ----------
    base : the model that the tools are laid over. tools : models with it as their base.
    swings : of `swing_table`, where it was computed already.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"BTC": [1e8]}, index=["coin"])
    >>> models = {"var": st.HistoricalVaR(), "twice": st.HistoricalVaR()}
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), models, audit=False)
    >>> mitigation_against_cost(study, "var", ["twice"]).data["cost"].tolist()
    [1.0, 1.0]
    """
    data = _data(study, base, tools, swing_table(study) if swings is None else swings)
    return Figure(
        name="mitigation_against_cost",
        data=data,
        caption=_caption(study, data, base),
        paint=lambda canvas: _paint(canvas, study, data, base),
        simulated=study.simulated,
    )


def _data(study: Study, base: str, tools: Sequence[str], swings: pd.DataFrame) -> pd.DataFrame:
    books = eligible_portfolios(study.loss.columns)
    table: Any = pd.DataFrame(
        {COST: study.scores[MARGIN], **{name: swings[name] for name in CALMED}}
    ).astype(np.float64)
    own = table.loc[base].loc[books]
    own = own.where((own > 0.0) & np.isfinite(own))
    pieces = []
    for tool in tools:
        multiples = (table.loc[tool].loc[books] / own).replace([np.inf, -np.inf], np.nan)
        multiples.loc[MEDIAN] = multiples.median()
        pieces.append(multiples.rename_axis("portfolio").reset_index().assign(model=tool))
    return pd.concat(pieces, ignore_index=True)[["model", "portfolio", COST, *CALMED]]


def mitigation_finding(data: pd.DataFrame, base: str) -> str:
    """What the tools cost and how they change the largest rise, in the median book of each."""
    median = data[data["portfolio"] == MEDIAN].set_index("model").rename(index=model_name)

    def change(multiple: float) -> str:
        return percent(multiple - 1.0, digits=0, sign=True).replace("-", MINUS)

    cost, rise = median[COST].dropna(), median["rise_5"].dropna()
    if not len(cost) or not len(rise):
        return f"No tool can be compared with {brief(model_name(base), most=20)} in these books"
    return (
        f"Tools change mean margin at equal coverage by {least_to_most(cost, change)}, the "
        f"largest 5-day rise by {least_to_most(rise, change)}"
    )


def _caption(study: Study, data: pd.DataFrame, base: str) -> Caption:
    median = data[data["portfolio"] == MEDIAN].set_index("model")
    count = data["portfolio"].nunique() - 1
    words = "; ".join(
        f"{model}: margin {ratio(row[COST])}, "
        + ", ".join(f"{label} {ratio(row[name])}" for name, label in CALMED.items())
        for model, row in median.iterrows()
    )
    note = (
        f"Multiples of {model_name(base)} alone on the same book; small marks: the {count:,} named "
        "books, large: their median in each direction. Below 1 is calmer, right of 1 dearer. Equal "
        "coverage scales each model on each book, in hindsight, on about one day in a hundred; "
        "swings do not depend on the scale. Of these ratios no intervals are known"
    )
    return Caption.of(
        mitigation_finding(data, base),
        measure="Swings of margin against its mean at equal coverage, by tool; title: median books",
        footnote=footnote(study, f"{note}."),
        alt=f"Two scatters of swings against mean margin, multiples of {model_name(base)}; in the "
        f"median book {words}.",
    )


def _paint(canvas: Canvas, study: Study, data: pd.DataFrame, base: str) -> "Axes":
    of_study = model_styles(study.models)
    styles = {model: of_study[model] for model in dict.fromkeys(data["model"])}
    keys = legend_height(len(styles)) + 0.04
    grid = PanelGrid(
        columns=len(CALMED), left=0.55, right=0.15, gap=0.45, height=2.6, above=0.2, below=0.42
    )
    sheet, panels = grid.panels(canvas, len(CALMED), keys=keys, share=False)
    sheet.legend(model_keys(styles, mec=INK, ms=7), top=0.0, columns=LEGEND_COLUMNS, left=0.5)
    for axes, (name, label) in zip(panels, CALMED.items(), strict=True):
        _draw(axes, data, name, styles)
        axes.set_title(label, loc="left", weight="bold", pad=4)
        axes.set_xlabel(f"mean margin, multiple of {brief(model_name(base), most=16)}")
    panels[0].set_ylabel(f"multiple of {brief(model_name(base), most=16)}")
    return panels[0]


def _draw(axes: "Axes", data: pd.DataFrame, name: str, styles: dict[str, ModelStyle]) -> None:
    axes.axhline(1, color=INK, lw=0.7, zorder=1)
    axes.axvline(1, color=INK, lw=0.7, zorder=1)
    for model, style in styles.items():
        rows = data[data["model"] == model].dropna(subset=[COST, name])
        for median, size in ((False, 13.0), (True, 62.0)):
            points = rows[(rows["portfolio"] == MEDIAN) == median]
            axes.scatter(
                points[COST], points[name], s=size, marker=style.marker,
                facecolors=style.colour if median else "none",
                edgecolors=INK if median else style.colour, linewidths=0.9 if median else 0.8,
                clip_on=False, zorder=5 if median else 3,
            )  # fmt: skip
    axes.margins(0.08)
    axes.grid(visible=True)
