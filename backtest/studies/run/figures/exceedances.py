"""Figure: when losses exceeded requirements, and by how much, beside the days of stress."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.market.episodes import REMEMBERED
from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import label_of
from backtest.present.marks import model_keys
from backtest.present.placing import apart
from backtest.present.sheet import LEGEND_COLUMNS, WIDTH, Caption, legend_height
from backtest.present.style import FAINT, INK, ModelStyle, model_styles
from backtest.replay.figures.through_time import stress_days_of
from backtest.replay.study import Study
from backtest.studies.run.figures.findings import exceedances_finding
from backtest.studies.run.figures.footnote import footnote, selection_note, shown_portfolios

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANE, GAP = 0.105, 0.13  # inches: one model of one book, and the space between books
LEFT, RIGHT = 1.75, 0.3  # inches, for the names of books, and right of the lanes
UPRIGHT = 0.16  # inches between labels that stand upright
LARGEST = 2.0  # excess / required beyond which marks grow no further
KEY = (0.1, 0.5, 2.0)  # excess / required shown in the key


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
    days, books, pieces = study.scored, list(shown_portfolios(study)), []
    # Of many books a frame is read from a file each time it is asked for.
    requirements = {model: study.required[model].loc[days, books] for model in study.models}
    for portfolio in books:
        loss = study.loss.loc[days, portfolio].to_numpy()
        for model, frame in requirements.items():
            required = frame[portfolio].to_numpy()
            out = loss > required
            table = pd.DataFrame({"date": days[out], "portfolio": portfolio, "model": model})
            pieces.append(table.assign(loss=loss[out], required=required[out]))
    data = pd.concat(pieces, ignore_index=True)
    # A requirement of zero has no relative excess: it is kept as infinite, so that the
    # exceedance is still drawn, at the largest mark.
    relative = (data["loss"] / data["required"] - 1.0).where(data["required"] > 0, np.inf)
    return data.assign(excess_over_required=relative)


def _caption(study: Study, data: pd.DataFrame) -> Caption:
    books = shown_portfolios(study)
    selection = selection_note(len(books), study.loss.columns)
    note = (
        f"{selection}A mark on day t: the loss over the MPOR that follows t is above what was "
        "required at t; its area grows with the excess. Losses overlap, so one move can mark "
        "several days. Dotted lines: days of stress"
    )
    if study.simulated:
        note += ", laid over the simulated market as they happened"
    counts = data.groupby("model", sort=False).size().reindex(study.models, fill_value=0)
    text = f"{len(books)} books by {len(study.models)} models; exceedances by model: " + ", ".join(
        f"{model} {count}" for model, count in counts.items()
    )
    finite = data[np.isfinite(data["excess_over_required"])]
    if len(finite):
        top = finite.loc[finite["excess_over_required"].idxmax()]
        text += (
            f". The largest excess is {100 * top['excess_over_required']:.0f} % of the "
            f"requirement: {top['portfolio']}, {top['model']}, {top['date']:%Y-%m-%d}"
        )
    return Caption.of(
        exceedances_finding(data, study.scored),
        measure="Days on which the loss over the MPOR exceeded the requirement",
        footnote=footnote(study, note + "."),
        alt=f"Timeline of exceedances. {text}.",
    )


def _paint(canvas: Canvas, study: Study, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    styles = model_styles(study.models)
    books = shown_portfolios(study)
    group = max(LANE * len(styles), 0.28) + GAP
    height = group * len(books)
    keys = legend_height(len(styles)) + 0.19
    stress = stress_days_of(study)
    labels = _stress_labels(stress)
    above = 1.75 if labels else 0.05  # labels of stress days stand upright over the lanes
    # The height follows from the number of lanes, so that lanes keep their spacing.
    sheet = canvas(keys + above + height + 0.3)
    sheet.legend(model_keys(styles, ms=5), top=0.0, columns=LEGEND_COLUMNS, left=LEFT)
    sheet.legend(
        [
            Line2D([], [], ls="", marker="o", mfc="none", mec=INK, ms=float(np.sqrt(_area(k))),
                   label=f"excess {100 * k:.0f} %{' or more' if k == LARGEST else ''}")
            for k in KEY
        ],
        top=legend_height(len(styles)) - 0.04, columns=3, left=LEFT,
    )  # fmt: skip
    axes = sheet.panel(left=LEFT, right=RIGHT, top=keys + above, height=height)
    _draw_lanes(axes, data, styles, books, group)
    first, last = _number(study.scored[0]), _number(study.scored[-1])
    aside = 0.5 if first == last else 0.0  # an axis needs some width around a single day
    axes.set_xlim(first - aside, last + aside)
    width = WIDTH - LEFT - RIGHT
    inch = (last - first + 2 * aside) / width
    places = apart([(_number(day) - first + aside) / inch for day, _ in labels], least=UPRIGHT)
    for place, (middle, label) in zip(places, labels, strict=True):
        at = _number(middle)
        moved = 72 * (place - (at - first + aside) / inch)
        line = {"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(
            label, (at, 1.0), xycoords=("data", "axes fraction"), xytext=(moved, 9),
            textcoords="offset points", rotation=90, ha="center", va="bottom",
            annotation_clip=False, arrowprops=line if abs(moved) > 1.0 else None,
        )  # fmt: skip
    for day in stress:
        axes.axvline(_number(day), color=FAINT, lw=0.7, ls=(0, (1, 2)), zorder=1)
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
    books: list[str],
    group: float,
) -> None:
    """Lanes from the top down, in inches; `group` is the height of all lanes of one book."""
    lane = (group - GAP) / len(styles)
    for p, portfolio in enumerate(books):
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
    axes.set_ylim(len(books) * group, 0)
    axes.set_yticks(
        [(p + 0.5) * group for p in range(len(books))],
        [label_of(name, width=25) for name in books],
        linespacing=1.0,
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _stress_labels(days: pd.DatetimeIndex) -> list[tuple[pd.Timestamp, str]]:
    """Labels of stress days, one a month at its middle: the month and what it is remembered for."""
    labels = []
    for month in days.to_period("M").unique().sort_values():
        group = days[days.to_period("M") == month]
        name = f"{month:%B %Y}"
        text = f"{name}: {REMEMBERED[name]}" if name in REMEMBERED else name
        labels.append((group[0] + (group[-1] - group[0]) / 2, text))
    return labels
