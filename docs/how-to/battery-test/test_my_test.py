"""The template of a test of the battery: every short record, and records that are right."""

from itertools import product

import numpy as np
import pytest

from backtest.scores import battery
from backtest.scores.exceedances.my_test import my_test


# GAP 6: the statistic in another way, on every record of a few days
def test_the_statistic_counts_pairs():
    for record in product([0, 1], repeat=6):
        result = my_test(record)
        assert result.identified == (sum(record) >= 2)
        if result.identified:
            assert result.statistic == sum(record[i : i + 2] == (1, 1) for i in range(5))


# GAP 7: right models are rejected as often as the level says, at most; wrong ones more often
def test_right_records_are_left_alone_and_clusters_are_seen():
    rng = np.random.default_rng(1)
    right = rng.random((500, 200)) < 0.05
    clustered = right | np.roll(right, 1, axis=0) & (rng.random((500, 200)) < 0.5)
    rejected = [
        np.mean([my_test(record, confidence=0.95).verdict() == "rejected" for record in records.T])
        for records in (right, clustered)
    ]
    assert rejected[0] <= 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5 and rejected[1] > 0.8


def test_it_is_a_column_of_the_battery():
    record = np.isin(np.arange(250), [10, 11, 12])[:, None]
    row = battery(record, np.ones((250, 1)), draws=99).iloc[0]
    assert row["my_test"] == "rejected" and row["my_test_p"] == pytest.approx(0.01, abs=0.03)
