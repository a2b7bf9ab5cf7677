"""Files in the project's own layout (see `columns`), read strictly: nothing is guessed."""

import csv
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.cache import check_fetched
from backtest.data.columns import YIELDS_FILE
from backtest.data.csv_checks import refuse_decimals, refuse_repeated
from backtest.types import DataError, read_regular, shown

MOST_COLUMNS = 1_000  # beyond it pandas takes minutes to read what is no table of prices
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TOP = 100_000  # bytes within which the headings end


def headings_of(path: Path) -> list[str]:
    """The first line of a file, cell by cell; none where it is no text."""
    with path.open("rb") as file:
        top = file.read(TOP).decode("utf-8-sig", errors="replace").splitlines()[:1]
    try:
        return next(csv.reader(top), [])
    except csv.Error:
        return []


def is_own(path: Path, column: str) -> bool:
    """Whether a file has `Date` and a column among its headings, and ISO days below."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        top = file.read(TOP).decode("utf-8-sig", errors="replace").splitlines()[:2]
    try:
        headings, *rows = csv.reader(top)
    except (csv.Error, ValueError):
        return False
    day = rows[0][headings.index("Date")] if rows and "Date" in headings and rows[0] else ""
    return (
        column in headings
        and "Date" in headings
        and (not rows or ISO_DAY.fullmatch(day) is not None)
    )


def read_own(path: Path, columns: list[str]) -> tuple[pd.DataFrame, str]:
    """Columns of one file by date, as numbers, ascending; and the file's sha256.

    Raises
    ------
    DataError : a file, column, date or value that cannot be used: its line.
    """
    if not path.is_file():
        raise DataError(f"{path.parent.name}/ has no {path.name}; add it or leave its factor out.")
    try:
        raw = read_regular(path)
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror}.") from error
    check_fetched(path, raw)
    if raw.split(b"\n", 1)[0].count(b",") > MOST_COLUMNS:
        raise DataError(f"{path.name} has more than {MOST_COLUMNS:,} columns; export it again.")
    try:
        header = pd.read_csv(io.BytesIO(raw), dtype=str, header=None, nrows=1).iloc[0]
        table = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False, na_values=[""])
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path.name} is not a CSV table ({reason}); export it again.") from error
    for column in ["Date", *columns]:
        if column not in table.columns:
            present = ", ".join(map(str, table.columns))
            raise DataError(f"{path.name} has no column {column!r}; it has {present}.")
    refuse_repeated(path.name, header, ["Date", *columns])
    if path.name == YIELDS_FILE:
        refuse_decimals(path.name, table)
    dates = pd.to_datetime(table["Date"], format="%Y-%m-%d", errors="coerce")
    # pandas also takes '-2022-03-15', and years before anything was traded.
    dates = dates.where(table["Date"].str.fullmatch(r"(19|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}"))
    if dates.isna().any():
        row = int(np.argmax(dates.isna().to_numpy()))
        raise DataError(
            f"{path.name} line {row + 2}: date {shown(table['Date'].iloc[row])} is not YYYY-MM-DD."
        )
    # Every day once, ascending or newest first: else every return would be wrong.
    steps = np.diff(dates.to_numpy().astype("datetime64[D]")).astype(int)
    if (steps <= 0).any() and not (steps < 0).all():
        row = int(np.argmax(steps <= 0)) + 1
        what = "occurs twice" if steps[row - 1] == 0 else "comes after a later day"
        raise DataError(
            f"{path.name} line {row + 2}: {dates.iloc[row]:%Y-%m-%d} {what}; "
            "sort the rows, one a day."
        )
    numbers = table[columns].apply(pd.to_numeric, errors="coerce")
    broken = numbers.isna() & table[columns].notna()
    if broken.to_numpy().any():
        row, column = np.argwhere(broken.to_numpy())[0]
        value = table[columns].iloc[row, column]
        raise DataError(
            f"{path.name} line {row + 2}: {columns[column]} is {shown(value)}, not a number; "
            "leave the cell empty where there is no value."
        )
    numbers.index = pd.DatetimeIndex(dates)
    if len(steps) and steps[0] < 0:
        numbers = numbers[::-1]
    return numbers, hashlib.sha256(raw).hexdigest()
