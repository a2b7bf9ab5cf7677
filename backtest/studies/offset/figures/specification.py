"""Figure: the offset under every reasonable choice of settings."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import drawable, fitted_label, points
from backtest.present.marks import sign_ticks
from backtest.present.numbers import percent
from backtest.present.panels import columns_of
from backtest.present.sheet import Caption
from backtest.present.style import FAINT, INK, OFFSET
from backtest.studies.offset.figures.findings import specification_finding
from backtest.studies.offset.figures.footnote import BOUND_WORDS, offset_footnote

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.offset.study import OffsetStudy

MOST_COLUMNS = 2  # books beside each other: each needs room for its specifications
SAME = ["portfolio", "lookback", "mpor", "start", "observations"]
CHOICES = {
    "lookback": "lookback, days",
    "mpor": "MPOR, days",
    "window": "days scored",
    "first_day": "first scored day",
}
EARLIEST = "earliest possible"
PANEL, ROW, HEADING = 1.85, 0.155, 0.2  # inches
LEFT, RIGHT, GAP = 1.2, 0.12, 0.22


def specification_curve(study: "OffsetStudy") -> Figure:
    """A column a book: sorted estimates with bounds above, the choices behind them below.

    A row a distinct specification by book, the lowest offset first: choices that give the same
    scored days count once. `first_day` names the choice behind `start`; `own` is True where the
    settings are those of the study file.
    """
    data = _data(study)
    return Figure(
        name="specification_curve",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, data),
        simulated=study.market.simulated,
    )


def _data(study: "OffsetStudy") -> pd.DataFrame:
    table = study.specifications.drop_duplicates(SAME).dropna(subset=["dependence"])
    books = list(dict.fromkeys(table["portfolio"]))[:MOST_COLUMNS]
    table = table[table["portfolio"].isin(books)].copy()
    # The earliest day depends on lookback and MPOR, so the choice is named by what it means.
    earliest = table.groupby(["portfolio", "lookback", "mpor"])["start"].transform("min")
    table["first_day"] = np.where(table["start"] == earliest, EARLIEST, table["start"])
    file = study.provenance.study
    table["own"] = (
        (table["lookback"] == file["sizing"].get("lookback"))
        & table["mpor"].map(lambda days: days == file["coverage"]["mpor"])
        & (table["window"] == "all")
        & (table["first_day"] == EARLIEST)
    )
    parts = [
        table[table["portfolio"] == book].sort_values("dependence", kind="stable") for book in books
    ]
    return pd.concat(parts, ignore_index=True)


def _caption(study: "OffsetStudy", data: pd.DataFrame) -> Caption:
    choices = "; ".join(
        f"{words} ({', '.join(_values(data, column))})" for column, words in CHOICES.items()
    )
    note = study.ranked.panels_note(data["portfolio"], study.ladder.index)
    note += (
        f"Every combination of {choices}, sorted by the offset; the dots below say which. Lines "
        f"reach down to {BOUND_WORDS}, dark where those are above 0. Specifications share most of "
        "their days: they are not independent, and the share of bounds above 0 is no test. Those "
        "with the same scored days are drawn once. Number of days and MPOR, below, are those of "
        "the study's own settings"
    )
    if data["own"].any():
        note += ", which the diamonds mark"
    books = []
    for name, table in data.groupby("portfolio", sort=False):
        low, middle, high = (points(x) for x in table["dependence"].quantile([0.0, 0.5, 1.0]))
        books.append(
            f"{name}: {len(table)} specifications, offset {low} to {high} %, median {middle} %; "
            f"lower bound above 0 in {_share(table)}"
        )
    drawn, count = data["portfolio"].nunique(), len(study.ladder)
    return Caption.of(
        specification_finding(data),
        measure="Offset under every choice of lookback, MPOR, window and first day"
        + ("" if drawn == count else f" ({drawn} of {count} books)"),
        footnote=offset_footnote(study, note + "."),
        alt=f"Sorted estimates with lower bounds, and a grid of choices. {'; '.join(books)}.",
    )


def _paint(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    rows, height = _grid(data)
    books = list(dict.fromkeys(data["portfolio"]))
    columns = columns_of(len(books), left=LEFT, right=RIGHT, gap=GAP)
    names = [fitted_label(name, room=columns[0].width, lines=2) for name in books]
    above = 0.145 * (max(name.count("\n") + 1 for name in names) + 1) + 0.12
    sheet = canvas(above + PANEL + 0.05 + height + 0.08)
    panels: list[Axes] = []
    for book, name, column in zip(books, names, columns, strict=True):
        left, right = column.left, column.right
        table = data[data["portfolio"] == book]
        curve = sheet.panel(left=left, right=right, top=above, height=PANEL,
                            sharey=next(iter(panels), None))  # fmt: skip
        grid = sheet.panel(left=left, right=right, top=above + PANEL + 0.05, height=height)
        _draw_curve(curve, table)
        _draw_grid(grid, table, rows, height, labels=column is columns[0])
        for panel in (curve, grid):
            panel.set_xlim(-1.5, len(table) + 0.5)
            panel.tick_params(axis="x", bottom=False, labelbottom=False)
        curve.tick_params(axis="y", labelleft=column is columns[0])
        curve.set_title(f"{name}\nbound above 0 in {_share(table)}", linespacing=1.1, pad=4)
        panels += [curve, grid]
    panels[0].set_ylabel("offset (dependence),\n% of silos' margins")
    return panels[0]


def _share(table: pd.DataFrame) -> str:
    above = int((table["dependence_bound"] > 0).sum())
    return f"{above} of {len(table)} ({percent(above / len(table), digits=0)})"


def _values(data: pd.DataFrame, column: str) -> list[str]:
    """Settings of one choice, in order; numbers by size, dates by time, the earliest first."""
    values = data[column].unique()
    if column == "window":
        return sorted(values, key=lambda v: (v != "all", v))
    if column == "first_day":
        return sorted(values, key=lambda v: (v != EARLIEST, v))
    return [str(v) for v in sorted(values)]


def _grid(data: pd.DataFrame) -> tuple[list[tuple[str, str, float]], float]:
    """Rows (choice, setting, inches from the top; '' for a choice's heading), and their height."""
    rows, at = [], 0.0
    for column in CHOICES:
        rows.append((column, "", at + 0.6 * HEADING))
        at += HEADING
        for value in _values(data, column):
            rows.append((column, value, at + ROW / 2))
            at += ROW
    return rows, at + 0.03


def _draw_curve(axes: "Axes", table: pd.DataFrame) -> None:
    place = np.arange(len(table))
    value, bound = 100 * table["dependence"].to_numpy(), 100 * table["dependence_bound"].to_numpy()
    axes.axhline(0, color=INK, lw=0.8, zorder=1)
    above = bound > 0
    axes.vlines(place[~above], bound[~above], value[~above], color=FAINT, lw=0.9, zorder=2)
    axes.vlines(place[above], bound[above], value[above], color=INK, lw=1.6, zorder=2)
    axes.plot(place, value, ls="", marker="o", ms=2.4, color=OFFSET, mew=0, zorder=3)
    of_study = table["own"].to_numpy()
    axes.plot(place[of_study], value[of_study], ls="", marker="D", ms=5, mfc="white", mec=INK,
              mew=1.2, zorder=4)  # fmt: skip
    sign_ticks(axes.yaxis)
    axes.grid(visible=True, axis="y")
    axes.spines["bottom"].set_visible(False)


def _draw_grid(
    axes: "Axes",
    table: pd.DataFrame,
    rows: list[tuple[str, str, float]],
    height: float,
    *,
    labels: bool,
) -> None:
    """A line a setting, with a dot under each specification that has it."""
    place = np.arange(len(table))
    of_study = table["own"].to_numpy()
    for column, value, at in rows:
        if not value:
            if labels:
                axes.annotate(CHOICES[column], (0, at), xycoords=("axes fraction", "data"),
                              xytext=(-4, 0), textcoords="offset points", ha="right", va="center",
                              weight="bold", annotation_clip=False)  # fmt: skip
            continue
        axes.axhline(at, color="#eeeeee", lw=0.5, zorder=0)
        uses = (table[column].astype(str) == value).to_numpy()
        axes.plot(place[uses], np.full(uses.sum(), at), ls="", marker="o", ms=2.0, color=INK, mew=0)
        diamonds = uses & of_study
        axes.plot(place[diamonds], np.full(diamonds.sum(), at), ls="", marker="D", ms=4,
                  mfc="white", mec=INK, mew=1.0)  # fmt: skip
    settings = [(value, at) for _, value, at in rows if value]
    axes.set_yticks([at for _, at in settings], [drawable(value) for value, _ in settings])
    axes.tick_params(axis="y", length=0, labelleft=labels)
    axes.set_ylim(height, 0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
