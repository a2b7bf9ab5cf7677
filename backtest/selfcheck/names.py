"""Names and numbers through files and tables: what a reader or a spreadsheet might make of them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from backtest.present.csv_table import read_csv, write_csv
from backtest.present.numbers import percent, signed
from backtest.present.table import as_text
from backtest.selfcheck.row import Row


def _kept(column: str, values: list[Any]) -> list[Any]:
    """A column as it comes back from a file."""
    with TemporaryDirectory(prefix="selfcheck-") as name:
        path = Path(name) / "table.csv"
        write_csv(pd.DataFrame({column: values, "size": range(len(values))}), path, index=False)
        return read_csv(path)[column].tolist()


def _written(column: str, values: list[Any]) -> list[str]:
    """The cells of a column as they are in the file."""
    with TemporaryDirectory(prefix="selfcheck-") as name:
        path = Path(name) / "table.csv"
        write_csv(pd.DataFrame({column: values}), path, index=False)
        return path.read_text("utf-8").splitlines()[1:]


MISSING = ["NA", "nan", "null", "None", "n/a", "", "N/A"]
NUMBERS = ["001", "1e3", "True", "0x1F", "1_000", "-5", "+inf"]
FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+1+1", "-2+3", "'quoted"]

ROWS = (
    Row(
        "books named NA, nan, null, None, n/a and nothing",
        "pandas-dev/pandas#55032",
        lambda: _kept("portfolio", MISSING),
        right=MISSING,
        by="a name is a name",
    ),
    Row(
        "books named 001, 1e3, True, 0x1F",
        "pandas-dev/pandas#10647",
        lambda: _kept("portfolio", NUMBERS),
        right=NUMBERS,
        by="a name is no number",
    ),
    Row(
        "names that begin like a formula, read again",
        "hhurz/tableExport.jquery.plugin#230",
        lambda: _kept("model", FORMULAS),
        right=FORMULAS,
        by="the mark in front is taken off again",
    ),
    Row(
        "the same names in the file",
        "grafana/grafana#17363",
        lambda: [cell.strip('"')[0] for cell in _written("model", FORMULAS)],
        right=["'"] * 6,
        by="a spreadsheet shows what follows an apostrophe",
    ),
    Row(
        "negative numbers in the file",
        "hhurz/tableExport.jquery.plugin#296; woocommerce/woocommerce#25379",
        lambda: _written("margin", ["-0.02", "-1250.5"]),
        right=["-0.02", "-1250.5"],
        by="a number is no formula",
    ),
    Row(
        "a number with all its digits",
        "pandas-dev/pandas#13159",
        lambda: _kept("margin", [8194881.90427059, 0.1 + 0.2, 1e-320, 1.7976931348623157e308]),
        right=[8194881.90427059, 0.30000000000000004, 1e-320, 1.7976931348623157e308],
        by="the same bits",
        tolerance=0.0,
    ),
    Row(
        "a change of -0.001 % in a table",
        "NYCPlanning/labs-factfinder#358; yakew7/Fair-Code#515",
        lambda: [percent(-0.00001), percent(-0.00001, sign=True), signed(-0.0, digits=3)],
        right=["0.0 %", "0.0 %", "0.000"],
        by="zero has no sign",
    ),
    Row(
        "-0.0001 with two digits",
        "ospc-org/ospc.org#528",
        lambda: as_text(-0.0001, ".2f"),
        right="0.00",
        by="zero has no sign",
    ),
)
