"""Markets: what is refused, what shocks mean, what `until` keeps."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as h

import backtest as bt
from backtest.types import tail_count
from tests.support.markets import random_market

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04"]


def frame(**columns):
    return pd.DataFrame(columns, index=pd.to_datetime(DAYS))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            lambda: frame(BTC=[1.0, -2.0, 3.0]),
            "BTC on 2024-01-03 is -2; a price must be above zero",
        ),
        (lambda: frame(BTC=[1.0, 0.0, 3.0]), "a price must be above zero"),
        (lambda: frame(**{"10Y": [0.04, 4.25, 0.04]}), "10Y on 2024-01-03 is 4.25 as a decimal"),
        (lambda: frame(BTC=[1.0, np.inf, 3.0]), "BTC on 2024-01-03 is inf"),
        (lambda: frame(BTC=[np.nan] * 3), "no day on which every factor is known"),
        (lambda: frame(BTC=[1.0, 2.0, 3.0]).iloc[[0, 2, 1]], "2024-01-03 comes before"),
        (lambda: frame(BTC=[1.0, 2.0, 3.0]).iloc[[0, 1, 1]], "2024-01-03 repeats"),
        (lambda: frame(BTC=[1.0, 2.0, 3.0]).iloc[:0], "the frame is empty"),
        (lambda: frame(BTC=[1.0, 2.0, 3.0]).tz_localize("UTC"), "time zone UTC"),
    ],
)
def test_bad_levels_get_one_clear_line(made, said):
    with pytest.raises(bt.DataError) as caught:
        bt.Market.from_frame(made())
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("gap", "fine"), [(14, True), (15, False)])
def test_a_hole_of_more_than_14_calendar_days_is_an_error(gap, fine):
    days = pd.Timestamp("2024-01-02") + pd.to_timedelta([0, gap], unit="D")
    levels = pd.DataFrame({"BTC": [1.0, 2.0]}, index=days)
    if fine:
        assert len(bt.Market.from_frame(levels).dates) == 2
    else:
        with pytest.raises(bt.DataError, match="no complete day between 2024-01-02 and 2024-01-17"):
            bt.Market.from_frame(levels)


def test_days_with_an_unknown_factor_are_dropped_and_listed():
    market = bt.Market.from_frame(frame(BTC=[1.0, np.nan, 3.0], ETH=[1.0, 1.0, 1.0]))
    assert market.dropped.astype(str).tolist() == ["2024-01-03"]
    assert market.shocks(1)[1, 0] == 2.0  # the shock steps over the dropped day


def test_shocks_are_relative_for_prices_and_absolute_for_yields():
    market = bt.Market.from_frame(frame(BTC=[100.0, 110.0, 99.0], **{"10Y": [0.0, 0.01, -0.01]}))
    expected = np.array([[np.nan, np.nan], [0.1, 0.01], [-0.1, -0.02]])
    np.testing.assert_allclose(market.shocks(1), expected)
    np.testing.assert_allclose(market.shocks(2)[2], [-0.01, -0.01])
    assert np.isnan(market.shocks(3)).all()


@given(cut=h.integers(0, 39), horizon=h.integers(1, 5))
def test_until_changes_nothing_before_it(cut, horizon):
    market = random_market(40)
    part = market.until(cut)
    assert part.dates[-1] == market.dates[cut]
    np.testing.assert_array_equal(part.shocks(horizon), market.shocks(horizon)[: cut + 1])
    by_date = market.until(str(market.dates[cut]))
    np.testing.assert_array_equal(by_date.levels, part.levels)


def test_a_market_does_not_share_memory_with_what_made_it():
    levels = np.ones((2, 1))
    market = bt.Market(
        np.array(["2024-01-02", "2024-01-03"], "M8[D]"), ("BTC",), levels, ("price",)
    )
    levels[0, 0] = 5.0
    assert market.levels[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        market.levels[0, 0] = 5.0


def test_tail_count_survives_floating_point():
    assert tail_count(500, 0.99) == 5  # 500 * (1 - 0.99) is 5.000000000000004
    assert tail_count(501, 0.99) == 6
    assert tail_count(2196, 0.99, "floor") == 21
    assert tail_count(1000, 0.999) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"confidence": 99}, {"confidence": 1.0}, {"mpor": 0}, {"mpor": {"FICC": 0}}, {"mpor": 1.5}],
)
def test_impossible_standards_are_refused(wrong):
    with pytest.raises(bt.StudyError):
        bt.Coverage(**wrong)


def yields_file(folder, **columns):
    """A folder with nothing but par yields, in the numbers given."""
    table = pd.DataFrame(columns)
    table.insert(0, "Date", pd.bdate_range("2020-04-01", periods=len(table)).strftime("%Y-%m-%d"))
    table.to_csv(folder / "treasury_par_yields.csv", index=False)
    return folder


def test_low_yields_are_not_taken_for_decimals(tmp_path):
    """2020: bills at 0.1 % for a year, the 5-year at 0.19 % for a week, the 10-year at 0.52 %."""
    low = {"3M": [0.09] * 300, "2Y": [0.15] * 300, "10Y": [0.52] * 300}
    assert bt.load_market(yields_file(tmp_path, **low), factors=("3M", "10Y")).levels.max() < 0.006
    week = {"5Y": [0.24] * 8 + [0.3] * 292}
    assert len(bt.load_market(yields_file(tmp_path, **week), factors=("5Y",)).dates) == 300


def test_decimals_are_told_from_percent_by_maturities_the_study_does_not_ask_for(tmp_path):
    decimals = {"3M": [0.0009] * 300, "10Y": [0.0425] * 299 + [np.nan]}
    with pytest.raises(bt.DataError, match="10Y is never above 0.0425 percent in 299 days"):
        bt.load_market(yields_file(tmp_path, **decimals), factors=("3M",))


@pytest.mark.parametrize("source", ["sample", "treasury", "folder"])
def test_a_factor_named_twice_is_refused(tmp_path, source):
    yields_file(tmp_path, **{"3M": [1.0] * 30, "10Y": [2.0] * 30})
    place = tmp_path if source == "folder" else source
    with pytest.raises(bt.DataError, match="factors name '10Y' twice"):
        bt.load_market(place, factors=("10Y", "3M", "10Y"))


def test_bills_in_percent_are_told_by_their_moves():
    """Read as 22 %, 100m of bills asked for 753,310 instead of 7,690."""
    days = pd.bdate_range("2010-01-04", periods=400)
    moves = 0.01 * np.random.default_rng(1).integers(-2, 3, len(days))
    percent = pd.DataFrame({"3M": np.clip(0.08 + np.cumsum(moves) / 5, 0.0, 0.22).round(2)}, days)
    with pytest.raises(bt.DataError, match=r"3M moves by a point .* frames hold decimals"):
        bt.Market.from_frame(percent)
    assert bt.Market.from_frame(percent / 100).levels.max() < 0.003
    assert bt.Market.from_frame(percent, simulated=True).simulated
