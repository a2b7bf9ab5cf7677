"""Power of the tests of coverage: how often each rejects, by length of the record."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from backtest.present.figure import Canvas, Figure
from backtest.present.numbers import percent
from backtest.present.panels import PanelGrid
from backtest.present.sheet import LEGEND_COLUMNS, Caption, legend_height
from backtest.present.style import COLOURS, INK, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT, RIGHT, GAP = 1.82, 0.12, 0.16  # inches
ROW = 0.2  # inches a test
ALT = "Dots for each test and alternative; a stroke at the nominal size of the test."
VERDICT, TWICE = "coverage_p", "x2"  # the test of a verdict; twice the allowed rate
TITLE, AXIS = 0.28, 0.42  # inches over a panel for its title, and under it for ticks and label


def power_of_tests(table: pd.DataFrame, *, labels: Mapping[str, str], footnote: str) -> Figure:
    """A panel a length of record: a row a test, a mark an alternative, x the rejections.

    table : from `power_table`. labels : alternative -> words of the legend.
    """
    return Figure(
        name="power",
        data=table.reset_index(),
        caption=Caption.of(
            power_finding(table, labels),
            measure="How often each test rejects, by length of the record, % of records",
            footnote=footnote,
            alt=ALT,
        ),
        paint=lambda canvas: _paint(canvas, table, labels),
        simulated=False,
    )


def power_finding(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """How often the test of a study's verdict sees one alternative, by length of the record.

    The alternative is twice the allowed rate, or the last where that was not asked for.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product(
    ...     [[250, 500], ["coverage_p"], ["x2"]], names=["days", "test", "alternative"])
    >>> power_finding(pd.DataFrame({"rejected": [0.333, 0.48]}, index), {"x2": "rate x 2"})
    "The test of the verdict, coverage p, rejects 'rate x 2' in 33 % of records of 250 days, \
48 % of 500 days"
    """
    alternatives, tests = table.index.unique("alternative"), table.index.unique("test")
    alternative = TWICE if TWICE in alternatives else str(alternatives[-1])
    test = VERDICT if VERDICT in tests else str(tests[0])
    seen = table["rejected"].xs((test, alternative), level=("test", "alternative"))
    shares = [(percent(share, digits=0), f"{days:,} days") for days, share in seen.items()]
    often = ", ".join(
        f"{share} of records of {days}" if not place else f"{share} of {days}"
        for place, (share, days) in enumerate(shares[:3])
    )
    who = f"The test of the verdict, {_label(test)}," if test == VERDICT else _label(test)
    return f"{who} rejects '{labels[alternative]}' in {often}"


def _label(test: str) -> str:
    """A test's name in words: a column's name is none."""
    return test.replace("_", " ")


def _paint(canvas: Canvas, table: pd.DataFrame, labels: Mapping[str, str]) -> "Axes":
    from matplotlib.lines import Line2D

    lengths, tests, alternatives = (
        list(table.index.unique(level)) for level in ("days", "test", "alternative")
    )
    # Hollow marks: where two alternatives are rejected equally often, both are seen.
    styles: dict[str, dict[str, Any]] = {
        name: {
            "color": COLOURS[i % 7],
            "marker": MARKERS[i % 8],
            "ls": "",
            "ms": 4.5,
            "mfc": "none",
        }
        for i, name in enumerate(alternatives)
    }
    grid = PanelGrid(
        columns=len(lengths), left=LEFT, right=RIGHT, gap=GAP,
        height=ROW * len(tests), above=TITLE, below=AXIS,
    )  # fmt: skip
    sheet, panels = grid.panels(canvas, len(lengths), keys=legend_height(len(alternatives)))
    for panel, days in zip(panels, lengths, strict=True):
        _draw_length(panel, table.loc[[days]].droplevel("days"), tests, styles)
        panel.set_title(f"{days:,} days", color=INK, pad=4)
        panel.set_xlabel("records rejected, %")
    panels[0].set_yticks(range(len(tests)), [_label(test) for test in tests])
    panels[0].set_ylim(len(tests) - 0.5, -0.5)
    handles = [Line2D([], [], label=labels[name], **style) for name, style in styles.items()]
    sheet.legend(handles, top=0.0, columns=LEGEND_COLUMNS, left=0.1)
    return panels[0]


def _draw_length(
    panel: "Axes", shares: pd.DataFrame, tests: Sequence[str], styles: Mapping[str, dict[str, Any]]
) -> None:
    """All tests at one length of record; shares : (alternative, test) -> rejected, nominal."""
    for name, style in styles.items():
        percent = 100.0 * shares.xs(name, level="alternative")["rejected"].reindex(list(tests))
        panel.plot(percent.to_numpy(), range(len(tests)), mew=1.1, clip_on=False, zorder=3, **style)
    for row, test in enumerate(tests):
        nominal = 100.0 * shares.xs(test, level="test")["nominal"].to_numpy()[0]
        panel.plot([nominal, nominal], [row - 0.4, row + 0.4], color=INK, lw=1.0, zorder=2)
    panel.set_xlim(-3, 103)
    panel.set_xticks([0, 25, 50, 75, 100])
    panel.grid(axis="x")
    panel.grid(axis="y", alpha=0.5)
