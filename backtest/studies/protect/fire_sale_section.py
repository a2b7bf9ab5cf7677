"""Section on one round of fire sales, where a study asks for it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtest.present.exhibit import Section
from backtest.present.numbers import money
from backtest.present.table import Cell, TextTable
from backtest.studies.protect.tables import few

COLUMNS = {
    "fellow": "fellow customers lose",
    "fund": "mutual fund pays",
    "uncovered": "uncovered",
}


def fire_sale_section(table: pd.DataFrame) -> Section:
    """Losses a year without and with feedback; fire_sale.csv has every number.

    table : of `fire_sale_table`.
    """
    rows: dict[str, list[tuple[Cell, ...]]] = {}
    for (model, arrangement), row in zip(table.index, table.to_dict("records"), strict=True):
        rows.setdefault(str(model), []).append(_cells(str(arrangement), row))
    words = tuple(f"{what}, USD a year" for what in COLUMNS.values())
    return Section(
        name="fire_sale",
        heading="If those who cannot pay move prices (approximate)",
        text=(
            "One round: positions of customers that cannot pay are sold at once, the price of each "
            "instrument moves by the square root of what is sold over its daily volume, and every "
            "account has that on what it holds. Each cell has the amount without it and what it "
            "adds, with the 95 % interval of that or the events that are too few for one. Volumes "
            "are those of one year, no instrument moves another, and who fails of the larger "
            "losses sells nothing in turn."
        ),
        table=table,
        tables=(
            TextTable(
                "Losses a year without fire sales, and what one round of them adds",
                ("model", "arrangement", "days of sales", "adds at most", *words),
                tuple((model, tuple(cells)) for model, cells in rows.items()),
                nested=True,
            ),
        ),
    )


def _cells(arrangement: str, row: Mapping[Any, Any]) -> tuple[Cell, ...]:
    return (
        Cell(arrangement, words=True),
        Cell(f"{int(row['sale_days']):,}"),
        Cell(money(float(row["largest"]))),
        *(Cell(f"{money(float(row[f'{name}_usd']))}, {_added(row, name)}") for name in COLUMNS),
    )


def _added(row: Mapping[Any, Any], name: str) -> str:
    """What feedback adds, in the unit of the amount or, of a smaller one, in its own."""
    return few(row, f"{name}_added", _more, row[f"{name}_added_events"])


def _more(usd: float) -> str:
    return f"{'+' if usd > 0.0 else ''}{money(usd)}"
