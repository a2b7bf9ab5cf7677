"""`Given`: losses and margins that somebody else computed, as arrays of days by accounts."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from backtest.replay.validation.layout import FORECASTS
from backtest.replay.validation.reading import Codes, Rows, read_rows
from backtest.types import DataError, Dates, DaysByPortfolios, FloatArray, shown

HOUSE = "house"  # name of a model that the table does not name
SILOED = "siloed"  # name of the sum of the silos' margins beside a joint margin
SHOWN = 3  # examples in a message
CLOSE = 1e-6  # share of the largest number within which two losses of one day are the same

Cells = dict[tuple[str, str, str], DaysByPortfolios]  # by quantity, model and silo


@dataclass(frozen=True, eq=False)
class Given:
    """A table of given margins, (days, accounts) USD each; NaN where there is no row or number.

    Parameters
    ----------
    where : the table, as a message names it. rows : how many it has. signs : 'loss' or 'pnl'.
    loss : of each day's row as it was given, > 0 is a loss. required : by model.
    held : collateral held, by model; empty where the table has none.
    forecasts : value_at_risk, expected_shortfall and pit, by quantity and model.
    silos : loss and margin of each silo where the table has some.
    groups : group of each account; empty where the table has none.
    """

    where: str
    rows: int
    signs: Literal["loss", "pnl"]
    dates: Dates
    accounts: tuple[str, ...]
    loss: DaysByPortfolios
    required: dict[str, DaysByPortfolios]
    held: dict[str, DaysByPortfolios] = field(default_factory=dict)
    forecasts: dict[tuple[str, str], DaysByPortfolios] = field(default_factory=dict)
    silos: dict[str, tuple[DaysByPortfolios, DaysByPortfolios]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


def read_given(table: pd.DataFrame | str | Path) -> Given:
    """Read a table of given margins: a frame, a CSV or a parquet file (docs/validate.md).

    Raises
    ------
    DataError : a table that cannot be read, two rows for one date and account, two losses of one
        date and account, silos that do not add up.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-02", periods=3)
    >>> wide = {("pnl", "A"): [1.0, -2.0, 0.5], ("required", "A"): [3.0, 3.0, 3.0]}
    >>> given = read_given(pd.DataFrame(wide, index=days.rename("date")))
    >>> given.loss.ravel().tolist(), list(given.required)
    ([-1.0, 2.0, -0.5], ['house'])
    """
    rows = read_rows(table)
    accounts, cells = _wide(rows) if rows.layout.wide else _long(rows)
    loss, required, silos = _joined(cells, rows, accounts)
    held, forecasts = _beside(cells, rows)
    return Given(
        where=rows.where,
        rows=len(rows.day),
        signs=rows.layout.loss,
        dates=rows.dates,
        accounts=accounts,
        loss=loss,
        required=required,
        held=held,
        forecasts=forecasts,
        silos=silos,
        groups=_groups(rows, accounts),
    )


def _wide(rows: Rows) -> tuple[tuple[str, ...], Cells]:
    """Accounts and cells of a wide table, whose rows are days."""
    if len(rows.dates) < len(rows.day):
        repeated = rows.dates[np.bincount(rows.day) > 1]
        raise DataError(
            f"{rows.where} has {len(rows.day) - len(rows.dates):,} rows of a date that has one "
            f"already ({_some(repeated)}); keep one row a date."
        )
    accounts = tuple(dict.fromkeys(account for _, account in rows.layout.wide))
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
            f"{rows.dates[p // len(accounts)]} {accounts[p % len(accounts)]}" for p in twice[:SHOWN]
        ]
        raise DataError(
            f"{rows.where} has {len(twice):,} keys (date, account, model, silo) with more than one "
            f"row ({_some(examples, len(twice))}); keep one row each."
        )


def _joined(
    cells: Cells, rows: Rows, accounts: tuple[str, ...]
) -> tuple[
    DaysByPortfolios,
    dict[str, DaysByPortfolios],
    dict[str, tuple[DaysByPortfolios, DaysByPortfolios]],
]:
    """Loss, margins by model, and loss and margin by silo, of the accounts as a whole."""
    models = list(dict.fromkeys(model for _, model, _ in cells))
    names = [silo for silo in dict.fromkeys(silo for _, _, silo in cells) if silo]
    if not names:
        loss = cells["loss", models[0], ""]
        for model in models[1:]:
            loss = _same_loss(loss, cells["loss", model, ""], f"model {model!r}", rows, accounts)
        return loss, {model: cells["required", model, ""] for model in models}, {}
    if len(models) > 1:
        raise DataError(
            f"{rows.where} has silos and {len(models)} models ({_some(models)}); validate one "
            "model at a time where there are silos."
        )
    house = models[0]
    silos = {silo: (cells["loss", house, silo], cells["required", house, silo]) for silo in names}
    _refuse_uneven(silos, rows, accounts)
    summed, apart = (_sum([pair[i] for pair in silos.values()]) for i in (0, 1))
    if ("loss", house, "") not in cells:
        return summed, {house: apart}, silos
    whole, joint = cells["loss", house, ""], cells["required", house, ""]
    single = np.isnan(summed).all(axis=0)  # accounts without silos are their own sum
    summed[:, single], apart[:, single] = whole[:, single], joint[:, single]
    if np.isnan(joint).all(axis=0).any():
        lacking = np.array(accounts)[np.isnan(joint).all(axis=0)]
        raise DataError(
            f"{rows.where} has rows without a silo (the joint margin) for some accounts and not "
            f"for {len(lacking):,} ({_some(lacking)}); give them for all or for none."
        )
    loss = _same_loss(whole, summed, "the sum of the silos", rows, accounts)
    return loss, {SILOED: apart, house: joint}, silos


def _refuse_uneven(
    silos: dict[str, tuple[DaysByPortfolios, DaysByPortfolios]],
    rows: Rows,
    accounts: tuple[str, ...],
) -> None:
    """DataError where one silo of an account has a row on a day and another has none."""
    there = {s: ~(np.isnan(loss) & np.isnan(margin)) for s, (loss, margin) in silos.items()}
    some = np.logical_or.reduce(list(there.values()))
    for silo, present in there.items():
        lacking = some & ~present & present.any(axis=0)
        if lacking.any():
            day, account = np.argwhere(lacking)[0]
            raise DataError(
                f"{rows.where} has no row of silo {silo!r} for {accounts[account]!r} on "
                f"{rows.dates[day]}, and one of another silo ({int(lacking.sum()):,} such cells); "
                "complete those rows: silos are added up day by day."
            )


def _beside(
    cells: Cells, rows: Rows
) -> tuple[dict[str, DaysByPortfolios], dict[tuple[str, str], DaysByPortfolios]]:
    """Collateral held by model, and forecasts by quantity and model, of the accounts as a whole."""
    held: dict[str, DaysByPortfolios] = {}
    forecasts: dict[tuple[str, str], DaysByPortfolios] = {}
    for (quantity, model, silo), values in cells.items():
        if quantity not in ("held", *FORECASTS) or np.isnan(values).all():
            continue
        if not silo:
            held |= {model: values} if quantity == "held" else {}
            forecasts |= {(quantity, model): values} if quantity != "held" else {}
        elif ("loss", model, "") in cells or quantity != "held":
            raise DataError(
                f"{rows.where} has {quantity} in rows of silo {silo!r}; give it in rows without a "
                "silo, which are of the account as a whole."
            )
        else:
            apart = [v for (q, m, s), v in cells.items() if (q, m) == ("held", model) and s]
            held[model] = _sum(apart)
    return held, forecasts


def _sum(parts: list[DaysByPortfolios]) -> DaysByPortfolios:
    """Sum over the silos of each account; NaN on a day on which one of them has no number."""
    total = np.zeros(parts[0].shape)
    held = np.zeros(parts[0].shape[1], dtype=np.bool_)
    for part in parts:
        inside = ~np.isnan(part).all(axis=0)
        total[:, inside] += part[:, inside]
        held |= inside
    total[:, ~held] = np.nan
    return total


def _same_loss(
    loss: DaysByPortfolios,
    other: DaysByPortfolios,
    what: str,
    rows: Rows,
    accounts: tuple[str, ...],
) -> DaysByPortfolios:
    """The loss, completed where only the other has one; DataError where they differ."""
    differ = np.abs(loss - other) > CLOSE * max(1.0, float(np.nanmax(np.abs(loss), initial=0.0)))
    if differ.any():
        day, account = np.argwhere(differ)[0]
        raise DataError(
            f"{rows.where} has two losses for {accounts[account]!r} on {rows.dates[day]}: "
            f"{loss[day, account]:g}, and {other[day, account]:g} by {what} "
            f"({int(differ.sum()):,} such cells); an account has one loss a date, whatever margins "
            "it."
        )
    return np.where(np.isnan(loss), other, loss)


def _groups(rows: Rows, accounts: tuple[str, ...]) -> tuple[str, ...]:
    """Group of each account; DataError where an account changes its group."""
    if "group" not in rows.labels:
        return ()
    names, code = rows.labels["group"]
    account = rows.labels["account"][1]
    first = np.zeros(len(accounts), dtype=np.intp)
    first[account[::-1]] = code[::-1]
    moved = np.flatnonzero(first[account] != code)
    if len(moved):
        row = int(moved[0])
        raise DataError(
            f"{rows.where} has account {accounts[account[row]]!r} in group "
            f"{shown(names[first[account[row]]])} and in {shown(names[code[row]])}; an account "
            "has one group."
        )
    return tuple(names[code] or "none" for code in first)


def _as_loss(quantity: str) -> str:
    return "loss" if quantity == "pnl" else quantity


def _signed(quantity: str, values: FloatArray) -> FloatArray:
    """A gain as a negative loss; in place, since a large table has room for one."""
    return np.negative(values, out=values) if quantity == "pnl" else values


def _some(names: object, count: int | None = None) -> str:
    """The first names of a list, and that there are more."""
    listed = [str(name) for name in names]  # type: ignore[attr-defined]
    total = len(listed) if count is None else count
    return ", ".join(listed[:SHOWN]) + (", ..." if total > SHOWN else "")


def digest_of(given: Given) -> str:
    """sha256 of the days, the names and the numbers of a table."""
    digest = hashlib.sha256()
    digest.update("|".join((*given.accounts, "", *given.required)).encode())
    digest.update(given.dates.astype(np.int64).tobytes())
    silos = [array for pair in given.silos.values() for array in pair]
    for values in (
        given.loss,
        *given.required.values(),
        *given.held.values(),
        *given.forecasts.values(),
        *silos,
    ):
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
