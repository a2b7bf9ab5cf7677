"""What a publisher may send, and what is kept of it: hand-made histories of a few days."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from backtest.data.history import difference
from backtest.data.screening import screened
from backtest.data.sessions import expected_days
from backtest.data.total_return import adjusted_close
from backtest.market.calendars import sessions
from backtest.types import DataError
from tests.support.publishers import column_of, history_of

TODAY = date(2024, 2, 1)


def coin(**changes):
    return column_of("BTC-USD").model_copy(update={"starts": date(2024, 1, 2)} | changes)


def note(**changes):
    return column_of("^TNX").model_copy(update={"starts": date(2024, 1, 2)} | changes)


@pytest.fixture
def bitcoin():
    """A month of daily closes, complete."""
    return history_of(coin(), TODAY)


@pytest.fixture
def yields():
    return history_of(note(), TODAY)


def test_a_complete_history_is_kept_as_it_is_in_any_order_and_zone(bitcoin):
    for sent in (
        bitcoin,
        bitcoin[::-1],
        bitcoin.tz_localize("UTC"),
        bitcoin.tz_localize("Asia/Tokyo"),
    ):
        kept, said = screened(sent, coin(), today=TODAY)
        assert kept["value"].tolist() == bitcoin["value"].tolist()
        assert said == []


def test_the_running_day_and_later_ones_are_dropped(bitcoin):
    moving = pd.DataFrame(
        {"value": [50.0, 60.0]}, index=pd.to_datetime(["2024-02-01", "2024-02-02"])
    )
    kept, _ = screened(pd.concat([bitcoin, moving]), coin(), today=TODAY)
    assert kept.index[-1] == pd.Timestamp("2024-01-31")


def test_missing_sessions_are_named_and_never_filled(yields):
    gone = pd.to_datetime(["2024-01-10", "2024-01-17"])
    kept, said = screened(yields.drop(gone), note(), today=TODAY)
    assert len(kept) == len(yields) - 2
    assert said == ["no row for 2 days (2024-01-17, 2024-01-10); not filled in"]
    assert pd.Timestamp("2024-01-15") not in yields.index  # Martin Luther King's day is no session


def test_rows_without_a_value_are_named_and_left_out(bitcoin):
    bitcoin.loc["2024-01-20", "value"] = np.nan
    kept, said = screened(bitcoin, coin(), today=TODAY)
    assert pd.Timestamp("2024-01-20") not in kept.index
    assert said == ["a row without a value for 1 day (2024-01-20); not filled in"]


def test_an_empty_cell_on_a_bond_holiday_is_nothing_to_say(yields):
    bonds = note(calendar="bond")
    blank = pd.DataFrame({"value": [np.nan]}, index=pd.to_datetime(["2024-01-15"]))
    assert screened(pd.concat([yields, blank]), bonds, today=TODAY)[1] == []


def test_a_day_sent_twice_counts_once_and_a_day_with_two_values_not_at_all(bitcoin):
    twice = pd.concat([bitcoin, bitcoin.loc[["2024-01-05"]]])
    kept, said = screened(twice, coin(), today=TODAY)
    assert len(kept) == len(bitcoin)
    assert said == ["rows sent twice for 1 day (2024-01-05); one kept"]
    torn = pd.concat([bitcoin, 1.01 * bitcoin.loc[["2024-01-05"]]])
    kept, said = screened(torn, coin(), today=TODAY)
    assert pd.Timestamp("2024-01-05") not in kept.index
    assert said[0] == "two different values for 1 day (2024-01-05); left out"


def test_an_empty_copy_of_a_day_does_not_hide_its_value(bitcoin):
    blank = pd.DataFrame({"value": [np.nan]}, index=pd.to_datetime(["2024-01-05"]))
    kept, said = screened(pd.concat([blank, bitcoin]), coin(), today=TODAY)
    assert len(kept) == len(bitcoin)
    assert said == []


def test_weekend_rows_of_an_exchange_are_left_out(yields):
    evening = pd.DataFrame({"value": [4.0]}, index=pd.to_datetime(["2024-01-14"]))
    kept, said = screened(pd.concat([yields, evening]), note(), today=TODAY)
    assert len(kept) == len(yields)
    assert said == ["weekend rows on 1 day (2024-01-14); left out"]


def test_yields_times_ten_are_refused_whole_or_half_way(yields):
    with pytest.raises(DataError, match=r"40\.\d+ and 21 of 21 days are outside 0 .. 25 percent"):
        screened(10 * yields, note(), today=TODAY)
    low = 0.1 * yields  # 0.4 percent, as in 2020: ten times that is still in range
    low.loc["2024-01-16":] *= 10
    with pytest.raises(DataError, match=r"percent on 2024-01-16; write one unit"):
        screened(low, note(), today=TODAY)


def test_zero_and_negative_yields_are_refused_where_the_index_has_none(yields):
    for wrong in (0.0, -0.1):
        yields.loc["2024-01-16", "value"] = wrong
        with pytest.raises(DataError, match=r"\^TNX on 2024-01-16 is"):
            screened(yields, note(), today=TODAY)


def test_a_partial_answer_is_refused(bitcoin):
    with pytest.raises(DataError, match="BTC-USD has 10 of the 30 days expected since 2024-01-02"):
        screened(bitcoin.iloc[-10:], coin(), today=TODAY)
    with pytest.raises(DataError, match="has no value from 2024-01-02 to 2024-02-01"):
        screened(bitcoin * np.nan, coin(), today=TODAY)


def test_a_history_that_ends_early_says_so():
    whole = history_of(coin(), date(2024, 6, 1))
    _, said = screened(whole.iloc[:-9], coin(), today=date(2024, 6, 1))
    assert said == ["ends 2024-05-22, 10 days before the fetch"]


def test_an_unpublished_stretch_is_left_out_and_not_missed(yields):
    gap = note(unpublished=(date(2024, 1, 8), date(2024, 1, 12)))
    kept, said = screened(yields, gap, today=TODAY)
    assert len(kept) == len(yields) - 5
    assert said == []


def test_bond_and_exchange_holidays_of_2024():
    days = {
        c: set(expected_days(c, date(2024, 1, 1), date(2024, 12, 31))) for c in ("bond", "exchange")
    }
    assert len(days["exchange"]) == 252  # NYSE trading days in 2024
    only = sorted(f"{d:%m-%d}" for d in days["exchange"] - days["bond"])
    assert only == ["10-14", "11-11"]
    assert days["bond"] < days["exchange"]


def test_the_rules_name_the_known_closings_of_the_real_curve(real_data):
    curve = pd.read_csv(real_data / "treasury_par_yields.csv", index_col=0, parse_dates=True)
    ten = curve["10Y"].dropna()
    missing = expected_days("bond", date(1995, 1, 1), date(2026, 7, 22)).difference(ten.index)
    # Attacks of 2001, Reagan's funeral, Hurricane Sandy, the elder Bush's funeral.
    closings = ["2001-09-11", "2001-09-12", "2004-06-11", "2012-10-30", "2018-12-05"]
    assert [f"{d:%Y-%m-%d}" for d in missing] == closings


def test_adjusted_closes_return_price_and_dividend():
    generator = np.random.default_rng(1)
    days = pd.bdate_range("2024-01-01", periods=50)
    close = pd.Series(100 * np.exp(np.cumsum(generator.normal(0, 0.01, 50))), days)
    paid = pd.Series(0.0, days)
    paid.iloc[[10, 30]] = [1.2, 0.7]
    adjusted = adjusted_close(close, paid)
    assert adjusted.iloc[-1] == close.iloc[-1]
    for t in range(1, 50):  # growth of a holder who reinvests at the close before, minus dividend
        growth = close.iloc[t] / (close.iloc[t - 1] - paid.iloc[t])
        assert adjusted.iloc[t] / adjusted.iloc[t - 1] == pytest.approx(growth, rel=1e-12)


@pytest.mark.parametrize("wrong", [-0.1, np.nan, 100.0])
def test_an_impossible_dividend_is_refused(wrong):
    days = pd.to_datetime(["2024-01-02", "2024-01-03"])
    with pytest.raises(DataError, match="on 2024-01-03 cannot be right"):
        adjusted_close(pd.Series([99.0, 98.0], days), pd.Series([0.0, wrong], days))


def test_a_rewritten_history_shows_days_old_and_new():
    days = pd.bdate_range("2024-01-01", periods=6)
    old = pd.DataFrame({"ZN": [110, 111, np.nan, 113, 114.0], "ZB": 120.0}, index=days[:5])
    new = pd.DataFrame({"ZN": [110, 111.111, 112, np.nan, 114, 115], "ZB": 120.0}, index=days)
    found = difference(old, new)
    assert (found["changed"], found["removed"], found["added"]) == (1, 1, 1)
    assert found["largest_relative"] == pytest.approx(0.001)
    assert (found["first"], found["last"]) == ("2024-01-02", "2024-01-04")
    assert found["values"] == [
        ["2024-01-04", "ZN", 113.0, None],
        ["2024-01-03", "ZN", None, 112.0],
        ["2024-01-02", "ZN", 111.0, 111.111],
    ]
    assert difference(old, old) is None
    assert difference(old.iloc[:3], old) is None  # days that are new are no rewrite


def test_the_days_expected_are_those_of_the_committed_calendars():
    for calendar, name in (("bond", "SIFMA"), ("exchange", "NYSE"), ("daily", "24/7")):
        days = expected_days(calendar, date(1990, 1, 2), date(2026, 7, 1))
        np.testing.assert_array_equal(days, sessions(name, "1990-01-02", "2026-07-01"))
    # A Good Friday on which jobs were reported, and a New Year's Eve: yields are published.
    bond = expected_days("bond", date(2021, 4, 1), date(2021, 4, 5))
    assert pd.Timestamp("2021-04-02") in bond
    assert pd.Timestamp("2021-12-31") in expected_days("bond", date(2021, 12, 30), date(2022, 1, 3))
    assert len(expected_days("bond", date(2030, 12, 30), date(2031, 1, 8))) == 8  # after its end


def test_bars_stamped_in_new_york_are_days_of_utc():
    stamps = pd.DatetimeIndex(["2024-01-01 19:00", "2024-01-02 19:00", "2024-01-03 07:12"])
    sent = pd.DataFrame({"value": [4971.0, 5564.0, 1.0]}, stamps.tz_localize("America/New_York"))
    kept, _ = screened(sent, coin(starts=date(2024, 1, 2)), today=date(2024, 1, 3))
    assert kept["value"].to_dict() == {pd.Timestamp("2024-01-02"): 4971.0}
