"""A figure: its numbers and its words first, then its drawing, on a sheet or in a user's Axes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from backtest.present.csv_table import write_csv
from backtest.present.inset import Inset
from backtest.present.press import Drawn, Press, files_of
from backtest.present.sheet import Caption, Sheet
from backtest.present.style import settings
from backtest.types import Progress, ResultsError, counted, unheard

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWING = "drawing"
Canvas = Callable[[float], Sheet | Inset]  # height of the content in inches -> where to draw it
Paint = Callable[[Canvas], "Axes"]


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure before it is drawn.

    Parameters
    ----------
    name : stem of its files.
    data : the numbers it shows, at full precision.
    caption : title, footnote and alternative text.
    paint : draws the numbers on a canvas; returns the first panel.
    simulated : True where any level is not real history; the drawing and the table then say so.
    """

    name: str
    data: pd.DataFrame
    caption: Caption
    paint: Paint
    simulated: bool

    def draw(self, ax: "Axes | None" = None) -> "Axes":
        """Draw on a sheet of its own, 6.5 inches wide, or in the place of a user's Axes.

        ax : Axes to draw in; None makes a sheet with title and footnote. In Axes there is no
            footnote, type keeps its 8 points, and other panels and legends take a part of the
            Axes' place: about 6.5 inches of width hold them all.

        Returns
        -------
        The first panel's Axes, `ax` where it was given; `.figure` is the whole drawing.
        """
        with settings():
            if ax is None:
                return self.paint(
                    lambda room: Sheet(self.caption, room=room, simulated=self.simulated)
                )
            place = Inset(ax)
            self.paint(place.of_height)
            place.finish(self.caption, simulated=self.simulated)
        return ax


def write_figures(
    folder: str | Path,
    figures: Iterable[Figure],
    *,
    press: Press | None = None,
    progress: Progress = unheard,
) -> None:
    """Write each figure as SVG, PDF and PNG, and its table as CSV under the same name.

    folder : created where it is missing. The tables get a column 'simulated'.
    press : a process that takes a part of the files; this one alone writes them otherwise.
    progress : told of the stage 'drawing'.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    target, each = Path(folder), list(figures)

    def drawings() -> Iterator[Drawn]:
        for figure in counted(progress, DRAWING, each, len(each), since=0.1):
            write_csv(
                figure.data.assign(simulated=figure.simulated),
                target / f"{figure.name}.csv",
                index=figure.data.index.name is not None,
                float_format="%.10g",
            )
            yield figure.name, figure.draw().figure, figure.caption  # type: ignore[misc]

    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files_of(drawings(), press):
            (target / name).write_bytes(content)
    except OSError as error:
        reason = error.strerror or error
        raise ResultsError(f"cannot write figures to {str(target)!r}: {reason}.") from error
