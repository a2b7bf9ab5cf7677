"""Firms in a close-out: whether each can pay what its accounts left, and who pays if it cannot."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.parties import (
    ADVANCED,
    CENT,
    CONTRIBUTION,
    ELSEWHERE,
    FELLOW,
    FIRM,
    POOLED,
    RETURNED,
    Accounts,
    Classes,
    Day,
    Firms,
    FloatArray,
    IntArray,
    Paid,
    Settled,
    Sums,
)
from backtest.kernels.waterfall import (
    contributions,
    fellow_customers,
    firm_capital,
    guaranty,
    guaranty_of_customer,
    own_surplus,
    pay,
)


@kernel
def settle_firm(
    f: int, members: IntArray, day: Day, accounts: Accounts, classes: Classes, firms: Firms,
    drawn: bool, settled: Settled, sums: Sums, out: Paid,
) -> None:  # fmt: skip
    """Pay what accounts of a firm left unpaid, as far as it and its customers can.

    members : accounts of the firm. drawn : it is drawn to default. Row f of `out` is written.
    """
    houses, rows = day.loss.shape[1], sums.unpaid.shape[1]
    out.by[f], out.rest[f], out.taken[f], out.fails[f] = 0.0, 0.0, 0.0, drawn
    owed = sums.unpaid[f].sum()
    if owed <= 0.0:
        return
    residual = sums.unpaid[f].copy()
    step = np.zeros(houses)
    # What the firm has posted for its customers is lost first, whether or not it fails: it is the
    # firm's own money among theirs, there for what they have not paid (17 CFR 1.22(c)(3)).
    for h in range(houses):
        out.by[f, h, ADVANCED] = pay(residual, rows - 1, h, day.advanced[f, h])
    if not drawn and residual.sum() <= firms.capital[f] + CENT:
        for h in range(houses):
            out.by[f, h, FIRM] = residual[:, h].sum()
        return
    out.fails[f] = True
    firm_capital(residual, firms.capital[f] * (firms.recovery if drawn else 1.0), step)
    out.by[f, :, FIRM] += step
    surplus = sums.surplus[f].copy()
    own_surplus(residual, surplus, step)
    out.by[f, :, FIRM] += step
    guaranty(residual, np.minimum(surplus, sums.pooled[f]), step)
    out.by[f, :, ELSEWHERE] += step
    guaranties_of_customers(f, members, accounts, settled, sums, residual, step)
    out.by[f, :, ELSEWHERE] += step
    contributions(residual, firms.contribution[f], step)
    out.by[f, :, CONTRIBUTION] += step
    available = sums.equity[f, : rows - 1] * day.at_house[f]
    for k in range(rows - 1):
        if not classes.takes[k]:
            available[k] = 0.0
    fellow_customers(residual, available, classes.anywhere, out.taken[f])
    for h in range(houses):
        out.by[f, h, FELLOW] = out.taken[f, :, h].sum()
        out.rest[f, h] = residual[:, h].sum()


@kernel
def guaranties_of_customers(
    f: int, members: IntArray, accounts: Accounts, settled: Settled, sums: Sums,
    residual: FloatArray, paid: FloatArray,
) -> None:  # fmt: skip
    """The guaranty of every defaulted customer of a failed firm. paid : (houses,), written.

    residual : (classes + 1, houses), lowered. What was paid of it before was paid of all customers
    of a class at a house in proportion.
    """
    houses = len(paid)
    still = np.zeros(residual.shape)
    for k in range(residual.shape[0]):
        for h in range(houses):
            if sums.unpaid[f, k, h] > 0.0:
                still[k, h] = residual[k, h] / sums.unpaid[f, k, h]
    owed, paid[:] = np.empty(houses), 0.0
    for a in members:
        # A commingled account has one balance, and legs that were closed out jointly net as well:
        # nothing is left of it where something is lacking.
        if accounts.own[a] or accounts.nets[a] != POOLED or not settled.failed[a]:
            continue
        for h in range(houses):
            owed[h] = settled.lacking[a, h] * still[accounts.account_class[a, h], h]
        left = settled.left[a].copy()
        guaranty_of_customer(owed, left, accounts.account_class[a], residual, paid)


@kernel
def share_out(
    f: int, members: IntArray, accounts: Accounts, classes: Classes, settled: Settled, sums: Sums,
    out: Paid, fellow: FloatArray,
) -> None:  # fmt: skip
    """Divide what is taken between customers of a class, in proportion to their equity.

    An account class is an estate of its own (17 CFR 190.09), and so is customer property of a
    securities firm (15 USC 78fff-2(c)(1)): also those share whose margin was at another house. A
    protection fund gives each of them back what was taken, up to its advance (15 USC 78fff-3(a):
    500,000 USD; that at most 250,000 of it is for cash is left out). fellow :
    (accounts,) USD that each loses in the end, written for those of the firm.
    """
    houses = out.taken.shape[2]
    for a in members:
        fellow[a] = 0.0
    out.by[f, :, FELLOW], out.by[f, :, RETURNED] = 0.0, 0.0
    for k in range(len(classes.takes)):
        lost = out.taken[f, k].sum()
        if lost <= 0.0:
            continue
        share, net = lost / sums.equity[f, k].sum(), 0.0
        for a in members:
            if accounts.own[a] or settled.failed[a]:
                continue
            amount = 0.0
            for h in range(houses):
                if accounts.account_class[a, h] == k:
                    amount += share * settled.left[a, h]
            back = min(amount, classes.advance[k])
            fellow[a] += amount - back
            net += amount - back  # exactly nothing where all is given back
        for h in range(houses):
            part = net * out.taken[f, k, h] / lost
            out.by[f, h, FELLOW] += part
            out.by[f, h, RETURNED] += out.taken[f, k, h] - part


@kernel
def new_paid(many: int, classes: int, houses: int, bearers: int) -> Paid:
    """Room for what as many firms and their customers pay."""
    return Paid(
        np.zeros((many, houses, bearers)),
        np.zeros((many, houses)),
        np.zeros((many, classes, houses)),
        np.zeros(many, np.bool_),
    )
