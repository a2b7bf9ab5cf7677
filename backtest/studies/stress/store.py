"""The tables of a stress test in a results folder."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from backtest.present.csv_table import write_csv
from backtest.stress import StressResult

STRESS_FILES = "stress_*.csv"
WORDS = ("start", "model", "because")  # columns in which an empty cell is no word, not unknown


def write_stress(result: StressResult | None, folder: Path) -> None:
    """Write the tables of a stress test, where there is one."""
    if result is not None:
        for name, table in result.by_file().items():
            write_csv(table, folder / f"{name}.csv", index=False)


def stored_stress(tables: Mapping[str, pd.DataFrame]) -> StressResult | None:
    """The stress test again from its tables by the stem of their files; None where it has none."""
    filled = {}
    for name, table in tables.items():
        words = [column for column in WORDS if column in table]
        filled[name] = table.assign(**{c: table[c].astype(object).fillna("") for c in words})
    return StressResult.of_files(filled)
