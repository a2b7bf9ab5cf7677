"""The numbers of a table as dense arrays, one for each quantity, model and silo."""

import numpy as np

from backtest.replay.room import check_study_fits
from backtest.replay.validation.layout import some
from backtest.replay.validation.reading import Codes, Rows
from backtest.types import DataError, DaysByPortfolios, FloatArray

HOUSE = "house"  # name of a model that the table does not name

Cells = dict[tuple[str, str, str], DaysByPortfolios]  # by quantity, model and silo


def cells_of(rows: Rows) -> tuple[tuple[str, ...], Cells]:
    """Accounts, and (days, accounts) numbers by quantity, model and silo; gains become losses.

    Raises
    ------
    DataError : two rows for one date and account, or a row without an account. StudyError : more
        accounts and days than have room.
    """
    return _wide(rows) if rows.layout.wide else _long(rows)


def _wide(rows: Rows) -> tuple[tuple[str, ...], Cells]:
    """Accounts and cells of a wide table, whose rows are days."""
    if len(rows.dates) < len(rows.day):
        repeated = rows.dates[np.bincount(rows.day) > 1]
        raise DataError(
            f"{rows.where} has {len(rows.day) - len(rows.dates):,} rows of a date that has one "
            f"already ({some(repeated)}); keep one row a date."
        )
    accounts = tuple(dict.fromkeys(account for _, account in rows.layout.wide))
    check_study_fits(len(rows.dates), len(accounts), 1)
    quantities = dict.fromkeys(quantity for quantity, _ in rows.layout.wide)
    cells: Cells = {}
    for quantity in quantities:
        values = np.full((len(rows.dates), len(accounts)), np.nan)
        for column, account in enumerate(accounts):
            if (quantity, account) in rows.numbers:
                values[rows.day, column] = rows.numbers.pop((quantity, account))
        cells[_as_loss(quantity), HOUSE, ""] = _signed(quantity, values)
    return accounts, cells


def _long(rows: Rows) -> tuple[tuple[str, ...], Cells]:
    """Accounts and cells of a long table, a row a date, account, model and silo."""
    accounts, account = rows.labels["account"]
    if "" in accounts:
        row = int(np.flatnonzero(account == accounts.index(""))[0])
        raise DataError(f"{rows.where}, row {row + 1} of its data, has no account; give a name.")
    models, model = rows.labels.get("model", ((HOUSE,), None))
    silos, silo = rows.labels.get("silo", (("",), None))
    shape = len(rows.dates), len(accounts)
    check_study_fits(*shape, len(models) * len(silos))
    place = rows.day * shape[1] + account
    cells: Cells = {}
    for m, name in enumerate(models):
        for s, where in enumerate(silos):
            mine = _both(None if model is None else model == m, None if silo is None else silo == s)
            here = place if mine is None else place[mine]
            if not len(here):
                continue
            _refuse_twice(here, rows, accounts)
            for quantity in list(rows.numbers):
                values = np.full(shape[0] * shape[1], np.nan)
                numbers = rows.numbers[quantity]
                values[here] = numbers if mine is None else numbers[mine]
                key = _as_loss(str(quantity)), name or HOUSE, where
                cells[key] = _signed(str(quantity), values.reshape(shape))
                if mine is None:  # let go: a large table is in memory once
                    del rows.numbers[quantity]
    return accounts, cells


def _both(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    if one is None or other is None:
        return one if other is None else other
    return np.asarray(one & other)


def _refuse_twice(place: Codes, rows: Rows, accounts: tuple[str, ...]) -> None:
    count = np.bincount(place)
    if count.max() > 1:
        twice = np.flatnonzero(count > 1)
        examples = [
            f"{rows.dates[p // len(accounts)]} {accounts[p % len(accounts)]}" for p in twice[:3]
        ]
        raise DataError(
            f"{rows.where} has {len(twice):,} keys (date, account, model, silo) with more than one "
            f"row ({some(examples, len(twice))}); keep one row each."
        )


def _as_loss(quantity: str) -> str:
    return "loss" if quantity == "pnl" else quantity


def _signed(quantity: str, values: FloatArray) -> FloatArray:
    """A gain as a negative loss; in place, since a large table has room for one."""
    return np.negative(values, out=values) if quantity == "pnl" else values
