"""Figure of one simulator: every fact of the data against the band of its paths."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import MINUS
from backtest.present.panels import columns_of
from backtest.present.sheet import Caption, legend_height
from backtest.present.style import COLOURS
from backtest.simulate.own_facts import LONG_MOVES, MEMORY, MOMENTS, TAILS
from backtest.simulate.pair_facts import CORRELATION, JOINT_TAILS, LEADS
from backtest.studies.simulate.study import WHOLE, Judged, SimulateStudy
from backtest.studies.simulate.words import footnote, simulator_name, whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.165  # inches a fact
LABELS, RIGHT, BELOW = 1.28, 0.12, 0.42  # inches left and right of a panel, and under it
FAR, ARROW = 4.0, 4.3  # half widths of the band from its middle: beyond the first is an arrow
BAND = "#e3e3e3"
SIDES = ((MOMENTS, TAILS, MEMORY, LONG_MOVES), (CORRELATION, JOINT_TAILS, LEADS))
LOOKS = {  # of a factor, or of a pair of them: colour and marker
    "a yield, or two": (COLOURS[0], "o"),
    "a price, or two": (COLOURS[4], "s"),
    "a yield and a price": (COLOURS[2], "^"),
}
SHORT = {  # beginnings of the names of facts, shorter where their family stands above them
    "autocorrelation of ": "", "correlation of ": "", "x, lag -": "lag -", "x, lag +": "lag +",
    "Hill index of ": "Hill index, ", ", days": "", "deepest fall from a peak": "deepest fall",
    "longest time below a peak": "longest below peak", "largest rise from a trough": "largest rise",
    "worst fall in": "fall in", "largest rise in": "rise in",
}  # fmt: skip


def short_name(fact: str) -> str:
    """A fact under the name of its family.

    Examples
    --------
    >>> short_name("autocorrelation of |x|, lag 20"), short_name("correlation of x, lag -5")
    ('|x|, lag 20', 'lag −5')
    """
    for begin, words in SHORT.items():
        fact = fact.replace(begin, words)
    return fact.replace("lag -", f"lag {MINUS}")


def kept_and_lost(study: SimulateStudy) -> Figure:
    """Every fact of one simulator: the data's place against the 5 to 95 % of its paths.

    A row a fact, a mark a factor or a pair; facts of factors on the left, of pairs on the right.
    """
    ((kind, judged),) = study.judged.items()
    data = positions(judged.diagnosis.facts, study.kinds)
    return Figure(
        name="kept_and_lost",
        data=data,
        caption=Caption.of(
            kept_finding(kind, judged),
            measure="The data against the band of the paths, a row a fact, a mark a factor or pair "
            "of factors",
            footnote="Grey: 5 to 95 % of the paths, every fact on a scale of its own. Filled: "
            "outside, so lost; hollow: kept; arrows: farther out than the panel is wide. A lag "
            f"above zero: the first factor leads. {footnote(study)}",
            alt="Rows of marks beside a grey band, by family of facts.",
        ),
        paint=lambda canvas: _paint_positions(canvas, data),
        simulated=True,
    )


def kept_finding(kind: str, judged: Judged) -> str:
    """How many facts are lost, and the family of which most is."""
    families = judged.families
    lost = families["known"] - families["kept"]
    facts, name = whole_number(families["known"][WHOLE]), simulator_name(kind)
    if not lost[WHOLE]:
        return f"The data lie within the band of the paths of {name} in all {facts} facts"
    shares = (lost / families["known"]).drop(WHOLE)
    worst = judged.family(str(shares.index[int(shares.argmax())]))
    return (
        f"The data lie outside the band of the paths of {name} in {whole_number(lost[WHOLE])} of "
        f"{facts} facts, most often in {shares.index[int(shares.argmax())]} "
        f"({worst['known'] - worst['kept']:.0f} of {worst['known']:.0f})"
    )


def positions(facts: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Facts that are known, with `position`: -1 at the 5 % of the paths, +1 at the 95 %.

    What is farther than 4 from the middle is at 4.3, where an arrow is drawn. `kind` : of the
    factor, or of both of a pair, in words.

    Examples
    --------
    >>> names = ["family", "fact", "of"]
    >>> index = pd.MultiIndex.from_tuples([("moments", "sd", "BTC")], names=names)
    >>> row = {"data": 4.0, "low": 1.0, "high": 3.0, "rank": 1.0, "kept": 0.0}
    >>> positions(pd.DataFrame(row, index), {"BTC": "price"})[["position", "kind"]].values.tolist()
    [[2.0, 'a price, or two']]
    """
    table = facts[facts["kept"].notna()].reset_index()
    width = table["high"] - table["low"]
    middle = (table["high"] + table["low"]) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.where(width > 0, 2.0 * (table["data"] - middle) / width, np.inf)
    # All paths alike: where the data are like them too, they are in the middle.
    place = np.where((width == 0) & (table["kept"] == 1.0), 0.0, place)
    arrow = np.where(table["data"] > middle, ARROW, -ARROW)
    table["position"] = np.where(np.abs(place) <= FAR, place, arrow)
    table["kind"] = [_class(of, kinds) for of in table["of"]]
    return table[
        ["family", "fact", "of", "kind", "position", "data", "low", "high", "rank", "kept"]
    ]


def _class(of: str, kinds: Mapping[str, str]) -> str:
    """Whether a factor, or each of a pair, is a yield or a price."""
    both = {kinds[name] for name in of.split(", ")}
    return "a yield and a price" if len(both) == 2 else f"a {both.pop()}, or two"


def _paint_positions(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    from matplotlib.lines import Line2D

    sides = [data[data["family"].isin(families)] for families in SIDES]
    sides = [side for side in sides if len(side)]
    present = [label for label in LOOKS if label in set(data["kind"])]
    keys = legend_height(len(present))
    rows = max(len(_rows(side)) for side in sides)
    sheet = canvas(keys + ROW * rows + BELOW)
    handles = [
        Line2D([], [], color=colour, marker=marker, ls="", ms=4, label=label)
        for label, (colour, marker) in LOOKS.items()
        if label in present
    ]
    sheet.legend(handles, top=0.0, columns=5, left=0.1)
    places = columns_of(2, left=LABELS, right=RIGHT, gap=LABELS)
    panels = []
    for side, place in zip(sides, places, strict=False):
        axes = sheet.panel(left=place.left, right=place.right, top=keys, height=ROW * rows)
        _draw_side(axes, side, rows)
        panels.append(axes)
    return panels[0]


def _rows(side: pd.DataFrame) -> list[tuple[str, str]]:
    """Rows of a panel: a family and nothing, then each of its facts."""
    rows: list[tuple[str, str]] = []
    for family, facts in side.groupby("family", sort=False):
        rows.append((str(family), ""))
        rows += [(str(family), str(fact)) for fact in facts["fact"].unique()]
    return rows


def _draw_side(axes: "Axes", side: pd.DataFrame, height: int) -> None:
    """Marks of a side's facts; height : rows of the higher side, to which both are drawn."""
    rows = _rows(side)
    axes.axvspan(-1, 1, color=BAND, lw=0, zorder=1)
    where = {row: y for y, row in enumerate(rows)}
    y = np.array([where[key] for key in zip(side["family"], side["fact"], strict=True)])
    x, kept = side["position"].to_numpy(), side["kept"].to_numpy() == 1.0
    for label, (colour, marker) in LOOKS.items():
        of_kind = side["kind"].to_numpy() == label
        for rows_of, face in ((of_kind & kept, "none"), (of_kind & ~kept, colour)):
            inside = rows_of & (np.abs(x) <= FAR)
            axes.plot(x[inside], y[inside], marker=marker, ls="", ms=3.5, mew=0.7, color=colour,
                      mfc=face, alpha=0.85, zorder=3)  # fmt: skip
        for sign, arrow in ((-1, "<"), (1, ">")):
            out = of_kind & (x == sign * ARROW)
            axes.plot(x[out], y[out], marker=arrow, ls="", ms=4, mew=0, color=colour,
                      clip_on=False, zorder=4)  # fmt: skip
    axes.set_yticks(range(len(rows)), [short_name(fact) or family for family, fact in rows])
    for text, (_, fact) in zip(axes.get_yticklabels(), rows, strict=True):
        if not fact:
            text.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_xlim(-ARROW - 0.3, ARROW + 0.3)
    axes.set_xticks([-1, 1], ["5 %", "95 %"])
    axes.set_xlabel("of the paths")
    axes.spines["left"].set_visible(False)
