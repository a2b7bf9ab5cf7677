"""Figure: the reduction that models granted, beside the one estimated from days then known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from backtest.offset.credit_granted import ESTIMATED_OFFSET, ESTIMATED_TOTAL
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, label_of, points
from backtest.present.marks import sign_ticks
from backtest.present.naming import model_name
from backtest.present.panels import LEFT, book_panels, label_rows, panel_width
from backtest.present.sheet import Caption
from backtest.present.style import INK, OFFSET, TOTAL, model_styles
from backtest.replay.figures.through_time import (
    NAMES,
    draw_time_axis,
    name_stress_days,
    stress_days_among,
    stress_key,
    stress_words,
)
from backtest.studies.offset.figures.findings import granted_finding
from backtest.studies.offset.figures.footnote import offset_footnote
from backtest.studies.ranked import drawn_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.offset.study import OffsetStudy

ESTIMATED = {
    ESTIMATED_TOTAL: (TOTAL, "-", "estimated: total reduction"),
    ESTIMATED_OFFSET: (OFFSET, (0, (5, 1)), "estimated: offset (dependence)"),
}


def granted_against_supported(study: "OffsetStudy") -> Figure:
    """A panel a book, at most four: granted shares by model, estimated total and offset by day.

    A row a (date, portfolio, series); days on which a series has no share are left out.
    """
    table = study.credit.dropna(subset=["share"])
    books = study.ranked.panels(study.provenance.books, table["portfolio"])
    data = table[table["portfolio"].isin(books)].reset_index(drop=True)
    return Figure(
        name="granted_against_supported",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data, books),
        simulated=study.market.simulated,
    )


def _caption(study: "OffsetStudy", data: pd.DataFrame) -> Caption:
    models = _models(data)
    note = study.ranked.panels_note(data["portfolio"], study.credit["portfolio"])
    note += (
        "Granted: 1 less the model's requirement over the sum of the silos' margins, each day. "
        f"Estimated: point estimates at equal coverage from the {study.rolling} scored days whose "
        "losses were known by the date, so that both were on the table that day; each comes from a "
        "handful of exceedances, has no bound, and shares most of its days with its neighbours"
    )
    note += stress_words(stress_days_among(data["date"]), simulated=study.market.simulated)
    books = []
    for name, rows in data.groupby("portfolio", sort=False):
        series = {s: x["share"] for s, x in rows.groupby("series", sort=False)}
        ranges = [
            f"{model} granted {_span(series[model])} %" for model in models if model in series
        ]
        if ESTIMATED_TOTAL in series:
            offset = series[ESTIMATED_OFFSET]
            ranges += [
                f"estimated total {_span(series[ESTIMATED_TOTAL])} %",
                f"estimated offset {points(offset.min())} to {points(offset.max())} %",
            ]
        books.append(f"{name}: {', '.join(ranges)}")
    return Caption.of(
        granted_finding(study.credit.dropna(subset=["share"])),
        measure="Reduction granted by models, and estimated from days then known"
        + drawn_words(data["portfolio"], study.credit["portfolio"]),
        footnote=offset_footnote(study, note + ".", models=True),
        alt=f"Lines through time, a panel a book. {'; '.join(books)}.",
    )


def _paint(
    canvas: Canvas, study: "OffsetStudy", data: pd.DataFrame, books: Sequence[str]
) -> "Axes":
    from matplotlib.lines import Line2D

    styles = model_styles(list(study.provenance.study["models"]))
    models = _models(data)
    handles = [
        Line2D([], [], color=styles[m].colour, ls=styles[m].line, lw=1.3,
               label=label_of(f"granted by {model_name(m)}", width=30, lines=1))
        for m in models
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=c, ls=ls, lw=2.0, label=words) for c, ls, words in ESTIMATED.values()
    ]
    stress = stress_days_among(data["date"])
    handles += stress_key(stress)
    sheet, panels = book_panels(
        canvas, {book: book for book in books},
        keys=0.17 * -(-len(handles) // 3) + 0.08, below=0.3, over=NAMES if len(stress) else 0.0,
    )  # fmt: skip
    sheet.legend(handles, top=0.0, columns=3, left=LEFT)
    for book, panel in panels.items():
        rows = data[data["portfolio"] == book]
        panel.axhline(0, color=INK, lw=0.7)
        for model in models:
            line = rows[rows["series"] == model]
            panel.plot(line["date"], 100 * line["share"], color=styles[model].colour,
                       ls=styles[model].line, lw=1.3, zorder=5)  # fmt: skip
        for series, (colour, dashes, _) in ESTIMATED.items():
            line = rows[rows["series"] == series]
            panel.plot(line["date"], 100 * line["share"], color=colour, ls=dashes, lw=2.0, zorder=4)
        draw_time_axis(panel, data["date"], stress)
        name_stress_days(panel, stress, width=panel_width(len(panels)))
        sign_ticks(panel.yaxis)
    label_rows(panels, "share of silos'\nmargins, %")
    return next(iter(panels.values()))


def _models(data: pd.DataFrame) -> list[str]:
    return [str(s) for s in dict.fromkeys(data["series"]) if s not in ESTIMATED]


def _span(shares: "pd.Series[float]") -> str:
    return f"{100 * shares.min():.0f} to {100 * shares.max():.0f}".replace("-", MINUS)
