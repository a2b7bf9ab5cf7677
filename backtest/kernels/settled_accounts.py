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
def lay_open(
    first: int, last: int, joint: bool, day: Day, accounts: Accounts, out: Settled
) -> None:
    r"""Write what accounts first .. last - 1 lack and have left at each house, before they pay.

    .. math:: x_h = L_h - V_h, \qquad
        \text{lack} = \max(0, \textstyle\sum_h x_h) \text{ where legs net, else } \max(0, x_h)

    What legs that net lack is shared by the houses in proportion to their margins, what they have
    left in proportion to the collateral there.
    """
    # Arrays are taken out of their tuples once: that costs more than an account does.
    loss, collateral, required, nets = day.loss, day.collateral, day.required, accounts.nets
    lacking, left = out.lacking, out.left
    houses = loss.shape[1]
    for a in range(first, last):
        if not (nets[a] == COMMINGLED or (nets[a] == POOLED and joint)):
            for h in range(houses):
                x = loss[a, h] - collateral[a, h]
                lacking[a, h], left[a, h] = max(x, 0.0), max(-x, 0.0)
            continue
        total = posted = asked = 0.0
        for h in range(houses):
            total += loss[a, h] - collateral[a, h]
            posted += collateral[a, h]
            asked += required[a, h]
        lack, surplus = max(total, 0.0), max(-total, 0.0)
        for h in range(houses):
            by_margin = required[a, h] / asked if asked > 0.0 else 1.0 / houses
            by_value = collateral[a, h] / posted if posted > 0.0 else 1.0 / houses
            lacking[a, h], left[a, h] = lack * by_margin, surplus * by_value


@kernel
def settle_account(
    a: int, day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: bool, out: Settled
) -> None:
    """An account pays what it lacks as far as it can: what stays unpaid, what is left, who fails.

    drawn : it pays nothing. Otherwise a customer pays from its resources, and then from gains at
    other houses, which were paid to it as they arose and are no longer left; so does a firm for its
    own account, whose resources are the firm's capital and come later. Of what a defaulted customer
    still has at other houses the share `set_off` pays in time. Who leaves no more than a cent
    unpaid has not failed: that is rounding.
    """
    lacking, left, loss, houses = out.lacking, out.left, day.loss, day.loss.shape[1]
    nets = accounts.nets[a] == COMMINGLED or (accounts.nets[a] == POOLED and joint)
    lack = gain = surplus = 0.0
    for h in range(houses):
        lack += lacking[a, h]
        surplus += left[a, h]
        # Of legs that net gains have paid already.
        gain += 0.0 if nets else max(-loss[a, h], 0.0)
    out.failed[a] = drawn
    if lack <= 0.0:
        return
    unpaid = lack if drawn else max(0.0, lack - accounts.resources[a])
    spent = 0.0 if drawn else min(unpaid, gain)
    unpaid -= spent
    out.failed[a] = drawn or unpaid > CENT
    if spent > 0.0:
        for h in range(houses):
            used = spent * max(-loss[a, h], 0.0) / gain
            left[a, h] = max(0.0, left[a, h] - used)
    if unpaid > CENT and not accounts.own[a]:
        set_off = min(unpaid, firms.set_off * (surplus - spent))
        if set_off > 0.0:
            for h in range(houses):
                left[a, h] *= 1.0 - set_off / (surplus - spent)
            unpaid -= set_off
    for h in range(houses):
        lacking[a, h] *= unpaid / lack


@kernel
def settle_accounts(
    day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: BoolArray, out: Settled
) -> None:
    """Settle every account. drawn : (accounts + firms,) who is drawn to default."""
    count = len(accounts.firm)
    lay_open(0, count, joint, day, accounts, out)
    own, firm, lacking, failed = accounts.own, accounts.firm, out.lacking, out.failed
    for a in range(count):
        is_drawn = drawn[count + firm[a]] if own[a] else drawn[a]
        failed[a] = is_drawn
        lacks = False
        for h in range(lacking.shape[1]):
            lacks = lacks or lacking[a, h] > 0.0
        if lacks:
            settle_account(a, day, accounts, firms, joint, is_drawn, out)


@kernel
def settle_again(
    a: int, day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: bool, out: Settled
) -> None:
    """Settle one account anew, drawn to default or no longer."""
    lay_open(a, a + 1, joint, day, accounts, out)
    settle_account(a, day, accounts, firms, joint, drawn, out)


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
    last, houses = sums.unpaid.shape[1] - 1, day.loss.shape[1]
    unpaid, equity, surplus, pooled = sums.unpaid, sums.equity, sums.surplus, sums.pooled
    lacking, left, failed, cost = settled.lacking, settled.left, settled.failed, day.cost
    own, nets, account_class = accounts.own, accounts.nets, accounts.account_class
    unpaid[f], equity[f], surplus[f], pooled[f] = 0.0, 0.0, 0.0, 0.0
    idle_cost = 0.0
    for a in members:
        for h in range(houses):
            row = last if own[a] else account_class[a, h]
            unpaid[f, row, h] += lacking[a, h]
            if own[a]:
                surplus[f, h] += left[a, h]
                pooled[f, h] += left[a, h] if nets[a] == POOLED else 0.0
            elif not failed[a]:
                equity[f, row, h] += left[a, h]
        if not own[a] and not failed[a]:
            idle_cost += cost[a]
    sums.cost[f] = idle_cost


@kernel
def redraw_customer(
    a: int, day: Day, accounts: Accounts, firms: Firms, joint: bool, settled: Settled, sums: Sums
) -> bool:
    """A customer that left nothing unpaid is drawn to default: its firm's sums, changed.

    False where it had failed already, and the sums have to be taken anew.
    """
    f = accounts.firm[a]
    if settled.failed[a]:
        settle_again(a, day, accounts, firms, joint, True, settled)
        return False
    for h in range(day.loss.shape[1]):
        row = accounts.account_class[a, h]
        sums.equity[f, row, h] = max(0.0, sums.equity[f, row, h] - settled.left[a, h])
    sums.cost[f] -= day.cost[a]
    settle_again(a, day, accounts, firms, joint, True, settled)
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
