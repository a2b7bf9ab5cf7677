"""Days that a calendar library once got wrong, as the markets kept them."""

import numpy as np

from backtest.account.account import AccountTerms, Settlement, settled_by
from backtest.market.calendars import Calendar, is_session, sessions
from backtest.selfcheck.row import Row


def _open(calendar: Calendar, *days: str) -> list[bool]:
    return is_session(calendar, np.array(days, dtype="M8[D]")).tolist()


def _settled(first: str, last: str, calls: Settlement) -> list[int]:
    """Rows by which calls made on each calendar day have settled."""
    days = np.arange(first, last, dtype="M8[D]")
    return settled_by(AccountTerms(settlement=calls), len(days), dates=days).tolist()


ROWS = (
    Row(
        "SIFMA on Good Friday and Veterans Day 2024",
        "rsheftel/pandas_market_calendars#251",
        lambda: _open("SIFMA", "2024-03-29", "2024-11-11"),
        right=[False, False],
        by="SIFMA's holiday schedule of 2024",
    ),
    Row(
        "SIFMA and NYSE on Good Friday 2023, a day with a jobs report",
        "lballabio/QuantLib#1635",
        lambda: _open("SIFMA", "2023-04-07") + _open("NYSE", "2023-04-07"),
        right=[True, False],
        by="SIFMA recommended a half day; the exchange was shut",
    ),
    Row(
        "NYSE around Juneteenth 2021 and 2022",
        "rsheftel/pandas_market_calendars#159; JuliaFinance/BusinessDays.jl#52",
        lambda: _open("NYSE", "2021-06-18", "2022-06-20"),
        right=[True, False],
        by="the exchange observes it from 2022",
    ),
    Row(
        "Fedwire before holidays on a Saturday",
        "lballabio/QuantLib#1120",
        lambda: _open("Fedwire", "2021-12-24", "2021-12-31", "2027-06-18"),
        right=[True, True, True],
        by="the Federal Reserve: for holidays on Saturday, banks are open the preceding Friday",
    ),
    Row(
        "NYSE before Christmas on a Saturday",
        "lballabio/QuantLib#1120",
        lambda: _open("NYSE", "2021-12-24", "2021-12-31"),
        right=[False, True],
        by="the exchange moves Christmas, not New Year, to the Friday",
    ),
    Row(
        "NYSE on the day of mourning of 2018",
        "quantopian/trading_calendars#42",
        lambda: _open("NYSE", "2018-12-04", "2018-12-05", "2018-12-06"),
        right=[True, False, True],
        by="the exchange's notice",
    ),
    Row(
        "weekends of the 24/7 calendar",
        "definition",
        lambda: len(sessions("24/7", "2024-10-11", "2024-10-15")),
        right=5,
        by="Friday .. Tuesday",
    ),
    Row(
        "cash called from Friday to Wednesday around Columbus Day 2024",
        "Federal Reserve, holiday schedule",
        lambda: _settled("2024-10-11", "2024-10-17", "cash"),
        right=[4, 4, 4, 4, 5, 6],
        by="Fedwire is shut from Saturday to Monday",
    ),
    Row(
        "stablecoins called over the same days",
        "definition",
        lambda: _settled("2024-10-11", "2024-10-17", "stablecoin"),
        right=[1, 2, 3, 4, 5, 6],
        by="every day counts",
    ),
)
