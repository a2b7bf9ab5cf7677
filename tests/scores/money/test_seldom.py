"""The size that is seldom exceeded, and its lower end, against counts made by hand."""

import numpy as np
import pytest
from scipy.stats import binom

from backtest.scores.money.seldom import exceeded_seldom, seldom
from backtest.types import DataError, StudyError

ONE = np.ones(1)


def spread(days: int) -> np.ndarray:
    """Amounts 1 to days in an order without slow waves: nothing follows anything."""
    return (np.arange(days) * 617 % days + 1.0)[None]


@pytest.mark.parametrize(("days", "confidence"), [(2196, 0.999), (1000, 0.99), (500, 0.98)])
def test_of_independent_days_the_ends_are_order_statistics_of_a_binomial_count(days, confidence):
    found = seldom(spread(days), ONE, confidence=confidence)
    assert found.days == days
    assert found.size == days - int(days * (1 - confidence) + 1e-9)
    # The lower end has as many days beyond it as a true size leaves in all but 2.5 % of records.
    beyond = round(days - found.low)
    law = binom(days, 1 - confidence)
    assert law.sf(beyond - 1) >= 0.025 > law.sf(beyond)


def test_days_that_follow_each_other_say_less():
    calm = spread(2000)
    turmoil = calm.copy()
    turmoil[0, np.argsort(calm[0])] = np.arange(2000.0)
    turmoil[0] = np.roll(np.sort(turmoil[0]), 700)  # the largest side by side
    alone, together = (seldom(each, ONE, confidence=0.999) for each in (calm, turmoil))
    assert together.days < 0.5 * alone.days and together.low < alone.low


def test_states_count_with_their_weights():
    values = np.array([5.0, 4.0, 3.0, 2.0, 1.0] * 20)[None]
    # 4 of 100 days may exceed: of 20 days at 5.0 the fifth is still 5.0; where only one state of a
    # tenth has them, 2 days count and the other state's 4.0 are beyond what may.
    assert exceeded_seldom(values, ONE, confidence=0.96) == 5.0
    two = np.concatenate([values, np.minimum(values, 4.0)])
    assert exceeded_seldom(two, np.array([0.1, 0.9]), confidence=0.96) == 4.0
    same = seldom(np.concatenate([values, values]), np.array([0.3, 0.7]), confidence=0.96)
    alone = seldom(values, ONE, confidence=0.96)
    assert (same.size, same.low) == (alone.size, alone.low)
    assert same.days == pytest.approx(alone.days)


def test_a_record_without_any_need_needs_nothing():
    found = seldom(np.zeros((2, 300)), np.array([0.5, 0.5]), confidence=0.999)
    assert (found.size, found.low) == (0.0, 0.0)


def test_what_is_no_amount_is_one_line():
    with pytest.raises(DataError, match="not all finite"):
        exceeded_seldom(np.array([[1.0, np.nan]]), ONE, confidence=0.99)
    with pytest.raises(StudyError, match=r"weights add up to 0\.5"):
        seldom(np.ones((1, 9)), ONE / 2, confidence=0.99)
    with pytest.raises(StudyError, match="confidence is 1"):
        seldom(np.ones((1, 9)), ONE, confidence=1.0)
