"""Panels of a figure: a book each, two in a row, under one legend."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backtest.present.figure import Canvas
from backtest.present.inset import Inset
from backtest.present.lettering import fitted_label
from backtest.present.sheet import LINE, WIDTH, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 2
PANEL = 1.65  # inches, as below
LEFT, RIGHT, GAP = 0.72, 0.15, 0.25


def book_panels(
    canvas: Canvas, titles: Mapping[str, str], *, keys: float, below: float
) -> tuple[Sheet | Inset, dict[str, "Axes"]]:
    """A panel a book under its title, below `keys` inches that are left for a legend.

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
    sheet = canvas(keys + deep * (above + PANEL + below))
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
