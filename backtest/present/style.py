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
LINES: tuple[Any, ...] = (
    *("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))),
    *((0, (9, 2)), (0, (8, 2, 3, 2))),
)
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "---", "|||")
# Places in `COLOURS`, and in `MARKERS`, `LINES` and `HATCHES`, of models that keep their looks in
# every study; by the names of the packaged studies, and by kind. Models that grant a reduction
# have no colour of OFFSET or TOTAL, beside which they are drawn.
KEPT = {
    **dict.fromkeys(("siloed",), (0, 0)),
    **dict.fromkeys(("haircut", "haircut_only"), (1, 1)),
    **dict.fromkeys(("offset", "correlation_offset"), (2, 2)),
    **dict.fromkeys(("var", "historical_var"), (3, 3)),
    **dict.fromkeys(("cross", "cross_margining"), (5, 4)),
    **dict.fromkeys(("published",), (4, 5)),
    **dict.fromkeys(("cross_ficc",), (1, 7)),
}
SHIFT = 3  # of the marks of other models, so that these are none with the colour that keeps them
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
    """How one model is drawn in every figure."""

    colour: str
    marker: str
    line: Any
    hatch: str


def model_styles(models: Sequence[str]) -> dict[str, ModelStyle]:
    """Colour, marker, line and hatch of each model, no two alike.

    A model with a name of `KEPT` looks the same in every study, whichever models stand beside it.
    Others take, in the order of the study, looks that no model there has.

    Examples
    --------
    >>> model_styles(["siloed", "var"])["var"] == model_styles(["fhs", "var", "offset"])["var"]
    True
    """
    places: dict[str, tuple[int, int]] = {}
    for model in models:
        kept = KEPT.get(model.strip().lower())
        if kept is not None and kept not in places.values():
            places[model] = kept
    for model in models:
        if model not in places:
            places[model] = _free(list(places.values()))
    return {model: _style(*places[model]) for model in models}


def _free(taken: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Places of a colour and a mark that are both free; of a mark alone; of a pair that is."""
    count = len(COLOURS) * len(MARKERS)  # pairs, each met once: the two numbers share no factor
    pairs = [(i % len(COLOURS), (i + SHIFT) % len(MARKERS)) for i in range(count)]
    colours, marks = {colour for colour, _ in taken}, {mark for _, mark in taken}
    others = [pair for pair in pairs if pair not in taken] or pairs
    new_marks = [pair for pair in others if pair[1] not in marks] or others
    return next((pair for pair in new_marks if pair[0] not in colours), new_marks[0])


def _style(colour: int, mark: int) -> ModelStyle:
    return ModelStyle(COLOURS[colour], MARKERS[mark], LINES[mark], HATCHES[mark])


def settings() -> AbstractContextManager[None]:
    """Our settings over matplotlib's own defaults, for the length of a `with` block only."""
    from matplotlib import style

    return style.context(["default", SETTINGS])  # type: ignore[no-any-return, unused-ignore]
