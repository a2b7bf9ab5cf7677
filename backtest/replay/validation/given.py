"""`Given`: losses and margins that somebody else computed, as arrays of days by accounts."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from backtest.replay.validation.cells import cells_of
from backtest.replay.validation.reading import Rows, read_rows
from backtest.replay.validation.whole import beside, joined
from backtest.types import DataError, Dates, DaysByPortfolios, shown


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
    accounts, cells = cells_of(rows)
    loss, required, silos = joined(cells, rows, accounts)
    held, forecasts = beside(cells, rows)
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
