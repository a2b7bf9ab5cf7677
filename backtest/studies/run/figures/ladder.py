"""Figure: the reduction the data support, split into diversification and offset."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, drawable, label_of, points
from backtest.present.numbers import percent, percent_down
from backtest.present.sheet import Caption
from backtest.present.style import DIVERSIFICATION, INK, OFFSET, TOTAL
from backtest.replay.study import Study
from backtest.studies.run.figures.findings import ladder_finding
from backtest.studies.run.figures.footnote import (
    footnote,
    is_random,
    selection_note,
    shown_portfolios,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAME_SIDE = "All legs on one side"
OPPOSITE = "Some legs long, others short"
PARTS = ("total", "diversification", "dependence")
BOUNDS = ("total_bound", "dependence_bound")
ROW, HEADING = 0.56, 0.26  # inches
LANE, THICK = 0.16, 0.14  # inches from total to diversification to offset; of a bar
LEFT = 1.75  # inches, for the names of books


def offset_ladder(study: Study, ladder: pd.DataFrame) -> Figure:
    """Three lanes a book: a mark at the total, and zero-based bars of diversification and offset.

    The rows are the named books in several silos, grouped by their legs' sides. Each lane ends in
    its own number; where the ladder has lower bounds, whiskers reach down to them from total and
    offset, and they are printed in brackets.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> frame = pd.DataFrame({"UST10Y": [-1e8], "BTC": [5e6]}, index=["basis"])
    >>> book = bt.Book.from_frame(frame, market)
    >>> study = bt.run(market, book, {"siloed": st.Siloed()})
    >>> figure = offset_ladder(study, bt.supportable_offset(market, book).to_frame())
    >>> figure.data["group"].tolist()
    ['Some legs long, others short']
    >>> len(figure.draw().patches)
    2
    """
    rows = _rows(study, ladder)
    return Figure(
        name="offset_ladder",
        data=rows,
        caption=_caption(study, ladder, rows),
        paint=lambda canvas: _paint(canvas, rows),
        simulated=study.simulated,
    )


def _rows(study: Study, ladder: pd.DataFrame) -> pd.DataFrame:
    rows = ladder.loc[shown_portfolios(study, ladder.index)].copy()
    positions = study.exposure.loc[rows.index]
    mixed = (positions > 0).any(axis=1) & (positions < 0).any(axis=1)
    sides = mixed.map({True: OPPOSITE, False: SAME_SIDE})
    # Of a given table the positions are not known, and so the sides of the legs are not.
    rows.insert(0, "group", sides if len(positions.columns) else "")
    # One-sided books first; a stable sort keeps the study's order within each group.
    order = mixed.sort_values(kind="stable").index
    return rows.loc[order].rename_axis("portfolio")


def has_bounds(ladder: pd.DataFrame) -> bool:
    """True where the ladder was estimated with lower bounds.

    Examples
    --------
    >>> has_bounds(pd.DataFrame({"total": [0.3]}))
    False
    """
    return "dependence_bound" in ladder and bool(ladder["dependence_bound"].notna().any())


def _caption(study: Study, ladder: pd.DataFrame, rows: pd.DataFrame) -> Caption:
    selection = selection_note(len(rows), ladder.index)
    note = (
        f"{selection}Share of the silos' margins at equal coverage that the pool does without. "
        "Diversification is what the same silos save when shifted against each other in time; "
        "only dependence, the rest, is offset. Estimates are in-sample"
    )
    if has_bounds(rows):
        note += (
            "; whiskers reach down to one-sided 95 % lower bounds of total and offset, in brackets "
            "(bootstrap of days, allowance for drift), each book on its own"
        )
    else:
        note += ", without bounds"
    books = "; ".join(f"{portfolio}: {_book_words(row)}" for portfolio, row in rows.iterrows())
    return Caption.of(
        ladder_finding(study, rows),
        measure="Reduction from pooling silos, % of their equal-coverage margins",
        footnote=footnote(study, note + _random_words(ladder) + "."),
        alt=f"Horizontal bars of diversification and offset, and their total. {books}.",
    )


def _random_words(ladder: pd.DataFrame) -> str:
    """What the books drawn at random add to the note: the spread of their offsets."""
    table = ladder[[is_random(str(p)) for p in ladder.index]].dropna(subset=["total"])
    if not len(table):
        return ""
    low, middle, high = (points(x) for x in table["dependence"].quantile([0.1, 0.5, 0.9]))
    words = (
        f"; over {len(table)} random books the offset is {low} / {middle} / {high} % (10th, "
        "50th, 90th percentile)"
    )
    if has_bounds(table):
        bounds = table["dependence_bound"].dropna()
        words += f", with a bound above 0 in {int((bounds > 0).sum())}"
        words += f" of {len(bounds)}" if len(bounds) < len(table) else ""
    return words


def _book_words(row: Any) -> str:
    """Total, diversification and offset of one book, or why there is no estimate."""
    if pd.isna(row["total"]):
        return f"not estimable, {row['reason']}"
    at_least, offset_bound = (row.get(bound) for bound in BOUNDS)
    total = percent(row["total"])
    if pd.notna(at_least):
        total += f" (lower bound {percent_down(at_least)})"
    words = (
        f"total {total}, diversification {percent(row['diversification'])}, offset "
        f"{points(row['dependence'])} %"
    )
    if pd.isna(offset_bound):
        return words
    return f"{words} (lower bound {percent_down(offset_bound, sign=True).replace('-', MINUS)})"


def _paint(canvas: Canvas, rows: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    groups = rows.loc[rows["group"] != "", "group"].nunique()
    height = ROW * max(len(rows), 1) + HEADING * groups
    sheet = canvas(0.26 + height + 0.42)
    sheet.legend(
        [
            Line2D([], [], ls="", marker="D", color=TOTAL, ms=4.5, label="total [bound]"),
            Patch(fc=DIVERSIFICATION, label="diversification"),
            Patch(fc=OFFSET, hatch="////", ec="white", lw=0, label="offset (dependence) [bound]"),
        ],
        top=0.0, columns=3, left=LEFT,
    )  # fmt: skip
    axes = sheet.panel(left=LEFT, right=0.2, top=0.26, height=height)
    _draw_rows(axes, rows)
    return axes


def _draw_rows(axes: "Axes", rows: pd.DataFrame) -> None:
    """Place rows from the top down, in inches, so that type and bars keep their size."""
    measures = [*PARTS, *(BOUNDS if has_bounds(rows) else ())]
    values = 100 * rows[measures].fillna(0.0).to_numpy(np.float64)
    low, high = values.min(initial=0.0), values.max(initial=10.0)
    # Numbers are written right of the bars and need room beyond the longest.
    axes.set_xlim(low - 0.02 * (high - low), high + 0.34 * (high - low))
    place, group, ticks = 0.0, "", []
    for portfolio, row in rows.iterrows():
        if row["group"] != group:
            group = row["group"]
            axes.annotate(
                group, (0, place + HEADING * 0.6), xycoords=("axes fraction", "data"),
                xytext=(-118, 0), textcoords="offset points", weight="bold", va="center",
                annotation_clip=False,
            )  # fmt: skip
            place += HEADING
        middle = place + ROW / 2
        ticks.append((middle, label_of(str(portfolio), width=25)))
        if pd.isna(row["total"]):
            axes.text(0, middle, drawable(f" not estimable: {row['reason']}"), va="center")
        else:
            _draw_book(axes, middle, row)
        place += ROW
    axes.set_ylim(place, 0)
    axes.set_yticks([t for t, _ in ticks], [label for _, label in ticks], linespacing=1.0)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xlabel("% of the silos' equal-coverage margins")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)


def _draw_book(axes: "Axes", middle: float, row: "pd.Series[float]") -> None:
    """Three lanes of one book, in inches from the middle of its row."""
    total, spread, offset = (100 * float(row[part]) for part in PARTS)
    upper, lower = middle - LANE, middle + LANE
    axes.barh(middle, spread, height=THICK, color=DIVERSIFICATION, zorder=2)
    axes.barh(lower, offset, height=THICK, color=OFFSET, hatch="////", edgecolor="white",
              linewidth=0, zorder=2)  # fmt: skip
    axes.plot(total, upper, marker="D", color=TOTAL, ms=4.5, ls="", zorder=4)
    for value, bound, place in ((total, BOUNDS[0], upper), (offset, BOUNDS[1], lower)):
        if pd.notna(row.get(bound)):
            end = 100 * float(row[bound])
            axes.plot([end, value], [place, place], color=INK, lw=1.0, zorder=3)
            axes.plot(end, place, marker="|", color=INK, ms=6, ls="", zorder=3)
    labels = (
        (upper, total, f"{percent(row['total'])}{_bound(row, BOUNDS[0])}"),
        (middle, spread, percent(row["diversification"])),
        (lower, offset, f"offset {points(row['dependence'])}{_bound(row, BOUNDS[1])}"),
    )
    for place, value, words in labels:
        # A value below zero has its number right of zero, where its lane is free.
        axes.annotate(
            words.replace("-", MINUS), (max(value, 0.0), place), xytext=(6, 0),
            textcoords="offset points", ha="left", va="center", zorder=5,
        )  # fmt: skip


def _bound(row: "pd.Series[float]", name: str) -> str:
    """A lower bound in brackets, rounded down; empty where there is none."""
    return f" [{percent_down(row[name])}]".replace(" %", "") if pd.notna(row.get(name)) else ""
