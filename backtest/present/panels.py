"""Panels of a figure in rows of equal size, and panels of a book each, two in a row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
APART = 0.5  # inches between panels with numbers of their own


@dataclass(frozen=True)
class Column:
    """Place of a column of panels: inches from the left and right edges of a sheet, and width."""

    left: float
    right: float
    width: float


def columns_of(count: int, *, left: float, right: float, gap: float) -> list[Column]:
    """Columns of equal width between two margins, `gap` inches apart.

    Examples
    --------
    >>> [column.left for column in columns_of(2, left=1.0, right=0.5, gap=1.0)]
    [1.0, 4.0]
    """
    width = (WIDTH - left - right - gap * (count - 1)) / count
    edges = [left + place * (width + gap) for place in range(count)]
    return [Column(edge, WIDTH - edge - width, width) for edge in edges]


@dataclass(frozen=True, kw_only=True)
class PanelGrid:
    """Panels of equal size in rows, in inches.

    Parameters
    ----------
    columns : panels in a row. left, right : between the panels and the edges of the sheet.
    gap : between two panels of a row. height : of a panel.
    above, below : room over each panel for its title, and under it for its axis.
    """

    columns: int = 1
    left: float
    right: float
    gap: float = 0.0
    height: float
    above: float = 0.0
    below: float

    @property
    def places(self) -> list[Column]:
        """The columns, from the left."""
        return columns_of(self.columns, left=self.left, right=self.right, gap=self.gap)

    def panels(
        self, canvas: Canvas, count: int, *, keys: float, end: float = 0.0, share: bool = True
    ) -> "tuple[Sheet | Inset, list[Axes]]":
        """A sheet with `count` panels, row by row.

        keys : inches over the first row, for a legend. end : under the last row.
        share : True where all panels have one vertical axis, so that their heights compare.
        """
        places, pitch = self.places, self.above + self.height + self.below
        sheet = canvas(keys + -(-count // self.columns) * pitch + end)
        panels: list[Axes] = []
        for place in range(count):
            row, column = divmod(place, self.columns)
            axes = sheet.panel(
                left=places[column].left, right=places[column].right,
                top=keys + row * pitch + self.above, height=self.height,
                sharey=panels[0] if share and panels else None,
            )  # fmt: skip
            axes.tick_params(labelleft=column == 0 or not share)
            panels.append(axes)
        return sheet, panels


def book_panels(
    canvas: Canvas,
    titles: Mapping[str, str],
    *,
    keys: float,
    below: float,
    share: bool = True,
    over: float = 0.0,
) -> "tuple[Sheet | Inset, dict[str, Axes]]":
    """A panel a book under its title, below `keys` inches that are left for a legend.

    below : inches under each panel, for its axis. share : True where all have one vertical axis.
    over : inches between a panel and its title, for labels.
    """
    grid = PanelGrid(
        columns=min(COLUMNS, len(titles)),
        left=LEFT, right=RIGHT, gap=GAP if share else APART, height=PANEL, below=below,
    )  # fmt: skip
    room = grid.places[0].width
    words = [
        "\n".join(fitted_label(line, room=room, lines=2) for line in title.splitlines())
        for title in titles.values()
    ]
    above = LINE * max(text.count("\n") + 1 for text in words) + 0.1 + over
    sheet, panels = replace(grid, above=above).panels(canvas, len(titles), keys=keys, share=share)
    for axes, text in zip(panels, words, strict=True):
        axes.set_title(text, loc="left", linespacing=1.0, pad=4 + 72 * over)
        axes.grid(visible=True, axis="y")
    return sheet, dict(zip(titles, panels, strict=True))


def panel_width(count: int) -> float:
    """Inches of a panel of `book_panels` that share one vertical axis.

    Examples
    --------
    >>> round(panel_width(4), 2), round(panel_width(1), 2)
    (2.69, 5.63)
    """
    return columns_of(min(COLUMNS, count), left=LEFT, right=RIGHT, gap=GAP)[0].width


def label_rows(panels: Mapping[str, "Axes"], label: str) -> None:
    """Name the vertical axis at the first panel of each row."""
    for axes in list(panels.values())[::COLUMNS]:
        axes.set_ylabel(label, linespacing=1.15)
