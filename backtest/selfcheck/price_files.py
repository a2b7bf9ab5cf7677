"""Files of prices that say something false: what each report's file looks like, and its end.

The fault library of the tests runs the same files through the command line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from backtest.data.columns import YIELDS_FILE, factor_column
from backtest.data.load import load_market
from backtest.selfcheck.row import Refused, Right, Row
from backtest.types import FloatArray

BITCOIN, ETHER = "btc_usd.csv", "eth_usd.csv"
BUSINESS = pd.bdate_range("2022-01-03", periods=120)
EVERY_DAY = pd.date_range("2022-01-03", periods=120)
DAY = np.arange(120)


@dataclass(frozen=True)
class PriceFiles:
    """A report about files: their texts by name, and the levels or the error that is right.

    factors : that need them. right, by : as in `Row`.
    """

    given: str
    source: str
    factors: tuple[str, ...]
    texts: Callable[[], Mapping[str, str]]
    right: Right
    by: str

    def row(self) -> Row:
        """The row that reads these files."""
        return Row(self.given, self.source, self._levels, self.right, self.by, tolerance=0.0)

    def _levels(self) -> FloatArray:
        with TemporaryDirectory(prefix="selfcheck-") as name:
            for file, text in self.texts().items():
                (Path(name) / file).write_text(text, encoding="utf-8")
            return load_market(name, factors=self.factors).levels[:, 0]


def _closes(*lines: str) -> dict[str, str]:
    return {BITCOIN: "\n".join(["Date,Close", *lines, ""])}


def _series(factor: str, values: FloatArray, days: pd.DatetimeIndex = EVERY_DAY) -> dict[str, str]:
    """The file of a factor; a yield stands in it for two maturities."""
    place = factor_column(factor)
    columns = ["2Y", "10Y"] if place.file == YIELDS_FILE else [place.column]
    table = pd.DataFrame(dict.fromkeys(columns, values), pd.Index(days, name="Date"))
    return {place.file: table.to_csv(lineterminator="\n")}


def noise(size: int, seed: int = 1) -> FloatArray:
    """Normal draws."""
    return np.random.default_rng(seed).normal(size=size)


def coin() -> FloatArray:
    """(120,) closes that move by some 3 % a day."""
    return 30_000.0 * np.exp(np.cumsum(0.03 * noise(120)))


def _a_day_apart() -> dict[str, str]:
    """Two coins that move together, Bitcoin dated a day late."""
    days, move = pd.date_range("2022-01-03", periods=400), 0.03 * noise(400)
    late = np.exp(np.cumsum(move + 0.01 * noise(400, seed=2)))
    ether = _series("ETH", np.exp(np.cumsum(move)), days)
    return ether | _series("BTC", late, days + pd.Timedelta(days=1))


def _weekly() -> dict[str, str]:
    fridays = pd.date_range("2022-01-07", periods=52, freq="7D")
    return _series("10Y", 4.0 + 0.01 * np.arange(52.0), fridays)


COIN = ("BTC",)
FILES = (
    PriceFiles(
        "a close written 30,000.5",
        "derlin/investing-historical-data#3",
        COIN,
        lambda: _closes("2022-01-03,30000", '2022-01-04,"30,000.5"'),
        Refused("line 3: Close is '30,000.5', not a number"),
        by="a comma may separate thousands or decimals",
    ),
    PriceFiles(
        "a close written null",
        "pandas-dev/pandas#32084",
        COIN,
        lambda: _closes("2022-01-03,30000", "2022-01-04,null"),
        Refused("not a number"),
        by="text is no missing value",
    ),
    PriceFiles(
        "an empty close",
        "pandas-dev/pandas#25006",
        COIN,
        lambda: _closes("2022-01-03,30000", "2022-01-04,", "2022-01-05,31000"),
        [30_000.0, 31_000.0],
        by="a day without a value is no day",
    ),
    PriceFiles(
        "a close written 15.361 and 15.361000",
        "pandas-dev/pandas#17154",
        COIN,
        lambda: _closes("2022-01-03,15.361", "2022-01-04,15.361000"),
        [15.361, 15.361],
        by="one number",
    ),
    PriceFiles(
        "the last day twice",
        "ranaroussi/yfinance#198",
        COIN,
        lambda: _closes("2022-01-03,30000", "2022-01-04,31000", "2022-01-04,31000"),
        Refused("line 4: 2022-01-04 occurs twice"),
        by="by eye",
    ),
    PriceFiles(
        "newest day first",
        "vegaprotocol/vega-market-sim#128",
        COIN,
        lambda: _closes("2022-01-04,31000", "2022-01-03,30000"),
        [30_000.0, 31_000.0],
        by="no other order of the days is meant",
    ),
    PriceFiles(
        "oil at -37.63",
        "enzoampil/fastquant#392",
        COIN,
        lambda: _closes("2020-04-17,18.27", "2020-04-20,-37.63"),
        Refused("where the price is true, end the study before that day"),
        by="a true price: NYMEX, 20 April 2020",
    ),
    PriceFiles(
        "a close in another currency unit for one day",
        "ranaroussi/yfinance#1110; dpguthrie/yahooquery#87",
        COIN,
        lambda: _series("BTC", np.where(DAY == 60, 0.01, 1.0) * coin()),
        Refused("and back the next day"),
        by="a hundredth of its neighbours",
    ),
    PriceFiles(
        "closes in another currency unit from one day on",
        "ranaroussi/yfinance#280",
        COIN,
        lambda: _series("BTC", np.where(DAY < 60, 1.0, 0.01) * coin()),
        Refused("and stays there"),
        by="as 609.6 pence and then 6.17 pounds",
    ),
    PriceFiles(
        "a feed frozen for a month",
        "ranaroussi/yfinance#2966",
        COIN,
        lambda: _series("BTC", np.where(abs(DAY - 60) < 16, 30_000.0, coin())),
        Refused("on 31 days in a row"),
        by="by eye",
    ),
    PriceFiles(
        "par yields filled over weekends",
        "ranaroussi/quantstats#546",
        ("10Y",),
        lambda: _series("10Y", 4.0 + 0.01 * np.cumsum(noise(120))),
        Refused("days of weekends"),
        by="no yield is published on a Saturday",
    ),
    PriceFiles(
        "one yield a week",
        "kernc/backtesting.py#537",
        ("10Y",),
        _weekly,
        Refused("a value every 7 days"),
        by="margins count days",
    ),
    PriceFiles(
        "yields of 4 percent written 0.04",
        "pydata/pandas-datareader#125",
        ("10Y",),
        lambda: _series("10Y", 0.04 + 1e-4 * np.cumsum(noise(120)), BUSINESS),
        Refused("yields look like decimals"),
        by="no long yield stayed below 0.25 percent for 20 days",
    ),
    PriceFiles(
        "a coin dated a day late",
        "rotki/rotki#12540; osmosis-labs/osmosis-info-front#23",
        ("BTC", "ETH"),
        _a_day_apart,
        Refused("BTC is dated a day late"),
        by="so it was shifted",
    ),
    PriceFiles(
        "funding of 0.01 % written 0.01",
        "freqtrade/freqtrade#12583",
        ("BTC-FUNDING",),
        lambda: _series("BTC-FUNDING", 0.01 + 0.002 * noise(120)),
        Refused("rates look like percent"),
        by="3 % a day is 1,095 % a year",
    ),
    PriceFiles(
        "an index of implied volatility in decimals",
        "definition",
        ("VIX",),
        lambda: _series("VIX", 0.18 + 0.01 * noise(120), BUSINESS),
        Refused("volatilities look like decimals"),
        by="no such index has a median of 0.18 percent",
    ),
)
