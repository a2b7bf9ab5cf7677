"""Faults of prices from public reports, planted in real files at the size of the report."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.data.columns import FUNDING_FILE, FUTURES_FILE, YIELDS_FILE
from tests.support.places import PRICES, needs_prices

pytestmark = needs_prices
BITCOIN, ETHER = "btc_usd.csv", "eth_usd.csv"
CURVE = ("3M", "2Y", "5Y", "10Y", "30Y")
STUDY = (*CURVE, "BTC", "ETH")


def real(file):
    return pd.read_csv(PRICES / file, index_col="Date", parse_dates=True)


def loaded(folder, factors, first, last, **tables):
    """A market of real files, some of them replaced."""
    files = {YIELDS_FILE: real(YIELDS_FILE)[list(CURVE)]}
    files |= {name: real(name)[["Close"]] for name in (BITCOIN, ETHER)}
    for name, table in (files | tables).items():
        table.loc[first:last].rename_axis("Date").to_csv(folder / name)
    return bt.load_market(folder, factors=factors)


def refused(*arguments, **tables):
    with pytest.raises(bt.DataError) as error:
        loaded(*arguments, **tables)
    assert "\n" not in str(error.value)
    return str(error.value)


FOUR_YEARS = ("2019-01-01", "2022-12-31")


def test_the_files_as_published(tmp_path):
    market = loaded(tmp_path, STUDY, *FOUR_YEARS)
    assert len(market.dates) == 1001 and market.findings == ()


def test_par_yields_filled_over_every_calendar_day(tmp_path):
    yields = real(YIELDS_FILE)[list(CURVE)]
    filled = yields.reindex(pd.date_range(*FOUR_YEARS)).ffill()
    assert "417 days of weekends" in refused(tmp_path, STUDY, *FOUR_YEARS, **{YIELDS_FILE: filled})


def test_weekly_par_yields_beside_a_daily_coin(tmp_path):
    yields = real(YIELDS_FILE)[list(CURVE)]
    weekly = yields.groupby(yields.index.to_period("W")).tail(1)
    arguments = (tmp_path, ("2Y", "10Y", "BTC"), "2016-01-01", "2023-12-31")
    assert "has a value every 7 days" in refused(*arguments, **{YIELDS_FILE: weekly})


def test_one_close_by_a_hundred(tmp_path):
    coin = real(BITCOIN)[["Close"]]
    coin.loc["2021-01-06"] /= 100
    said = refused(tmp_path, STUDY, *FOUR_YEARS, **{BITCOIN: coin})
    assert "goes from 33992.4 to 368.244 on 2021-01-06 and back the next day" in said


def test_a_feed_frozen_for_31_days(tmp_path):
    coin = real(BITCOIN)[["Close"]]
    first = coin.index.get_loc("2021-05-10")
    coin.iloc[first : first + 31] = coin.iloc[first, 0]
    said = refused(tmp_path, STUDY, *FOUR_YEARS, **{BITCOIN: coin})
    assert "on 31 days in a row (2021-05-10 .. 2021-06-09), otherwise on 1 at most" in said


def test_a_coin_dated_a_day_late(tmp_path):
    coin = real(BITCOIN)[["Close"]].shift(1).dropna()
    arguments = (tmp_path, ("BTC", "ETH"), "2017-11-10", "2026-06-04")
    said = refused(*arguments, **{BITCOIN: coin})
    assert "a day apart (correlation 0.80) and not on the same day (-0.05)" in said
    assert "BTC is dated a day late" in said


def test_yields_in_decimals_from_a_day_on(tmp_path):
    yields = real(YIELDS_FILE)[list(CURVE)]
    yields.loc["2021-01-04":, "10Y"] /= 100
    said = refused(tmp_path, STUDY, *FOUR_YEARS, **{YIELDS_FILE: yields})
    assert "10Y has a median of 0.0148 percent in 2021, when such yields were 0.90 to 1.80" in said


def test_volatilities_in_decimals(tmp_path):
    tables = {"vix.csv": real("vix.csv") / 100, "sp500.csv": real("sp500.csv")}
    said = refused(tmp_path, ("SPY", "VIX"), "2015-01-01", "2021-12-31", **tables)
    assert "volatilities look like decimals; write percent" in said


def test_funding_in_percent(tmp_path):
    tables = {FUNDING_FILE: 100 * real(FUNDING_FILE)}
    said = refused(tmp_path, ("BTC", "BTC-FUNDING"), "2021-01-01", "2023-12-31", **tables)
    assert "2.68% a day: rates look like percent" in said


def test_32nds_behind_a_point(tmp_path):
    note = real(FUTURES_FILE)[["ZN"]].dropna()
    written = np.floor(note) + np.floor(note % 1 * 64) / 2 / 100
    arguments = (tmp_path, ("10Y", "ZN"), "2010-01-01", "2025-12-31")
    said = refused(*arguments, **{FUTURES_FILE: written})
    assert "prices look like 32nds behind a point" in said


def test_bills_in_percent_as_a_frame():
    bills = real(YIELDS_FILE)[["3M"]].loc["2010-01-04":"2015-11-30"].dropna()
    with pytest.raises(bt.DataError, match="its yields look like percent; .* divide by 100"):
        bt.Market.from_frame(bills)
    assert len(bt.Market.from_frame(bills / 100).dates) == len(bills)
