"""Calendars: on which days a market has a session, from a table that is part of the package.

The table lists closed weekdays (`closures.csv`; its header names the sources and what they
leave out), so that results do not change with the release of a calendar library.
"""

from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import pandas as pd

from backtest.types import BoolArray, DataError, Dates

Clock = Literal["business", "24/7"]  # margin days: business days, or every calendar day
MarginCalendar = Literal["data", "SIFMA", "CME", "NYSE"]  # whose sessions are the margin days
Calendar = Literal["SIFMA", "NYSE", "CME", "Fedwire", "24/7"]
CALENDARS: tuple[Calendar, ...] = ("SIFMA", "NYSE", "CME", "Fedwire", "24/7")
FIRST, LAST = np.datetime64("1990-01-01", "D"), np.datetime64("2030-12-31", "D")


def sessions(calendar: Calendar, first: np.datetime64 | str, last: np.datetime64 | str) -> Dates:
    """Days from `first` to `last`, both included, on which `calendar` has a session.

    Parameters
    ----------
    calendar : 'SIFMA' (US bonds, recommended), 'NYSE', 'CME' (interest-rate futures), 'Fedwire'
        (US dollar payments) or '24/7' (every calendar day).

    Raises
    ------
    DataError : an unknown calendar, or days outside its table.

    Examples
    --------
    >>> sessions("SIFMA", "2024-10-11", "2024-10-15").astype(str).tolist()
    ['2024-10-11', '2024-10-15']
    >>> len(sessions("24/7", "2024-10-11", "2024-10-15"))
    5
    """
    days: Dates = pd.date_range(str(first), str(last)).to_numpy().astype("datetime64[D]")
    return days[is_session(calendar, days)]


def is_session(calendar: Calendar, days: Dates) -> BoolArray:
    """(days,) whether `calendar` has a session on each day; for the names see `sessions`.

    Examples
    --------
    >>> is_session("NYSE", np.array(["2023-04-07", "2023-04-08", "2023-04-10"], "M8[D]")).tolist()
    [False, False, True]
    """
    if calendar not in CALENDARS:
        raise DataError(f"unknown calendar {calendar!r}; known: {', '.join(CALENDARS)}.")
    if calendar == "24/7":
        return np.ones(len(days), dtype=np.bool_)
    if len(days) and (days.min() < FIRST or days.max() > LAST):
        raise DataError(
            f"the {calendar} calendar reaches from {FIRST} to {LAST}, the study from {days.min()} "
            f"to {days.max()}; shorten the study, or take calendar = 'data'."
        )
    return np.is_busday(days, holidays=_closures()[calendar])


@cache
def _closures() -> dict[str, Dates]:
    """Closed weekdays by calendar."""
    path = files("backtest") / "market" / "closures.csv"
    with path.open(encoding="utf-8") as lines:
        table = pd.read_csv(lines, comment="#", parse_dates=["date"], index_col="date")["closed"]
    days, closed_calendars = table.index.to_numpy().astype("datetime64[D]"), table.str.split()
    names = [name for name in CALENDARS if name != "24/7"]
    return {name: days[[name in calendars for calendars in closed_calendars]] for name in names}
