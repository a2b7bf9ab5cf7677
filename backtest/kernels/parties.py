"""Who takes part in a close-out, as numbers: accounts, account classes, firms, houses, one day."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

APART, POOLED, COMMINGLED = 0, 1, 2  # how an account's legs at several houses are closed out
# Who pays: columns of the ledger.
(
    ACCOUNT, FIRM, ADVANCED, ELSEWHERE, CONTRIBUTION, FELLOW, RETURNED, HOUSE, FUND, ASSESSED,
    UNCOVERED,
) = range(11)  # fmt: skip
BEARERS = 11
CENT = 0.01  # USD: less than this is rounding, and nobody has lost it


class Accounts(NamedTuple):
    """Accounts; (accounts,) unless said."""

    firm: IntArray
    own: BoolArray  # the firm's own account, not a customer's
    nets: IntArray  # APART, POOLED or COMMINGLED
    resources: FloatArray  # USD beyond collateral
    account_class: IntArray  # (accounts, houses) of the regime


class Classes(NamedTuple):
    """Account classes of the legal regimes; (classes,)."""

    takes: BoolArray  # a house may take collateral of fellow customers
    anywhere: BoolArray  # also what is held at another house
    advance: FloatArray  # USD that each customer gets back of what is taken


class Firms(NamedTuple):
    """Clearing firms."""

    capital: FloatArray  # (firms,) USD
    contribution: FloatArray  # (firms, houses) USD, to the fund of each house
    recovery: float  # share of the capital of a firm that is drawn to default
    set_off: float  # share of a defaulter's surplus at other houses that pays what it lacks
    porting: float  # probability that accounts of a failed firm are ported
    porting_days: float  # margin days until they are


class Houses(NamedTuple):
    """Clearing houses; (houses,) USD."""

    capital: FloatArray
    fund: FloatArray  # contributions of members that are not in the structure
    assessment: FloatArray  # multiple of contributions


class Day(NamedTuple):
    """One day; (accounts, houses) USD unless said."""

    loss: FloatArray  # over the MPOR, signed
    collateral: FloatArray  # at the end of close-out
    required: FloatArray
    at_house: FloatArray  # (firms, classes, houses) share of customers' collateral that is there
    advanced: FloatArray  # (firms, houses) that the firm has posted for its customers
    cost: FloatArray  # (accounts,) of closing out an account that is not ported


class Settled(NamedTuple):
    """What accounts leave; lacking, left : (accounts, houses) USD, failed : (accounts,).

    lacking : what the firm must pay. left : what remains of collateral and gains.
    """

    lacking: FloatArray
    left: FloatArray
    failed: BoolArray


class Sums(NamedTuple):
    """The same by firm; (firms, classes + 1, houses) USD, the last row its own, unless said.

    unpaid : what firms must pay. equity : of customers who did not fail. surplus : (firms, houses)
    of firms' own accounts, and pooled : of those whose legs are margined together.
    cost : (firms,) of closing out all customers who did not fail.
    """

    unpaid: FloatArray
    equity: FloatArray
    surplus: FloatArray
    pooled: FloatArray
    cost: FloatArray


class Paid(NamedTuple):
    """What each firm and its customers paid; (firms, houses, BEARERS) USD.

    rest : (firms, houses) left to the houses. taken : (firms, classes, houses) of fellow customers.
    fails : (firms,).
    """

    by: FloatArray
    rest: FloatArray
    taken: FloatArray
    fails: BoolArray
