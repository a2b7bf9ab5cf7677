"""What one house hands over to another: whose surplus it is says whose debt it may pay."""

import numpy as np
import pytest

from backtest.kernels.waterfall import guaranty, guaranty_of_customer


def test_the_firms_own_surplus_pays_its_customers_debts_and_its_own_in_proportion():
    residual = np.array([[0.0, 4.0], [0.0, 6.0]])  # of customers, and of the firm's own account
    surplus, paid = np.array([5.0, 0.0]), np.empty(2)
    guaranty(residual, surplus, paid)
    assert paid.tolist() == [0.0, 5.0]
    assert residual[:, 1] == pytest.approx([2.0, 3.0])


def test_a_house_hands_over_no_more_than_the_others_lack():
    residual = np.array([[0.0, 9.0], [0.0, 0.0]])
    surplus, paid = np.array([12.0, 0.0]), np.empty(2)
    guaranty(residual, surplus, paid)
    assert paid.tolist() == [0.0, 9.0]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_houses_share_what_another_hands_over_whichever_a_study_lists_first(order):
    residual = np.array([[0.0, 9.0, 3.0], [0.0, 0.0, 0.0]])[:, order]
    surplus, paid = np.array([8.0, 0.0, 0.0])[order], np.empty(3)
    guaranty(residual, surplus, paid)
    assert paid[order].tolist() == [0.0, 6.0, 2.0]
    assert residual[0, order].tolist() == [0.0, 3.0, 1.0]


def test_a_customers_surplus_pays_its_own_debt_and_nobody_elses():
    # It owes 4 of the 10 of its class at the second house, and has 5 left at the first.
    residual = np.array([[0.0, 10.0], [0.0, 6.0]])
    left, paid = np.array([5.0, 0.0]), np.zeros(2)
    guaranty_of_customer(np.array([0.0, 4.0]), left, np.array([0, 0]), residual, paid)
    assert paid.tolist() == [0.0, 4.0] and left.tolist() == [1.0, 0.0]
    assert residual.tolist() == [[0.0, 6.0], [0.0, 6.0]]
