"""The page of `backtest grid`: small multiples, the axes one by one, the worst rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtest.config.grid import SHORT, Axis
from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import interval, millions, percent, pvalue
from backtest.present.table import Cell, TextTable, of_column
from backtest.replay.worst import RULE, selection, worst_rows
from backtest.studies.grid.answer import grid_answer
from backtest.studies.grid.cell import FAILED
from backtest.studies.grid.figures import exceedance_rates, margins
from backtest.studies.grid.panels import named_rows, panels_of
from backtest.studies.grid.study import Grid

LEVEL = 0.05
SAME_PRICES = (
    "Every cell is the study of the file with the values of its cell, replayed on the same prices "
    "and scored as `backtest run` scores it. Cells are not independent, and the best of many looks "
    "better than it is: a grid shows how much rests on a choice, and is no search for one."
)
OWN_DAYS = "Cells are scored on days of their own, {least:,} to {most:,} of them."
BEGIN = " They begin from {first} to {last}, as {cause}."
OF_START = "the axis {name} has it"
OF_WARM_UP = (
    "models warm up for longer or less long; with score_from at the last of these days all begin "
    "on one"
)
END = " They end from {first} to {last}, as losses over a longer MPOR are known later."
WORST_NOTE = (
    "Named books. Cells whose numbers here are the same are one row, which names all their values; "
    "all rows and columns, random books too: grid.parquet."
)
# What a row of the worst ones shows beside its cell.
SHOWN = (
    *("model", "portfolio", "exceedances", "allowed", "exceedance_rate", "exceedance_rate_low"),
    *("exceedance_rate_high", "coverage_p", "mean_margin"),
)


def grid_exhibit(grid: Grid) -> Exhibit:
    """Everything a grid shows, from its table."""
    config, origin = grid.config, grid.provenance
    table = _with_allowed(grid)
    days = own_days(grid.cells, grid.axes)
    panels = panels_of(table, grid.axes)
    simulated = origin.prices.simulated
    note = _source_line(grid)
    footnote = f"Source: {note} {_kinds(grid)} {origin.software.sentence()}."
    rates = exceedance_rates(panels, footnote=footnote, simulated=simulated)
    return Exhibit(
        kind="grid",
        title=config.title or config.name,
        caption=config.caption.strip(),
        answer=grid_answer(grid),
        simulated=simulated,
        source_line=note,
        sections=(
            Section("exceedances", "Exceedances over the grid", days, figure=rates),
            Section(
                "margins",
                "Margins over the grid",
                figure=margins(panels, footnote=footnote, simulated=simulated),
                on_screen=False,
            ),
            Section("axes", "Axis by axis", SAME_PRICES, tables=(axes_table(table, grid),)),
            Section("worst", "The worst rows", tables=(worst_table(table, grid),)),
        ),
        provenance=origin,
        text=grid.text,
    )


def axes_table(table: pd.DataFrame, grid: Grid) -> TextTable:
    """What each value of each axis does to all rows that have it, a row a value."""
    rows = []
    for axis in grid.axes:
        for value in axis.choices:
            of_value = table[(table[axis.name] == axis.shown(value)) & (table[FAILED] == "")]
            rows.append((f"{axis.name} {axis.shown(value)}", of_value))
    return TextTable.of(
        "Every value of every axis, over all other axes, models and books",
        "value",
        [(name, _sums(of_value)) for name, of_value in rows],
        {
            "rows": of_column("rows", lambda n: f"{n:,}"),
            "rejected at 5 %": of_column("rejected", lambda n: f"{n:,}"),
            "exceedances": of_column("exceedances", lambda n: f"{n:,}"),
            "allowed": of_column("allowed", lambda n: f"{n:,}"),
            "mean margin, USD m": of_column("margin", millions),
            "equal coverage, USD m": of_column("equal", millions),
        },
        note=f"Rejected: coverage p below {LEVEL:.0%}, each row for itself. Means over the rows.",
    )


def worst_table(table: pd.DataFrame, grid: Grid) -> TextTable:
    """The rows with the most evidence against a margin."""
    scored = merged_rows(named_rows(table), [axis.name for axis in grid.axes])
    worst = scored.loc[worst_rows(scored)]
    names = [axis.name for axis in grid.axes]
    return TextTable.of(
        f"Rows of the grid by {RULE}: {selection(len(worst), len(scored))}",
        "cell",
        [(", ".join(f"{n} {row[n]}" for n in names), row) for row in worst.to_dict("records")],
        {
            "model": of_column("model", _words),
            "book": of_column("portfolio", _words),
            "exceedances (allowed)": lambda row: (
                f"{int(row['exceedances']):,} ({int(row['allowed']):,})"
            ),
            "rate [95 %]": lambda row: interval(row, "exceedance_rate", percent),
            "coverage p": of_column("coverage_p", pvalue),
            "mean margin, USD m": of_column("mean_margin", millions),
        },
        note=WORST_NOTE,
    )


def merged_rows(rows: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Rows with one that names several values of an axis, where no number shown tells them apart.

    A call lag moves no exceedance: each row would stand there once a lag.
    """
    rows = rows.astype(dict.fromkeys(axes, str))
    for axis in axes:
        same = [*(other for other in axes if other != axis), *SHOWN]
        values = rows.groupby(same, sort=False, dropna=False)[axis].transform(", ".join)
        rows = rows.assign(**{axis: values}).drop_duplicates([*axes, *SHOWN])
    return rows


def _with_allowed(grid: Grid) -> pd.DataFrame:
    """The table with the exceedance rate that the confidence of each row allows."""
    by_cell = pd.DataFrame(
        [cell["values"] | {"allowed_rate": 1.0 - cell["confidence"]} for cell in grid.cells]
    )
    return grid.table.merge(by_cell, on=[axis.name for axis in grid.axes], validate="many_to_one")


def _sums(rows: pd.DataFrame) -> dict[str, float]:
    number = rows[["exceedances", "allowed", "mean_margin", "equal_coverage_margin", "coverage_p"]]
    number = number.astype(float)
    return {
        "rows": len(rows),
        "rejected": int((number["coverage_p"] < LEVEL).sum()),
        "exceedances": int(number["exceedances"].sum()),
        "allowed": int(number["allowed"].sum()),
        "margin": float(number["mean_margin"].mean()) if len(rows) else np.nan,
        "equal": float(number["equal_coverage_margin"].mean()) if len(rows) else np.nan,
    }


def _source_line(grid: Grid) -> str:
    """Source, standard where all cells have one, and what the grid is."""
    sizes = " x ".join(f"{len(axis.choices)} {axis.name}" for axis in grid.axes)
    cells = f"{len(grid.cells):,} cells" if len(grid.cells) > 1 else "1 cell"
    return f"{grid.provenance.sentence()}; grid of {cells}: {sizes}."


def _kinds(grid: Grid) -> str:
    """The models with their kinds, once each whatever their parameters."""
    models = grid.provenance.models
    words = []
    for name in grid.config.models:
        label = next(m for m in models if m == name or m.startswith(f"{name}, "))
        words.append(f"{name} ({models[label].split('(')[0]})")
    return f"Models: {', '.join(words)}."


def own_days(cells: Sequence[Mapping[str, Any]], axes: Sequence[Axis]) -> str:
    """Why cells are scored on other days than each other; empty where they are not.

    cells : of `Grid.cells`.
    """
    scored = [cell for cell in cells if not cell["failed"]]
    begin, end, count = (
        sorted({cell[name] for cell in scored})
        for name in ("first_scored", "last_scored", "observations")
    )
    words = ""
    if len(begin) > 1:
        start = next((axis.name for axis in axes if axis.target == SHORT["start"]), None)
        cause = OF_WARM_UP if start is None else OF_START.format(name=start)
        words += BEGIN.format(first=begin[0], last=begin[-1], cause=cause)
    if len(end) > 1:
        words += END.format(first=end[0], last=end[-1])
    return words and OWN_DAYS.format(least=count[0], most=count[-1]) + words


def _words(name: str) -> Cell:
    return Cell(name, words=True)
