"""Figure: the steps from the silos' own margins to the requirement, day by day."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, drawable
from backtest.present.panels import LEFT, book_panels, label_rows, panel_width
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import COLOURS, DIVERSIFICATION, INK, OFFSET
from backtest.replay.figures.through_time import (
    NAMES,
    draw_time_axis,
    name_stress_days,
    stress_days_among,
    stress_key,
    stress_words,
)
from backtest.studies.offset.figures.findings import steps_finding
from backtest.studies.offset.figures.footnote import offset_footnote
from backtest.studies.ranked import drawn_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.offset.study import OffsetStudy

GROSS, REQUIRED = "gross", "required"
STEP_COLOURS = {"diversification": DIVERSIFICATION, "offset": OFFSET, "dependence": OFFSET}
HATCHES, ADDING = ("", "...", "xxx", "ooo", "---"), "//////"  # colours alone go in greyscale
OTHER_COLOURS = tuple(c for c in COLOURS if c not in (DIVERSIFICATION, OFFSET, "#000000"))


def steps_from_gross(study: "OffsetStudy") -> Figure:
    """A panel a book, at most four: bands of the steps below 100 %, and the requirement, by day.

    Steps of the most detailed model as shares of the day's gross: date, portfolio, model, a column
    a step that is ever taken, required; days without gross margin are left out.
    """
    data = _data(study)
    return Figure(
        name="steps_from_gross",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, data),
        simulated=study.market.simulated,
    )


def _data(study: "OffsetStudy") -> pd.DataFrame:
    model = max(study.steps_by_day, key=lambda key: len(study.steps_by_day[key].columns))[0]
    books = (book for name, book in study.steps_by_day if name == model)
    pieces = []
    for book in study.ranked.panels(study.provenance.books, books):
        steps = study.steps_by_day[model, book]
        steps = steps[steps[GROSS] > 0]
        shares = steps.drop(columns=GROSS).div(steps[GROSS], axis=0).reset_index()
        pieces.append(shares.assign(portfolio=book, model=model))
    table = pd.concat(pieces, ignore_index=True).fillna(0.0)
    # A step that is never taken would have a key and no band; 1e-9 of gross is rounding.
    steps_taken = [step for step in _steps(table) if (table[step].abs() > 1e-9).any()]
    return table[["date", "portfolio", "model", *steps_taken, REQUIRED]]


def _caption(study: "OffsetStudy", data: pd.DataFrame) -> Caption:
    model = data["model"].iloc[0]
    kind = study.provenance.study["models"][model]["kind"]
    all_books = [book for _, book in study.steps_by_day]
    note = study.ranked.panels_note(data["portfolio"], all_books)
    note += (
        f"Model '{model}' ({kind}), of those that grant a reduction the one with most steps. Each "
        "day starts at 100, the silos' own margins summed; each band is what one step "
        "takes off, and the line is the requirement. Where a step adds margin, its band has "
        "strokes and lies over the one before"
    )
    note += stress_words(stress_days_among(data["date"]), simulated=study.market.simulated)
    means = _means(study, str(model))
    drawn = list(dict.fromkeys(data["portfolio"]))
    books = "; ".join(
        f"{book}: "
        + ", ".join(f"{step} {100 * share:.0f}".replace("-", MINUS) for step, share in row.items())
        for book, row in means.loc[drawn, [*_steps(data), REQUIRED]].iterrows()
    )
    return Caption.of(
        steps_finding(means, str(model), required=REQUIRED),
        measure="From the silos' own margins to the requirement, by day, % of their sum"
        + drawn_words(drawn, all_books),
        footnote=offset_footnote(study, note + "."),
        alt="Bands through time, a panel a book. Mean steps in percent of the silos' mean "
        f"margins. {books}.",
    )


def _means(study: "OffsetStudy", model: str) -> pd.DataFrame:
    """Mean of each step over the mean of the silos' margins, as in the table: all its books."""
    return pd.DataFrame(
        {
            book: (means := steps.mean()).drop(GROSS) / means[GROSS]
            for (name, book), steps in study.steps_by_day.items()
            if name == model
        }
    ).T


def _paint(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    steps = _steps(data)
    colours = _colours(steps)
    hatches = {step: HATCHES[i % len(HATCHES)] for i, step in enumerate(steps)}
    handles: list[Any] = [
        Patch(fc=colours[step], hatch=hatches[step], ec="white", lw=0, label=drawable(step))
        for step in steps
    ]
    handles.append(Line2D([], [], color=INK, lw=1.2, label=REQUIRED))
    stress = stress_days_among(data["date"])
    handles += stress_key(stress)
    books = dict.fromkeys(data["portfolio"])
    sheet, panels = book_panels(
        canvas, {book: book for book in books},
        keys=legend_height(len(handles)) + 0.04, below=0.3, over=NAMES if len(stress) else 0.0,
    )  # fmt: skip
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
    for book, panel in panels.items():
        rows = data[data["portfolio"] == book]
        # Each band begins where the one before ended. A step may take margin off on one day and
        # add some on the next: the two are drawn apart, to hatch the days of adding alone.
        level = np.full(len(rows), 100.0)
        for step in steps:
            end = level + 100 * rows[step].to_numpy()
            for where, hatch in ((end <= level, hatches[step]), (end > level, ADDING)):
                panel.fill_between(rows["date"], level, end, where=where, facecolor=colours[step],
                                   hatch=hatch, edgecolor="white", lw=0, zorder=2)  # fmt: skip
            level = end
        panel.plot(rows["date"], 100 * rows[REQUIRED], color=INK, lw=1.2, zorder=4)
        draw_time_axis(panel, data["date"], stress)
        name_stress_days(panel, stress, width=panel_width(len(panels)))
        panel.set_ylim(0, None)
    label_rows(panels, "% of silos'\nmargins")
    return next(iter(panels.values()))


def _steps(data: pd.DataFrame) -> list[str]:
    return [str(c) for c in data if c not in ("date", "portfolio", "model", REQUIRED)]


def _colours(steps: list[str]) -> dict[str, str]:
    """The colours of diversification and offset everywhere; others in the palette's order."""
    others = iter(OTHER_COLOURS)
    return {step: STEP_COLOURS.get(step) or next(others, "#8a8a8a") for step in steps}
