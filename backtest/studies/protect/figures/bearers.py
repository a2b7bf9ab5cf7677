"""Figure: who bears what margin does not cover, by model and arrangement."""

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from backtest.clearing.ledger import BEARERS, OTHERS
from backtest.present.figure import Canvas, Figure
from backtest.present.numbers import MILLION, millions, percent
from backtest.present.sheet import Caption, legend_height
from backtest.present.style import INK
from backtest.studies.protect.figures.panels import LEFT, left_out, row_panels, shown_models
from backtest.studies.sentences import low_to_high

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.protect.study import ProtectStudy

FELLOW = "fellow customers"
COLUMNS = 3  # of the legend
# Bearers look the same in every study; hatches tell those of one colour apart in greyscale.
LOOKS = {
    "firms": ("#c9d6de", ""),
    "advanced by firms": ("#c9d6de", "///"),
    "surplus at the other house": ("#56B4E9", ""),
    "firms' contributions": ("#56B4E9", "..."),
    FELLOW: ("#D55E00", ""),
    "advanced by SIPC": ("#CC79A7", "\\\\\\"),
    "houses' capital": ("#009E73", "---"),
    "mutual fund": ("#E69F00", "ooo"),
    "assessments": ("#E69F00", "xxx"),
    "uncovered": ("#000000", ""),
}


def who_bears(study: "ProtectStudy") -> Figure:
    """A panel a model, a bar an arrangement, stacked by bearer; USD a year.

    A row a (model, arrangement, bearer).
    """
    data = _data(study)
    return Figure(
        name="who_bears",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _data(study: "ProtectStudy") -> pd.DataFrame:
    summary = study.answers.summary
    bearers = [BEARERS[place] for place in OTHERS]
    return (
        summary[bearers]
        .reset_index()
        .melt(["model", "arrangement"], var_name="bearer", value_name="usd_a_year")
    )


def _caption(study: "ProtectStudy", data: pd.DataFrame) -> Caption:
    wide = data.pivot_table(
        index=["model", "arrangement"], columns="bearer", values="usd_a_year", sort=False
    )
    rows = wide.assign(total=wide.sum(axis=1)).to_dict("records")
    words = [
        f"{model}, {arrangement}: {millions(row['total'])} USD m, of it fellow customers "
        f"{millions(row[FELLOW])}"
        for (model, arrangement), row in zip(wide.index, rows, strict=True)
    ]
    models = study.protection.models
    return Caption.of(
        bearers_finding(wide),
        measure="What accounts do not pay themselves, by who bears it, USD m a year",
        footnote="Means over the scored days; a loss is counted once, not by each close-out that "
        "spans it. They rest on few events: intervals are in the table, where there are enough."
        f"{left_out(models)} {study.provenance.footnote()}",
        alt=f"Stacked bars, a panel a model. {'; '.join(words)}.",
    )


def bearers_finding(wide: pd.DataFrame) -> str:
    """What share of all that accounts do not pay falls on fellow customers, and what is uncovered.

    wide : a row a (model, arrangement), a column a bearer; USD a year.
    """
    total = wide.sum(axis=1)
    if not (total > 0.0).any():
        return "Every account pays its own losses under every model and arrangement"
    fellow = (wide[FELLOW] / total)[total > 0.0]
    firms = (wide[["firms", "advanced by firms"]].sum(axis=1) / total)[total > 0.0]
    return (
        f"Of what accounts do not pay, firms bear {_span(firms)} and fellow customers "
        f"{_span(fellow)}"
    )


def _span(shares: "pd.Series[float]") -> str:
    return low_to_high(shares, partial(percent, digits=0), " %")


def _paint(canvas: Canvas, study: "ProtectStudy", data: pd.DataFrame) -> "Axes":
    from matplotlib.patches import Patch

    models = shown_models(study.protection.models)
    arrangements = list(dict.fromkeys(data["arrangement"]))
    seen = data.groupby("bearer", sort=False)["usd_a_year"].sum()
    bearers = [bearer for bearer in seen.index if seen[bearer] > 0.0]
    rows = -(-len(bearers) // COLUMNS)
    sheet, panels = row_panels(
        canvas, models, arrangements, keys=0.17 * rows + 0.06 if rows else legend_height(0)
    )
    if bearers:
        sheet.legend(
            [Patch(fc=LOOKS[b][0], hatch=LOOKS[b][1], ec=INK, lw=0.4, label=b) for b in bearers],
            top=0.0, columns=COLUMNS, left=LEFT,
        )  # fmt: skip
    for model, axes in panels.items():
        for place, arrangement in enumerate(arrangements):
            chosen = (data["model"] == model) & (data["arrangement"] == arrangement)
            amounts = data[chosen].set_index("bearer")["usd_a_year"] / MILLION
            start = 0.0
            for bearer in bearers:
                colour, hatch = LOOKS[bearer]
                axes.barh(place, amounts[bearer], left=start, height=0.72, color=colour,
                          hatch=hatch, edgecolor=INK, linewidth=0.4)  # fmt: skip
                start += float(amounts[bearer])
        axes.set_xlim(left=0)
        axes.set_xlabel("USD m a year")
    # One scale, so that lengths compare between models.
    most = max(axes.get_xlim()[1] for axes in panels.values())
    for axes in panels.values():
        axes.set_xlim(0, most)
    return next(iter(panels.values()))
