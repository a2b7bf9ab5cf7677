"""The scored window: which days are scored, and what is said where none can be."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from backtest.market import Market
from backtest.model.window import ScoredWindow
from backtest.types import StudyError, first_known

NAN = np.nan
MODELS = {"fast": "Fast()", "slow": "Slow()"}


@pytest.fixture
def market():
    days = pd.bdate_range("2024-01-01", periods=6)
    return Market.from_frame(pd.DataFrame({"BTC": np.arange(1.0, 7.0)}, index=days))


def required(fast=1, slow=2):
    """Requirements of two portfolios; the models warm up for so many days."""
    table = {"fast": np.ones((6, 2)), "slow": np.ones((6, 2))}
    table["fast"][:fast] = NAN
    table["slow"][:slow, 1] = NAN  # one portfolio alone does not begin the window
    return table


def loss(unknown=2):
    values = np.ones((6, 2, 3))
    values[6 - unknown :, 0, 1] = NAN
    return values


def test_first_known_is_the_first_row_without_nan_over_all_other_axes():
    assert first_known(np.ones(3)) == 0
    assert first_known(loss()[::-1]) == 2
    assert first_known(np.full((4, 2), NAN)) == 4
    assert first_known(np.ones((0, 2))) == 0


def test_the_slowest_model_begins_it_and_the_last_known_loss_ends_it(market):
    window = ScoredWindow.of(market, required(), loss(), models=MODELS)
    assert window.rows == slice(2, 4)
    assert window.dates.tolist() == market.dates[2:4].tolist()
    assert window.checked() is window


@pytest.mark.parametrize(
    ("score_from", "start"), [("2023-12-01", 2), ("2024-01-04", 3), ("2024-01-02", 2)]
)
def test_a_first_day_that_is_asked_for_makes_it_later_never_earlier(market, score_from, start):
    window = ScoredWindow.of(market, required(), loss(), score_from, models=MODELS)
    assert window.rows == slice(start, 4)


@pytest.mark.parametrize(
    ("kwargs", "score_from", "why"),
    [
        ({"slow": 6}, None, r"'slow' \('Slow\(\)'\) warms up for 6 of the 6 days and the last 2"),
        ({}, "2024-01-05", "after the last day that can be scored \\(2024-01-04\\)"),
    ],
)
def test_where_no_day_can_be_scored_it_is_empty_and_says_why(market, kwargs, score_from, why):
    window = ScoredWindow.of(market, required(**kwargs), loss(), score_from, models=MODELS)
    assert len(window.dates) == 0 == window.rows.stop - window.rows.start
    with pytest.raises(StudyError, match=why):
        window.checked()


@pytest.mark.parametrize(
    "day",
    ["soon", "2024", 20240104, 2024, pd.NaT, b"2024-01-04", np.datetime64("2024")]
    + [pd.Timestamp("2024-01-04 15:00"), pd.Timestamp("2024-01-04", tz="UTC"), 1.5],
)
def test_a_day_that_is_none_is_refused(market, day):
    with pytest.raises(StudyError, match="score_from is .*; give a day as YYYY-MM-DD"):
        ScoredWindow.of(market, required(), loss(), day, models=MODELS)


@pytest.mark.parametrize(
    "day",
    [date(2024, 1, 4), np.datetime64("2024-01-04"), np.datetime64("2024-01-04", "ns")]
    + [pd.Timestamp("2024-01-04")],
)
def test_a_day_of_python_numpy_or_pandas_is_a_day(market, day):
    window = ScoredWindow.of(market, required(), loss(), day, models=MODELS)
    assert window.dates[0] == np.datetime64("2024-01-04")


def test_windows_share_the_days_from_the_latest_first_to_the_earliest_last(market):
    windows = [market.dates[1:5], market.dates[2:6]]
    assert ScoredWindow.shared(market, windows).rows == slice(2, 5)
    # Days of another calendar bound it without being days of this market.
    saturday = np.arange("2024-01-06", "2024-01-09", dtype="datetime64[D]")
    assert ScoredWindow.shared(market, [*windows, saturday]).why_none is not None
    assert ScoredWindow.shared(market, [saturday]).rows == slice(5, 6)


@pytest.mark.parametrize("other", [slice(0, 0), slice(4, 6)])
def test_windows_apart_share_no_day(market, other):
    with pytest.raises(StudyError, match="in common"):
        ScoredWindow.shared(market, [market.dates[:3], market.dates[other]]).checked()
