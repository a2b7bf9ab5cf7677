"""Perpetuals: funding over weekends to the day, venues apart, and an inverse one's curvature."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.data.derived import realised_volatility
from backtest.instruments import coin_pnl

NAMES = ("BTC-PERP", "BTC-INV")  # for the laws of all instruments


@pytest.fixture
def folder(tmp_path):
    """Thursday 2024-01-04 to Monday 2024-01-29: yields on weekdays, coin and funding every day."""
    days = pd.date_range("2024-01-04", "2024-01-29")
    weekdays = days[days.day_of_week < 5]
    curve = pd.DataFrame({"10Y": 4.0}, index=weekdays)
    coin = pd.DataFrame({"Close": 40_000.0 + 100.0 * np.arange(len(days))}, index=days)
    rates = pd.DataFrame(
        {
            "bitmex_xbtusd_daily_sum": 5e-4,
            "btc_perp_mean_per_8h": 1e-5 * np.arange(1, len(days) + 1),
        },
        index=days,
    )
    vix = pd.DataFrame({"VIX": 15.0}, index=weekdays)
    for name, frame in {
        "treasury_par_yields": curve,
        "btc_usd": coin,
        "funding_rates": rates,
        "vix": vix,
    }.items():
        frame.to_csv(tmp_path / f"{name}.csv", index_label="Date")
    return tmp_path


FACTORS = ("10Y", "BTC", "BTC-FUNDING")


def test_a_weekend_pays_three_days_of_funding(folder):
    market = bt.load_market(folder, factors=FACTORS)
    perpetual = bt.Perpetual("BTC")
    friday = int(np.flatnonzero(market.dates == np.datetime64("2024-01-05"))[0])
    # Rates of 6, 7 and 8 January, the third to fifth of the file, three payments a day.
    paid = 3 * 1e-5 * (3 + 4 + 5)
    assert perpetual.funding_paid(market, 1)[friday] == pytest.approx(paid, rel=1e-9)
    gain = 40_400.0 / 40_100.0 - 1
    assert perpetual.pnl(market, 1)[friday] == pytest.approx(gain - paid, rel=1e-9)
    book = bt.Book.from_frame(pd.DataFrame({"BTC-PERP": [-1e6]}, index=["short"]), market)
    loss = book.loss(market, bt.Coverage(mpor=1))[friday, 0, 0]
    assert loss == pytest.approx(1e6 * (gain - paid), rel=1e-9)


def test_two_venues_are_two_series(folder):
    market = bt.load_market(folder, factors=(*FACTORS, "BTC-FUNDING-BITMEX"))
    there = bt.Perpetual("BTC", inverse=True, venue="BITMEX")
    assert there.funding_paid(market, 1)[1] == pytest.approx(3 * 5e-4, rel=1e-9)
    assert bt.Perpetual("BTC").funding_paid(market, 1)[1] < 4e-4
    with pytest.raises(bt.StudyError, match="needs the factor 'BTC-FUNDING-BITMEX'"):
        alone = bt.load_market(folder, factors=FACTORS)
        bt.Book.from_frame(pd.DataFrame({there.name: [1.0]}, index=["long"]), alone)
    with pytest.raises(bt.DataError, match="unknown funding 'ETH-FUNDING'; known: BTC-FUNDING"):
        bt.load_market(folder, factors=("10Y", "BTC", "ETH-FUNDING"))


@pytest.mark.parametrize("blank", [True, False], ids=["blank cells", "missing rows"])
def test_a_weekend_without_funding_is_refused_inside_the_study_only(folder, blank):
    path = folder / "funding_rates.csv"
    rates = pd.read_csv(path, index_col="Date")
    gap = ["2024-01-13", "2024-01-14"]
    if blank:
        rates.loc[gap, "btc_perp_mean_per_8h"] = np.nan
    else:
        rates = rates.drop(index=gap)
    rates.to_csv(path)
    message = (
        "no btc_perp_mean_per_8h on 2 days between 2024-01-13 and 2024-01-14; start the study "
        "after 2024-01-14, end it before 2024-01-13"
    )
    with pytest.raises(bt.DataError, match=message):
        bt.load_market(folder, factors=FACTORS)
    with pytest.raises(bt.DataError, match=message):
        bt.load_market(folder, factors=FACTORS, start="2024-01-12")
    before = bt.load_market(folder, factors=FACTORS, end="2024-01-12")
    after = bt.load_market(folder, factors=FACTORS, start="2024-01-15")
    assert len(before.dates) == 7 and len(after.dates) == 11
    # Monday to Tuesday: the rate of 16 January, the thirteenth of the file.
    paid = bt.Perpetual("BTC").funding_paid(after, 1)[0]
    assert paid == pytest.approx(3 * 13e-5, rel=1e-9)


def test_an_inverse_perpetual_is_linear_in_usd(option_market):
    linear, inverse = bt.Perpetual("BTC"), bt.Perpetual("BTC", inverse=True)
    np.testing.assert_array_equal(linear.pnl(option_market, 2), inverse.pnl(option_market, 2))
    price = option_market.level("BTC")
    coins = coin_pnl(1.0, entry=price[:-2], close=price[2:])
    usd = coins * price[2:] - inverse.funding_paid(option_market, 2)[:-2]
    np.testing.assert_allclose(inverse.pnl(option_market, 2)[:-2], usd, rtol=1e-9, atol=1e-15)


def test_a_hedged_perpetual_is_margined_for_its_funding(option_market):
    frame = pd.DataFrame({"BTC": [-1e6, 1e6], "BTC-PERP": [1e6, -1e6]}, index=["pays", "earns"])
    book = bt.Book.from_frame(frame, option_market)
    margin = st.HistoricalVaR(lookback=100).margin(option_market, book, bt.Coverage(0.95, 2))
    paid = bt.Perpetual("BTC").funding_paid(option_market, 2)[200 - 101 : 201 - 2]
    largest = np.sort(paid)[-5], np.sort(-paid)[-5]  # the 5th of 100
    np.testing.assert_allclose(margin[200], 1e6 * np.maximum(largest, 0.0), rtol=1e-5)


def test_scenarios_are_the_history_they_come_from(option_market):
    perpetual = bt.Perpetual("BTC")
    joint = option_market.shocks(2)[:, [option_market.column(f) for f in perpetual.factors]]
    np.testing.assert_allclose(
        perpetual.scenarios(option_market, 5, joint[2:]), perpetual.pnl(option_market, 2)[:-2]
    )
    sensitivities = perpetual.sensitivity(option_market)
    linear = sum(
        s[2:, 0] * x + s[2:, 1] * x * x / 2
        for s, x in zip(sensitivities.values(), joint[2:].T, strict=True)
    )
    np.testing.assert_allclose(linear, perpetual.pnl(option_market, 2)[:-2], atol=1e-6)


def test_contracts_of_one_usd_keep_their_notional_and_coins_do_not(option_market):
    frame = pd.DataFrame({"BTC-PERP": [1e6, 0.0], "BTC-INV": [0.0, 1e6]}, index=["linear", "inv"])
    held = bt.Book.from_frame(frame, option_market, rebalance="never")
    loss = held.loss(option_market, bt.Coverage(mpor=1))[:-1, :, 0]
    price, paid = option_market.level("BTC"), bt.Perpetual("BTC").funding_paid(option_market, 1)
    gain = price[1:] / price[:-1] - 1 - paid[:-1]
    np.testing.assert_allclose(loss[:, 0], -1e6 * price[:-1] / price[0] * gain, rtol=1e-9)
    np.testing.assert_allclose(loss[:, 1], -1e6 * gain, rtol=1e-9)


def test_an_inverse_perpetual_is_curved_in_coin():
    notional, entry = 30_000.0, np.array(50_000.0)

    def coins(close):
        return float(coin_pnl(notional, entry=entry, close=np.array(close)))

    # By hand: c'' = -2 N / P^3; at 40,000 that is -60,000 / 6.4e13.
    step = 10.0
    bend = (coins(40_000 + step) - 2 * coins(40_000.0) + coins(40_000 - step)) / step**2
    assert bend == pytest.approx(-60_000 / 6.4e13, rel=1e-4)
    # A fall of 20 % costs more coins than a rise of 20 % earns: 0.15 against 0.1.
    assert coins(40_000.0) == pytest.approx(-0.15) and coins(60_000.0) == pytest.approx(0.1)
    # Margin of 0.6 coins is one times the notional: gone halfway down, at N / (V + N / P0).
    assert coins(30_000 / (0.6 + 0.6)) == pytest.approx(-0.6)


def test_realised_volatility_counts_calendar_time_and_knows_no_future():
    generator = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=200)
    price = pd.Series(100 * np.exp(np.cumsum(generator.normal(0, 0.03, 200))), days)
    found = realised_volatility(price)
    moves = np.diff(np.log(price.to_numpy()))
    assert len(found) == 170 and found.index[0] == days[30]
    by_hand = np.sqrt(365 / 30 * (moves[70:100] ** 2).sum())
    assert found[days[100]] == pytest.approx(by_hand, rel=1e-9)
    weekdays = realised_volatility(price[price.index.day_of_week < 5])
    # The same price seen on five days a week has the same annual volatility, noise apart.
    assert weekdays.mean() == pytest.approx(found.mean(), rel=0.1)
    np.testing.assert_allclose(realised_volatility(price[:100]), found[:70], rtol=1e-9)


def test_files_in_percent_become_decimals(folder):
    market = bt.load_market(folder, factors=("10Y", "VIX"))
    assert set(market.level("VIX")) == {0.15}
    with pytest.raises(bt.DataError, match="has no btc_vol.csv"):
        bt.load_market(folder, factors=("10Y", "BTC", "BTC-VOL"))


def test_real_funding_is_the_sum_of_every_published_day(real_data):
    rates = pd.read_csv(real_data / "funding_rates.csv", index_col="Date", parse_dates=True)
    for name, column, times in (
        ("", "btc_perp_mean_per_8h", 3),
        ("BITMEX", "bitmex_xbtusd_daily_sum", 1),
    ):
        perpetual = bt.Perpetual("BTC", venue=name)
        market = bt.load_market(real_data, factors=("10Y", "BTC", perpetual.funding))
        first, last = market.dates[0], market.dates[-1]
        inside = rates[column][(rates.index > first) & (rates.index <= last)]
        assert not inside.isna().any() and len(inside) == (last - first).astype(int)
        paid = perpetual.funding_paid(market, len(market.dates) - 1)[0]
        assert paid == pytest.approx(times * inside.sum(), rel=1e-9)
