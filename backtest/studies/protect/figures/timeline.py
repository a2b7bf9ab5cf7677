"""Figure: the days on which fellow customers lose, by arrangement."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.clearing.ledger import FELLOW
from backtest.market.episodes import EPISODES
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import fitted_label
from backtest.present.naming import model_name
from backtest.present.numbers import millions
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LINE, Caption
from backtest.present.style import INK
from backtest.scores.money.rare import event_amounts
from backtest.studies.protect.figures.panels import (
    LEFT,
    SHORT,
    arrangement_styles,
    left_out,
    shown_models,
)
from backtest.studies.sentences import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.protect.study import ProtectStudy

CENT = 0.01
LARGEST = 9.0  # points across the largest loss
LEAST = 2.0


def days_with_loss(study: "ProtectStudy") -> pd.DataFrame:
    """A row a (model, arrangement, day) on which fellow customers lose though no default is drawn.

    `usd` that the close-out of the day takes of them.
    """
    done = study.protection
    parts = []
    for (model, arrangement), outcome in done.outcomes.items():
        usd = outcome.base[:, :, FELLOW].sum(axis=1)
        at = np.flatnonzero(usd > CENT)
        parts.append(
            pd.DataFrame(
                {"model": model, "arrangement": arrangement, "date": done.days[at], "usd": usd[at]}
            )
        )
    return pd.concat(parts, ignore_index=True)


def days_of_loss(study: "ProtectStudy") -> Figure | None:
    """A panel a model, a row an arrangement, a mark a day of loss; None where there is none."""
    data = days_with_loss(study)
    if data.empty:
        return None
    return Figure(
        name="fellow_days",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _caption(study: "ProtectStudy", data: pd.DataFrame) -> Caption:
    worst = data.iloc[int(data["usd"].argmax())]
    words = [
        f"{model}, {arrangement}: {counted(len(rows), 'day')}"
        for (model, arrangement), rows in data.groupby(["model", "arrangement"], sort=False)
    ]
    return Caption.of(
        timeline_finding(study, data),
        measure="Days whose close-out takes something of fellow customers, defaults that are drawn "
        "aside",
        footnote="A mark a day of margin; its area grows with the loss, the largest "
        f"{millions(worst['usd'])} USD m ({worst['model']}, {worst['arrangement']}, "
        f"{worst['date']:%Y-%m-%d}). Neighbouring days see the same prices. Shaded: months of "
        f"stress.{left_out(study.protection.models)} {study.provenance.footnote()}",
        alt=f"Marks in time, a panel a model. {'; '.join(words)}.",
    )


def timeline_finding(study: "ProtectStudy", data: pd.DataFrame) -> str:
    """How many days and events there are, over all models and arrangements."""
    days = study.protection.days
    events = len(event_amounts(days.isin(data["date"]).astype(np.float64)))
    return (
        f"Fellow customers lose on {counted(data['date'].nunique(), 'day')} of {len(days):,} under "
        f"some model and arrangement, in {counted(events, 'event')}"
    )


def _paint(canvas: Canvas, study: "ProtectStudy", data: pd.DataFrame) -> "Axes":
    from matplotlib import dates

    concise: Any = dates.ConciseDateFormatter
    models = shown_models(study.protection.models)
    names = list(study.protection.settings)
    styles, days = arrangement_styles(names), study.protection.days
    grid = PanelGrid(
        left=LEFT, right=0.2, height=0.165 * len(names) + 0.1, above=LINE + 0.1, below=0.08
    )
    _, panels = grid.panels(canvas, len(models), keys=0.0, end=0.3)
    most = float(data["usd"].max())
    for axes, model in zip(panels, models, strict=True):
        axes.set_title(fitted_label(model_name(model), room=4.5, lines=1), loc="left", pad=4)
        for first, last in EPISODES.values():
            axes.axvspan(_day(first), _day(last), color="#000000", alpha=0.09, lw=0)  # fmt: skip
        for place, (name, style) in enumerate(styles.items()):
            rows = data[(data["model"] == model) & (data["arrangement"] == name)]
            size = np.maximum(LARGEST * np.sqrt(rows["usd"].to_numpy() / most), LEAST)
            axes.scatter(rows["date"].to_numpy(), np.full(len(rows), place), s=size**2,
                         marker=style.marker, facecolors=style.colour, edgecolors=INK,
                         linewidths=0.5, zorder=3)  # fmt: skip
        axes.set_yticks(range(len(names)), [SHORT[name] for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0, labelleft=True)
        axes.tick_params(labelbottom=axes is panels[-1])
        axes.grid(visible=True, axis="y")
        margin = (days[-1] - days[0]) * 0.01
        axes.set_xlim(_day(days[0] - margin), _day(days[-1] + margin))
        # A month is named without its year, which stands at January: labels have room.
        axes.xaxis.set_major_formatter(concise(axes.xaxis.get_major_locator()))
    return panels[0]


def _day(day: "str | pd.Timestamp") -> Any:
    return pd.Timestamp(day).to_datetime64()
