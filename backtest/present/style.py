"""How every figure looks: type size, and colours, marks and lines that survive greyscale."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from backtest.present.lettering import FONT, POINTS

INK, SOFT, FAINT = "#222222", "#444444", "#8a8a8a"
# Okabe, M. & Ito, K. (2008). Color Universal Design. Yellow is left out: too faint on paper.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
HATCHES = ("", "///", "...", "xxx", "\\\\\\")
DIVERSIFICATION, OFFSET, TOTAL = "#56B4E9", "#D55E00", "#000000"

SETTINGS = {
    "font.family": FONT,
    "font.size": POINTS,
    "axes.labelsize": POINTS,
    "axes.titlesize": POINTS,
    "xtick.labelsize": POINTS,
    "ytick.labelsize": POINTS,
    "legend.fontsize": POINTS,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.4,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # a dollar sign in a book's name is a dollar sign
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class ModelStyle:
    """How one model is drawn in every figure of a study."""

    colour: str
    marker: str
    line: Any
    hatch: str


def model_styles(models: Sequence[str]) -> dict[str, ModelStyle]:
    """Colour, marker, line and hatch by the model's place in the study.

    Examples
    --------
    >>> styles = model_styles(["siloed", "var"])
    >>> styles["siloed"].colour, styles["var"].line
    ('#0072B2', '--')
    """
    return {
        model: ModelStyle(
            COLOURS[i % len(COLOURS)],
            MARKERS[i % len(MARKERS)],
            LINES[i % len(LINES)],
            HATCHES[i % len(HATCHES)],
        )
        for i, model in enumerate(models)
    }


def settings() -> AbstractContextManager[None]:
    """Our settings over matplotlib's own defaults, for the length of a `with` block only."""
    from matplotlib import style

    return style.context(["default", SETTINGS])  # type: ignore[no-any-return, unused-ignore]
