"""Earlier history read from a folder: the window is the same, what is before it is kept apart."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.replay.origin import Prices
from backtest.replay.provenance import Provenance

FACTORS = ("2Y", "10Y", "BTC", "SOL")


@pytest.fixture
def folder(tmp_path):
    """Yields of 400 days, a coin of each day since the 100th, another since the 200th."""
    generator, days = np.random.default_rng(2), pd.bdate_range("2021-01-04", periods=400)

    def write(name, index, **columns):
        table = pd.DataFrame(columns, index=index).rename_axis("Date").round(6)
        table.to_csv(tmp_path / name, date_format="%Y-%m-%d")

    yields = 2.0 + np.cumsum(generator.standard_t(5, (400, 2)) * 0.03, axis=0)
    write("treasury_par_yields.csv", days, **{"2Y": yields[:, 0] + 2.0, "10Y": yields[:, 1] + 3.0})
    for name, first in (("btc", 100), ("sol", 200)):
        every = pd.date_range(days[first], days[-1])
        moves = np.cumsum(generator.standard_t(5, len(every)) * 0.02)
        write(f"{name}_usd.csv", every, Close=100.0 * np.exp(moves))
    return tmp_path


def test_the_window_is_the_same_and_earlier_days_are_kept_apart(folder):
    plain = bt.load_market(folder, factors=FACTORS)
    market = bt.load_market(folder, factors=FACTORS, earlier=True)
    np.testing.assert_array_equal(market.levels, plain.levels)
    np.testing.assert_array_equal(market.dates, plain.dates)
    np.testing.assert_array_equal(market.dropped, plain.dropped)
    assert plain.before is None and len(market.before.dates) == 200
    known = ~np.isnan(market.before.levels)
    assert known.sum(axis=0).tolist() == [200, 200, 100, 0]
    pandas_days = pd.DatetimeIndex(market.before.dates)
    assert (pandas_days.day_of_week < 5).all() and market.before.dates[-1] < market.dates[0]


def test_a_later_start_makes_more_of_it_earlier(folder):
    market = bt.load_market(folder, factors=FACTORS, earlier=True, start="2022-01-03")
    assert market.dates[0] == np.datetime64("2022-01-03")
    assert (~np.isnan(market.before.levels)).sum(axis=0)[3] > 0


def test_the_manifest_says_from_when_margins_look_back(folder):
    market = bt.load_market(folder, factors=FACTORS, earlier=True)
    frame = pd.DataFrame({"UST10Y": [1e6, 0.0], "BTC": [1e5, 0.0], "SOL": [0.0, 1e5]})
    book = bt.Book.from_frame(frame, market)
    origin = Provenance.of(market, book, {}, coverage=bt.Coverage(), seed=0)
    first, hundredth, begin = "2021-01-04", "2021-05-24", str(market.dates[0])
    assert origin.histories == {
        "2Y, 10Y, BTC": hundredth,
        "SOL": begin,
        "2Y, 10Y": first,
        "BTC": hundredth,
    }
    plain = bt.load_market(folder, factors=FACTORS)
    assert Provenance.of(plain, book, {}, coverage=bt.Coverage(), seed=0).histories == {}
    assert Prices.of(plain).levels_sha256 != Prices.of(market).levels_sha256


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clock": "24/7"}, "data.earlier needs .clock. kind = 'business'"),
        ({"calendar": "SIFMA"}, "data.earlier needs .clock. kind = 'business'"),
    ],
)
def test_it_needs_the_business_clock_and_the_days_of_the_data(folder, options, said):
    with pytest.raises(bt.DataError, match=said):
        bt.load_market(folder, factors=FACTORS, earlier=True, **options)


def test_a_source_without_a_folder_has_none():
    with pytest.raises(bt.DataError, match="'sample' has no earlier; data.earlier needs a folder"):
        bt.load_market("sample", earlier=True)
