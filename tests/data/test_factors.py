"""Folders of prices: which column a factor is, in what unit, and what is said where it is not."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.data.load import load_with_sources

DAYS = pd.bdate_range("2024-01-02", periods=40)


@pytest.fixture
def folder(tmp_path):
    """A small folder of every kind of file but ether futures."""
    frames = {
        "treasury_par_yields": {"3M": 5.25, "7Y": 4.0, "10Y": 4.1},
        "btc_usd": {"Close": 43e3},
        "sp500": {"SPY_adjclose": 470.0},
        "vix": {"VIX": 13.5},
        "short_rates": {"SOFR": 5.31, "DFF": 5.33},
        "treasury_futures_front_unadjusted": {"ZN": 112.5, "ZF": 106.5},
        "bitcoin_futures_cme_front": {"Close": 43.1e3},
    }
    for name, columns in frames.items():
        table = pd.DataFrame(columns, index=pd.Index(DAYS, name="Date"))
        table *= 1 + 0.01 * np.random.default_rng(1).random(table.shape)
        table.to_csv(tmp_path / f"{name}.csv")
    return tmp_path


def test_every_factor_is_read_in_its_unit(folder):
    factors = ("VIX", "SPY", "ZN", "7Y", "SOFR", "BTC", "DFF", "BTC_CME")
    market, files = load_with_sources(folder, factors=factors)
    assert market.kinds == ("price", "price", "price", "yield", "yield", "price", "yield", "price")
    assert market.levels[0] == pytest.approx(
        [0.135, 470.0, 112.5, 0.04, 0.0531, 43e3, 0.0533, 43.1e3], rel=0.02
    )
    assert len({f.name for f in files}) == len(files) == 7
    assert files[0].name == "treasury_par_yields.csv"


def test_the_reference_of_a_future_is_read_but_is_no_factor(folder):
    market, files = load_with_sources(folder, factors=("3M", "ZN"))
    assert market.factors == ("3M", "ZN") and len(files) == 2


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ("ETH_CME", "has no ether_futures_cme_front.csv; add it or leave its factor out"),
        ("ZB", "treasury_futures_front_unadjusted.csv has no column 'ZB'; it has Date, ZN, ZF"),
        ("ZF", "ZF needs 5Y to measure its rolls by: treasury_par_yields.csv has no column '5Y'"),
        ("20Y", "treasury_par_yields.csv has no column '20Y'"),
        ("USDC", "has no usdc_usd.csv"),
    ],
)
def test_a_factor_without_data_is_one_line_that_names_the_file(folder, factor, said):
    with pytest.raises(bt.DataError) as caught:
        bt.load_market(folder, factors=("3M", factor))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_hole_before_the_start_does_no_harm(folder):
    path = folder / "btc_usd.csv"
    table = pd.read_csv(path)
    table.drop(index=range(3, 20)).to_csv(path, index=False)
    with pytest.raises(bt.DataError, match="no complete day between 2024-01-04 and"):
        bt.load_market(folder, factors=("10Y", "BTC"))
    late = bt.load_market(folder, factors=("10Y", "BTC"), start="2024-01-30")
    assert str(late.dates[0]) == "2024-01-30" and len(late.dropped) == 0
    with pytest.raises(bt.DataError, match="start is 'soon'"):
        bt.load_market(folder, factors=("10Y", "BTC"), start="soon")


def test_an_instrument_says_which_factor_it_lacks(folder):
    market = bt.load_market(folder, factors=("3M", "10Y", "BTC"))
    for name, factor in {
        "ZN": "ZN",
        "BILL6M": "6M",
        "SWAP7Y": "7Y",
        "ZN~curve": "5Y",
        "BTC_CME": "BTC_CME",
    }.items():
        with pytest.raises(bt.StudyError, match=f"{name}' needs the factor '{factor}'"):
            bt.Book.from_frame(pd.DataFrame({name: [1.0]}, index=["one"]), market)
