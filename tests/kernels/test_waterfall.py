"""Each step of a default waterfall, with numbers by hand."""

import numpy as np
import pytest

from backtest.kernels import waterfall

TWO_DEBTS = [[6.0, 0.0], [3.0, 4.0]]  # of customers, and of the firm's own account, at two houses


def residual(rows=TWO_DEBTS):
    return np.array(rows, dtype=np.float64)


def test_pay_shares_what_there_is_in_proportion():
    owed = residual()
    assert waterfall.pay(owed, 2, 0, 3.0) == 3.0  # a third of nine
    assert owed == pytest.approx(np.array([[4.0, 0.0], [2.0, 4.0]]))
    assert waterfall.pay(owed, 1, 0, 10.0) == 4.0  # only the first row, and no more than is owed
    assert owed == pytest.approx(np.array([[0.0, 0.0], [2.0, 4.0]]))
    assert waterfall.pay(owed, 1, 0, 5.0) == 0.0 and waterfall.pay(owed, 2, 1, 0.0) == 0.0


@pytest.mark.parametrize(
    ("capital", "paid", "left"),
    [
        (6.5, [4.5, 2.0], [[3.0, 0.0], [1.5, 2.0]]),  # half of thirteen
        (0.0, [0.0, 0.0], TWO_DEBTS),
        (99.0, [9.0, 4.0], [[0.0, 0.0], [0.0, 0.0]]),
    ],
)
def test_capital_pays_everything_in_the_same_proportion(capital, paid, left):
    owed, step = residual(), np.empty(2)
    waterfall.firm_capital(owed, capital, step)
    assert step == pytest.approx(np.array(paid)) and owed == pytest.approx(np.array(left))


def test_own_surplus_pays_what_is_owed_at_its_own_house():
    owed, step = residual([[6.0, 5.0], [0.0, 0.0]]), np.empty(2)
    surplus = np.array([2.0, 9.0])
    waterfall.own_surplus(owed, surplus, step)
    assert step.tolist() == [2.0, 5.0] and surplus.tolist() == [0.0, 4.0]
    assert owed.tolist() == [[4.0, 0.0], [0.0, 0.0]]


def test_one_own_account_pays_for_another_at_the_same_house():
    owed, step = residual([[6.0, 0.0], [2.0, 0.0]]), np.empty(2)
    waterfall.own_surplus(owed, np.array([4.0, 0.0]), step)
    assert owed == pytest.approx(np.array([[3.0, 0.0], [1.0, 0.0]]))


def test_contributions_pay_at_their_own_house_alone():
    owed, step = residual(), np.empty(2)
    waterfall.contributions(owed, np.array([3.0, 7.0]), step)
    assert step.tolist() == [3.0, 4.0]
    assert owed == pytest.approx(np.array([[4.0, 0.0], [2.0, 0.0]]))


def test_fellow_customers_pay_for_their_own_class_at_their_own_house():
    # Two classes and the firm's own account; of the second class nothing may be taken.
    owed = residual([[5.0, 1.0], [4.0, 4.0], [9.0, 9.0]])
    available, taken = np.array([[3.0, 2.0], [0.0, 0.0]]), np.empty((2, 2))
    waterfall.fellow_customers(owed, available, np.array([False, False]), taken)
    assert taken.tolist() == [[3.0, 1.0], [0.0, 0.0]]
    assert owed.tolist() == [[2.0, 0.0], [4.0, 4.0], [9.0, 9.0]]
    assert available.tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_customers_of_one_account_pay_at_the_other_house_too():
    owed = residual([[5.0, 1.0], [0.0, 0.0]])
    available, taken = np.array([[3.0, 2.0]]), np.empty((1, 2))
    waterfall.fellow_customers(owed, available, np.array([True]), taken)
    assert taken.tolist() == [[4.0, 1.0]] and owed[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_houses_share_what_a_third_one_holds_whichever_a_study_lists_first(order):
    owed, taken = residual([[0.0, 9.0, 3.0], [0.0, 0.0, 0.0]])[:, order], np.empty((1, 3))
    available = np.array([[7.0, 1.0, 0.0]])[:, order]
    waterfall.fellow_customers(owed, available, np.array([True]), taken)
    # The second takes its own 1; 8 and 3 are then lacking, of which 7 are there.
    assert taken[0, order] == pytest.approx([0.0, 1.0 + 7.0 * 8.0 / 11.0, 7.0 * 3.0 / 11.0])
    assert owed.sum() == pytest.approx(4.0)


def test_layers_pay_one_after_another():
    rest, step = np.array([10.0, 1.0]), np.empty(2)
    for size, paid, left in (
        ([4.0, 4.0], [4.0, 1.0], [6.0, 0.0]),
        ([5.0, 5.0], [5.0, 0.0], [1.0, 0.0]),
        ([0.0, 0.0], [0.0, 0.0], [1.0, 0.0]),
    ):
        waterfall.layer(rest, np.array(size), step)
        assert step.tolist() == paid and rest.tolist() == left
