"""The ledger of a close-out: who pays for the losses of all accounts, to the cent."""

import numpy as np

from backtest.kernels.holdings import sum_cells
from backtest.types import FloatArray, StudyError

# In the order of the waterfall; columns of `paid` (days, houses, bearers).
BEARERS = (
    "accounts",
    "firms",
    "advanced by firms",
    "surplus at the other house",
    "firms' contributions",
    "fellow customers",
    "advanced by SIPC",
    "houses' capital",
    "mutual fund",
    "assessments",
    "uncovered",
)
FELLOW, FUND, UNCOVERED = (
    BEARERS.index(name) for name in ("fellow customers", "mutual fund", "uncovered")
)
OTHERS = range(1, len(BEARERS))  # all who pay but the accounts, whose own losses harm nobody else
CENT = 0.01


def unbalanced(paid: FloatArray, loss: FloatArray) -> FloatArray:
    """(days, houses) USD by which what bearers pay differs from what accounts lost at a house.

    paid : (days, houses, bearers). loss : (days, accounts, houses), gains below zero.

    Examples
    --------
    >>> paid = np.zeros((1, 1, len(BEARERS)))
    >>> paid[0, 0, :2] = 8.0, 2.0
    >>> unbalanced(paid, np.array([[[12.0], [-2.0]]])).tolist()
    [[0.0]]
    """
    difference: FloatArray = paid.sum(axis=2) - loss.sum(axis=1)
    return difference


def check_balanced(*ledgers: FloatArray, loss: FloatArray) -> float:
    """The largest difference in USD of some ledgers of the same losses.

    It is at most a cent beside rounding of the sums. Arguments as of `unbalanced`.

    Raises
    ------
    StudyError : money is lost or made, which is a fault of this package.
    """
    days, accounts, houses = loss.shape
    total, size = np.empty((2, days, 1, houses))
    everybody = np.zeros((accounts, houses), np.int64)
    sum_cells(loss, everybody, total)
    sum_cells(np.abs(loss), everybody, size)
    differences = [np.abs(paid.sum(axis=2) - total[:, 0]) for paid in ledgers]
    worst = float(np.max(differences, initial=0.0))  # NaN stays, and is no cent
    # Sums of doubles: sixteen digits of the amounts that went into them.
    rounding = 1e-12 * float(size.max(initial=0.0))
    if not worst <= CENT + rounding:
        raise StudyError(f"{worst:.2f} USD of a day are not accounted for; please report this.")
    return worst
