"""Are haircuts enough: counts by plain loops, on real prices and on drawn ones."""

import csv
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs

import backtest as bt
from backtest.data.csv_folder import read_column
from backtest.types import tail_count
from tests.support import by_hand
from tests.support.markets import random_market


def closes(path):
    with path.open() as file:
        return {date.fromisoformat(r["Date"]): float(r["Close"]) for r in csv.DictReader(file)}


@pytest.mark.parametrize("horizon", [1, 2, 5, 10])
@pytest.mark.parametrize(("asset", "haircut"), [("USDC", 0.02), ("BTC", 0.2), ("ETH", 0.2)])
def test_real_prices_by_a_loop_over_the_file(real_data, asset, haircut, horizon):
    close = closes(real_data / f"{asset.lower()}_usd.csv")
    windows = {"2020": ("2020-03-01", "2020-03-31"), "2023": ("2023-03-01", "2023-03-31")}
    table = bt.haircut_adequacy(
        read_column(real_data, asset), asset=asset, haircut=haircut, horizons=[horizon],
        windows={f"March {year}": window for year, window in windows.items()}, years=False,
    ).set_index("period")  # fmt: skip
    step, last = timedelta(days=horizon), max(close)
    ratio = {day: close[day + step] / close[day] for day in close if day + step in close}
    beyond = [day for day, value in ratio.items() if value < 1 - haircut]
    row = table.loc["all"]
    assert (row["observations"], row["beyond"]) == (len(ratio), len(beyond))
    assert row["uncounted"] == sum(d + step <= last and d + step not in close for d in close)
    assert row["worst"] == pytest.approx(min(ratio.values()) - 1, rel=1e-12)
    assert row["worst_day"] == str(min(ratio, key=ratio.__getitem__))
    for year in (2020, 2023):
        march = [day for day in beyond if (day.year, day.month) == (year, 3)]
        assert table.loc[f"March {year}", "beyond"] == len(march)


def test_usdc_broke_two_percent_in_both_marches_and_no_move_spans_the_hole(real_data):
    windows = {"2020": ("2020-03-01", "2020-03-31"), "2023": ("2023-03-01", "2023-03-31")}
    table = bt.haircut_adequacy(
        read_column(real_data, "USDC"), asset="USDC", haircut=0.02, horizons=[1, 2],
        windows=windows, years=False,
    ).set_index(["horizon", "period"])  # fmt: skip
    assert table["beyond"].tolist() == [5, 2, 1, 6, 4, 1]
    # From Friday's close to Saturday's: no margin day saw it.
    assert table.loc[(1, "2023"), "worst_day"] == "2023-03-10"
    assert table.loc[(2, "2023"), "worst"] == pytest.approx(0.9715 / 0.999378 - 1, abs=2e-3)
    assert table.loc[(1, "all"), "uncounted"] == 1 and table.loc[(2, "all"), "uncounted"] == 2


def test_treasuries_by_cash_flows(real_market):
    """P&L of each bond from its own cash flows, day by day, over ten margin days."""
    rows = range(1100, 1400)  # autumn 2019 to winter 2020
    part = bt.Market(
        real_market.dates[1100:1410], real_market.factors, real_market.levels[1100:1410],
        real_market.kinds,
    )  # fmt: skip
    row = bt.haircut_adequacy(part, asset="UST30Y", haircut=0.06, horizons=[10], years=False)
    pnls = []
    for t in rows:
        later = dict(zip(real_market.factors, real_market.levels[t + 10], strict=True))
        days = int((real_market.dates[t + 10] - real_market.dates[t]).astype(int))
        pnls.append(by_hand.treasury_pnl(real_market.level("30Y")[t], later, 30, days))
    assert row["observations"].item() == 300
    assert row["beyond"].item() == sum(pnl < -0.06 for pnl in pnls) > 0
    assert row["worst"].item() == pytest.approx(min(pnls), rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(seed=hs.integers(0, 10**6), days=hs.integers(12, 400), horizon=hs.integers(1, 5))
def test_the_covering_haircut_covers(seed, days, horizon):
    """With it, at most 1 % of moves go beyond; with anything less, more do."""
    prices = np.exp(np.cumsum(np.random.default_rng(seed).standard_t(3, days) * 0.03))
    series = pd.Series(prices, index=pd.date_range("2020-01-01", periods=days))
    row = bt.haircut_adequacy(series, asset="BTC", haircut=0.1, horizons=[horizon]).iloc[0]
    ratio = prices[horizon:] / prices[:-horizon]
    allowed = tail_count(len(ratio), 0.99, "floor")
    covering = row["cover_99"]
    assert np.count_nonzero(1 - ratio > covering * (1 + 1e-12)) <= allowed
    if covering > 0:
        assert np.count_nonzero(1 - ratio > covering * (1 - 1e-9)) > allowed
    assert row["cover_99"] <= row["cover_99.9"] <= max(0.0, -row["worst"]) + 1e-12
    assert row["low"] <= row["beyond_rate"] <= row["high"]


def test_years_and_windows_partition_by_the_first_day():
    market = random_market(300, seed=1)
    table = bt.haircut_adequacy(market, asset="BTC", haircut=0.05, horizons=[2])
    table = table.set_index("period")
    years = table.drop(index="all")
    assert years["observations"].sum() == table.loc["all", "observations"] == 298
    assert years["beyond"].sum() == table.loc["all", "beyond"] > 0
    assert set(table["days"]) == {"margin"}


@pytest.mark.parametrize(
    ("series", "extra", "message"),
    [
        ([1.0, 0.0], {}, "must be above zero"),
        ([1.0, float("nan")], {}, "must be above zero"),
        ([1.0, 1.0], {"haircut": 1.0}, "haircut of USDC is 1"),
        ([1.0, 1.0], {"horizons": [0]}, "horizon is 0"),
    ],
)
def test_bad_input_is_one_line(series, extra, message):
    prices = pd.Series(series, index=pd.date_range("2024-01-01", periods=len(series)))
    with pytest.raises(bt.BacktestError, match=message) as caught:
        bt.haircut_adequacy(prices, **({"asset": "USDC", "haircut": 0.02} | extra))
    assert "\n" not in str(caught.value)


def test_days_that_do_not_ascend_are_refused():
    prices = pd.Series([1.0, 1.0], index=pd.to_datetime(["2024-01-02", "2024-01-01"]))
    with pytest.raises(bt.DataError, match="ascending"):
        bt.haircut_adequacy(prices, asset="USDC", haircut=0.02)
    with pytest.raises(bt.StudyError, match="no price in this market"):
        bt.haircut_adequacy(random_market(30), asset="USDC", haircut=0.02)
