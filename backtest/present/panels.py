"""Panels of a figure: a book each, two in a row, under one legend; and panels through time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.market.episodes import stress_days
from backtest.present.labels import fitted_label
from backtest.present.sheet import LINE, WIDTH, Caption, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
PANEL = 1.65  # inches, as below
LEFT, RIGHT, GAP = 0.72, 0.15, 0.25
STRESS = "#b5b5b5"


def book_panels(
    caption: Caption, titles: Mapping[str, str], *, keys: float, below: float, simulated: bool
) -> tuple[Sheet, dict[str, "Axes"]]:
    """A sheet with a panel a book under its title, below `keys` inches that are left for a legend.

    below : inches under each panel, for its axis. All share the vertical axis.
    """
    wide = min(COLUMNS, len(titles))
    width = (WIDTH - LEFT - RIGHT - GAP * (wide - 1)) / wide
    words = {
        book: "\n".join(fitted_label(line, room=width, lines=2) for line in title.splitlines())
        for book, title in titles.items()
    }
    above = LINE * max(text.count("\n") + 1 for text in words.values()) + 0.1
    deep = -(-len(titles) // COLUMNS)
    sheet = Sheet(caption, room=keys + deep * (above + PANEL + below), simulated=simulated)
    panels: dict[str, Axes] = {}
    for place, book in enumerate(titles):
        row, column = divmod(place, COLUMNS)
        left = LEFT + column * (width + GAP)
        axes = sheet.panel(
            left=left, right=WIDTH - left - width, height=PANEL,
            top=keys + row * (above + PANEL + below) + above,
            sharey=next(iter(panels.values()), None),
        )  # fmt: skip
        axes.set_title(words[book], loc="left", linespacing=1.0, pad=4)
        axes.tick_params(labelleft=column == 0)
        axes.grid(visible=True, axis="y")
        panels[book] = axes
    return sheet, panels


def label_rows(panels: Mapping[str, "Axes"], label: str) -> None:
    """Name the vertical axis at the first panel of each row."""
    for axes in list(panels.values())[::COLUMNS]:
        axes.set_ylabel(label, linespacing=1.15)


def stress_days_among(dates: "pd.Series[Any]") -> pd.DatetimeIndex:
    """The marked days of stress that lie within some dates."""
    days = stress_days()
    return days[np.asarray((days >= dates.min()) & (days <= dates.max()))]


def stress_words(dates: "pd.Series[Any]", *, simulated: bool) -> str:
    """What a footnote says of the days of stress; empty where there are none."""
    marked = stress_days_among(dates)
    if not len(marked):
        return ""
    months = ", ".join(dict.fromkeys(f"{day:%B %Y}" for day in marked))
    laid = ", laid over the simulated market as they happened" if simulated else ""
    return f". Vertical lines: days of stress ({months}){laid}"


def draw_time_axis(axes: "Axes", dates: "pd.Series[Any]") -> None:
    """Years along the bottom, and a line at each day of stress."""
    from matplotlib.dates import DateFormatter, YearLocator, date2num

    for day in stress_days_among(dates):
        axes.axvline(date2num(day), color=STRESS, lw=0.8, zorder=3)  # type: ignore[no-untyped-call]
    axes.set_xlim(dates.min(), dates.max())
    years = (dates.max() - dates.min()).days / 365.25
    axes.xaxis.set_major_locator(YearLocator(2 if years > 6 else 1))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%Y"))  # type: ignore[no-untyped-call]
