"""Files whose every value could be true and that are false: refused in one line, or loaded."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.data.columns import factor_column
from backtest.data.examined import columns_to_examine
from backtest.market.examination import examine, judged
from tests.support.places import PRICES, needs_prices

DAYS = pd.bdate_range("2019-01-01", "2022-12-30")
EVERY_DAY = pd.date_range("2019-01-01", "2022-12-31")


def coin(seed=1, days=EVERY_DAY):
    moves = 0.04 * np.random.default_rng(seed).standard_t(4, len(days)) / np.sqrt(2)
    return pd.Series(20_000 * np.exp(np.cumsum(moves)), days, name="Close").round(2)


def yields(seed=2, level=3.0, days=DAYS):
    moves = 0.06 * np.random.default_rng(seed).standard_normal(len(days))
    walk = level + np.cumsum(moves) / np.sqrt(1 + np.arange(len(days)) / 50)
    return pd.Series(np.clip(walk, 0.5, 9), days, name="10Y").round(2)


def look(columns):
    raw = {name: (column, factor_column(name)) for name, column in columns.items()}
    return judged(examine(columns_to_examine(raw)))


def refused(column, factor):
    with pytest.raises(bt.DataError) as error:
        look({factor: column})
    assert "\n" not in str(error.value)
    return str(error.value)


def accepted(column, factor):
    look({factor: column})


def test_days_that_nobody_published():
    accepted(yields(), "10Y")
    accepted(coin(), "BTC")
    filled = yields().reindex(EVERY_DAY).ffill().dropna().rename("10Y")
    assert "10Y has values on 417 days of weekends (2019-01-05, say)" in refused(filled, "10Y")
    assert "a value every 7 days; margins count days" in refused(yields()[::5], "10Y")
    assert "a value every 7 days" in refused(coin()[::7], "BTC")


@pytest.mark.parametrize("factor", [1 / 100, 100.0, 1e-6, 7.0])
def test_one_close_in_another_unit(factor):
    spike = coin()
    spike["2021-01-06"] *= factor
    words = refused(spike, "BTC")
    assert "on 2021-01-06 and back the next day" in words and f"{spike['2021-01-05']:g}" in words


def test_a_unit_that_changes_and_stays():
    changed = coin()
    changed["2021-01-06":] /= 100
    assert "on 2021-01-06 and stays there" in refused(changed, "BTC")
    mixed = yields(level=0.93)
    mixed["2021-01-04":] /= 100
    assert "percent on 2021-01-04; write one unit on every day" in refused(mixed, "10Y")


@pytest.mark.parametrize("days", [10, 31, 90])
def test_a_frozen_feed_is_told_from_a_habit(days):
    frozen = coin()
    frozen.iloc[860 : 860 + days] = frozen.iloc[860]
    assert f"on {days} days in a row (2021-05-10" in refused(frozen, "BTC")
    often = (yields() * 4).round() / 4  # a rate that is set in quarters repeats for weeks
    accepted(often, "10Y")
    frozen.iloc[200:220] = frozen.iloc[200]  # another one is no habit
    assert f"on {max(days, 20)} days in a row" in refused(frozen, "BTC")


def test_what_rests_for_weeks_is_not_frozen():
    bill = (yields(level=0.6).rename("1M") - 0.4).round(2)
    bill.iloc[500:518] = 0.0
    accepted(bill, "1M")
    bill.iloc[500:518] = 2.0
    assert "on 18 days in a row" in refused(bill, "1M")
    overnight = yields().rename("DFF")
    overnight.iloc[300:600] = 5.33
    accepted(overnight, "DFF")
    stable = 1.0 + 2e-4 * np.random.default_rng(5).standard_normal(len(EVERY_DAY))
    stable[:200] += 0.01 * np.random.default_rng(6).standard_normal(200)
    accepted(pd.Series(stable.round(2), EVERY_DAY, name="Close"), "USDC")


def test_units_of_volatilities_rates_and_futures():
    volatility = pd.Series(18 + yields() * 2, name="VIX")
    accepted(volatility, "VIX")
    assert "volatilities look like decimals" in refused(volatility / 100, "VIX")
    rates = pd.Series(1e-4 * (1 + np.sin(np.arange(400))), EVERY_DAY[:400], name="x")
    accepted(rates, "BTC-FUNDING")
    assert "rates look like percent; write fractions" in refused(rates * 100, "BTC-FUNDING")
    sixty_fourths = np.round(64 * (110 + np.cumsum(yields() - 3.0) / 30)) / 64
    price = pd.Series(sixty_fourths, DAYS, name="ZN")
    accepted(price, "ZN")
    written = np.floor(price) + (price % 1.0) * 0.32
    assert "prices look like 32nds behind a point" in refused(written, "ZN")
    quiet = pd.Series(109.0 + np.arange(120) % 19 / 64, DAYS[:120], name="ZT")
    accepted(quiet, "ZT")  # all within a point, as the 2-year note was in 2013


def test_a_series_dated_a_day_late_is_named():
    shared = np.random.default_rng(3).standard_normal(len(EVERY_DAY))
    own = np.random.default_rng(4).standard_normal((2, len(EVERY_DAY)))
    one, two = (
        pd.Series(100 * np.exp(np.cumsum(0.03 * (shared + 0.7 * x))), EVERY_DAY) for x in own
    )
    look({"BTC": one, "ETH": two})
    with pytest.raises(
        bt.DataError, match=r"BTC and ETH move .* \(0\.0\d\) .*: BTC is dated a day"
    ):
        look({"BTC": one.shift(1).dropna(), "ETH": two})
    with pytest.raises(bt.DataError, match="ETH is dated a day late"):
        look({"BTC": one, "ETH": two.shift(1).dropna()})
    look({"BTC": one, "ETH": two[:200]})  # too few days to tell
    # Funding follows yesterday's price: .42 a day apart and -.11 on the day, in a real year.
    move, noise = np.log(one[:252]).diff().fillna(0.0), 0.03 * own[1][:252]
    later = 3e-3 * (0.55 * move.shift(1).fillna(0.0) + noise).rename("x")
    look({"BTC": one[:252], "BTC-FUNDING": later})


def test_a_price_below_zero_may_be_true(tmp_path):
    frame = pd.DataFrame({"Date": DAYS[:100].strftime("%Y-%m-%d"), "Close": 20.0})
    frame["Close"] += np.sin(np.arange(100))
    frame.loc[50, "Close"] = -37.63
    frame.to_csv(tmp_path / "oil_usd.csv", index=False)
    with pytest.raises(bt.DataError, match="is -37.63; .* where the price is true, end the study"):
        bt.load_market(tmp_path, factors=("OIL",))
    frame.loc[50, "Close"] = 0.02
    frame.to_csv(tmp_path / "oil_usd.csv", index=False)
    with pytest.raises(bt.DataError, match="Where it is true, end the study before"):
        bt.load_market(tmp_path, factors=("OIL",))
    market = bt.load_market(tmp_path, factors=("OIL",), end=DAYS[49])
    assert market.dates[-1] == np.datetime64(DAYS[49], "D")
    with pytest.raises(bt.DataError, match="OIL share no day .*to 2018-12-31; choose others"):
        bt.load_market(tmp_path, factors=("OIL",), end="2018-12-31")


@needs_prices
@pytest.mark.parametrize(
    ("factor", "first", "last"),
    [("1M", "2015-07", "2019-06"), ("SOFR", "2021-07", "2025-06"), ("DFF", "2021", "2024")]
    + [("ZT", "2012-11", "2013-04"), ("USDC", "2019", "2023")],
)
def test_real_years_pass_that_look_strange(factor, first, last):
    place = factor_column(factor)
    table = pd.read_csv(PRICES / place.file, index_col="Date", parse_dates=True)
    digits = 2 if factor == "USDC" else 6
    column = table[place.column].dropna().loc[first:last].round(digits)
    accepted(column, factor)
    # Not for want of a look: a value a week of the same years is refused.
    assert "a value every 7 days" in refused(column.resample("W-WED").last().dropna(), factor)


@needs_prices
def test_real_prices_pass():
    factors = ("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH", "VIX", "SPY", "BTC-FUNDING")
    market = bt.load_market(PRICES, factors=factors, start="2021-01-04", end="2022-12-30")
    assert market.factors == factors
    assert (str(market.dates[0]), str(market.dates[-1])) == ("2021-01-04", "2022-12-30")
    # Not only let through: the closes are those of the file.
    closes = pd.read_csv(PRICES / "btc_usd.csv", index_col="Date")["Close"]
    loaded = market.to_frame()["BTC"]
    np.testing.assert_array_equal(loaded, closes.loc[loaded.index.strftime("%Y-%m-%d")])
