"""Figure: what fellow customers lose against the margin that pooling saves."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS, fitted_label
from backtest.present.marks import sign_ticks
from backtest.present.naming import model_name
from backtest.present.numbers import MILLION, millions, percent
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LINE, Caption
from backtest.present.style import INK
from backtest.studies.protect.figures.panels import (
    SHORT,
    arrangement_styles,
    left_out,
    shown_models,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.protect.study import ProtectStudy

COLUMNS = 3  # of the legend


def loss_against_saving(study: "ProtectStudy") -> Figure:
    """A panel a model: fellow-customer loss a year against margin saved, a curve an arrangement.

    A row a (model, arrangement, factor of customers' multiplier).
    """
    data = study.answers.curve.reset_index().dropna(subset=["saved"])
    return Figure(
        name="frontier",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _caption(study: "ProtectStudy", data: pd.DataFrame) -> Caption:
    points = data[data["factor"] == 1.0]
    words = [
        f"{row['model']}, {row['arrangement']}: saved {percent(row['saved'])}, fellow customers "
        f"lose {millions(row['fellow'])} USD m a year"
        for row in points.to_dict("records")
    ]
    known = "Bars: 95 % intervals, where five events or more are behind them. "
    none = "No interval: fewer than five events are behind every point. "
    return Caption.of(
        frontier_finding(points),
        measure="Fellow-customer loss a year against margin saved, as customers' multiplier rises",
        footnote=f"Large marks: as stated; small marks, to the left: customers post "
        f"{', '.join(f'{f:g}' for f in sorted(set(data['factor']))[1:])} times as much. Saved "
        "against silos of the same model as stated; below zero accounts post more. "
        f"{known if points['fellow_low'].notna().any() else none}"
        f"{left_out(study.protection.models)} {study.provenance.footnote()}",
        alt=f"Curves, a panel a model. {'; '.join(words)}.",
    )


def frontier_finding(points: pd.DataFrame) -> str:
    """The range of savings, and of what fellow customers lose more than in silos.

    points : a row a (model, arrangement), at the stated multiplier.
    """
    rows = points[(points["arrangement"] != SILOS) & (points["saved"] > 0.005)]
    if rows.empty:
        return "No arrangement here saves margin against silos"
    saved = [percent(end, digits=0) for end in (rows["saved"].min(), rows["saved"].max())]
    extra = [millions(end, sign=True) for end in (rows["extra"].min(), rows["extra"].max())]
    span = saved[0] if saved[0] == saved[1] else f"{saved[0].removesuffix(' %')} to {saved[1]}"
    more = extra[0] if extra[0] == extra[1] else f"{extra[0]} to {extra[1]}"
    words = (
        f"Pooling saves {span} of margin and moves fellow customers' loss by {more} USD m a year"
    )
    return words.replace("-", MINUS)


def _paint(canvas: Canvas, study: "ProtectStudy", data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    models = [m for m in shown_models(study.protection.models) if m in set(data["model"])]
    names = list(dict.fromkeys(data["arrangement"]))
    styles = arrangement_styles(names)
    keys = 0.17 * -(-len(names) // COLUMNS) + 0.06
    grid = PanelGrid(
        columns=min(2, len(models)), left=0.78, right=0.15, gap=0.25, height=1.75,
        above=LINE + 0.1, below=0.46,
    )  # fmt: skip
    sheet, panels = grid.panels(canvas, len(models), keys=keys)
    sheet.legend(
        [Line2D([], [], color=s.colour, marker=s.marker, ls=s.line, ms=5, mec=INK, mew=0.5,
                label=SHORT[name]) for name, s in styles.items()],
        top=0.0, columns=COLUMNS, left=0.78,
    )  # fmt: skip
    for place, (axes, model) in enumerate(zip(panels, models, strict=True)):
        name = fitted_label(model_name(model), room=grid.places[0].width, lines=1)
        axes.set_title(name, loc="left", pad=4)
        for arrangement, style in styles.items():
            chosen = (data["model"] == model) & (data["arrangement"] == arrangement)
            rows = data[chosen].sort_values("factor")
            saved, lost = 100 * rows["saved"].to_numpy(), rows["fellow"].to_numpy() / MILLION
            axes.plot(saved, lost, color=style.colour, ls=style.line, marker=style.marker, ms=2.5,
                      lw=1.1)  # fmt: skip
            low, high = (rows[f"fellow_{end}"].to_numpy()[:1] / MILLION for end in ("low", "high"))
            if np.isfinite(low).all():
                ends = [lost[:1] - low, high - lost[:1]]
                axes.errorbar(saved[:1], lost[:1], yerr=ends, fmt="none", ecolor=style.colour,
                              elinewidth=1.2, capsize=3)  # fmt: skip
            axes.plot(saved[:1], lost[:1], color=style.colour, marker=style.marker, ms=6,
                      mec=INK, mew=0.6, ls="", zorder=5)  # fmt: skip
        axes.axvline(0, color=INK, lw=0.6, ls=(0, (1, 2)))
        axes.grid(visible=True)
        sign_ticks(axes.xaxis)
        axes.set_xlabel("margin saved against silos, %")
        if place % 2 == 0:
            axes.set_ylabel("fellow customers lose,\nUSD m a year", linespacing=1.15)
    drawn = data[data["model"].isin(models)]
    most = np.nanmax(drawn[["fellow", "fellow_high"]].to_numpy()) / MILLION
    panels[0].set_ylim(0, 1.08 * most if most > 0.0 else 1.0)
    return panels[0]
