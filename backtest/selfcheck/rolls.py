"""Futures: last trading days, and prices across a change of contract."""

import numpy as np
import pandas as pd

from backtest.data.contract_files import front_months
from backtest.data.rolls import adjust_rolls, last_trading_days
from backtest.instruments.contracts import contract_terms
from backtest.selfcheck.row import Refused, Row

NAN = float("nan")
DAYS = pd.DatetimeIndex(["2024-03-19", "2024-03-20", "2024-03-21"])


def _last(code: str, first: str, last: str) -> list[str]:
    days = last_trading_days(contract_terms(code), pd.Timestamp(first), pd.Timestamp(last))
    return days.strftime("%Y-%m-%d").tolist()


def _joined(**settled: list[float]) -> list[float]:
    """Front-month prices of settlements by contract, and the jump that was taken out."""
    price, changes = front_months("ZN", pd.DataFrame(settled, index=DAYS))
    return [*price.tolist(), *(change.jump for change in changes)]


def _spliced() -> list[float]:
    """Jumps found in a year of a note whose contracts differ by 1 %, beside its yield."""
    days = pd.bdate_range("2022-01-03", periods=260)
    rng = np.random.default_rng(0)
    shift = rng.normal(0.0, 5e-4, 260)
    moves = -6.0 * shift + rng.normal(0.0, 1e-4, 260)
    due = days.searchsorted(last_trading_days(contract_terms("ZN"), days[0], days[-1]), "right")
    moves[due[due < 260]] += 0.01
    price = pd.Series(110.0 * np.cumprod(1.0 + moves), days)
    changes = adjust_rolls("ZN", price, pd.Series(0.03 + np.cumsum(shift), days))[1]
    return [round(change.jump, 2) for change in changes]


ROWS = (
    Row(
        "last trading days of the bond future in 2015",
        "pst-group/pysystemtrade#328",
        lambda: _last("ZB", "2015-01-01", "2015-06-30"),
        right=["2015-03-20", "2015-06-19"],
        by="CME: the seventh business day before the month's last",
    ),
    Row(
        "the first Bitcoin future of CME",
        "definition",
        lambda: _last("BTC_CME", "2017-12-18", "2018-02-28"),
        right=["2018-01-26", "2018-02-23"],
        by="CME listed January 2018 first; last Fridays",
    ),
    Row(
        "three days across the end of ZNH24",
        "QuantConnect/Lean#7868",
        lambda: _joined(ZNH24=[110.0, 111.0, NAN], ZNM24=[108.9, 110.0, 109.0]),
        right=[110.0, 110.0 / 0.99, 109.0 / 0.99, -0.01],
        by="its last trading day is the 19th; from there on June, worth 0.99 of it then",
    ),
    Row(
        "no settlement of the next contract on the day of the change",
        "pst-group/pysystemtrade#328",
        lambda: _joined(ZNH24=[110.0, 111.0, NAN], ZNM24=[NAN, 109.89, 110.0]),
        right=Refused("ZNM24 has no settlement on 2024-03-19"),
        by="a ratio needs both",
    ),
    Row(
        "a year of contracts that are 1 % dearer than the one before",
        "quantiacs-legacy/quantiacs-python#7",
        _spliced,
        right=[0.01, 0.01, 0.01, 0.01],
        by="so they were joined: March, June, September, December",
    ),
)
