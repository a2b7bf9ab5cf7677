"""What one house hands over to another: whose surplus it is says whose debt it may pay."""

import numpy as np
import pytest

from backtest.kernels.waterfall import guaranty


def step(residual, rows, surplus, limit):
    """(paid, limit that is left), of a residual that is lowered."""
    paid, limit = np.empty(2), np.array(limit)
    guaranty(residual, rows, np.array(surplus), limit, paid)
    return paid.tolist(), limit.tolist()


def test_a_customers_surplus_does_not_pay_for_the_firms_own_account():
    residual = np.array([[0.0, 4.0], [0.0, 6.0]])  # of customers, and of the firm's own account
    assert step(residual, 1, [5.0, 0.0], [100.0, 100.0]) == ([0.0, 4.0], [96.0, 100.0])
    assert residual.tolist() == [[0.0, 0.0], [0.0, 6.0]]


def test_the_firms_own_surplus_pays_both_in_proportion():
    residual = np.array([[0.0, 4.0], [0.0, 6.0]])
    assert step(residual, 2, [5.0, 0.0], [100.0, 100.0]) == ([0.0, 5.0], [95.0, 100.0])
    assert residual[:, 1] == pytest.approx([2.0, 3.0])


def test_a_house_hands_over_no_more_than_its_limit_in_both_steps_together():
    residual = np.array([[0.0, 9.0], [0.0, 0.0]])
    paid, left = step(residual, 2, [2.0, 0.0], [3.0, 0.0])
    assert (paid, left) == ([0.0, 2.0], [1.0, 0.0])
    assert step(residual, 1, [5.0, 0.0], left) == ([0.0, 1.0], [0.0, 0.0])
    assert residual[0, 1] == 6.0
