"""Figure: how far away each layer is by arrangement, from the first margin to the last resort."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.present.figure import Canvas, Figure
from backtest.present.naming import model_name
from backtest.present.numbers import ratio
from backtest.present.sheet import Caption
from backtest.present.style import FAINT, INK, MARKERS
from backtest.replay.protection.ladder import EVENTS, FELLOW_LOSE, FUND_PAYS
from backtest.studies.protect.figures.panels import LEFT, SHORT
from backtest.studies.sentences import counted, low_to_high

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.protect.arranged import ArrangedStress

NAME = "distance_of_layers"
COLUMNS = 3  # of the legend
ROW = 0.42  # inches
LOOKS = ("#FFFFFF", "#c9d6de", "#56B4E9", "#D55E00", "#E69F00", "#b8860b", "#000000")


def distance_of_layers(
    result: "ArrangedStress", footnote: str, *, simulated: bool
) -> Figure | None:
    """A row an arrangement, a mark an event: distance of the nearest move, standard deviations.

    Of the model that the page shows; a row a (arrangement, event), NaN where no move reaches it.
    None where none reaches anything.

    footnote : source, window, standard.
    """
    wide = result.nearest() if len(result.reverse) else pd.DataFrame()
    if wide.empty or wide.isna().all(axis=None):
        return None
    data = wide.reset_index().melt("arrangement", var_name="event", value_name="distance")
    return Figure(
        name=NAME,
        data=data,
        caption=_caption(result, wide, footnote),
        paint=lambda canvas: _paint(canvas, data),
        simulated=simulated,
    )


def _caption(result: "ArrangedStress", wide: pd.DataFrame, footnote: str) -> Caption:
    rows = [
        f"{name}: " + ", ".join(f"{event} {ratio(x)}" for event, x in row.dropna().items())
        for name, row in wide.iterrows()
    ]
    missing = int(wide.isna().to_numpy().sum())
    unreached = f" No move within the search reaches {missing} of them." if missing else ""
    return Caption.of(
        layers_finding(wide),
        measure="Distance of the nearest move at which something happens, standard deviations",
        footnote=f"{model_name(result.model)}, positions of {result.day}. Distance is "
        "Mahalanobis', of the nearest move found; that none is nearer is not certain. A margin is "
        "used up at one house where legs are closed out apart, in sum where they are pooled."
        f"{unreached} {footnote}",
        alt=f"Marks by arrangement. {'; '.join(rows)}.",
    )


def layers_finding(wide: pd.DataFrame) -> str:
    """How far fellow customers' loss and the mutual fund are, in silos and elsewhere."""
    words = [
        f"{event} {far_words(wide[event])}"
        for event in (FELLOW_LOSE, FUND_PAYS)
        if wide[event].notna().any()
    ]
    if not words:
        return "No move within the search reaches fellow customers or the mutual fund"
    text = "; ".join(words)
    return f"{text[0].upper()}{text[1:]}"


def far_words(distances: "pd.Series[float]") -> str:
    """Distances by arrangement in words, those of silos first; NaN where no move was found.

    Examples
    --------
    >>> far_words(pd.Series({"silos": 4.82, "house pooled": 4.82, "customers omnibus": 4.05}))
    '4.82 deviations away in silos, 4.05 to 4.82 elsewhere'
    >>> far_words(pd.Series({"silos": 3.58, "house pooled": 3.58}))
    '3.58 deviations away everywhere'
    >>> far_words(pd.Series({"silos": np.nan, "house pooled": np.nan, "customers omnibus": 4.05}))
    '4.05 deviations away (not in silos and 1 other)'
    """
    known = distances.dropna()
    missing = [name for name in distances.index if name not in known.index]
    where = f" (not in {_not_there(missing)})" if missing else ""
    span = low_to_high(known, ratio)
    if span == ratio(float(known.max())):
        everywhere = " everywhere" if len(distances) > 1 and not missing else ""
        return f"{span} deviations away{everywhere}{where}"
    if SILOS not in known.index:
        return f"{span} deviations away{where}"
    others = low_to_high(known.drop(SILOS), ratio)
    return f"{ratio(float(known[SILOS]))} deviations away in silos, {others} elsewhere{where}"


def _not_there(names: list[str]) -> str:
    """Arrangements in which no move was found: silos by name, of others how many."""
    if SILOS not in names:
        return counted(len(names), "arrangement")
    others = len(names) - 1
    return f"{SILOS} and {counted(others, 'other')}" if others else SILOS


def _paint(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    names = list(dict.fromkeys(data["arrangement"]))
    seen = [event for event in EVENTS if data.loc[data["event"] == event, "distance"].notna().any()]
    looks = {event: (MARKERS[i], LOOKS[i]) for i, event in enumerate(EVENTS)}
    keys = 0.17 * -(-len(seen) // COLUMNS) + 0.06
    sheet = canvas(keys + ROW * len(names) + 0.55)
    axes = sheet.panel(left=LEFT, right=0.2, top=keys, height=ROW * len(names) + 0.08)
    sheet.legend(
        [Line2D([], [], ls="", marker=looks[event][0], ms=6, mfc=looks[event][1], mec=INK, mew=0.6,
                label=event) for event in seen],
        top=0.0, columns=COLUMNS, left=0.1,
    )  # fmt: skip
    for place, name in enumerate(names):
        rows = data[data["arrangement"] == name].set_index("event")["distance"]
        known = rows.dropna()
        if len(known):
            axes.plot([known.min(), known.max()], [place, place], color=FAINT, lw=0.8, zorder=1)
        # Events that come with the same move lie beside each other.
        spread = np.linspace(-0.34, 0.34, len(seen)) if len(seen) > 1 else np.zeros(1)
        for offset, event in zip(spread, seen, strict=True):
            marker, colour = looks[event]
            axes.scatter(
                rows[event], place + offset, s=24, marker=marker, facecolors=colour,
                edgecolors=INK, linewidths=0.6, zorder=3, clip_on=False,
            )  # fmt: skip
    axes.set_yticks(range(len(names)), [SHORT[name] for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("standard deviations")
    axes.grid(visible=True, axis="x")
    return axes
