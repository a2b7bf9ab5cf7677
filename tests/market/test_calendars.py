"""Calendars: how many sessions, where two of them differ, how far they reach."""

import numpy as np
import pytest

import backtest as bt
from backtest.market.calendars import CALENDARS, FIRST, LAST, is_session, sessions

START, END = "2014-09-02", "2026-11-20"


# Counted from 2014-09-01 where CME trades and every day counts: Labor Day is SIFMA's and NYSE's.
@pytest.mark.parametrize(
    ("calendar", "start", "days"),
    [
        ("SIFMA", "2014-09-02", 3056),
        ("NYSE", "2014-09-02", 3075),
        ("CME", "2014-09-01", 3157),
        ("24/7", "2014-09-01", 4464),
        ("SIFMA", "2014-09-01", 3056),
        ("NYSE", "2014-09-01", 3075),
    ],
)
def test_number_of_sessions(calendar, start, days):
    assert len(sessions(calendar, start, END)) == days


def test_sifma_and_nyse_differ_on_29_days():
    bonds, stocks = (set(sessions(name, START, END).astype(str)) for name in ("SIFMA", "NYSE"))
    assert len(bonds ^ stocks) == 29
    assert sorted(bonds - stocks) == [
        "2018-12-05", "2021-04-02", "2023-04-07", "2025-01-09", "2026-04-03",
    ]  # fmt: skip
    for day in stocks - bonds:  # Columbus Day (second Monday of October) and Veterans Day
        date = np.datetime64(day)
        columbus = np.busday_offset(day[:4] + "-10", 1, roll="forward", weekmask="Mon")
        veterans = np.datetime64(day[:4] + "-11-11")
        assert date in (columbus, np.busday_offset(veterans, 0, roll="forward"))


def test_fedwire_keeps_the_holidays_of_the_reserve_banks():
    """Open on Good Friday, on days of mourning, and on the Friday before a Saturday's holiday."""
    open_days = np.array(["2024-03-29", "2018-12-05", "2025-01-09", "2026-07-03"], "M8[D]")
    assert is_session("Fedwire", open_days).all()
    shut = np.array(["2024-10-14", "2022-06-20", "2021-07-05", "2023-01-02"], "M8[D]")
    assert not is_session("Fedwire", shut).any()
    assert is_session("Fedwire", np.array(["2021-06-18"], "M8[D]")).all()  # Juneteenth from 2022


def test_the_weekend_is_a_session_around_the_clock_only():
    saturday = np.array(["2024-06-01"], "M8[D]")
    assert [n for n in CALENDARS if is_session(n, saturday)[0]] == ["24/7"]


@pytest.mark.parametrize("day", [FIRST - 1, LAST + 1])
def test_a_calendar_that_does_not_reach_is_one_line(day):
    with pytest.raises(bt.DataError, match="the SIFMA calendar reaches from 1990-01-01") as caught:
        is_session("SIFMA", np.array([day]))
    assert "\n" not in str(caught.value)
    assert is_session("24/7", np.array([day])).all()


def test_an_unknown_calendar_is_named():
    with pytest.raises(bt.DataError, match="unknown calendar 'LSE'; known: SIFMA"):
        sessions("LSE", START, END)


def test_the_table_is_what_the_library_says():
    from tests.tools.write_closures import closures

    weekdays = np.arange(FIRST, LAST + 1)
    weekdays = weekdays[np.is_busday(weekdays)]
    for name, shut in closures().items():
        ours = weekdays[~is_session(name, weekdays)]
        np.testing.assert_array_equal(ours, shut.to_numpy().astype("M8[D]"))


def test_sessions_of_a_year_the_bond_market_published(real_data):
    """Yields were published on every SIFMA session of 2019-2025, and on no other day."""
    market = bt.load_market(real_data, factors=("10Y",), start="2019-01-01", end="2025-12-31")
    np.testing.assert_array_equal(market.dates, sessions("SIFMA", "2019-01-01", "2025-12-31"))
