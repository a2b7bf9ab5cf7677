"""What all figures share: width, type size, colours that survive greyscale, title and footnote."""

import textwrap
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 6.5  # inches: the text width of a letter page
FONT = "DejaVu Sans"  # comes with matplotlib: the same metrics everywhere
POINTS = 8.0  # smallest type
TITLE_POINTS = 9.0
MARGIN = 0.08  # inches
LINE = 0.145  # inches a line of 8-point type
INK, FAINT = "#222222", "#8a8a8a"
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

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Caption:
    """Words of a figure.

    Parameters
    ----------
    title : states the measure. footnote : source, window, n, standard, models.
    alt : what a reader who cannot see the figure should know.
    """

    title: str
    footnote: str
    alt: str


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


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a drawing function run under `settings`; the caller's matplotlib is left as it was."""

    @wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with settings():
            return draw(*args, **kwargs)

    return wrapped


class Sheet:
    """A figure with its title above, its footnote below, and panels placed in inches between.

    Parameters
    ----------
    caption : title and footnote to print. room : height of what lies between them, inches.
    simulated : print SIMULATED over the title and across the figure.
    """

    def __init__(self, caption: Caption, *, room: float, simulated: bool) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        title = folded(
            ("SIMULATED. " if simulated else "") + caption.title, size=TITLE_POINTS, weight="bold"
        )
        notes = folded(caption.footnote, size=POINTS)
        above = MARGIN + 0.17 * len(title.splitlines()) + 0.06
        below = MARGIN + LINE * len(notes.splitlines()) + 0.06
        self.height = above + room + below
        self.bottom = below
        self.room = room
        self.figure: Figure = Figure(figsize=(WIDTH, self.height))
        FigureCanvasAgg(self.figure)
        place = MARGIN / WIDTH
        self.figure.text(
            place, 1 - MARGIN / self.height, title, va="top", weight="bold", size=TITLE_POINTS,
            color=INK,
        )  # fmt: skip
        self.figure.text(
            place, MARGIN / self.height, notes, va="bottom", color="#444444", linespacing=1.25
        )
        if simulated:
            self.figure.text(
                0.5, (below + room / 2) / self.height, "SIMULATED", size=58, weight="bold",
                rotation=24, ha="center", va="center", color="#000000", alpha=0.13, zorder=10,
                gid="watermark",
            )  # fmt: skip

    def panel(
        self,
        *,
        left: float,
        right: float,
        top: float,
        height: float,
        sharey: "Axes | None" = None,
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
            frameon=False,
            borderaxespad=0.0,
            borderpad=0.0,
            columnspacing=1.4,
            handletextpad=0.5,
            handlelength=2.4,
        )


def folded(text: str, *, size: float, weight: str = "normal") -> str:
    """Break text into lines that fit the sheet, by the measure of its type.

    Examples
    --------
    >>> folded("one two", size=8.0)
    'one two'
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    face = FontProperties(family=FONT, size=size, weight=weight)
    room = HINTED * 72.0 * (WIDTH - 2 * MARGIN)

    def fits(line: str) -> bool:
        return text_to_path.get_text_width_height_descent(line, face, ismath=False)[0] <= room

    lines = [""]
    for word in text.split():
        grown = f"{lines[-1]} {word}".strip()
        if fits(grown):
            lines[-1] = grown
            continue
        pieces = [word] if fits(word) else textwrap.wrap(word, LONGEST_WORD)
        lines += pieces if lines[-1] else []
        if not lines[0]:
            lines = pieces
    return "\n".join(lines)


LEGEND_COLUMNS = 4
HINTED = 0.95  # on a screen, type is rounded to whole pixels and runs wider than its measure
LONGEST_WORD = 60  # characters of a word that no line holds, such as a path


def legend_height(entries: int) -> float:
    """Inches that a legend of so many entries takes, four in a row."""
    return 0.17 * -(-entries // LEGEND_COLUMNS) + 0.06


def label_of(name: str, *, width: int = 24, lines: int = 2) -> str:
    r"""Break a name into lines of at most `width` characters, shortened where it is too long.

    matplotlib drops legend labels that begin with an underscore; a leading space keeps them.

    Examples
    --------
    >>> label_of("long BTC, long 10Y, risk-matched")
    'long BTC, long 10Y,\nrisk-matched'
    """
    folded = textwrap.wrap(
        name, width, max_lines=lines, placeholder=" …", break_on_hyphens=False
    ) or [name]
    text = "\n".join(folded)
    return f" {text}" if text.startswith("_") else text
