"""The worst day of a record against Wilks's published number, and days that cluster."""

import numpy as np
import pytest

from backtest.scores.money.worst import worse_days
from backtest.types import DataError, StudyError


def test_fifty_nine_independent_days_are_the_first_whose_worst_is_beaten_by_one_in_twenty():
    # Wilks's best-known number: 59 values for 95 % of the law with 95 % confidence.
    for days, enough in ((58, False), (59, True)):
        share = float(worse_days(np.ones((days, 1)))[0])  # equal days do not cluster
        assert share == pytest.approx(1.0 - 0.05 ** (1.0 / days))
        assert (share <= 0.05) == enough


def test_days_that_cluster_are_fewer():
    # Of 2,000 days the 60 largest tell how the largest cluster: three times one in a hundred.
    spread, together = np.ones((2000, 1)), np.ones((2000, 1))
    spread[16::33][:60], together[:60] = 9.0, 9.0
    assert worse_days(spread)[0] == pytest.approx(1.0 - 0.05 ** (1.0 / 2000))
    cosines = np.cos(np.pi * np.outer(np.arange(1, 13), np.arange(2000) + 0.5) / 2000)
    variance = np.mean((np.sqrt(2.0 / 2000) * cosines[:, :60].sum(axis=1)) ** 2)
    inflation = variance / (0.03 * 0.97) * (2.1788 / 1.95996) ** 2
    assert worse_days(together)[0] == pytest.approx(1.0 - 0.05 ** (inflation / 2000), rel=1e-4)
    assert inflation > 20.0


def test_nothing_paid_says_no_more_than_how_many_days_there_are():
    assert worse_days(np.zeros((100, 2))).tolist() == [pytest.approx(1.0 - 0.05**0.01)] * 2
    assert 0.0 < worse_days(np.ones((1, 1)))[0] <= 1.0


def test_independent_days_hold_it_as_often_as_asked():
    amounts = np.random.default_rng(3).standard_exponential((500, 2000))
    held = np.exp(-amounts.max(axis=0)) <= worse_days(amounts)
    assert 0.94 < held.mean() < 0.99


def test_a_level_and_amounts_that_are_none_are_one_line():
    with pytest.raises(StudyError, match="level is 95"):
        worse_days(np.ones((9, 1)), level=95.0)
    with pytest.raises(DataError):
        worse_days(np.array([[1.0], [np.nan]]))
