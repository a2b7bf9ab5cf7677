"""Rates by maturity."""

import numpy as np
import pytest
from pydantic import ValidationError

from backtest.account.haircuts import known_schedules, load_schedule
from backtest.parameters.buckets import ByMaturity


def test_a_row_holds_its_last_maturity_and_not_its_first():
    table = ByMaturity(up_to=(1.0, 5.0, 30.0), rate=(0.01, 0.02, 0.04))
    years = (None, 0.0, -1.0, 0.25, 1.0, 1.0001, 5.0, 30.0, 30.0001)
    rates = (None, None, None, 0.01, 0.01, 0.02, 0.02, 0.04, None)
    assert tuple(table.at(y) for y in years) == rates
    assert table.row(5.0) == 1 and ByMaturity().row(5.0) is None
    assert ByMaturity(up_to=(1.0, np.inf), rate=(0.01, 0.02)).at(100.0) == 0.02


@pytest.mark.parametrize(
    ("up_to", "rate", "message"),
    [
        ((1.0, 2.0), (0.1,), "differ in length"),
        ((2.0, 1.0), (0.1, 0.2), "do not ascend"),
        ((0.0, 1.0), (0.1, 0.2), "do not ascend"),
        ((1.0,), (1.5,), "less than or equal to 1"),
    ],
)
def test_a_table_that_is_none_is_refused(up_to, rate, message):
    with pytest.raises(ValidationError, match=message):
        ByMaturity(up_to=up_to, rate=rate)


def test_every_schedule_lists_some_maturity_or_price():
    for name in known_schedules():
        schedule = load_schedule(name)
        assert schedule.treasury.up_to or schedule.swap.up_to or schedule.price, name
