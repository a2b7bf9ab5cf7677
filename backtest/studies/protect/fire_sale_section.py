"""Section on one round of fire sales, where a study asks for it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtest.present.exhibit import Section
from backtest.present.numbers import money
from backtest.present.table import Cell, TextTable

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
            "account has that on what it holds. Each cell has the amount without it, then with it. "
            "Volumes are those of one year, no instrument moves another, and who fails of the "
            "larger losses sells nothing in turn. The events are the few of the first table, and "
            "no interval is given."
        ),
        table=table,
        tables=(
            TextTable(
                "Losses a year without and with one round of fire sales",
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
        *(
            Cell(f"{money(float(row[f'{name}_usd']))}, {money(float(row[f'{name}_usd_there']))}")
            for name in COLUMNS
        ),
    )
