"""Prices that files and frames get wrong: each is refused, or read as what it says."""

from typing import Any

import numpy as np
import pandas as pd

from backtest.data.derived import funding_index
from backtest.market.market import Market
from backtest.selfcheck.price_files import BUSINESS, FILES, coin
from backtest.selfcheck.row import Refused, Row


def _frame(values: Any, factor: str, **index: Any) -> Market:
    days = pd.date_range("2022-01-03", periods=len(values), **index)
    return Market.from_frame(pd.DataFrame({factor: values}, days))


def _over_a_missing_day() -> list[float]:
    """Last shocks of a yield and of a coin whose second day is missing; days dropped."""
    frame = pd.DataFrame(
        {"10Y": [0.04, 0.041, 0.042], "BTC": [100.0, np.nan, 121.0]}, index=BUSINESS[:3]
    )
    market = Market.from_frame(frame)
    return [*market.shocks(1)[-1].tolist(), float(len(market.dropped))]


def _over_a_weekend() -> float:
    """Funding paid from Friday's close to Monday's."""
    index = funding_index(pd.Series([0.001] * 4, pd.date_range("2024-01-05", periods=4)))
    return float(np.log(index.iloc[-1] / index.iloc[0]))


ROWS = (
    *(file.row() for file in FILES),
    Row(
        "closes that move every day, as a frame",
        "definition",
        lambda: len(_frame(coin(), "BTC").dates),
        right=120,
        by="nothing is wrong with them",
    ),
    Row(
        "closes with the time zone of New York",
        "dpguthrie/yahooquery#127",
        lambda: _frame(coin(), "BTC", tz="America/New_York"),
        right=Refused("carries time zone America/New_York"),
        by="midnight there is 04:00 or 05:00 UTC",
    ),
    Row(
        "bill yields of 0.05 to 0.22 given in percent as a frame",
        "pydata/pandas-datareader#125",
        lambda: _frame(0.12 + 0.04 * np.sin(np.arange(120)), "3M", freq="B"),
        right=Refused("its yields look like percent"),
        by="as decimals they would move by points a day",
    ),
    Row(
        "a yield of 4.25 given as a decimal",
        "pydata/pandas-datareader#125",
        lambda: _frame([4.25, 4.26], "10Y"),
        right=Refused("frames hold decimals"),
        by="425 % is no yield",
    ),
    Row(
        "a day missing for one factor of two",
        "pandas-dev/pandas#28461",
        _over_a_missing_day,
        right=[0.002, 0.21, 1.0],
        by="both move over two days, and one day is listed as dropped",
    ),
    Row(
        "funding of 0.1 % a day over a weekend",
        "freqtrade/freqtrade#7969",
        _over_a_weekend,
        right=0.003,
        by="Saturday, Sunday and Monday",
    ),
)
