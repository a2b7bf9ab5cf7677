"""Figures of collateral: breach rate by mix; worst moves against haircuts through time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, drawable
from backtest.present.naming import model_name
from backtest.present.numbers import percent
from backtest.present.panels import PanelGrid
from backtest.present.sheet import Caption
from backtest.present.style import COLOURS, FAINT, INK
from backtest.studies.collateral.adequacy import WINDOWS
from backtest.studies.collateral.findings import breach_finding, moves_finding
from backtest.studies.collateral.study import CollateralStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRONG_WAY = -0.3  # correlation of loss and collateral below which a book is marked as wrong-way
LEFT, RIGHT, GAP = 0.95, 0.12, 0.16  # inches
ROW = 0.3  # inches a mix
PER_ROW = 4  # panels of models side by side
SPREAD = 0.6  # share of a row's height over which its books are spread
ALIKE, AGAINST = COLOURS[4], COLOURS[0]
PANEL, BETWEEN = 0.78, 0.14  # inches: height of a panel of moves, and the gap between two
LIFT = 9  # points between the three lines that hold the names of episodes in turn
MIDDLE = np.timedelta64(15, "D")  # a month's stick is drawn at the middle of the month


def breach_by_mix(study: CollateralStudy) -> Figure:
    """A panel a model, a row a mix, a point a book.

    A row a (mix, model, portfolio): the rate, its interval, whether the book is wrong-way.
    """
    data = _breach_data(study)
    return Figure(
        name="breach_by_mix",
        data=data,
        caption=_breach_caption(study, data),
        paint=lambda canvas: _paint_breaches(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _breach_data(study: CollateralStudy) -> pd.DataFrame:
    rates = study.mixes[["breaches", "observations", "breach_rate", "low", "high"]].reset_index()
    correlations = study.wrong_way["correlation"].reset_index()
    data = rates.merge(correlations, on=["mix", "portfolio"], how="left")
    return data.assign(wrong_way=data["correlation"] < WRONG_WAY)


def _breach_caption(study: CollateralStudy, data: pd.DataFrame) -> Caption:
    pooled = data.groupby(["mix", "model"], sort=False)[["breaches", "observations"]].sum()
    rate = pooled["breaches"] / pooled["observations"]
    words = "; ".join(
        f"{mix}: "
        + ", ".join(f"{model} {percent(value, digits=2)}" for model, value in rate[mix].items())
        for mix in rate.index.unique("mix")
    )
    note = (
        "A point a named book; the bar is all of them together. Triangles: books whose loss has a "
        f"correlation below {MINUS}{abs(WRONG_WAY)} with the change of the collateral's value "
        "over the same days (wrong-way). Dashed: the rate the standard allows. Margins are the "
        "same in every row; collateral is re-marked daily and valued at close-out after haircut, "
        "so that the haircut covers no losses."
    )
    return Caption.of(
        breach_finding(data, rate),
        measure="Breach rate by what is posted as collateral, a panel a model",
        footnote=f"{note} {study.provenance.footnote(models=False)}",
        alt=f"Points by mix, a panel a model. All books together: {words}.",
    )


def _paint_breaches(canvas: Canvas, study: CollateralStudy, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    models, mixes = (list(dict.fromkeys(data[key])) for key in ("model", "mix"))
    columns = min(PER_ROW, len(models))
    grid = PanelGrid(
        columns=columns, left=LEFT, right=RIGHT, gap=GAP,
        height=ROW * len(mixes), above=0.2, below=0.28,
    )  # fmt: skip
    # The last row needs more room below it: only there is the horizontal axis named.
    sheet, panels = grid.panels(canvas, len(models), keys=0.24, end=0.18)
    sheet.legend(
        [
            Line2D([], [], ls="", marker="^", ms=4, color=ALIKE, label="wrong-way book"),
            Line2D([], [], ls="", marker="o", ms=4, mfc="none", color=AGAINST, label="other book"),
            Line2D([], [], ls="", marker="|", ms=10, mew=1.8, color=INK, label="all books"),
        ],
        top=0.0, columns=3, left=LEFT,
    )  # fmt: skip
    highest = max(1.1 * 100 * float(data["breach_rate"].max()), 1.2)
    for axes, model in zip(panels, models, strict=True):
        _draw_books(axes, data[data["model"] == model], mixes)
        axes.axvline(100 * (1 - study.provenance.confidence), color=INK, lw=0.7, ls="--")
        axes.set_title(drawable(model_name(model)), loc="left", weight="bold")
        axes.set_xlim(-0.03 * highest, highest)
        axes.grid(visible=True, axis="x")
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(mixes)), [drawable(mix) for mix in mixes])
    panels[0].set_ylim(len(mixes) - 0.4, -0.6)
    for axes in panels[-columns:]:
        axes.set_xlabel("breaches, % of days")
    return panels[0]


def _draw_books(axes: "Axes", rows: pd.DataFrame, mixes: Sequence[str]) -> None:
    """Draw the rate of each book as a point, and that of all books as a stroke, a row a mix."""
    for row, mix in enumerate(mixes):
        books = rows[rows["mix"] == mix]
        place = row + SPREAD * np.linspace(-0.5, 0.5, len(books))
        rate, wrong_way = 100 * books["breach_rate"].to_numpy(), books["wrong_way"].to_numpy()
        axes.plot(rate[~wrong_way], place[~wrong_way], ls="", marker="o", ms=3, mfc="none", mew=0.7,
                  color=AGAINST)  # fmt: skip
        axes.plot(rate[wrong_way], place[wrong_way], ls="", marker="^", ms=3.4, mew=0, color=ALIKE)
        pooled = 100 * books["breaches"].sum() / books["observations"].sum()
        axes.plot([pooled], [row], ls="", marker="|", ms=13, mew=1.8, color=INK)


def moves_against_haircuts(study: CollateralStudy) -> Figure:
    """A panel an asset, a stick a month, published haircuts as lines.

    A row a (asset, month): the worst move, the published haircuts, whether it is beyond them.
    """
    rates = study.adequacy.groupby("asset")["haircut"].agg(["min", "max"])
    data = study.worst.join(rates.add_prefix("haircut_"), on="asset")
    data = data.assign(
        beyond_least=data["worst"] < -data["haircut_min"],
        beyond_all=data["worst"] < -data["haircut_max"],
    )
    return Figure(
        name="moves_against_haircuts",
        data=data,
        caption=_moves_caption(study, data),
        paint=lambda canvas: _paint_moves(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _moves_caption(study: CollateralStudy, data: pd.DataFrame) -> Caption:
    note = (
        f"The worst move over {study.horizon} days that began in each month: calendar days for "
        "assets with their own daily closes, margin days otherwise. Dashed: published haircuts; "
        "those of BTC, ETH and USDC are the CFTC pilot's, since March 2026 capital charges on "
        "proprietary positions. Marks: beyond the lowest, beyond all. "
        "Shaded: stress episodes. Nothing is drawn where the source has a gap."
    )
    words = []
    for asset, rows in data.groupby("asset", sort=False):
        day = rows["day"].to_numpy()[rows["worst"].argmin()]
        words.append(
            f"{asset}: worst {percent(rows['worst'].min())} from {np.datetime64(day, 'D')}, "
            f"{int(rows['beyond_all'].sum())} of {len(rows)} months beyond every haircut"
        )
    return Caption.of(
        moves_finding(data, horizon=study.horizon),
        measure=f"Worst {study.horizon}-day moves of collateral against published haircuts, %",
        footnote=f"{note} Source: {study.provenance.prices.sentence()} and the assets' own files. "
        f"{study.provenance.software.sentence()}.",
        alt=f"A panel an asset, a stick a month. {'; '.join(words)}.",
    )


def _paint_moves(canvas: Canvas, study: CollateralStudy, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    assets = list(dict.fromkeys(data["asset"]))
    grid = PanelGrid(left=0.6, right=0.55, height=PANEL, below=BETWEEN)
    # A coin's worst month would flatten a bond's moves: each panel has an axis of its own.
    sheet, panels = grid.panels(canvas, len(assets), keys=0.62, end=0.15, share=False)
    sheet.legend(
        [
            Line2D([], [], color=FAINT, lw=2, label="within"),
            Line2D([], [], color=COLOURS[1], lw=2, marker="o", ms=3.5, mfc="white",
                   label="beyond the lowest haircut"),
            Line2D([], [], color=COLOURS[4], lw=2, marker="v", ms=4, label="beyond all"),
            Line2D([], [], color=INK, lw=0.8, ls="--", label="haircut or capital charge"),
        ],
        top=0.0, columns=4, left=0.6,
    )  # fmt: skip
    edges = pd.Timestamp(str(data["month"].min())), pd.Timestamp(data["day"].max())
    for axes, asset in zip(panels, assets, strict=True):
        rows = data[data["asset"] == asset]
        # A rate that several schedules publish is drawn once.
        rates = sorted(set(study.adequacy.loc[study.adequacy["asset"] == asset, "haircut"]))
        _draw_moves(axes, rows, rates)
        for first, last in WINDOWS.values():
            axes.axvspan(_day(first), _day(last), color="#000000", alpha=0.09, lw=0)
        axes.set_xlim(_day(str(edges[0].date())), _day(str(edges[1].date())) + MIDDLE)
        axes.set_ylabel(asset)
        axes.yaxis.set_label_coords(-0.07, 0.5)
        axes.tick_params(labelbottom=axes is panels[-1])
    starts = [f for f, _ in WINDOWS.values() if edges[0] <= pd.Timestamp(f) <= edges[1]]
    for place, first in enumerate(starts):
        panels[0].annotate(
            f"{pd.Timestamp(first):%b %y}", (_day(first), 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 2 + LIFT * (place % 3)), textcoords="offset points", ha="center", color=INK,
        )  # fmt: skip
    return panels[0]


def _draw_moves(axes: "Axes", rows: pd.DataFrame, rates: Sequence[float]) -> None:
    """Draw the monthly moves as sticks, and haircuts as lines with rates at the right edge."""
    days = pd.to_datetime(rows["month"]).to_numpy() + MIDDLE
    colours = np.where(
        rows["beyond_all"], COLOURS[4], np.where(rows["beyond_least"], COLOURS[1], FAINT)
    )
    axes.vlines(days, 100 * np.minimum(rows["worst"], 0.0), 0.0, colors=list(colours), lw=1.3)
    # Marks at the ends tell the sticks apart in greyscale.
    ends = 100 * rows["worst"].to_numpy()
    for beyond, mark, colour, face in (
        (rows["beyond_all"], "v", COLOURS[4], COLOURS[4]),
        (rows["beyond_least"] & ~rows["beyond_all"], "o", COLOURS[1], "white"),
    ):
        at = beyond.to_numpy(bool)
        axes.plot(days[at], ends[at], ls="", marker=mark, ms=3.5, color=colour, mfc=face, zorder=3)
    for rate in rates:
        axes.axhline(-100 * rate, color=INK, lw=0.7, ls="--")
    lowest = min(100 * float(rows["worst"].min()), -100 * max(rates))
    axes.set_ylim(1.12 * lowest, 0)
    marks = axes.secondary_yaxis("right")
    spaced = _apart([-100 * rate for rate in rates], least=0.16 * abs(lowest))
    marks.set_yticks(spaced, [f"{-mark:g} %" for mark in spaced])
    marks.tick_params(length=0)
    marks.spines["right"].set_visible(False)


def _apart(marks: Sequence[float], *, least: float) -> list[float]:
    """Marks whose labels do not overlap, chosen from the lowest haircut upwards."""
    spaced: list[float] = []
    for mark in marks:
        if all(abs(mark - neighbour) >= least for neighbour in spaced):
            spaced.append(mark)
    return spaced


def _day(text: str) -> Any:
    return np.datetime64(text, "D")
