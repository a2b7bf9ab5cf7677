"""A ledger that does not close is a fault, and is said."""

import numpy as np
import pytest

from backtest.clearing.ledger import BEARERS, check_balanced, unbalanced
from backtest.types import StudyError

LOSS = np.array([[[12.0, 1.0], [-2.0, 3.0]], [[5.0, 0.0], [0.0, 0.0]]])  # two days, two accounts


def ledger():
    paid = np.zeros((2, 2, len(BEARERS)))
    paid[0, 0, :2] = 8.0, 2.0
    paid[0, 1, 0], paid[1, 0, 0] = 4.0, 5.0
    return paid


def test_a_ledger_that_closes_has_no_difference():
    assert check_balanced(ledger(), ledger(), loss=LOSS) == 0.0
    assert unbalanced(ledger(), LOSS).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("place", [(0, 0, 3), (1, 1, 0)])
def test_two_cents_that_nobody_paid_are_an_error(place):
    wrong = ledger()
    wrong[place] += 0.02
    assert np.abs(unbalanced(wrong, LOSS)).max() == pytest.approx(0.02)
    with pytest.raises(StudyError, match=r"0\.02 USD of a day are not accounted for"):
        check_balanced(ledger(), wrong, loss=LOSS)


def test_rounding_of_huge_sums_is_no_difference():
    wrong = ledger()
    wrong[0, 0, 0] += 0.005
    assert check_balanced(wrong, loss=LOSS) == pytest.approx(0.005)


def test_an_amount_that_is_no_number_is_an_error():
    wrong = ledger()
    wrong[0, 0, 0] = np.nan
    for ledgers in ((wrong, ledger()), (ledger(), wrong)):
        with pytest.raises(StudyError, match="not accounted for"):
            check_balanced(*ledgers, loss=LOSS)
