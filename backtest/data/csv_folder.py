"""Read prices from a folder of CSV files; `columns.py` says in which file each factor is."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.data.cache import check_fetched
from backtest.data.clocks import around_the_clock
from backtest.data.columns import YIELDS_FILE, FactorColumn, factor_column
from backtest.data.contract_files import front_months, read_contracts
from backtest.data.csv_checks import PRICE_RANGE, refuse_decimals, refuse_repeated
from backtest.data.derived import funding_index, realised_volatility, refuse_gaps
from backtest.data.plausible import refuse_implausible, refuse_shifted
from backtest.data.rolls import adjust_rolls
from backtest.instruments.contracts import contract_terms
from backtest.market.calendars import Clock
from backtest.market.checks import YIELD_RANGE
from backtest.market.market import Adjustment, Market, tenor_years
from backtest.types import DataError, parse_day, read_regular, shown

MOST_COLUMNS = 1_000  # beyond it pandas takes minutes to read what is no table of prices

# The H.15 copy has 30-year values for the years in which the Treasury published none (the bond was
# discontinued). They are extrapolations and are not used.
NO_30Y = (np.datetime64("2002-02-19"), np.datetime64("2006-02-08"))


@dataclass(frozen=True)
class SourceFile:
    """A file that was read: its name and sha256, for the manifest."""

    name: str
    sha256: str


def read_folder(
    folder: Path,
    factors: tuple[str, ...],
    *,
    start: str | None = None,
    end: str | None = None,
    clock: Clock = "business",
    contracts: Mapping[str, str] | None = None,
) -> tuple[Market, list[SourceFile]]:
    """Read the market of the days on which every factor has a value, and list the files read.

    start : first day to keep, ISO; missing data before it cause no error.
    end : last day of the study, ISO; missing data after it cause no error.
    contracts : by future, the file or folder of its contracts' settlements (see `contract_files`),
        inside the folder or with a path of its own; their front months need no splices found.

    The window runs from `start`, or the day on which the last factor begins, to the day on which
    the first factor ends. Within it, days that have yields but lack a price are dropped and listed
    in `Market.dropped`. Days without yields (weekends, bond holidays) are not margin days: the
    price move over them is part of the next margin day's move. On the '24/7' clock every calendar
    day is a margin day: see `around_the_clock`.

    Raises
    ------
    DataError : a folder, file, column or value that cannot be used.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}; give a folder of CSV files, or 'sample'.")
    if not any(folder.glob("*.csv")):
        raise DataError(f"folder {str(folder)!r} holds no CSV file; it needs {YIELDS_FILE}.")
    files_read: dict[str, SourceFile] = {}
    by_contract = _contracts(contracts or {}, factors)
    columns = _read_factors(
        folder, tuple(f for f in factors if f not in by_contract), files_read, end=end
    )
    adjusted: list[Adjustment] = []
    for name, path in by_contract.items():
        settlements, hashes = read_contracts(name, folder / path)
        files_read |= {file: SourceFile(file, sha256) for file, sha256 in hashes.items()}
        columns[name], changes = front_months(name, settlements)
        adjusted += changes
    for name in [f for f in factors if factor_column(f).rolls and f not in by_contract]:
        reference = _reference(folder, name, columns, files_read)
        columns[name], roll_adjustments = adjust_rolls(name, columns[name], reference)
        adjusted += roll_adjustments
    refuse_shifted({name: columns[name] for name in factors})
    first = max(c.index[0] for c in columns.values())
    if start is not None:
        first = max(first, pd.Timestamp(parse_day(start, "start", DataError)))
    last = min(c.index[-1] for c in columns.values())
    if end is not None:
        last = min(last, pd.Timestamp(parse_day(end, "end", DataError)))
    # Jumps after the last day are not in the levels, so they are not listed either.
    labels: dict[str, Any] = {
        "source": f"{folder.name}/ ({', '.join(files_read)})",
        "kinds": {name: factor_column(name).kind for name in factors},
        "adjusted": tuple(a for a in adjusted if a.date <= last),
    }
    days = _curve_days(factors, columns, first, last)
    if len(days) == 0:
        window = "".join(f" {word} {day}" for word, day in (("from", start), ("to", end)) if day)
        raise DataError(f"{', '.join(factors)} share no day{window}; choose others or widen it.")
    if clock == "24/7":
        since = {name: columns[name].loc[first:] for name in factors}
        market = around_the_clock(since, last=last, **labels)
        days = pd.DatetimeIndex(market.dates)
    else:
        frame = pd.DataFrame({name: columns[name].reindex(days) for name in factors})
        market = Market.from_frame(frame, **labels)
    for name in factors:
        if factor_column(name).form == "funding":
            refuse_gaps(columns[name], days, factor_column(name))
    return market, list(files_read.values())


def _contracts(contracts: Mapping[str, str], factors: tuple[str, ...]) -> dict[str, str]:
    """Futures among the factors that have contracts of their own; DataError for what is none."""
    for name in contracts:
        if not factor_column(name).rolls:
            raise DataError(f"contracts name {name!r}, which is no future; leave it out.")
    return {name: path for name, path in contracts.items() if name in factors}


def _curve_days(
    factors: tuple[str, ...],
    columns: dict[str, pd.Series],
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> pd.DatetimeIndex:
    """Days from `first` to `last` with any yield; days of the first factor if none is a yield."""
    curve = [f for f in factors if tenor_years(f) is not None] or list(factors[:1])
    days = columns[curve[0]].index
    for name in curve[1:]:
        days = days.union(columns[name].index)
    return pd.DatetimeIndex(days[(days >= first) & (days <= last)])


def read_column(folder: Path, factor: str) -> pd.Series:
    """(days,) one factor on the days of its file, missing values not filled; yields in decimals.

    Raises
    ------
    DataError : a file, column or value that cannot be used.
    """
    return _read_factors(folder, (factor,), {})[factor]


def _read_factors(
    folder: Path,
    factors: tuple[str, ...],
    files_read: dict[str, SourceFile],
    *,
    end: str | None = None,
) -> dict[str, pd.Series]:
    """Every factor in the unit of a market, on the days of its file; each file is read once.

    end : values of later days are not looked at, but of futures, whose rolls they measure.
    """
    last = None if end is None else pd.Timestamp(parse_day(end, "end", DataError))
    places = {name: factor_column(name) for name in factors}
    # The par yields first: they decide the days of a market.
    names = dict.fromkeys(sorted((p.file for p in places.values()), key=YIELDS_FILE.__ne__))
    columns: dict[str, pd.Series] = {}
    for file in names:
        file_places = {name: place for name, place in places.items() if place.file == file}
        table = _read(
            folder / file, sorted({place.column for place in file_places.values()}), files_read
        )
        for name, place in file_places.items():
            column = table[place.column].dropna()
            if column.empty:
                raise DataError(f"{name} has no value in {str(folder)!r}; leave it out or mend it.")
            known = column if place.rolls else column.loc[:last]
            if len(known):  # of what comes later it counts that it comes, not what it is
                column = column.where(column.index <= known.index[-1], known.iloc[-1])
            columns[name] = _levels(column, place)
            if len(known):
                refuse_implausible(known, name, place)
    if "30Y" in columns:
        days = columns["30Y"].index.to_numpy()
        columns["30Y"] = columns["30Y"][(days < NO_30Y[0]) | (days > NO_30Y[1])]
    return columns


def _reference(
    folder: Path, future: str, columns: dict[str, pd.Series], files_read: dict[str, SourceFile]
) -> pd.Series:
    """Series by which the rolls of a future are measured; read if it is no factor of the market."""
    name = contract_terms(future).reference
    if name in columns:
        return columns[name]
    try:
        return _read_factors(folder, (name,), files_read)[name]
    except DataError as error:
        raise DataError(f"{future} needs {name} to measure its rolls by: {error}") from error


def _read(path: Path, columns: list[str], files_read: dict[str, SourceFile]) -> pd.DataFrame:
    """Columns of one file by date, as numbers, ascending."""
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
    # Every day once and ascending: a file sorted another way would make every return wrong.
    steps = np.diff(dates.to_numpy().astype("datetime64[D]")).astype(int)
    if (steps <= 0).any():
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
    files_read[path.name] = SourceFile(path.name, hashlib.sha256(raw).hexdigest())
    return numbers


def _levels(column: pd.Series, place: FactorColumn) -> pd.Series:
    """Convert a column of a file to the levels of its factor."""
    if place.form == "funding":
        return funding_index(place.payments * column)
    if place.kind == "yield":
        return _percent(column, place)
    price = _price(column, place)
    return realised_volatility(price) if place.form == "realised" else price


def _percent(column: pd.Series, place: FactorColumn) -> pd.Series:
    """Convert yields from percent to decimals; an error shows the percent of the file."""
    low, high = (100 * edge for edge in YIELD_RANGE)
    wrong = ~column.between(low, high)
    if wrong.any():
        day = column.index[int(np.argmax(wrong.to_numpy()))]
        raise DataError(
            f"{place.file}: {column.name} on {day:%Y-%m-%d} is {column[day]:g} percent; "
            f"yields must lie in {low:g} .. {high:g} (4.25 means 4.25 %). Check its unit."
        )
    return column / 100.0


def _price(column: pd.Series, place: FactorColumn) -> pd.Series:
    """Prices of a column; a column in percent is converted to decimals."""
    low, high = PRICE_RANGE
    wrong = ~column.between(low, high)
    if wrong.any():
        day = column.index[int(np.argmax(wrong.to_numpy()))]
        advice = (
            f"a price must lie in {low:g} .. {high:g}. Mend or remove that row."
            if column[day] > 0
            else "moves here are relative, which no model or shock can take of a price that is not "
            "above zero. Mend a slip; where the price is true, end the study before that day."
        )
        raise DataError(
            f"{place.file}: {column.name} on {day:%Y-%m-%d} is {column[day]:g}; {advice}"
        )
    return column / 100.0 if place.unit == "percent" else column
