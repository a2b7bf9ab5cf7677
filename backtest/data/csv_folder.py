"""The market of a folder of prices; `raw_columns` finds each factor in its files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.data.clocks import around_the_clock
from backtest.data.columns import YIELDS_FILE, factor_column
from backtest.data.contract_files import front_months, read_contracts
from backtest.data.derived import refuse_gaps
from backtest.data.examined import columns_to_examine, levels_of, published
from backtest.data.foreign import Foreign, files_in
from backtest.data.layouts.how import How
from backtest.data.raw_columns import Columns, SourceFile, raw_columns
from backtest.data.rolls import adjust_rolls
from backtest.instruments.declared import terms_of_future
from backtest.market.calendars import Clock
from backtest.market.examination import Accepted, Finding, examine, judged
from backtest.market.market import Adjustment, Market, tenor_years
from backtest.types import DataError, parse_day


def read_folder(
    folder: Path,
    factors: tuple[str, ...],
    *,
    start: str | None = None,
    end: str | None = None,
    clock: Clock = "business",
    contracts: Mapping[str, str] | None = None,
    files: Mapping[str, How] | None = None,
    accept: Sequence[Accepted] = (),
    earlier: bool = False,
) -> tuple[Market, list[SourceFile]]:
    """Read the market of the days on which every factor has a value, and list the files read.

    start : first day to keep, ISO; missing data before it cause no error.
    end : last day of the study, ISO; missing data after it cause no error.
    contracts : by future, the file or folder of its contracts' settlements (see `contract_files`),
        inside the folder or with a path of its own; their front months need no splices found.
    files : by file name, how a file is read that would not be recognised, or wrongly.
    accept : findings of the examination that are true, with the reason.
    earlier : keep what single factors have before the window, as `Market.before`.

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
    if not files_in(folder):
        raise DataError(f"folder {str(folder)!r} holds no CSV file; it needs {YIELDS_FILE}.")
    files_read: dict[str, SourceFile] = {}
    foreign = Foreign(folder, files or {})
    by_contract = _contracts(contracts or {}, factors)
    in_files = tuple(name for name in factors if name not in by_contract)
    columns, findings = _examined(
        raw_columns(foreign, in_files, files_read), end=end, accept=accept
    )
    adjusted: list[Adjustment] = []
    for name, path in by_contract.items():
        settlements, hashes = read_contracts(name, folder / path)
        files_read |= {file: SourceFile(file, sha256) for file, sha256 in hashes.items()}
        columns[name], changes = front_months(name, settlements)
        adjusted += changes
    for name in [f for f in factors if factor_column(f).rolls and f not in by_contract]:
        reference = _reference(foreign, name, columns, files_read)
        columns[name], roll_adjustments = adjust_rolls(name, columns[name], reference)
        adjusted += roll_adjustments
    for name in factors:
        columns[name] = _in_dollars(foreign, name, columns, files_read)
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
        "findings": findings,
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
        all_days = _earlier_days(factors, columns, days).append(days) if earlier else days
        frame = pd.DataFrame({name: columns[name].reindex(all_days) for name in factors})
        market = Market.from_frame(frame, since=first if earlier else None, **labels)
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
    days = _days_of(columns, curve)
    return pd.DatetimeIndex(days[(days >= first) & (days <= last)])


def _earlier_days(
    factors: tuple[str, ...], columns: dict[str, pd.Series], days: pd.DatetimeIndex
) -> pd.DatetimeIndex:
    """Days before `days` with any yield, or with any factor if none is a yield.

    Weekends are among them only where they are among `days`: a step is one of the same clock.
    """
    curve = [f for f in factors if tenor_years(f) is not None] or list(factors)
    before = _days_of(columns, curve)
    before = before[before < days[0]]
    weekends = bool((days.day_of_week >= 5).any())
    return pd.DatetimeIndex(before if weekends else before[before.day_of_week < 5])


def _days_of(columns: dict[str, pd.Series], names: list[str]) -> pd.DatetimeIndex:
    """Days on which any of the factors has a value."""
    days = pd.DatetimeIndex(columns[names[0]].index)
    for name in names[1:]:
        days = days.union(pd.DatetimeIndex(columns[name].index))
    return days


def read_column(folder: Path, factor: str, *, files: Mapping[str, How] | None = None) -> pd.Series:
    """(days,) one factor on the days of its file, missing values not filled; yields in decimals.

    Raises
    ------
    DataError : a file, column or value that cannot be used.
    """
    return _examined(raw_columns(Foreign(folder, files or {}), (factor,), {}))[0][factor]


def _examined(
    raw: Columns, *, end: str | None = None, accept: Sequence[Accepted] = ()
) -> tuple[dict[str, pd.Series], tuple[Finding, ...]]:
    """Every factor in the unit of a market, on the days of its file; and what is doubtful.

    end : values of later days are not looked at, but of futures, whose rolls they measure.
    """
    last = None if end is None else pd.Timestamp(parse_day(end, "end", DataError))
    columns: dict[str, pd.Series] = {}
    looked_at: Columns = {}
    for name, (column, place) in raw.items():
        if column.empty:
            raise DataError(f"{name} has no value in {place.file}; leave it out or mend it.")
        column = published(name, column)
        known = column if place.rolls else column.loc[:last]
        if len(known):  # of what comes later it counts that it comes, not what it is
            column = column.where(column.index <= known.index[-1], known.iloc[-1])
            looked_at[name] = known, place
        columns[name] = levels_of(column, place)
    return columns, judged(examine(columns_to_examine(looked_at)), accept)


def _reference(
    foreign: Foreign, future: str, columns: dict[str, pd.Series], files_read: dict[str, SourceFile]
) -> pd.Series:
    """Series by which the rolls of a future are measured; read if it is no factor of the market."""
    name = terms_of_future(future).reference
    if name in columns:
        return columns[name]
    try:
        return _examined(raw_columns(foreign, (name,), files_read))[0][name]
    except DataError as error:
        raise DataError(f"{future} needs {name} to measure its rolls by: {error}") from error


def _in_dollars(
    foreign: Foreign, name: str, columns: dict[str, pd.Series], files_read: dict[str, SourceFile]
) -> pd.Series:
    """Prices in another currency at the exchange rate of their day; without one a day is left out.

    The rate is USD per unit of the currency where its name ends in USD, and the inverse else.
    """
    rate_name = factor_column(name).fx
    if not rate_name:
        return columns[name]
    if rate_name in columns:
        rate = columns[rate_name]
    else:
        rate = _examined(raw_columns(foreign, (rate_name,), files_read))[0][rate_name]
    per_unit = rate if rate_name.endswith("USD") else 1.0 / rate
    file = files_read[factor_column(name).file]
    words = f"{file.read_as}; in another currency, converted by {rate_name}"
    files_read[file.name] = replace(file, read_as=words)
    return (columns[name] * per_unit).dropna()
