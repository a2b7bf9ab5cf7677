"""Panels through time: years along the bottom, and the days of stress."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.market.episodes import stress_days

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from backtest.replay.study import Study

STRESS = "#b5b5b5"
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
