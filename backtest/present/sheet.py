"""A figure's own sheet: title above, footnote below, and panels placed in inches between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backtest.present.lettering import POINTS, fold_text
from backtest.present.style import INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 6.5  # inches: the text width of a letter page
TITLE_POINTS = 9.0
MARGIN = 0.08  # inches
TEXT = WIDTH - 2 * MARGIN
LINE = 0.145  # inches a line of 8-point type
LEGEND_COLUMNS = 4
FRAMELESS: dict[str, Any] = {
    "frameon": False,
    "borderaxespad": 0.0,
    "borderpad": 0.0,
    "columnspacing": 1.4,
    "handletextpad": 0.5,
    "handlelength": 2.4,
}
WATERMARK: dict[str, Any] = {
    "size": 58,
    "weight": "bold",
    "rotation": 24,
    "ha": "center",
    "va": "center",
    "color": "#000000",
    "alpha": 0.13,
    "zorder": 10,
    "gid": "watermark",
}


@dataclass(frozen=True)
class Caption:
    """Words of a figure.

    Parameters
    ----------
    title : the finding. footnote : source, window, n, standard, models.
    alt : what a reader who cannot see the figure should know.
    measure : what is drawn, in a line under the title; '' where the axes say it.
    """

    title: str
    footnote: str
    alt: str
    measure: str = ""

    @classmethod
    def of(cls, finding: str, *, measure: str, footnote: str, alt: str) -> "Caption":
        """The words of a figure whose title is a finding, with which the alternative text begins.

        Examples
        --------
        >>> Caption.of("B asks less", measure="Margin", footnote="Source.", alt="Bars.").alt
        'B asks less. Bars.'
        """
        return cls(finding, footnote, f"{finding}. {alt}", measure)

    def heading(self, simulated: bool) -> str:
        """The title; for simulated prices it begins with that word."""
        return f"SIMULATED. {self.title}" if simulated else self.title


def legend_height(entries: int) -> float:
    """Inches that a legend of so many entries takes, four in a row."""
    return 0.17 * -(-entries // LEGEND_COLUMNS) + 0.06


class Sheet:
    """A figure with its title above, its footnote below, and panels placed in inches between.

    Parameters
    ----------
    caption : title and footnote to print. room : height of what lies between them, inches.
    simulated : print SIMULATED over the title and across the figure.
    """

    def __init__(self, caption: Caption, *, room: float, simulated: bool) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from backtest.present.drawing import Drawing

        # The words are folded first: the number of their lines decides how high the sheet is.
        title = fold_text(caption.heading(simulated), room=TEXT, size=TITLE_POINTS, weight="bold")
        measure = fold_text(caption.measure, room=TEXT, size=POINTS)
        notes = fold_text(caption.footnote, room=TEXT, size=POINTS)
        heading = 0.17 * len(title.splitlines())
        above = MARGIN + heading + LINE * len(measure.splitlines()) + 0.08
        below = MARGIN + LINE * len(notes.splitlines()) + 0.06
        self.height = above + room + below
        self.bottom = below
        self.room = room
        self.figure = Drawing(figsize=(WIDTH, self.height))
        FigureCanvasAgg(self.figure)
        place = MARGIN / WIDTH
        self.figure.text(
            place, 1 - MARGIN / self.height, title, va="top", weight="bold", size=TITLE_POINTS,
            color=INK,
        )  # fmt: skip
        self.figure.text(
            place, 1 - (MARGIN + heading + 0.02) / self.height, measure, va="top",
            color=SOFT, linespacing=1.25,
        )  # fmt: skip
        self.figure.text(
            place, MARGIN / self.height, notes, va="bottom", color=SOFT, linespacing=1.25
        )
        if simulated:
            self.figure.text(0.5, (below + room / 2) / self.height, "SIMULATED", **WATERMARK)

    def panel(
        self, *, left: float, right: float, top: float, height: float, sharey: "Axes | None" = None
    ) -> "Axes":
        """Add Axes `top` inches below the title; `left` and `right` are from the edges."""
        bottom = self.bottom + self.room - top - height
        return self.figure.add_axes(
            (
                left / WIDTH,
                bottom / self.height,
                (WIDTH - left - right) / WIDTH,
                height / self.height,
            ),
            sharey=sharey,
        )

    def legend(self, handles: Sequence[Any], *, top: float, columns: int, left: float) -> None:
        """Draw a frameless legend, its top `top` inches below the title."""
        self.figure.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=(left / WIDTH, (self.bottom + self.room - top) / self.height),
            ncols=columns,
            **FRAMELESS,
        )

    def text(self, words: str, *, middle: float, top: float) -> None:
        """Write a line centred on `middle` inches from the left, `top` inches below the title."""
        self.figure.text(
            middle / WIDTH, (self.bottom + self.room - top) / self.height, words,
            ha="center", va="top",
        )  # fmt: skip
