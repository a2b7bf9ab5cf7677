"""Figure: the reduction the data support, split into diversification and offset."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, drawable, label_of
from backtest.present.sheet import Caption
from backtest.present.style import DIVERSIFICATION, INK, OFFSET, TOTAL
from backtest.replay.study import Study
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
ROW, HEADING = 0.42, 0.26  # inches
LEFT = 1.75  # inches, for the names of books


def offset_ladder(study: Study, ladder: pd.DataFrame) -> Figure:
    """Two zero-based bars a book, diversification above offset, a mark at their total.

    The rows are the named books in several silos, grouped by their legs' sides. Where the ladder
    has lower bounds, whiskers reach down to them from total and offset.

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
            "; whiskers reach down to one-sided 95 % lower bounds of total and offset (bootstrap "
            "of days, allowance for drift), each book on its own"
        )
    else:
        note += ", without bounds"
    books = "; ".join(f"{portfolio}: {_book_words(row)}" for portfolio, row in rows.iterrows())
    return Caption(
        "Margin saved by pooling silos at equal coverage: diversification and offset",
        footnote(study, note + _random_words(ladder) + "."),
        f"Horizontal bars of diversification and offset. {books}.",
    )


def _random_words(ladder: pd.DataFrame) -> str:
    """What the books drawn at random add to the note: the spread of their offsets."""
    table = ladder[[is_random(str(p)) for p in ladder.index]].dropna(subset=["total"])
    if not len(table):
        return ""
    low, middle, high = 100 * table["dependence"].quantile([0.1, 0.5, 0.9])
    words = (
        f"; over {len(table)} random books the offset is {low:+.1f} / {middle:+.1f} / "
        f"{high:+.1f} points (10th, 50th, 90th percentile)"
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
    total, spread, offset = (100 * row[part] for part in PARTS)
    words = f"total {total:.1f} %, diversification {spread:.1f} %, offset {offset:+.1f} points"
    bound = row.get("dependence_bound")
    return words if pd.isna(bound) else f"{words} (lower bound {100 * bound:+.1f})"


def _paint(canvas: Canvas, rows: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    groups = rows.loc[rows["group"] != "", "group"].nunique()
    height = ROW * max(len(rows), 1) + HEADING * groups
    sheet = canvas(0.26 + height + 0.42)
    sheet.legend(
        [
            Patch(fc=DIVERSIFICATION, label="diversification"),
            Patch(fc=OFFSET, hatch="////", ec="white", lw=0, label="offset (dependence)"),
            Line2D([], [], ls="", marker="D", color=TOTAL, ms=4.5, label="total reduction"),
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
    # Numbers are written at the ends of the bars and need room beyond them.
    span = high - low
    axes.set_xlim(low - (0.24 * span if low < 0 else 0.0), high + 0.14 * span)
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
    axes.set_xlabel("reduction, % of the silos' equal-coverage margins (offset: percentage points)")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)


def _draw_book(axes: "Axes", middle: float, row: "pd.Series[float]") -> None:
    """Two bars of one book, in inches above and below the middle of its row."""
    total, spread, offset = (100 * float(row[part]) for part in PARTS)
    upper, lower, thick = middle - 0.085, middle + 0.085, 0.15
    axes.barh(upper, spread, height=thick, color=DIVERSIFICATION, zorder=2)
    axes.barh(lower, offset, height=thick, color=OFFSET, hatch="////", edgecolor="white",
              linewidth=0, zorder=2)  # fmt: skip
    axes.plot(total, upper, marker="D", color=TOTAL, ms=4.5, ls="", zorder=4)
    lowest = offset
    for value, bound, place in ((total, BOUNDS[0], upper), (offset, BOUNDS[1], lower)):
        if pd.notna(row.get(bound)):
            end = 100 * float(row[bound])
            axes.plot([end, value], [place, place], color=INK, lw=1.0, zorder=3)
            axes.plot(end, place, marker="|", color=INK, ms=6, ls="", zorder=3)
            lowest = end if value is offset else lowest
    # A negative offset has its number left of the bar, and left of the whisker where there is one.
    away, side = (3, "left") if offset >= 0 else (-4, "right")
    axes.annotate(
        f"offset {offset:+.1f}".replace("-", MINUS), (max(offset, 0) or lowest, lower),
        xytext=(away, 0), textcoords="offset points", ha=side, va="center", zorder=5,
    )  # fmt: skip
    # The number goes beyond the mark of the total where that is near, or it would cover the mark.
    beyond = max(total, spread) if abs(total - spread) < 12 else spread
    axes.annotate(
        f"{spread:.1f}", (beyond, upper), xytext=(6, 0), textcoords="offset points",
        ha="left", va="center", zorder=5,
    )  # fmt: skip
