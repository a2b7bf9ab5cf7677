"""How large a figure is set: as it was drawn; one that is too tall has a page of its own."""

import re
from dataclasses import dataclass
from pathlib import Path

from backtest.present.document.layout import ROOM
from backtest.types import ResultsError

TALL = 590.0  # points; with its caption a taller one does not fit beside a page's margins
TALLEST = 690.0  # points, on a page of its own with narrow margins: 8-point type keeps its size
NARROW = 0.3  # inches of those margins, above and below
SIZE = re.compile(rb'\b(width|height)="([0-9.]+)pt"')


@dataclass(frozen=True)
class Place:
    """Points of a figure as it is set, and whether it has a page of its own."""

    width: float
    height: float
    own_page: bool


def place_of(drawing: Path) -> Place:
    """The place of an SVG, 6.5 inches wide where its height allows that.

    Raises
    ------
    ResultsError : the file cannot be read, or has no size in points.
    """
    try:
        head = drawing.read_bytes()[:2000].partition(b">")[0]
        size = {name: float(value) for name, value in SIZE.findall(head)}
        height = ROOM * size[b"height"] / size[b"width"]
    except (OSError, KeyError, ValueError, ZeroDivisionError) as error:
        raise ResultsError(f"{drawing.name} is no drawing with a size in points.") from error
    if height <= TALL:
        return Place(ROOM, height, own_page=False)
    shrink = min(1.0, TALLEST / height)
    return Place(ROOM * shrink, height * shrink, own_page=True)
