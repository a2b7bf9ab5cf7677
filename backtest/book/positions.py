"""Positions by day: a table of them, made dense; and sums over positions that may change."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from backtest.instruments import Instrument, check_priced, parse_instrument
from backtest.instruments.units import UNITS, usd_of_unit
from backtest.market.market import Market
from backtest.memory import check_memory
from backtest.types import (
    MIDNIGHT,
    Dates,
    DaysByInstruments,
    DaysByPortfolios,
    FloatArray,
    RowNumbers,
    StudyError,
    parse_day,
    shown,
)

if TYPE_CHECKING:
    from backtest.book.book import Book

Gaps = Literal["unchanged", "flat"]
KEYS = ("date", "account", "instrument")
COPIES = 3  # of the dense positions in memory at once
MOST_AMOUNT = 1e15  # of any unit; a larger number is a typing error


@dataclass(frozen=True, eq=False)
class Positions:
    """Dense positions: amounts (days, accounts, instruments), in one unit for each instrument."""

    dates: Dates
    accounts: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    units: tuple[str, ...]
    amounts: FloatArray


def read_positions(frame: pd.DataFrame, market: Market, *, gaps: Gaps) -> Positions:
    """Positions on every day of a market, from a table of some days; see `Book.from_positions`.

    Raises
    ------
    StudyError : one line with the row that cannot be read, and what to do.
    """
    if gaps not in ("unchanged", "flat"):
        raise StudyError(
            f"gaps is {shown(gaps)}; say what days without a row mean: 'unchanged' or 'flat'."
        )
    _check_columns(frame)
    amounts, units = _amounts(frame)
    days = _rows_of_market(frame["date"], market)
    accounts, account_names = pd.factorize(_names(frame["account"], "account"))
    columns, instrument_names = pd.factorize(_names(frame["instrument"], "instrument"))
    _refuse_twice(frame, np.column_stack([days, accounts, columns]))
    instruments = tuple(parse_instrument(str(name)) for name in instrument_names)
    for instrument in instruments:
        check_priced(instrument, market)
    unit_of = tuple(
        _one_unit(frame, units, np.flatnonzero(columns == i), instrument, market)
        for i, instrument in enumerate(instruments)
    )
    shape = len(market.dates), len(account_names), len(instruments)
    what = f"positions of {shape[1]:,} accounts in {shape[2]:,} instruments on {shape[0]:,} days"
    check_memory(what, COPIES * math.prod(shape) * np.dtype(np.float64).itemsize)
    dense = np.zeros(shape)
    dense[days, accounts, columns] = amounts
    if gaps == "unchanged":
        for i in range(len(instruments)):
            rows = columns == i
            _carry_on(dense[:, :, i], days[rows], accounts[rows])
    return Positions(market.dates, tuple(map(str, account_names)), instruments, unit_of, dense)


def rows_of(dates: Dates, wanted: Dates) -> RowNumbers:
    """Rows of ascending `dates` on or last before the `wanted` ones, which lie among them.

    A day between, such as a weekend on the 24/7 clock, holds the positions of the day before it.

    Raises
    ------
    StudyError : a day before the first, or a weekday after the last.

    Examples
    --------
    >>> days = np.array(["2024-01-04", "2024-01-05", "2024-01-08"], dtype="datetime64[D]")
    >>> rows_of(days, np.arange("2024-01-05", "2024-01-09", dtype="datetime64[D]")).tolist()
    [1, 1, 1, 2]
    """
    rows: RowNumbers = dates.searchsorted(wanted, side="right") - 1
    missing = (rows < 0) | ((wanted > dates[-1]) & np.is_busday(wanted))
    if missing.any():
        raise StudyError(
            f"positions by day are known for {dates[0]} to {dates[-1]}, and not for "
            f"{wanted[missing][0]}; simulated histories may be no longer than the real one."
        )
    return rows


def by_day(values: DaysByInstruments, exposure: FloatArray) -> DaysByPortfolios:
    """(days, portfolios) sums over instruments of values times positions, constant or by day.

    Examples
    --------
    >>> values = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> by_day(values, np.array([[1.0, 1.0]])).ravel().tolist()
    [3.0, 7.0]
    >>> by_day(values, np.array([[[1.0, 1.0]], [[0.0, 1.0]]])).ravel().tolist()
    [3.0, 4.0]
    """
    if exposure.ndim == 2:
        total: DaysByPortfolios = values @ exposure.T
        return total
    # A product for each day: numpy's einsum would not hand it to BLAS.
    return np.matmul(exposure, values[:, :, None])[:, :, 0]


def check_exposure(book: "Book") -> None:
    """StudyError where the positions of a book do not have its shape, or are not finite."""
    held_by = (len(book.portfolios), len(book.instruments))
    expected = held_by if book.dates is None else (len(book.dates), *held_by)
    if book.exposure.shape != expected or 0 in expected:
        raise StudyError(
            f"exposure has shape {book.exposure.shape}; {held_by[0]} portfolios and "
            f"{held_by[1]} instruments (at least one of each)"
            f"{'' if book.dates is None else f' on {expected[0]} days'} need {expected}."
        )
    if not np.isfinite(book.exposure).all():
        *day, p, i = np.argwhere(~np.isfinite(book.exposure))[0]
        on = f" on {book.dates[day[0]]}" if book.dates is not None else ""
        raise StudyError(
            f"exposure of {book.portfolios[p]!r} in {book.instruments[i].name}{on} is "
            f"{book.exposure[(*day, p, i)]}; give USD, 0 where nothing is held."
        )
    if book.units is not None and len(book.units) != len(book.instruments):
        raise StudyError(
            f"{len(book.units)} units for {len(book.instruments)} instruments; give one each."
        )


def _check_columns(frame: pd.DataFrame) -> None:
    missing = [name for name in KEYS if name not in frame.columns]
    unknown = [str(name) for name in frame.columns if name not in (*KEYS, *UNITS)]
    if missing or unknown:
        fault = f"lack {missing[0]!r}" if missing else f"have an unknown column {unknown[0]!r}"
        raise StudyError(
            f"positions {fault}; known: {', '.join(KEYS)}, and one or more of {', '.join(UNITS)}."
        )
    if not any(name in frame.columns for name in UNITS):
        raise StudyError(f"positions have no amounts; add one of the columns {', '.join(UNITS)}.")
    if frame.empty:
        raise StudyError("positions have no row; give at least one.")


def _amounts(frame: pd.DataFrame) -> tuple[FloatArray, np.ndarray]:
    """(rows,) amount, and the unit that each row gives it in."""
    names = [name for name in UNITS if name in frame.columns]
    table = frame[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    text = frame[names].notna().to_numpy() & ~(np.abs(table) <= MOST_AMOUNT)
    if text.any():
        row, column = np.argwhere(text)[0]
        cell = frame[names[column]].tolist()[row]
        raise StudyError(
            f"{_place(frame, row)}: {names[column]} is {shown(cell)}; "
            f"give a number of at most {MOST_AMOUNT:g}."
        )
    given = ~np.isnan(table)
    wrong = given.sum(axis=1) != 1
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        units = [name for name, is_given in zip(names, given[row], strict=True) if is_given]
        fault = f"has two units, {' and '.join(units)}" if units else "has no amount"
        raise StudyError(f"{_place(frame, row)} {fault}; give one.")
    column = given.argmax(axis=1)
    return table[np.arange(len(table)), column], np.array(names)[column]


def _rows_of_market(column: pd.Series, market: Market) -> RowNumbers:
    """(rows,) the row of the market on the date of each row."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    dates = np.array([parse_day(value, "a date of positions") for value in values])
    rows = np.minimum(market.dates.searchsorted(dates), len(market.dates) - 1)
    strange = market.dates[rows] != dates
    if strange.any():
        first, last = market.dates[[0, -1]]
        early, late = dates < first, dates > last
        if late.any():
            why = f"{dates[late].max()} lies after the last day with prices, {last}"
        elif early.any():
            why = f"{dates[early].min()} lies before the first day with prices, {first}"
        else:
            why = f"{dates[strange].min()} is a day without prices"
        raise StudyError(
            f"positions on {strange.sum():,} days without prices: {why}; give positions at closes "
            "that the market has."
        )
    return np.asarray(rows[codes])


def _names(column: pd.Series, what: str) -> pd.Series:
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise StudyError(f"row {row + 1} of the positions has no {what}; name it.")
    return column.astype(str)


def _refuse_twice(frame: pd.DataFrame, keys: np.ndarray) -> None:
    twice = pd.DataFrame(keys).duplicated().to_numpy()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        raise StudyError(
            f"{_place(frame, row)} is twice in the positions; give each position once a day."
        )


def _one_unit(
    frame: pd.DataFrame,
    units: np.ndarray,
    rows: RowNumbers,
    instrument: Instrument,
    market: Market,
) -> str:
    """The unit of an instrument in all its rows."""
    first = str(units[rows[0]])
    other = rows[units[rows] != first]
    if len(other):
        raise StudyError(
            f"{_place(frame, other[0])} is in {units[other[0]]}, and {instrument.name} in {first} "
            "before; give one unit for an instrument."
        )
    usd_of_unit(instrument, first, market)
    return first


def _carry_on(amounts: DaysByPortfolios, days: RowNumbers, accounts: RowNumbers) -> None:
    """Go on with the last row of each account on days without one, in place."""
    last = np.zeros(amounts.shape, dtype=np.int64)
    last[days, accounts] = days
    np.maximum.accumulate(last, axis=0, out=last)
    amounts[:] = np.take_along_axis(amounts, last, axis=0)


def _place(frame: pd.DataFrame, row: int) -> str:
    date, account, instrument = (str(frame[key].iloc[row]) for key in KEYS)
    return f"row {row + 1} of the positions ({MIDNIGHT.sub('', date)} {account!r} {instrument})"
