"""Accounts in a close-out: what each lacks, what it pays of it, what it leaves to its firm."""

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.parties import (
    CENT,
    COMMINGLED,
    POOLED,
    Accounts,
    BoolArray,
    Day,
    Firms,
    IntArray,
    Settled,
    Sums,
)


@kernel
def settle_account(
    a: int, day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: bool, out: Settled
) -> None:
    r"""Write what an account leaves unpaid and what it has left, by house; whether it failed.

    .. math:: x_h = L_h - V_h, \qquad
        \text{lack} = \max(0, \textstyle\sum_h x_h) \text{ where legs net, else }
        \sum_h \max(0, x_h)

    drawn : it pays nothing. Otherwise a customer pays from its resources, and then from gains at
    other houses, which were paid to it as they arose; so does a firm for its own account, whose
    resources are the firm's capital and come later. Who leaves no more than a cent unpaid has not
    failed: that is rounding.
    """
    if accounts.nets[a] == COMMINGLED or (accounts.nets[a] == POOLED and joint):
        settle_together(a, day, accounts, drawn, out)
    else:
        settle_apart(a, day, accounts, firms, drawn, out)


@kernel
def settle_together(a: int, day: Day, accounts: Accounts, drawn: bool, out: Settled) -> None:
    """`settle_account` of legs that net.

    The unpaid part is shared by the houses in proportion to their margins, what is left in
    proportion to the collateral there.
    """
    houses = day.loss.shape[1]
    total = posted = asked = 0.0
    for h in range(houses):
        total += day.loss[a, h] - day.collateral[a, h]
        posted += day.collateral[a, h]
        asked += day.required[a, h]
    unpaid, surplus = max(total, 0.0), max(-total, 0.0)
    if not drawn:
        unpaid = max(0.0, unpaid - accounts.resources[a])
    for h in range(houses):
        by_margin = day.required[a, h] / asked if asked > 0.0 else 1.0 / houses
        by_value = day.collateral[a, h] / posted if posted > 0.0 else 1.0 / houses
        out.lacking[a, h] = unpaid * by_margin
        out.left[a, h] = surplus * by_value
    out.failed[a] = drawn or unpaid > CENT


@kernel
def settle_apart(
    a: int, day: Day, accounts: Accounts, firms: Firms, drawn: bool, out: Settled
) -> None:
    """`settle_account` of legs that do not net; gains that have paid are no longer left.

    Of what a defaulted customer still has at other houses the share `set_off` pays in time.
    """
    houses = day.loss.shape[1]
    lack = gain = surplus = 0.0
    for h in range(houses):
        x = day.loss[a, h] - day.collateral[a, h]
        out.lacking[a, h], out.left[a, h] = max(x, 0.0), max(-x, 0.0)
        lack += out.lacking[a, h]
        gain += max(-day.loss[a, h], 0.0)
        surplus += out.left[a, h]
    out.failed[a] = drawn
    if lack <= 0.0:
        return
    unpaid, spent = lack, 0.0
    if not drawn:
        unpaid = max(0.0, lack - accounts.resources[a])
        spent = min(unpaid, gain)
        unpaid -= spent
    failed = unpaid > CENT
    for h in range(houses):
        if spent > 0.0:
            used = spent * max(-day.loss[a, h], 0.0) / gain
            out.left[a, h] = max(0.0, out.left[a, h] - used)
    if failed and not accounts.own[a]:
        set_off = min(unpaid, firms.set_off * (surplus - spent))
        if set_off > 0.0:
            for h in range(houses):
                out.left[a, h] *= 1.0 - set_off / (surplus - spent)
            unpaid = max(0.0, unpaid - set_off)
    for h in range(houses):
        out.lacking[a, h] *= unpaid / lack
    out.failed[a] = drawn or failed


@kernel
def settle_accounts(
    day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: BoolArray, out: Settled
) -> None:
    """Settle every account. drawn : (accounts + firms,) who is drawn to default."""
    count = len(accounts.firm)
    for a in range(count):
        is_drawn = drawn[count + accounts.firm[a]] if accounts.own[a] else drawn[a]
        settle_account(a, day, accounts, firms, joint, is_drawn, out)


@kernel
def by_firm(accounts: Accounts, many: int, order: IntArray, starts: IntArray) -> None:
    """Write accounts in the order of their firms, and where those of each firm begin.

    order : (accounts,). starts : (many + 1,), of as many firms.
    """
    starts[:] = 0
    for f in accounts.firm:
        starts[f + 1] += 1
    for f in range(many):
        starts[f + 1] += starts[f]
    place = starts.copy()
    for a in range(len(order)):
        order[place[accounts.firm[a]]] = a
        place[accounts.firm[a]] += 1


@kernel
def sum_firm(
    f: int, members: IntArray, day: Day, accounts: Accounts, settled: Settled, sums: Sums
) -> None:
    """What the accounts of a firm leave to it; members : their numbers."""
    own, houses = sums.unpaid.shape[1] - 1, day.loss.shape[1]
    sums.unpaid[f], sums.equity[f] = 0.0, 0.0
    sums.surplus[f], sums.pooled[f], sums.cost[f] = 0.0, 0.0, 0.0
    for a in members:
        for h in range(houses):
            row = own if accounts.own[a] else accounts.account_class[a, h]
            sums.unpaid[f, row, h] += settled.lacking[a, h]
            if accounts.own[a]:
                sums.surplus[f, h] += settled.left[a, h]
                sums.pooled[f, h] += settled.left[a, h] if accounts.nets[a] == POOLED else 0.0
            elif not settled.failed[a]:
                sums.equity[f, row, h] += settled.left[a, h]
        if not accounts.own[a] and not settled.failed[a]:
            sums.cost[f] += day.cost[a]


@kernel
def redraw_customer(
    a: int, day: Day, accounts: Accounts, firms: Firms, joint: bool, settled: Settled, sums: Sums
) -> bool:
    """A customer that left nothing unpaid is drawn to default: its firm's sums, changed.

    False where it had failed already, and the sums have to be taken anew.
    """
    f = accounts.firm[a]
    if settled.failed[a]:
        settle_account(a, day, accounts, firms, joint, True, settled)
        return False
    for h in range(day.loss.shape[1]):
        row = accounts.account_class[a, h]
        sums.equity[f, row, h] = max(0.0, sums.equity[f, row, h] - settled.left[a, h])
    sums.cost[f] -= day.cost[a]
    settle_account(a, day, accounts, firms, joint, True, settled)
    for h in range(day.loss.shape[1]):
        sums.unpaid[f, accounts.account_class[a, h], h] += settled.lacking[a, h]
    return True


@kernel
def new_settled(count: int, houses: int) -> Settled:
    """Room for what `count` accounts leave."""
    return Settled(np.zeros((count, houses)), np.zeros((count, houses)), np.zeros(count, np.bool_))


@kernel
def new_sums(many: int, classes: int, houses: int) -> Sums:
    """Room for what accounts leave to as many firms."""
    return Sums(
        np.zeros((many, classes + 1, houses)),
        np.zeros((many, classes + 1, houses)),
        np.zeros((many, houses)),
        np.zeros((many, houses)),
        np.zeros(many),
    )
