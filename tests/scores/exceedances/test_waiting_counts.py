"""Kupiec's time until first failure from the number of the day alone."""

import numpy as np
import pytest

import backtest as bt
from backtest import scores


@pytest.mark.parametrize("day", [1, 2, 58, 1043])
def test_the_day_alone_says_what_the_record_says(day: int) -> None:
    record = np.arange(1, 1044) == day
    record[-1] = True  # what comes after the first does not count
    assert scores.first_exceedance_on(day) == scores.time_to_first_exceedance(record)


def test_no_day_is_not_identified_and_day_zero_is_one_line() -> None:
    assert not scores.first_exceedance_on(None).identified
    with pytest.raises(bt.StudyError, match="on day 0; the first day is 1"):
        scores.first_exceedance_on(0)
