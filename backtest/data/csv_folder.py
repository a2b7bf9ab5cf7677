"""Prices from a folder of CSV files: par yields in percent, crypto closes in USD.

The shape of the files, for anyone who brings their own:

- `treasury_par_yields.csv`: `Date`, then a column a maturity ('3M', '10Y'), percent.
- `<name>_usd.csv` (`btc_usd.csv`): `Date,Close`, one row a calendar day or trading day, USD.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..market import YIELD_RANGE, Market, tenor_years
from ..types import DataError
from .cache import check_fetched

YIELDS_FILE = "treasury_par_yields.csv"

# The H.15 copy carries 30-year values while the Treasury published none (the bond was
# discontinued); they are extrapolations and are not used.
NO_30Y = (np.datetime64("2002-02-19"), np.datetime64("2006-02-08"))


@dataclass(frozen=True)
class SourceFile:
    """A file that was read: its name and sha256, for the manifest."""

    name: str
    sha256: str


def read_folder(folder: Path, factors: tuple[str, ...]) -> tuple[Market, list[SourceFile]]:
    """Market of the days on which every factor is known, and the files it was read from.

    The window runs from the day on which the last factor begins to the day on which the first
    ends. Within it the days that have yields but lack a price are dropped, and listed in
    `Market.dropped`; days without yields (weekends, bond holidays) are not margin days, and the
    price move over them falls in the next one.

    Raises
    ------
    DataError : folder, file, column or value that is not as it must be.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}; give a folder of CSV files, or 'sample'.")
    if not any(folder.glob("*.csv")):
        raise DataError(f"folder {str(folder)!r} holds no CSV file; it needs {YIELDS_FILE}.")
    yields = [f for f in factors if tenor_years(f) is not None]
    prices = [f for f in factors if tenor_years(f) is None]
    used: list[SourceFile] = []
    columns: dict[str, pd.Series] = {}
    if yields:
        table = _read(folder / YIELDS_FILE, yields, used)
        for name in yields:
            columns[name] = _percent(table[name].dropna())
        if "30Y" in yields:
            days = columns["30Y"].index.to_numpy()
            columns["30Y"] = columns["30Y"][(days < NO_30Y[0]) | (days > NO_30Y[1])]
    for name in prices:
        path = folder / f"{name.lower()}_usd.csv"
        columns[name] = _price(name, _read(path, ["Close"], used)["Close"].dropna())
    for name, column in columns.items():
        if column.empty:
            raise DataError(f"{name} has no value in {str(folder)!r}; leave it out or mend it.")
    start = max(c.index[0] for c in columns.values())
    end = min(c.index[-1] for c in columns.values())
    clock = columns[yields[0] if yields else prices[0]].index
    for name in yields[1:]:
        clock = clock.union(columns[name].index)
    clock = clock[(clock >= start) & (clock <= end)]
    if len(clock) == 0:
        raise DataError(f"{', '.join(factors)} share no day; their histories do not overlap.")
    frame = pd.DataFrame({name: columns[name].reindex(clock) for name in factors})
    source = f"{folder.name}/ ({', '.join(f.name for f in used)})"
    return Market.from_frame(frame, source=source), used


def _read(path: Path, wanted: list[str], used: list[SourceFile]) -> pd.DataFrame:
    """Columns of one file by date, as numbers, ascending."""
    if not path.is_file():
        raise DataError(f"{path.parent.name}/ has no {path.name}; add it or leave its factor out.")
    raw = path.read_bytes()
    check_fetched(path, raw)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path.name} is not a CSV table ({reason}); export it again.") from error
    for column in ["Date", *wanted]:
        if column not in table.columns:
            known = ", ".join(map(str, table.columns))
            raise DataError(f"{path.name} has no column {column!r}; it has {known}.")
    dates = pd.to_datetime(table["Date"], format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        row = int(np.argmax(dates.isna().to_numpy()))
        raise DataError(
            f"{path.name} line {row + 2}: date {table['Date'].iloc[row]!r} is not YYYY-MM-DD."
        )
    steps = np.diff(dates.to_numpy().astype("datetime64[D]")).astype(int)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        what = "stands twice" if steps[row - 1] == 0 else "comes after a later day"
        raise DataError(
            f"{path.name} line {row + 2}: {dates.iloc[row]:%Y-%m-%d} {what}; "
            "sort the rows, one a day."
        )
    numbers = table[wanted].apply(pd.to_numeric, errors="coerce")
    broken = numbers.isna() & table[wanted].notna()
    if broken.to_numpy().any():
        row, column = np.argwhere(broken.to_numpy())[0]
        value = table[wanted].iloc[row, column]
        raise DataError(
            f"{path.name} line {row + 2}: {wanted[column]} is {value!r}, not a number; "
            "leave the cell empty where there is no value."
        )
    numbers.index = pd.DatetimeIndex(dates)
    used.append(SourceFile(path.name, hashlib.sha256(raw).hexdigest()))
    return numbers


def _percent(column: pd.Series) -> pd.Series:
    """Decimal yields of a column in percent; an impossible one is named as the file has it."""
    low, high = (100 * edge for edge in YIELD_RANGE)
    wrong = ~column.between(low, high)
    if wrong.any():
        day = column.index[int(np.argmax(wrong.to_numpy()))]
        raise DataError(
            f"{YIELDS_FILE}: {column.name} on {day:%Y-%m-%d} is {column[day]:g} percent; "
            f"yields must lie in {low:g} .. {high:g} (4.25 means 4.25 %). Check its unit."
        )
    return column / 100.0


def _price(name: str, column: pd.Series) -> pd.Series:
    wrong = ~(np.isfinite(column) & (column > 0))
    if wrong.any():
        day = column.index[int(np.argmax(wrong.to_numpy()))]
        raise DataError(
            f"{name.lower()}_usd.csv: Close on {day:%Y-%m-%d} is {column[day]:g}; "
            "a price must be above zero. Mend or remove that row."
        )
    return column
