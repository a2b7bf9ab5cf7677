"""Figure: when losses exceeded requirements, and by how much, beside the days of stress."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.market.episodes import stress_days
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import label_of
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import FAINT, INK, ModelStyle, model_styles
from backtest.replay.study import Study
from backtest.studies.run.figures.footnote import footnote, selection_note, shown_portfolios

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANE, GAP = 0.105, 0.13  # inches: one model of one book, and the space between books
LARGEST = 2.0  # excess / required beyond which marks grow no further
CLUSTER = 31  # calendar days: stress days closer than that share a label
KEY = (0.1, 0.5, 2.0)  # excess / required shown in the key


def stress_days_of(study: Study) -> pd.DatetimeIndex:
    """The scored stress days that the study's prices hold: none on a simulated path.

    The sample holds them although it is simulated, because they are laid over it.
    """
    source = study.provenance.prices.source
    held = not study.simulated or "stress days of" in source
    return stress_days().intersection(study.scored) if held else stress_days()[:0]


def exceedance_timeline(study: Study) -> Figure:
    """A lane a (portfolio, model) with a mark on each exceedance; days of stress as lines.

    A row an exceedance: date t, portfolio, model, loss, required (USD), excess / required.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long both"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR()})
    >>> figure = exceedance_timeline(study)
    >>> len(figure.data) - int(study.summary()["exceedances"].sum())
    0
    >>> [label.get_text() for label in figure.draw().get_yticklabels()]
    ['long both']
    """
    data = _data(study)
    return Figure(
        name="exceedance_timeline",
        data=data,
        caption=_caption(study, data),
        paint=lambda canvas: _paint(canvas, study, data),
        simulated=study.simulated,
    )


def _data(study: Study) -> pd.DataFrame:
    days, pieces = study.scored, []
    shown = _shown(study)
    for portfolio in shown:
        for model in study.models:
            loss = study.loss.loc[days, portfolio].to_numpy()
            required = study.required[model].loc[days, portfolio].to_numpy()
            out = loss > required
            # A requirement of zero has no relative excess: it is kept as infinite, so that the
            # exceedance is still drawn, at the largest mark.
            relative = np.full(int(out.sum()), np.inf)
            positive = required[out] > 0
            relative[positive] = loss[out][positive] / required[out][positive] - 1.0
            pieces.append(
                pd.DataFrame(
                    {
                        "date": days[out],
                        "portfolio": portfolio,
                        "model": model,
                        "loss": loss[out],
                        "required": required[out],
                        "excess_over_required": relative,
                    }
                )
            )
    return pd.concat(pieces, ignore_index=True)


def _shown(study: Study) -> list[str]:
    """The books with the most exceedances of all models together."""
    by_book = study.scores["exceedances"].groupby(level="portfolio", sort=False).sum()
    return shown_portfolios(by_book)


def _caption(study: Study, data: pd.DataFrame) -> Caption:
    shown = _shown(study)
    left_out = selection_note(len(shown), study.loss.columns, "exceedances of all models")
    note = (
        f"{left_out}A mark on day t: the loss over the MPOR that follows t is above what was "
        "required at t; its area grows with the excess. Losses overlap, so one move can mark "
        "several days. Dotted lines: days of stress"
    )
    if study.simulated:
        note += ", laid over the simulated market as they happened"
    counts = data.groupby("model", sort=False).size().reindex(study.models, fill_value=0)
    worst = data[np.isfinite(data["excess_over_required"])]
    text = f"{len(shown)} books by {len(study.models)} models; exceedances by model: " + ", ".join(
        f"{model} {count}" for model, count in counts.items()
    )
    if len(worst):
        top = worst.loc[worst["excess_over_required"].idxmax()]
        text += (
            f". The largest excess is {100 * top['excess_over_required']:.0f} % of the "
            f"requirement: {top['portfolio']}, {top['model']}, {top['date']:%Y-%m-%d}"
        )
    return Caption(
        "Days on which the loss over the MPOR exceeded the requirement",
        footnote(study, note + "."),
        f"Timeline of exceedances. {text}.",
    )


def _paint(canvas: Canvas, study: Study, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    styles = model_styles(study.models)
    shown = _shown(study)
    group = max(LANE * len(styles), 0.28) + GAP
    height = group * len(shown)
    keys = legend_height(len(styles)) + 0.19
    marked = _clusters(stress_days_of(study), study.scored)
    labels = 0.95 if marked else 0.05
    # The height follows from the number of lanes, so that lanes keep their spacing.
    sheet = canvas(keys + labels + height + 0.3)
    handles = [
        Line2D([], [], ls="", marker=s.marker, color=s.colour, ms=5,
               label=label_of(model, width=30, lines=1))
        for model, s in styles.items()
    ]  # fmt: skip
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=1.75)
    sheet.legend(
        [
            Line2D([], [], ls="", marker="o", mfc="none", mec=INK, ms=float(np.sqrt(_area(k))),
                   label=f"excess {100 * k:.0f} %{' or more' if k == LARGEST else ''}")
            for k in KEY
        ],
        top=legend_height(len(styles)) - 0.04, columns=3, left=1.75,
    )  # fmt: skip
    axes = sheet.panel(left=1.75, right=0.3, top=keys + labels, height=height)
    _draw_lanes(axes, data, styles, shown, group)
    for first, label in marked:
        axes.annotate(
            label, (first, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
            textcoords="offset points", rotation=90, ha="center", va="bottom",
            annotation_clip=False,
        )  # fmt: skip
    for day in stress_days_of(study):
        axes.axvline(_number(day), color=FAINT, lw=0.7, ls=(0, (1, 2)), zorder=1)
    axes.set_xlim(_number(study.scored[0]), _number(study.scored[-1]))
    return axes


def _number(day: pd.Timestamp) -> float:
    """Where matplotlib's date axis puts a day: days since 1970."""
    return (day - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)


def _area(relative: float) -> float:
    """Area of a mark, points squared."""
    return 5.0 + 24.0 * min(relative, LARGEST)


def _draw_lanes(
    axes: "Axes",
    data: pd.DataFrame,
    styles: dict[str, ModelStyle],
    shown: list[str],
    group: float,
) -> None:
    lane = (group - GAP) / len(styles)
    for p, portfolio in enumerate(shown):
        for m, (model, style) in enumerate(styles.items()):
            marks = data[(data["portfolio"] == portfolio) & (data["model"] == model)]
            y = p * group + GAP / 2 + (m + 0.5) * lane
            axes.axhline(y, color="#eeeeee", lw=0.5, zorder=0)
            axes.scatter(
                marks["date"], np.full(len(marks), y), marker=style.marker, facecolors=style.colour,
                s=[_area(x) for x in marks["excess_over_required"]], edgecolors="white",
                linewidths=0.25, alpha=0.85, clip_on=False, zorder=3,
            )  # fmt: skip
        if p:
            axes.axhline(p * group, color="#bbbbbb", lw=0.6, zorder=1)
    axes.set_ylim(len(shown) * group, 0)
    axes.set_yticks(
        [(p + 0.5) * group for p in range(len(shown))],
        [label_of(name, width=25) for name in shown],
        linespacing=1.0,
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _clusters(days: pd.DatetimeIndex, scored: pd.DatetimeIndex) -> list[tuple[pd.Timestamp, str]]:
    """Labels of stress days within the scored window; neighbours share one, at their middle."""
    inside = days.intersection(scored).sort_values()
    groups: list[list[pd.Timestamp]] = []
    for day in inside:
        if groups and (day - groups[-1][-1]).days <= CLUSTER:
            groups[-1].append(day)
        else:
            groups.append([day])
    return [
        (
            group[0] + (group[-1] - group[0]) / 2,
            f"{group[0]:%Y-%m-%d}" + (f" to {group[-1]:%d}" if len(group) > 1 else ""),
        )
        for group in groups
    ]
