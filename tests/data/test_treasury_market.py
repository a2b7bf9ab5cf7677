"""The embedded Treasury history: what was carried over, and what its holes do."""

import numpy as np
import pandas as pd
import pytest

from backtest.data.treasury import CURVES, UNBROKEN_FACTORS, treasury_market
from backtest.types import DataError
from tests.support.places import PRICES, needs_prices

REAL = PRICES / "treasury_par_yields.csv"
TENORS = ("3M", "6M", "1Y", "2Y", "3Y", "5Y", "7Y", "10Y")  # published on every day of the history


def test_the_default_history_is_unbroken_and_real():
    market = treasury_market()
    assert market.factors == UNBROKEN_FACTORS == ("3M", "2Y", "5Y", "10Y")
    assert not market.simulated
    assert set(market.kinds) == {"yield"}
    assert (str(market.dates[0]), str(market.dates[-1])) == ("1990-01-02", "2017-03-29")
    assert len(market.dates) == 6816 and len(market.dropped) == 0
    assert np.diff(market.dates).astype(int).max() <= 5
    assert "zipline-reloaded 3.2.1" in market.source


@pytest.mark.parametrize(
    ("day", "tenor", "percent"),
    [
        ("1994-11-07", "10Y", 8.05),  # high of the 1994 sell-off
        ("1998-10-05", "10Y", 4.16),  # low of the LTCM autumn
        ("2012-07-25", "10Y", 1.43),  # low of the euro crisis
        ("2013-09-05", "10Y", 2.98),  # high of the taper tantrum
    ],
)
def test_turning_points_are_where_history_put_them(day, tenor, percent):
    market = treasury_market()
    at = np.flatnonzero(market.dates == np.datetime64(day))
    np.testing.assert_allclose(market.level(tenor)[at], [percent / 100.0], rtol=1e-12)


def test_levels_are_the_published_two_decimals_of_a_percent():
    hundredths = treasury_market(factors=TENORS).levels * 1e4
    np.testing.assert_allclose(hundredths, np.round(hundredths), atol=1e-8)


def test_thirty_years_over_the_hole_is_one_clear_line():
    with pytest.raises(DataError, match="^no complete day between 2002-02-15 and 2006-02-09") as e:
        treasury_market(factors=("10Y", "30Y"))
    assert "\n" not in str(e.value)


def test_thirty_years_on_either_side_of_the_hole():
    market = treasury_market(factors=("2Y", "10Y", "30Y"), start="2006-02-09")
    assert str(market.dates[0]) == "2006-02-09"
    assert len(market.dropped) == 0
    # a start inside the hole skips to the first complete day and drops nothing
    assert str(treasury_market(factors=["30Y"], start="2004-01-01").dates[0]) == "2006-02-09"


def test_a_tenor_that_starts_late_shortens_the_market():
    market = treasury_market(factors=("1M", "10Y"))
    assert str(market.dates[0]) == "2001-07-31"
    assert len(market.dropped) == 0


def test_start_keeps_its_own_day():
    whole, late = treasury_market(), treasury_market(start="2008-09-15")
    assert str(late.dates[0]) == "2008-09-15"
    np.testing.assert_array_equal(late.levels, whole.levels[-len(late.dates) :])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factors": ("4M",)}, "no factor '4M'; known: 1M, 3M"),
        ({"start": "2020-01-01"}, "no day from 2020-01-01 on .* 1990-01-02 to 2017-03-29"),
        ({"start": "soon"}, "start is 'soon'; give a day"),
        ({"factors": ()}, "at least one"),
        ({"factors": ("10Y", "10Y")}, "repeat a name"),
    ],
)
def test_bad_input_is_one_line(arguments, message):
    with pytest.raises(DataError, match=message) as e:
        treasury_market(**arguments)
    assert "\n" not in str(e.value)


def test_the_file_is_reproducible_and_attributed():
    assert CURVES.read_bytes()[4:8] == b"\0\0\0\0"  # gzip time stamp
    notice = CURVES.with_name("NOTICE").read_text(encoding="utf-8")
    for words in (CURVES.name, "zipline-reloaded 3.2.1", "Apache License", "public domain"):
        assert words in notice


@needs_prices
@pytest.mark.parametrize("tenor", TENORS)
def test_it_is_the_treasurys_own_curve(tenor):
    market = treasury_market(factors=(tenor,))
    real = pd.read_csv(REAL, index_col="Date", parse_dates=["Date"])[tenor].dropna()
    ours = pd.Series(market.levels[:, 0] * 100.0, index=pd.DatetimeIndex(market.dates))
    both = pd.concat([ours, real], axis=1, join="inner").to_numpy()
    differs = np.abs(both[:, 0] - both[:, 1]) > 1e-9
    assert len(both) > 6800
    assert differs.mean() <= 0.0003
    days = ours.index.intersection(real.index)[differs]
    assert (days < "2010-01-01").all()
    np.testing.assert_allclose(both[:, 0], both[:, 1], atol=0.10 + 1e-9)
