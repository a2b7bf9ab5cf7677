"""Figures: exceedances by weekday under two clocks, and correlation by horizon."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.book.coverage import Coverage
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, drawable, label_of
from backtest.present.naming import model_name
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import COLOURS, FAINT, INK, MARKERS, model_styles
from backtest.studies.clocks.findings import correlation_finding, weekday_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CLOCKS = {"business": "business clock", "24/7": "24/7 clock"}
PANEL, ABOVE, BELOW = 1.35, 0.18, 0.24  # inches: of a panel, over it and under it
BAR = 0.8  # share of a weekday's width that its bars take


def exceedance_rates(weekdays: pd.DataFrame) -> pd.DataFrame:
    """One row a (model, clock, weekday): exceedances, strikes, and exceedances / strikes.

    weekdays : of a `ClockStudy`. The share is NaN where nothing was struck.

    Examples
    --------
    >>> days = [f"{day}{end}" for day in WEEKDAYS for end in ("", " strikes")]
    >>> index = pd.MultiIndex.from_tuples([("exceedances", "var", "24/7")],
    ...                                   names=["measure", "model", "clock"])
    >>> exceedance_rates(pd.DataFrame(1.0, index, days))["share"].tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    exceeded = weekdays.loc["exceedances"].reset_index()
    pieces = [
        exceeded[["model", "clock"]].assign(
            weekday=day, exceedances=exceeded[day], strikes=exceeded[f"{day} strikes"]
        )
        for day in WEEKDAYS
    ]
    rates = pd.concat(pieces).sort_index(kind="stable").reset_index(drop=True)
    return rates.assign(share=rates["exceedances"] / rates["strikes"].replace(0, np.nan))


def exceedances_by_weekday(
    weekdays: pd.DataFrame, coverage: Coverage, *, footnote: str, simulated: bool
) -> Figure:
    """A panel a clock: for each weekday a bar a model, the share of its strikes exceeded.

    weekdays : of a `ClockStudy`. footnote : source, window and standard.
    """
    rates = exceedance_rates(weekdays)
    return Figure(
        name="weekdays",
        data=rates,
        caption=_weekday_caption(rates, coverage, footnote),
        paint=lambda canvas: _paint_weekdays(canvas, rates, coverage),
        simulated=simulated,
    )


def _weekday_caption(rates: pd.DataFrame, coverage: Coverage, footnote: str) -> Caption:
    words = []
    for (model, clock), rows in rates.dropna().groupby(["model", "clock"], sort=False):
        days = zip(rows["weekday"], rows["exceedances"], strict=True)
        counts = ", ".join(f"{day} {count:.0f}" for day, count in days)
        words.append(f"{model} on the {CLOCKS[str(clock)]}: {counts}")
    return Caption.of(
        weekday_finding(rates, CLOCKS),
        measure="Exceedances by weekday of strike, % of that weekday's strikes, all crypto books",
        footnote=f"Dashed: the {100 * (1 - coverage.confidence):g} % that the standard allows. "
        f"Losses overlap, so one move can mark several strikes. {footnote}",
        alt="Exceedances by weekday of strike. " + "; ".join(words) + ".",
    )


def _paint_weekdays(canvas: Canvas, rates: pd.DataFrame, coverage: Coverage) -> "Axes":
    from matplotlib.patches import Patch

    models = [str(model) for model in rates["model"].unique()]
    styles = model_styles(models)
    grid = PanelGrid(left=0.6, right=0.1, height=PANEL, above=ABOVE, below=BELOW)
    sheet, panels = grid.panels(canvas, len(CLOCKS), keys=legend_height(len(models)) + 0.02)
    handles = [
        Patch(facecolor=s.colour, hatch=s.hatch, edgecolor="white",
              label=label_of(model_name(model), width=30, lines=1))
        for model, s in styles.items()
    ]  # fmt: skip
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=0.6)
    width = BAR / len(models)
    for axes, (clock, words) in zip(panels, CLOCKS.items(), strict=True):
        for m, (model, style) in enumerate(styles.items()):
            rows = rates[(rates["model"] == model) & (rates["clock"] == clock)]
            at = np.arange(len(WEEKDAYS)) - BAR / 2 + (m + 0.5) * width
            axes.bar(at, 100 * rows["share"].to_numpy(), width, color=style.colour,
                     hatch=style.hatch, edgecolor="white", lw=0)  # fmt: skip
        axes.axhline(100 * (1 - coverage.confidence), color=INK, lw=0.8, ls="--")
        axes.set_title(words, loc="left", pad=3, weight="bold")
        axes.set_xticks(np.arange(len(WEEKDAYS)), WEEKDAYS)
        axes.set_xlim(-0.5, len(WEEKDAYS) - 0.5)
        axes.set_ylabel("% of strikes")
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=True, axis="y")
        for day, name in enumerate(WEEKDAYS):
            rows = rates[(rates["weekday"] == name) & (rates["clock"] == clock)]
            if rows["share"].isna().all():
                axes.annotate("no strikes", (day, 0), xytext=(0, 3), textcoords="offset points",
                              ha="center", color=FAINT)  # fmt: skip
    return panels[0]


def correlation_by_horizon(table: pd.DataFrame, *, footnote: str, simulated: bool) -> Figure:
    """A panel a price: correlation with each Treasury at each horizon, with intervals.

    table : `correlation` of a `ClockStudy`. footnote : source and window.
    """
    return Figure(
        name="correlation",
        data=table,
        caption=_correlation_caption(table, footnote),
        paint=lambda canvas: _paint_correlation(canvas, table),
        simulated=simulated,
    )


def _correlation_caption(table: pd.DataFrame, footnote: str) -> Caption:
    largest = table.iloc[int(np.argmax(np.abs(table["correlation"].to_numpy())))]
    without_zero = int(((table["low"] > 0) | (table["high"] < 0)).sum())
    return Caption.of(
        correlation_finding(table),
        measure="Correlation of crypto with Treasury P&L, long both, by horizon",
        footnote="Whiskers: two-sided 95 %, stationary bootstrap. Hollow: one day, "
        f"Hayashi-Yoshida, for closes three to four hours apart. P&Ls overlap. {footnote}",
        alt=f"{len(table)} estimates, the largest in size {largest['correlation']:+.3f}; "
        f"{without_zero} of the intervals leave out zero.",
    )


def _paint_correlation(canvas: Canvas, table: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    flat = table.reset_index()
    prices = list(dict.fromkeys(flat["price"]))
    bonds = sorted(dict.fromkeys(flat["treasury"]), key=lambda name: float(name[3:-1]))
    horizons = sorted(int(h) for h in flat["horizon"].unique())
    grid = PanelGrid(left=0.75, right=0.1, height=PANEL, above=ABOVE, below=BELOW)
    sheet, panels = grid.panels(canvas, len(prices), keys=0.22)
    handles = [
        Line2D([], [], ls="", marker=MARKERS[b], color=COLOURS[b], ms=5, label=drawable(bond))
        for b, bond in enumerate(bonds)
    ]
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=0.75)
    for axes, price in zip(panels, prices, strict=True):
        axes.axhline(0, color=INK, lw=0.8, zorder=1)
        for b, bond in enumerate(bonds):
            rows = flat[(flat["price"] == price) & (flat["treasury"] == bond)]
            for row in rows.itertuples():
                hollow = row.estimator != "same days"
                # Estimates of one horizon are set beside each other: whiskers would overlap.
                x = horizons.index(row.horizon) + 0.24 * (b - (len(bonds) - 1) / 2) + 0.09 * hollow
                axes.vlines(x, row.low, row.high, color=COLOURS[b], lw=1.0, zorder=2)
                axes.plot(x, row.correlation, ls="", marker=MARKERS[b], ms=5, color=COLOURS[b],
                          mfc="white" if hollow else COLOURS[b], zorder=3)  # fmt: skip
        axes.set_title(drawable(price), loc="left", pad=3, weight="bold")
        axes.set_xticks(
            range(len(horizons)), ["1 day" if h == 1 else f"{h} days" for h in horizons]
        )
        axes.set_xlim(-0.5, len(horizons) - 0.5)
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("correlation")
        axes.yaxis.set_major_formatter(lambda tick, _: f"{tick:.2f}".replace("-", MINUS))
        axes.grid(visible=True, axis="y")
    return panels[0]
