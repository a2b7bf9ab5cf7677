"""Steps of a default waterfall: what is still lacking, and who pays it, one step a function.

`residual` (classes + 1, houses) is what one defaulted firm still owes, USD: a row an account class
of its customers, and last its own account. Every step lowers it and writes what was paid by house.
Each step cites the rule that it follows; docs/protect-rules.md says what of it was read, and what
is assumed.
"""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@kernel
def pay(residual: FloatArray, rows: int, h: int, available: float) -> float:
    """Pay up to `available` of the first `rows` rows at house h, in proportion; what was paid."""
    owed = 0.0
    for k in range(rows):
        owed += residual[k, h]
    if owed <= 0.0 or available <= 0.0:
        return 0.0
    if available >= owed:
        for k in range(rows):
            residual[k, h] = 0.0
        return owed
    for k in range(rows):
        residual[k, h] = max(0.0, residual[k, h] - available * residual[k, h] / owed)
    return available


@kernel
def pay_everywhere(residual: FloatArray, available: float, paid: FloatArray) -> None:
    """Pay up to `available` of all that is owed, at all houses in proportion.

    paid : (houses,), written. In proportion, no house is first because a study lists it first.
    """
    rows, houses = residual.shape
    owed = residual.sum()
    share = 0.0 if owed <= 0.0 else min(1.0, available / owed)
    for h in range(houses):
        paid[h] = pay(residual, rows, h, share * residual[:, h].sum())


@kernel
def firm_capital(residual: FloatArray, capital: float, paid: FloatArray) -> None:
    """The firm's own capital, to all that it owes in proportion. paid : (houses,), written.

    It comes before the money of its other customers, which it may not use for one that has not
    paid (17 CFR 1.22(a)); by the next evening its own money stands in (1.22(c)). That it is shared
    in proportion is an assumption.
    """
    pay_everywhere(residual, capital, paid)


@kernel
def own_surplus(residual: FloatArray, surplus: FloatArray, paid: FloatArray) -> None:
    """What the firm's own account has left at a house, to what the firm owes there.

    The reverse never happens: customers' money does not pay for the firm's own account (7 USC
    6d(a)(2), 17 CFR 1.22(a)). The house has a lien on the member's own margin (CME Rule 819).
    surplus : (houses,), lowered by what is paid.
    """
    rows, houses = residual.shape
    for h in range(houses):
        paid[h] = pay(residual, rows, h, surplus[h])
        surplus[h] -= paid[h]


@kernel
def guaranty(residual: FloatArray, surplus: FloatArray, paid: FloatArray) -> None:
    """What the firm's own pooled account has left at some houses, to what it owes at the others.

    Cross-margining agreement of CME and FICC: what is left at one house after losses are shared
    goes to the other as far as it lacks something, the rest to the estate (CME's annual report on
    the agreement then in force; of that of 2026 only openings were read). What is left is of a
    margin that the offset has reduced, and the guaranty is smaller by as much. Where several
    houses lack something they share it in proportion, which is an assumption.
    surplus : (houses,) after `own_surplus`, so that a house with something left lacks nothing.
    paid : (houses,), written.
    """
    pay_everywhere(residual, surplus.sum(), paid)


@kernel
def guaranty_of_customer(
    owed: FloatArray, left: FloatArray, account_class: IntArray, residual: FloatArray,
    paid: FloatArray,
) -> None:  # fmt: skip
    """What a defaulted customer's pooled account has left at one house, to what it owes elsewhere.

    Nobody else's debt is paid with it: a customer's net equity is not set against another's (11 USC
    763(c)). That it pays its own at another house is the agreement of `guaranty`.
    owed, left, account_class : (houses,) of the customer; left is lowered. paid : (houses,), added
        to.
    """
    lacking, surplus = owed.sum(), left.sum()
    given = min(lacking, surplus)
    if given <= 0.0:
        return
    for h in range(len(owed)):
        part = min(given * owed[h] / lacking, residual[account_class[h], h])
        residual[account_class[h], h] -= part
        paid[h] += part
        left[h] -= given * left[h] / surplus


@kernel
def contributions(residual: FloatArray, contribution: FloatArray, paid: FloatArray) -> None:
    """The firm's contribution to the fund of each house. contribution : (houses,) USD.

    A defaulter's margin and contribution pay first: CME Rule 802, OCC Rule 1006. FICC has none, as
    its clearing fund is its members' margin. Whether it is before fellow customers' margin was not
    read; that it is follows from 17 CFR 1.22, as it is the firm's own money.
    """
    rows, houses = residual.shape
    for h in range(houses):
        paid[h] = pay(residual, rows, h, contribution[h])


@kernel
def fellow_customers(
    residual: FloatArray,
    available: FloatArray,
    anywhere: BoolArray,
    paid: FloatArray,
) -> None:
    """Collateral of customers of the same class who did nothing. paid : (classes, houses), written.

    What a house may take is the regime's: the omnibus account of futures customers (7 USC 6d(a)(2),
    "for convenience" in one account), nothing of cleared swaps customers (17 CFR 22.15) or of those
    whom FICC holds one by one (Note H to 17 CFR 240.15c3-3a).
    available : (classes, houses) USD that a house may take, 0 where the regime protects it; lowered
        by what it takes of its own.
    anywhere : (classes,) whether a house may take what is held at another one too; several that
        lack something share it in proportion.
    """
    classes, houses = available.shape
    for k in range(classes):
        for h in range(houses):
            paid[k, h] = min(residual[k, h], available[k, h])
            residual[k, h] -= paid[k, h]
            available[k, h] -= paid[k, h]
        lacking, elsewhere = residual[k].sum(), available[k].sum()
        if anywhere[k] and lacking > 0.0:
            share = min(1.0, elsewhere / lacking)
            for h in range(houses):
                more = share * residual[k, h]
                residual[k, h] -= more
                paid[k, h] += more


@kernel
def layer(rest: FloatArray, size: FloatArray, paid: FloatArray) -> None:
    """One layer of each house's own waterfall, as its capital, the mutual fund, assessments.

    In that order: CME Rule 802, OCC Rule 1006 (86 FR 29861), FICC GSD Rule 4 (83 FR 44929).
    rest : (houses,) USD still lacking of all defaulted firms, lowered. size, paid : (houses,).
    """
    for h in range(len(rest)):
        paid[h] = min(rest[h], size[h])
        rest[h] -= paid[h]
