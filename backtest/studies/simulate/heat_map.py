"""Figure of many simulators: of which facts the data lie outside the paths, and on which side."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.lettering import width_of
from backtest.present.sheet import Caption, legend_height
from backtest.present.style import COLOURS, INK
from backtest.studies.simulate.figures import short_name
from backtest.studies.simulate.study import WHOLE, SimulateStudy
from backtest.studies.simulate.words import footnote, simulator_name, whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, LABELS, RIGHT, BELOW = 0.145, 1.45, 0.12, 0.08  # inches
BELOW_COLOUR, ABOVE_COLOUR = COLOURS[0], COLOURS[4]
DARK = -0.75  # from which share below the paths the blue is too dark for black; orange never is


def lost_by_simulator(study: SimulateStudy) -> Figure:
    """A column a simulator, a row a fact: share of factors or pairs of which the fact is lost."""
    data = lost_shares(study)
    return Figure(
        name="lost_by_simulator",
        data=data,
        caption=Caption.of(
            lost_finding(study),
            measure="Factors, or pairs of factors, for which the data lie outside the 5 to 95 % of "
            "the paths, %",
            footnote="Colour: the side on which most of them lie; a cell without a number: none "
            f"lies outside. A lag above zero: the first factor leads. {footnote(study)}",
            alt="A table of coloured cells, a column a simulator, a row a fact.",
        ),
        paint=lambda canvas: _paint(canvas, data),
        simulated=True,
    )


def lost_shares(study: SimulateStudy) -> pd.DataFrame:
    """Row a (family, fact, simulator): share of factors or pairs outside the band of the paths.

    `lost` : of all of them, below zero where most lie below the band; `above`, `below` : the parts.
    """
    facts = study.facts
    known = facts[facts["kept"].notna()]
    lost = known["kept"] == 0.0
    sides = pd.DataFrame(
        {
            "above": lost & (known["data"] > known["high"]),
            "below": lost & (known["data"] < known["low"]),
        }
    )
    groups = ["family", "fact", "simulator"]
    table = sides.groupby(level=groups, sort=False).mean().reset_index()
    side = np.where(table["above"] >= table["below"], 1.0, -1.0)
    return table.assign(lost=side * (table["above"] + table["below"]))


def lost_finding(study: SimulateStudy) -> str:
    """The fewest and the most facts that a simulator loses."""
    whole = study.families.xs(WHOLE, level="family")
    lost = (whole["known"] - whole["kept"]).sort_values(kind="stable")
    fewest, most = lost.index[0], lost.index[-1]
    return (
        f"Of {whole_number(whole['known'].max())} facts {simulator_name(str(fewest))} loses "
        f"{whole_number(lost[fewest])}, the fewest, and {simulator_name(str(most))} "
        f"{whole_number(lost[most])}, the most"
    )


def _paint(canvas: Canvas, data: pd.DataFrame) -> "Axes":
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Patch

    rows = list(dict.fromkeys(zip(data["family"], data["fact"], strict=True)))
    kinds = list(dict.fromkeys(data["simulator"]))
    names = [simulator_name(kind) for kind in kinds]
    # Rows of families stand between those of their facts, and are empty.
    lines: list[tuple[str, str]] = []
    for family, fact in rows:
        if (family, "") not in lines:
            lines.append((family, ""))
        lines.append((family, fact))
    cells = np.full((len(lines), len(kinds)), np.nan)
    for row in data.to_dict("records"):
        place = lines.index((row["family"], row["fact"])), kinds.index(row["simulator"])
        cells[place] = row["lost"]
    keys, heads = legend_height(2), max(map(width_of, names)) + 0.08
    sheet = canvas(keys + heads + ROW * len(lines) + BELOW)
    handles = [
        Patch(color=ABOVE_COLOUR, label="data above the paths"),
        Patch(color=BELOW_COLOUR, label="data below the paths"),
    ]
    sheet.legend(handles, top=0.0, columns=2, left=0.1)
    axes = sheet.panel(left=LABELS, right=RIGHT, top=keys + heads, height=ROW * len(lines))
    colours = LinearSegmentedColormap.from_list("sides", [BELOW_COLOUR, "white", ABOVE_COLOUR])
    axes.pcolormesh(cells, cmap=colours, vmin=-1.0, vmax=1.0, edgecolors="#dddddd", lw=0.4)
    for (y, x), value in np.ndenumerate(cells):
        if round(100 * abs(value)) if not np.isnan(value) else 0:
            axes.text(x + 0.5, y + 0.52, f"{100 * abs(value):.0f}", ha="center", va="center",
                      color="white" if value <= DARK else INK)  # fmt: skip
    axes.set_ylim(len(lines), 0)
    axes.set_yticks(np.arange(len(lines)) + 0.5, [short_name(f) or family for family, f in lines])
    for text, (_, fact) in zip(axes.get_yticklabels(), lines, strict=True):
        if not fact:
            text.set_fontweight("bold")
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(kinds)) + 0.5, names, rotation=90)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes
