"""Positions of many accounts from a file beside a study: one row an account and instrument."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.config.sections import AccountsTable
from backtest.config.tables import read_table
from backtest.instruments import check_priced, parse_instrument
from backtest.instruments.units import UNITS, usd_of_unit
from backtest.market.market import Market
from backtest.types import StudyError, shown

COLUMNS = ("account", "instrument", "amount", "unit")
OPTIONAL = ("silo", "group")
MOST_AMOUNT = 1e15
ROW = {"first": 0, "last": -1}


@dataclass(frozen=True)
class Position:
    """One row of the file: a signed amount of one instrument, and the line that says so."""

    account: str
    instrument: str
    amount: float
    unit: str
    group: str
    line: int


def read_positions(name: str, content: bytes, sheet: str = "") -> list[Position]:
    r"""The positions of an accounts file; lines are counted from the header's 1.

    sheet : of a workbook, see `read_table`.

    Raises
    ------
    StudyError : a column, cell or row that cannot be used: its line, its value, what to do.

    Examples
    --------
    >>> rows = b"account,instrument,amount,unit\nA,SOL,-10,coins\n"
    >>> read_positions("accounts.csv", rows)[0].amount
    -10.0
    """
    table = _table(name, content, sheet)
    positions: dict[tuple[str, str], Position] = {}
    for row, cells in enumerate(table.to_dict("records")):
        position = _position(f"{name} line {row + 2}", row + 2, cells)
        key = (position.account, position.instrument)
        earlier = positions.setdefault(key, position)
        if earlier is not position:
            units = f"has two units, {earlier.unit} and {position.unit}"
            what = "is there twice" if earlier.unit == position.unit else units
            raise StudyError(
                f"{name}: {position.instrument} of account {position.account!r} {what} (lines "
                f"{earlier.line} and {position.line}); give one row a position."
            )
    _check_groups(name, list(positions.values()))
    return list(positions.values())


def account_books(
    table: AccountsTable, positions: list[Position], market: Market
) -> dict[str, dict[str, float]]:
    """USD by portfolio and instrument: of each account, or of each group summed.

    Raises
    ------
    StudyError : an instrument that the prices do not have, or a unit that it is not counted in.
    """
    usd: dict[tuple[str, str], float] = {}
    books: dict[str, dict[str, float]] = {}
    for position in positions:
        key = (position.instrument, position.unit)
        if key not in usd:
            usd[key] = _usd(table, position, market)
        book = books.setdefault(position.group if table.by == "group" else position.account, {})
        value = book.get(position.instrument, 0.0) + position.amount * usd[key]
        book[position.instrument] = value
    return books


def _usd(table: AccountsTable, position: Position, market: Market) -> float:
    """USD of one unit on the day at whose prices the accounts are valued."""
    instrument = parse_instrument(position.instrument)
    try:
        check_priced(instrument, market)
        return float(usd_of_unit(instrument, position.unit, market)[ROW[table.valued]])
    except StudyError as error:
        raise StudyError(
            f"{table.file} line {position.line}, account {position.account!r}: {error}"
        ) from error


def _table(name: str, content: bytes, sheet: str) -> pd.DataFrame:
    """The file as text cells, with its columns checked."""
    table = read_table(name, content, sheet)
    if name.endswith(".parquet"):
        table = table.astype(str)
    known = (*COLUMNS, *OPTIONAL)
    for column in COLUMNS:
        if column not in table:
            raise StudyError(
                f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns))}."
            )
    unknown = [str(column) for column in table.columns if column not in known]
    if unknown:
        raise StudyError(f"{name} has a column {unknown[0]!r}; known: {', '.join(known)}.")
    if table.empty:
        raise StudyError(f"{name} holds no position; give one row an account and instrument.")
    return table


def _position(where: str, line: int, cells: Mapping[Any, str]) -> Position:
    """One row, checked."""
    texts = {key: cells.get(key, "").strip() for key in (*COLUMNS, *OPTIONAL)}
    for key in ("account", "instrument"):
        if not texts[key]:
            raise StudyError(f"{where}: the {key} is empty; name it.")
    control = [c for c in "".join(texts.values()) if unicodedata.category(c) == "Cc"]
    if control:
        raise StudyError(f"{where} has the control character {control[0]!r}; remove it.")
    if texts["unit"] not in UNITS:
        raise StudyError(f"{where}: unit is {shown(texts['unit'])}; known: {', '.join(UNITS)}.")
    try:
        amount = float(texts["amount"])
        if not abs(amount) <= MOST_AMOUNT:
            raise ValueError
    except ValueError:
        raise StudyError(
            f"{where}: amount is {shown(texts['amount'])}; give a signed number."
        ) from None
    name = texts["instrument"]
    if texts["silo"] and "@" not in name:
        name = parse_instrument(f"{name}@{texts['silo']}").name
    elif texts["silo"] and not name.endswith(f"@{texts['silo']}"):
        raise StudyError(f"{where}: {name!r} names another silo than {texts['silo']!r}; give one.")
    return Position(texts["account"], name, amount, texts["unit"], texts["group"], line)


def _check_groups(name: str, positions: list[Position]) -> None:
    """One group an account, as far as groups are given."""
    group_of: dict[str, Position] = {}
    for position in positions:
        earlier = group_of.setdefault(position.account, position)
        if earlier.group != position.group:
            raise StudyError(
                f"{name}: account {position.account!r} is in groups {earlier.group!r} and "
                f"{position.group!r} (lines {earlier.line} and {position.line}); give one."
            )
