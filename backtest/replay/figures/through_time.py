"""Panels through time: years along the bottom, and the days of stress."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.market.episodes import stress_days
from backtest.present.style import SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from backtest.replay.study import Study

STRESS = "#b5b5b5"
LABEL, LEVELS, LINE_POINTS = 0.47, 3, 9.0  # inches a label takes, lines of labels, points a line
NAMES = (LEVELS * LINE_POINTS + 2.0) / 72.0  # inches over a panel for the labels
SHORT = 2.0  # years: below this, ticks at new years alone would leave an axis empty


def stress_days_among(dates: "pd.Series[Any]") -> pd.DatetimeIndex:
    """Stress days within the given dates."""
    days = stress_days()
    return days[np.asarray((days >= dates.min()) & (days <= dates.max()))]


def stress_days_of(study: "Study") -> pd.DatetimeIndex:
    """The scored stress days that are in the study's prices: none on a simulated path.

    The sample has them although it is simulated: real moves of those days are laid over it. What
    is in a given table is not known.
    """
    origin = study.provenance
    source = "" if origin.data is None else origin.data.source
    real = not study.simulated or "stress days of" in source
    return stress_days().intersection(study.scored) if real else stress_days()[:0]


def stress_words(days: pd.DatetimeIndex, *, simulated: bool) -> str:
    """Footnote sentence on stress days that are drawn; empty where there are none."""
    if not len(days):
        return ""
    months = ", ".join(dict.fromkeys(f"{day:%B %Y}" for day in days))
    laid = ", laid over the simulated market as they happened" if simulated else ""
    return f". Vertical lines: days of stress ({months}){laid}"


def stress_key(days: pd.DatetimeIndex) -> list["Line2D"]:
    """Entry of a legend for the stress days; none where there are none."""
    from matplotlib.lines import Line2D

    line = Line2D([], [], color=STRESS, lw=0.8, label="day of stress")
    return [line] if len(days) else []


def name_stress_days(
    axes: "Axes", days: pd.DatetimeIndex, *, width: float, lift: float = 2.0
) -> None:
    """Write the month of each day of stress over a panel whose time axis is drawn.

    width : of the panel, inches. lift : points over the panel. Labels that would overlap stand
    on lines over each other, `NAMES` inches in all.
    """
    from matplotlib import dates as time

    start, end = axes.get_xlim()
    ends = [-np.inf] * LEVELS
    for month in days.to_period("M").unique().sort_values():
        of_month = days[days.to_period("M") == month]
        at = float(time.date2num(of_month[0] + (of_month[-1] - of_month[0]) / 2))  # type: ignore[no-untyped-call]
        inches = min((at - start) / (end - start) * width, width - LABEL / 2)
        level = next((k for k in range(LEVELS) if ends[k] + LABEL / 2 <= inches), LEVELS - 1)
        ends[level] = inches + LABEL / 2
        axes.annotate(
            f"{month:%b %y}", (start + inches / width * (end - start), 1.0),
            xycoords=("data", "axes fraction"), xytext=(0, lift + LINE_POINTS * level),
            textcoords="offset points", ha="center", va="bottom", color=SOFT,
            annotation_clip=False,
        )  # fmt: skip


def draw_time_axis(
    axes: "Axes", dates: "pd.Series[Any] | pd.DatetimeIndex", days: pd.DatetimeIndex
) -> None:
    """Years along the bottom, and a line at each of the stress `days`."""
    from matplotlib import dates as time

    for day in days:
        axes.axvline(time.date2num(day), color=STRESS, lw=0.8, zorder=3)  # type: ignore[no-untyped-call]
    first, last = dates.min(), dates.max()
    aside = pd.Timedelta(hours=12 if first == last else 0)  # one day still needs some width
    axes.set_xlim(*time.date2num([first - aside, last + aside]))  # type: ignore[no-untyped-call]
    years = (last - first).days / 365.25
    if years < SHORT:
        ticks = time.AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(ticks)
        axes.xaxis.set_major_formatter(time.ConciseDateFormatter(ticks))  # type: ignore[no-untyped-call]
        return
    axes.xaxis.set_major_locator(time.YearLocator(2 if years > 6 else 1))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(time.DateFormatter("%Y"))  # type: ignore[no-untyped-call]
