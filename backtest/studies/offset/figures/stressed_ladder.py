"""Figure: offset and total reduction, recomputed under each stress."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, fitted_label, points
from backtest.present.marks import sign_ticks
from backtest.present.numbers import percent
from backtest.present.panels import columns_of
from backtest.present.sheet import WIDTH, Caption
from backtest.present.style import FAINT, INK, OFFSET, TOTAL
from backtest.studies.offset.figures.findings import stressed_finding
from backtest.studies.offset.figures.footnote import BOUND_WORDS, offset_footnote
from backtest.studies.ranked import drawn_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.offset.study import OffsetStudy

OBSERVED = "as observed"
MEASURES = (
    ("dependence", "dependence_bound", OFFSET, "s", "offset (dependence), % of the silos' margins"),
    ("total", "total_bound", TOTAL, "D", "total reduction, % of the silos' margins"),
)
ROW, BREAK = 0.165, 0.07  # inches: a stress, and the space between kinds of stress
LEFT, RIGHT, GAP = 1.5, 0.12, 0.14


def stressed_ladder(study: "OffsetStudy") -> Figure:
    """A column a book and a row a stress: the offset above, the total reduction below.

    A row a (portfolio, stress), 'as observed' first; at most four books, risk-matched ones first.
    NaN where a stress leaves nothing to estimate.
    """
    books = study.ranked.panels(study.provenance.books, study.stresses.index.unique("portfolio"))
    stresses = sorted(study.stresses.index.unique("stress"), key=lambda s: s != OBSERVED)
    rows = pd.MultiIndex.from_product([books, stresses], names=["portfolio", "stress"])
    data = study.stresses.swaplevel().reindex(rows).reset_index()
    return Figure(
        name="stressed_ladder",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, data),
        simulated=study.market.simulated,
    )


def _caption(study: "OffsetStudy", data: pd.DataFrame) -> Caption:
    all_books = study.stresses.index.unique("portfolio")
    note = study.ranked.panels_note(data["portfolio"], all_books)
    note += (
        f"Points are estimates, whiskers reach down to {BOUND_WORDS}; filled where the bound is "
        "above 0; dotted: as observed. Only dependence is offset; the rest of the total is "
        "diversification. 'correlation': the shocks of each price in another order of days, so "
        "that every price and every yield correlate so; yields stay as they are and each price "
        "keeps its law of one day; a book that no yield moves, or no price, is as "
        "observed. 'worst' is the worse of both signs for the book. "
        "'without': days whose MPOR touches the month are left out of the scores. Number of days "
        "and MPOR, below, are those of 'as observed'."
    )
    note += _lowest_words(study.stresses, drawn=set(data["portfolio"]))
    books = "; ".join(
        f"{name}: {_book_words(rows)}" for name, rows in data.groupby("portfolio", sort=False)
    )
    return Caption.of(
        stressed_finding(study.stresses.reset_index(), observed=OBSERVED),
        measure="Offset and total reduction under stress"
        + drawn_words(data["portfolio"], all_books),
        footnote=offset_footnote(study, note),
        alt=f"Points with whiskers, a column a book and a row a stress. {books}.",
    )


def _book_words(rows: pd.DataFrame) -> str:
    """The first and the lowest offset of one book, and under how many stresses one is proven."""
    rows = rows.dropna(subset=["dependence"]).set_index("stress")
    if not len(rows):
        return "not estimable"
    first, lowest = rows.iloc[0], rows.iloc[int(rows["dependence"].argmin())]
    return (
        f"{first.name} offset {points(first['dependence'])} % (lower bound "
        f"{points(first['dependence_bound'])} %), total {percent(first['total'])}; lowest "
        f"offset {points(lowest['dependence'])} %, {lowest.name}; bound above 0 under "
        f"{int((rows['dependence_bound'] > 0).sum())} of {len(rows)}"
    )


def _lowest_words(stresses: pd.DataFrame, *, drawn: set[str]) -> str:
    """The lowest offset of all where its book is not drawn; empty where it is."""
    known = stresses.dropna(subset=["dependence"])
    if known.empty:
        return ""
    lowest = known.iloc[int(known["dependence"].argmin())]
    stress, book = known.index[int(known["dependence"].argmin())]
    if book in drawn:
        return ""
    return (
        f" The lowest offset of all, {points(lowest['dependence'])} % (lower bound "
        f"{points(lowest['dependence_bound'])} %), is that of a book not drawn, {book}, {stress}."
    )


def _paint(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    stresses = list(dict.fromkeys(data["stress"]))
    books = list(dict.fromkeys(data["portfolio"]))
    places = _places(stresses)
    height = max(places.values()) + ROW / 2
    columns = columns_of(len(books), left=LEFT, right=RIGHT, gap=GAP)
    names = [fitted_label(name, room=columns[0].width + GAP, lines=3) for name in books]
    above = 0.145 * max(name.count("\n") + 1 for name in names) + 0.1
    below = 0.47
    sheet = canvas(above + 2 * (height + below))
    panels: list[Axes] = []
    for book, name, column in zip(books, names, columns, strict=True):
        rows = data[data["portfolio"] == book].set_index("stress")
        for row, (value, bound, colour, marker, _) in enumerate(MEASURES):
            panel = sheet.panel(
                left=column.left, right=column.right,
                top=above + row * (height + below), height=height,
            )  # fmt: skip
            _draw_measure(panel, rows[value], rows[bound], places, colour, marker)
            panel.set_xlim(*_range(data, value, bound))
            panel.set_ylim(height, 0)
            panel.set_yticks(list(places.values()), [_label(s) for s in places])
            panel.tick_params(axis="y", length=0, labelleft=column is columns[0])
            panels.append(panel)
        panels[-2].set_title(name, linespacing=1.0, pad=4)
    for row, (*_, words) in enumerate(MEASURES):
        sheet.text(
            words,
            middle=LEFT + (WIDTH - LEFT - RIGHT) / 2,
            top=above + row * (height + below) + height + 0.24,
        )
    return panels[0]


def _places(stresses: list[str]) -> dict[str, float]:
    """Inches from the panel's top to each row; kinds of stress are separated by a small gap.

    The kind is the first word of a stress: 'correlation', 'MPOR', 'without'.
    """
    places, at, kind = {}, ROW / 2 + 0.02, None
    for stress in stresses:
        word = stress.split()[0]
        if kind is not None and word != kind:
            at += BREAK
        places[stress], kind = at, word
        at += ROW
    return places


def _label(stress: str) -> str:
    words = stress.replace("-", MINUS)
    return f"{words} days" if stress.startswith("MPOR") else words


def _range(data: pd.DataFrame, value: str, bound: str) -> tuple[float, float]:
    """Ends of the axis, percent: one scale for all books, zero included."""
    numbers = 100 * data[[value, bound]].to_numpy(dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    low, high = numbers.min(initial=0.0), numbers.max(initial=5.0)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _draw_measure(
    axes: "Axes",
    values: "pd.Series[float]",
    bounds: "pd.Series[float]",
    places: dict[str, float],
    colour: str,
    marker: str,
) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.axvline(0, color=INK, lw=0.8, zorder=1)
    if pd.notna(values.get(OBSERVED)):
        axes.axvline(100 * values[OBSERVED], color=FAINT, lw=0.7, ls=(0, (1, 2)), zorder=1)
    for stress, place in places.items():
        value, bound = 100 * float(values[stress]), 100 * float(bounds[stress])
        if np.isnan(value):
            axes.annotate("not estimable", (0.5, place), xycoords=("axes fraction", "data"),
                          ha="center", va="center")  # fmt: skip
            continue
        if not np.isnan(bound):
            axes.plot([bound, value], [place, place], color=INK, lw=0.9, zorder=2)
            axes.plot(bound, place, marker="|", color=INK, ms=5, ls="", zorder=2)
        axes.plot(value, place, marker=marker, ms=3.8, ls="", color=colour, zorder=3,
                  mfc=colour if bound > 0 else "white", mew=1.0)  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    sign_ticks(axes.xaxis)
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)
