"""Panels through time: years along the bottom, and the days of stress."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.market.episodes import stress_days

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

STRESS = "#b5b5b5"


def stress_days_among(dates: "pd.Series[Any]") -> pd.DatetimeIndex:
    """Stress days within the given dates."""
    days = stress_days()
    return days[np.asarray((days >= dates.min()) & (days <= dates.max()))]


def stress_words(dates: "pd.Series[Any]", *, simulated: bool) -> str:
    """Footnote sentence on the stress days; empty where there are none."""
    days = stress_days_among(dates)
    if not len(days):
        return ""
    months = ", ".join(dict.fromkeys(f"{day:%B %Y}" for day in days))
    laid = ", laid over the simulated market as they happened" if simulated else ""
    return f". Vertical lines: days of stress ({months}){laid}"


def stress_key(dates: "pd.Series[Any]") -> list["Line2D"]:
    """Entry of a legend for the stress days; none where there are none."""
    from matplotlib.lines import Line2D

    line = Line2D([], [], color=STRESS, lw=0.8, label="day of stress")
    return [line] if len(stress_days_among(dates)) else []


def draw_time_axis(axes: "Axes", dates: "pd.Series[Any]") -> None:
    """Years along the bottom, and a line at each day of stress."""
    from matplotlib.dates import DateFormatter, YearLocator, date2num

    for day in stress_days_among(dates):
        axes.axvline(date2num(day), color=STRESS, lw=0.8, zorder=3)  # type: ignore[no-untyped-call]
    axes.set_xlim(dates.min(), dates.max())
    years = (dates.max() - dates.min()).days / 365.25
    axes.xaxis.set_major_locator(YearLocator(2 if years > 6 else 1))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%Y"))  # type: ignore[no-untyped-call]
