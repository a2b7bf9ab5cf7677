"""Figures of close-out: breach probability against coordination, and margin steps by MPOR."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import drawable, label_of, points
from backtest.present.naming import model_name
from backtest.present.panels import LEFT, book_panels, label_rows
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import DIVERSIFICATION, INK, OFFSET, model_styles
from backtest.studies.ranked import drawn_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.closeout.study import CloseoutStudy

BELOW = 0.42  # inches under a panel
LOWEST = 2e-4  # of the logarithmic axis: less than one day of the longest history
GRID = np.linspace(0.0, 1.0, 21)
STEP_WORDS = {
    "gross": "silos'\nsum",
    "diversification": "diversi-\nfication",
    "offset": "depen-\ndence",
    "dependence": "depen-\ndence",
    "diversification and offset": "diversif.\nand offset",
    "MPOR mismatch": "mis-\nmatch",
    "cap and floor": "cap and\nfloor",
    "separate accounts": "separate\naccounts",
    "backtesting charge": "backtest.\ncharge",
}
TOTALS = ("gross", "required")  # bars drawn from zero, not from the step before
NEVER = "never"
MISMATCH = "MPOR mismatch"


def coordination_words(value: float) -> str:
    """A break-even coordination in words.

    Examples
    --------
    >>> coordination_words(0.5), coordination_words(float("inf")), coordination_words(float("nan"))
    ('0.50', 'never', 'n/a')
    """
    if np.isnan(value):
        return "n/a"
    return NEVER if np.isinf(value) else f"{value:.2f}"


def breach_by_coordination(study: "CloseoutStudy") -> Figure:
    """A panel a book, at most four: breach probability against coordination, a line a model.

    A row a (book, model, coordination from 0 to 1); the axis of probabilities is logarithmic.
    """
    data = _coordination_data(study)
    return Figure(
        name="coordination",
        data=data,
        caption=_coordination_caption(study, data),
        paint=lambda canvas: _paint_coordination(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _coordination_data(study: "CloseoutStudy") -> pd.DataFrame:
    table = study.coordination.reset_index()
    books = study.ranked.panels(study.provenance.books, table["book"])
    table = table[table["book"].isin(books)]
    lines = table.loc[table.index.repeat(len(GRID))].reset_index(drop=True)
    lines["coordination"] = np.tile(GRID, len(table))
    share = lines["coordination"]
    lines["breach_probability"] = (1 - share) * lines["any_short"] + share * lines["pooled_short"]
    lines["separate_silos"] = lines["allowed"]
    columns = ["breach_probability", "break_even", "separate_silos"]
    return lines[["book", "model", "coordination", *columns]]


def _coordination_caption(study: "CloseoutStudy", data: pd.DataFrame) -> Caption:
    allowed_rate = 100 * (1 - study.provenance.confidence)
    note = study.ranked.panels_note(data["book"], study.coordination.index.unique("book"))
    note += (
        "Probability that a margin falls short, against the probability that the silos close out "
        "as one: at 0 each has only its allocated share, shared out in proportion to stand-alone "
        "margins; at 1 the pooled margin covers the pooled loss. Margins as required, fully "
        "posted; every scored day is a default day. Dashed: how often some separate silo is short "
        f"though each keeps its own {allowed_rate:g} %; dotted: {allowed_rate:g} %. Dots, and c* "
        "over each panel: coordination at which a shortfall is as frequent as among separate "
        "silos, by model; 'never' where even the pool has more. No line: no margin was ever short. "
        "The title counts models that ask less of a pool than of its silos."
    )
    books = []
    for book, rows in data.groupby("book", sort=False):
        words = [
            f"{model} {coordination_words(line['break_even'].iloc[0])}"
            for model, line in rows.groupby("model", sort=False)
        ]
        separate = 100 * rows["separate_silos"].iloc[0]
        books.append(f"{book} (separate silos {separate:.2f} %): {', '.join(words)}")
    return Caption.of(
        _coordination_finding(netted(study)),
        measure="Breach probability against coordination of the close-out, a panel a book"
        + drawn_words(data["book"], study.coordination.index.unique("book")),
        footnote=f"{note} {study.provenance.footnote()}",
        alt="Falling lines, a panel a book, logarithmic. Break-even coordination by model. "
        f"{'; '.join(books)}.",
    )


def netted(study: "CloseoutStudy") -> pd.DataFrame:
    """Rows of the models that ask less of a pool than of its silos; all where none does."""
    required = study.steps[study.steps["step"] == "required"]
    models = set(required.loc[required["share_of_gross"] < 1.0, "model"])
    table = study.coordination
    return table[table.index.get_level_values("model").isin(models)] if models else table


def _coordination_finding(rows: pd.DataFrame) -> str:
    """How many margins of a pool leave somebody short more often than separate silos do.

    rows : of `netted`, which are those of the page's opening sentence.
    """
    scales = rows.loc[rows["break_even_low"].notna(), "break_even"]
    if scales.empty:
        return "No silo was ever short under its allocated margin"
    more, never = int((scales > 0).sum()), int(np.isinf(scales).sum())
    words = (
        f"Closed out apart, {more or 'none'} of {len(scales)} margins of a pool "
        f"leave{'' if more > 1 else 's'} some silo short more often than separate silos do"
    )
    return f"{words}; {never or 'none'} if closed out as one" if more else words


def _paint_coordination(canvas: Canvas, study: "CloseoutStudy", data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    styles = model_styles(list(study.provenance.study["models"]))
    models = list(dict.fromkeys(data["model"]))
    handles: list[Any] = [
        Line2D(
            [],
            [],
            color=styles[m].colour,
            ls=styles[m].line,
            label=label_of(model_name(m), lines=1),
        )
        for m in models
    ]
    scales = data.drop_duplicates(["book", "model"]).set_index(["book", "model"])["break_even"]
    titles = {
        str(book): f"{book}\nc*: "
        + ", ".join(
            f"{m}\N{NO-BREAK SPACE}{coordination_words(v)}" for m, v in scales[book].items()
        )
        for book in dict.fromkeys(data["book"])
    }
    sheet, panels = book_panels(canvas, titles, keys=legend_height(len(handles)), below=BELOW)
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
    allowed_rate = 1 - study.provenance.confidence
    # On a logarithmic axis the lines bend near 1: they need more points than the table has.
    shares = np.linspace(0.0, 1.0, 401)
    for book, axes in panels.items():
        rows = study.coordination.loc[book]
        for model in models:
            row, style = rows.loc[model], styles[model]
            line = (1 - shares) * row["any_short"] + shares * row["pooled_short"]
            axes.plot(shares, np.where(line > 0, line, np.nan), color=style.colour, ls=style.line)
            if 0 < row["break_even"] <= 1:
                axes.plot(row["break_even"], row["allowed"], marker="o", ms=4, color=style.colour,
                          markeredgecolor=INK, markeredgewidth=0.6, zorder=5)  # fmt: skip
        axes.axhline(rows["allowed"].iloc[0], color=INK, lw=0.9, ls=(0, (4, 2)), zorder=3)
        axes.axhline(allowed_rate, color=INK, lw=0.7, ls=(0, (1, 2)), zorder=3)
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, 1.0)
        axes.set_xlim(0, 1)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
        axes.set_xlabel("coordination")
    label_rows(panels, "breach probability, %")
    return next(iter(panels.values()))


def margin_steps(study: "CloseoutStudy") -> Figure | None:
    """A panel a book, at most four: waterfalls of the mean margin at equal and unequal MPOR.

    Steps of the most detailed model, as shares of its gross; None where no model has steps.
    """
    data = _steps_data(study)
    if data.empty:
        return None
    return Figure(
        name="margin_steps",
        data=data,
        caption=_steps_caption(study, data),
        paint=lambda canvas: _paint_steps(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _steps_data(study: "CloseoutStudy") -> pd.DataFrame:
    table = study.steps[study.steps["mpor"].isin([study.equal, study.unequal])]
    if table.empty:
        return table
    # One model fits a panel; the one with most steps shows best where its margin comes from.
    step_count = table.groupby("model", sort=False)["step"].nunique()
    table = table[table["model"] == step_count.idxmax()]
    books = study.ranked.panels(study.provenance.books, table["book"])
    return table[table["book"].isin(books)].reset_index(drop=True)


def _steps_caption(study: "CloseoutStudy", data: pd.DataFrame) -> Caption:
    unequal = data[data["mpor"] == study.unequal]
    note = study.ranked.panels_note(data["book"], study.steps["book"])
    note += (
        f"Model '{data['model'].iloc[0]}': mean steps from the silos' own margins to the "
        "requirement, as shares of those margins summed. MPOR mismatch: what the offset loses "
        "because legs closed out over different days share only some of them; below zero where "
        "legs add up. "
        f"Compared: every silo {study.equal}, and {study.unequal} (with numbers)."
    )
    charge = unequal[unequal["step"] == MISMATCH]
    shares = "; ".join(
        f"{row['book']} {points(row['share_of_gross'])}" for _, row in charge.iterrows()
    )
    return Caption.of(
        _steps_finding(
            study.steps.loc[
                (study.steps["mpor"] == study.unequal)
                & (study.steps["model"] == data["model"].iloc[0])
                & (study.steps["step"] == MISMATCH),
                "share_of_gross",
            ],
            str(data["model"].iloc[0]),
        ),
        measure="Margin steps at equal and unequal MPOR, share of the silos' margins"
        + drawn_words(data["book"], study.steps["book"]),
        footnote=f"{note} {study.provenance.footnote()}",
        alt="Waterfalls, a panel a book. MPOR mismatch in percentage points of the silos' "
        f"margins: {shares}.",
    )


def _steps_finding(charge: "pd.Series[float]", model: str) -> str:
    """By how much unequal days move the margins of the model, over all its books."""
    if charge.empty:
        return "No model here has a charge for closing out over unequal days"
    low, high = points(charge.min()), points(charge.max())
    size = low if low == high else f"{low} to {high}"
    books = "the book" if len(charge) == 1 else f"{len(charge)} books"
    return (
        f"Closing out over unequal days moves the margin of model '{model}' in {books} by {size} "
        "points of the silos' margins"
    )


def _paint_steps(canvas: Canvas, study: "CloseoutStudy", data: pd.DataFrame) -> "Axes":
    from matplotlib.patches import Patch

    settings = {study.equal: (DIVERSIFICATION, ""), study.unequal: (OFFSET, "////")}
    books = dict.fromkeys(data["book"])
    sheet, panels = book_panels(
        canvas, {book: book for book in books}, keys=legend_height(2), below=BELOW
    )
    sheet.legend(
        [
            Patch(fc=colour, hatch=hatch, ec="white", lw=0, label=f"MPOR {name}")
            for name, (colour, hatch) in settings.items()
        ],
        top=0.0, columns=2, left=LEFT,
    )  # fmt: skip
    steps = list(dict.fromkeys(data.loc[data["mpor"] == study.unequal, "step"]))
    for book, axes in panels.items():
        shares = data[data["book"] == book].set_index(["mpor", "step"])["share_of_gross"]
        for side, (setting, (colour, hatch)) in enumerate(settings.items()):
            # A step starts where the one before ended; totals restart at zero, as a check.
            level = 0.0
            for place, step in enumerate(steps):
                value = 100 * float(shares.get((setting, step), 0.0))
                start = 0.0 if step in TOTALS else level
                level = start + value
                x = place + (-0.2, 0.2)[side]
                axes.bar(x, value, bottom=start, width=0.38, color=colour, hatch=hatch,
                         edgecolor="white", linewidth=0, zorder=2)  # fmt: skip
                if side == 1:
                    text = f"{value:.0f}" if step in TOTALS else points(round(value / 100, 3) + 0.0)
                    axes.annotate(text, (place, max(start, level)),
                                  xytext=(0, 2), textcoords="offset points", ha="center",
                                  va="bottom", zorder=4)  # fmt: skip
        axes.axhline(0, color=INK, lw=0.7)
        axes.set_ylim(0, 118)
        axes.set_yticks([0, 25, 50, 75, 100])
        words = [drawable(STEP_WORDS.get(step, step)) for step in steps]
        axes.set_xticks(range(len(steps)), words, linespacing=1.0)
        axes.tick_params(axis="x", length=0)
    label_rows(panels, "% of silos'\nmargins")
    return next(iter(panels.values()))
