"""Figure: cover-1 and cover-2 by arrangement, beside what months of stress would have needed."""

from typing import TYPE_CHECKING

import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.market.episodes import EPISODES
from backtest.present.figure import Canvas, Figure
from backtest.present.numbers import MILLION, millions
from backtest.present.sheet import Caption
from backtest.present.style import INK, MARKERS
from backtest.replay.protection.cover import EVERYWHERE
from backtest.studies.protect.figures.panels import left_out, row_panels, shown_models

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backtest.studies.protect.study import ProtectStudy

COLUMNS = 4
ONE, TWO = "#0072B2", "#9ecae1"


def cover_of_members(study: "ProtectStudy") -> Figure:
    """A panel a model, bars of cover-1 and cover-2 an arrangement, marks of months of stress.

    A row a (model, arrangement, cover), all houses together; USD.
    """
    cover = study.answers.cover
    houses = cover.index.unique("house")
    house = EVERYWHERE if EVERYWHERE in houses else houses[0]
    data = cover.xs(house, level="house").reset_index()
    return Figure(
        name="cover",
        data=data,
        caption=_caption(study, data, str(house)),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.provenance.prices.simulated,
    )


def _windows(data: pd.DataFrame) -> list[str]:
    """Months of stress in which the record has a day."""
    return [name for name in EPISODES if name in data and data[name].notna().any()]


def _caption(study: "ProtectStudy", data: pd.DataFrame, house: str) -> Caption:
    words = [
        f"{row['model']}, {row['arrangement']}: cover-{row['cover']} {millions(row['size'])} USD m"
        for row in data[data["cover"] == 2].to_dict("records")
    ]
    return Caption.of(
        cover_finding(data),
        measure=f"Need beyond margin of the largest firm, and of the two largest, {house}, USD m",
        footnote="Bars: exceeded on no more than 0.1 % of the record's days; whiskers: lower end "
        "of the 95 % interval of cover-2, which no record bounds from above; differences have no "
        "interval. Marks: the largest cover-2 need in a month of stress. Firms are those of "
        f"the study.{left_out(study.protection.models)} {study.provenance.footnote()}",
        alt=f"Bars, a panel a model. {'; '.join(words)}.",
    )


def cover_finding(data: pd.DataFrame) -> str:
    """How cover-2 of the arrangements compares with that of silos."""
    two = data[data["cover"] == 2].set_index(["model", "arrangement"])["size"]
    if SILOS not in two.index.unique("arrangement") or two.index.unique("arrangement").size == 1:
        low, high = millions(two.min()), millions(two.max())
        return f"Cover-2 is {low if low == high else f'{low} to {high}'}m USD"
    silos = two.xs(SILOS, level="arrangement")
    rest = two.drop(index=SILOS, level="arrangement")
    gaps = rest.to_numpy() - silos.reindex(rest.index.get_level_values("model")).to_numpy()
    less, more = int((gaps < 0.0).sum()), int((gaps > 0.0).sum())
    if less == len(rest):
        return "Cover-2 is less than in silos under every model and other arrangement"
    return (
        f"Cover-2 is less than in silos for {less or 'none'} of {len(rest)} pairs of model and "
        f"arrangement, and more for {more or 'none'}"
    )


def _paint(canvas: Canvas, study: "ProtectStudy", data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    models = shown_models(study.protection.models)
    arrangements = list(dict.fromkeys(data["arrangement"]))
    windows = _windows(data)
    keys = [
        Patch(fc=ONE, ec=INK, lw=0.4, label="cover-1"),
        Patch(fc=TWO, ec=INK, lw=0.4, label="cover-2"),
        *(Line2D([], [], ls="", marker=MARKERS[i], ms=4, mfc="white", mec=INK, mew=0.7, label=name)
          for i, name in enumerate(windows)),
    ]  # fmt: skip
    sheet, panels = row_panels(
        canvas, models, arrangements, keys=0.17 * -(-len(keys) // COLUMNS) + 0.06
    )
    sheet.legend(keys, top=0.0, columns=COLUMNS, left=0.1)
    keys_of = zip(data["model"], data["arrangement"], data["cover"], strict=True)
    table = dict(zip(keys_of, data.to_dict("records"), strict=True))
    for model, axes in panels.items():
        for place, arrangement in enumerate(arrangements):
            one, two = (table[model, arrangement, count] for count in (1, 2))
            axes.barh(place, two["size"] / MILLION, height=0.7, color=TWO, edgecolor=INK,
                      linewidth=0.4)  # fmt: skip
            axes.barh(place, one["size"] / MILLION, height=0.36, color=ONE, edgecolor=INK,
                      linewidth=0.4)  # fmt: skip
            axes.plot([two["low"] / MILLION, two["size"] / MILLION], [place, place], color=INK,
                      lw=1.0, marker="|", ms=6, zorder=4)  # fmt: skip
            for i, name in enumerate(windows):
                axes.plot(two[name] / MILLION, place, ls="", marker=MARKERS[i], ms=4, mfc="white",
                          mec=INK, mew=0.7, zorder=5)  # fmt: skip
        axes.set_xlabel("USD m")
    most = max(axes.get_xlim()[1] for axes in panels.values())
    for axes in panels.values():
        axes.set_xlim(0, most)
    return next(iter(panels.values()))
