"""One close-out of all accounts, firms and houses: who fails, and who pays."""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.parties import (
    ACCOUNT,
    ASSESSED,
    BEARERS,
    FUND,
    HOUSE,
    UNCOVERED,
    Accounts,
    BoolArray,
    Classes,
    Day,
    Firms,
    FloatArray,
    Houses,
    IntArray,
    Paid,
    Settled,
    Sums,
)
from backtest.kernels.settled_accounts import (
    by_firm,
    new_settled,
    new_sums,
    settle_accounts,
    sum_firm,
)
from backtest.kernels.settled_firms import new_paid, settle_firm, share_out
from backtest.kernels.waterfall import layer


class State(NamedTuple):
    """One close-out of one day: accounts, firms, and who is behind whom.

    order, starts : accounts in the order of their firms, as of `by_firm`. total : (houses,) USD
    that all accounts lose.
    """

    settled: Settled
    sums: Sums
    out: Paid
    order: IntArray
    starts: IntArray
    total: FloatArray


@kernel
def new_state(accounts: Accounts, many: int, classes: int, houses: int) -> State:
    """Room for one close-out of as many firms."""
    count = len(accounts.firm)
    order, starts = np.empty(count, np.int64), np.empty(many + 1, np.int64)
    by_firm(accounts, many, order, starts)
    return State(
        new_settled(count, houses),
        new_sums(many, classes, houses),
        new_paid(many, classes, houses, BEARERS),
        order,
        starts,
        np.empty(houses),
    )


@kernel
def settle_firms(
    affected: BoolArray, anew: BoolArray, day: Day, accounts: Accounts, classes: Classes,
    firms: Firms, drawn: BoolArray, state: State,
) -> None:  # fmt: skip
    """Settle the firms that are affected; anew : those whose accounts are summed before."""
    count = len(accounts.firm)
    for f in range(len(affected)):
        if affected[f]:
            members = state.order[state.starts[f] : state.starts[f + 1]]
            if anew[f]:
                sum_firm(f, members, day, accounts, state.settled, state.sums)
            settle_firm(
                f, members, day, accounts, classes, firms, drawn[count + f], state.settled,
                state.sums, state.out,
            )  # fmt: skip


@kernel
def settle_day(
    day: Day, accounts: Accounts, classes: Classes, firms: Firms, joint: bool, drawn: BoolArray,
    state: State,
) -> None:  # fmt: skip
    """Settle all accounts and firms of a day."""
    everybody = np.ones(len(firms.capital), np.bool_)
    settle_accounts(day, accounts, firms, joint, drawn, state.settled)
    total, loss = state.total, day.loss
    total[:] = 0.0
    for a in range(len(loss)):
        for h in range(len(total)):
            total[h] += loss[a, h]
    settle_firms(everybody, everybody, day, accounts, classes, firms, drawn, state)


@kernel
def settle_houses(
    accounts: Accounts, classes: Classes, firms: Firms, houses: Houses, state: State,
    paid: FloatArray, fellow: FloatArray,
) -> bool:  # fmt: skip
    """What all firms left goes through the houses' own layers; whether fellow customers lost.

    paid : (houses, BEARERS) USD, who pays, written. fellow : (accounts,) USD that customers who did
    nothing lose, zeros, written where some do.
    """
    out, many = state.out, len(firms.capital)
    lost = False
    for f in range(many):
        if out.fails[f] and out.taken[f].sum() > 0.0:
            lost = True
            members = state.order[state.starts[f] : state.starts[f + 1]]
            share_out(f, members, accounts, classes, state.settled, state.sums, out, fellow)
    rest, fund = np.zeros(len(houses.fund)), houses.fund.copy()
    by, left, fails, unpaid = out.by, out.rest, out.fails, state.sums.unpaid
    contribution = firms.contribution
    paid[:] = 0.0
    for f in range(many):
        for h in range(len(rest)):
            rest[h] += left[f, h]
            fund[h] += 0.0 if fails[f] else contribution[f, h]
            for b in range(BEARERS):
                paid[h, b] += by[f, h, b]
            for k in range(unpaid.shape[1]):
                paid[h, ACCOUNT] -= unpaid[f, k, h]
    step = np.empty(len(rest))
    for h in range(len(rest)):
        paid[h, ACCOUNT] += state.total[h]
    layer(rest, houses.capital, step)
    paid[:, HOUSE] += step
    layer(rest, fund, step)
    paid[:, FUND] += step
    layer(rest, houses.assessment * fund, step)
    paid[:, ASSESSED] += step
    paid[:, UNCOVERED] += rest
    return lost


@kernel
def close_out(
    day: Day, accounts: Accounts, classes: Classes, firms: Firms, houses: Houses, joint: bool,
    drawn: BoolArray, failed: BoolArray, paid: FloatArray, fellow: FloatArray,
) -> int:  # fmt: skip
    """Close out one day; the number of firms that fail.

    drawn : (accounts + firms,) who is drawn to default. failed : (accounts,) who fails.
    paid : (houses, BEARERS) USD, who pays. fellow : (accounts,) what each customer who did nothing
    loses. All three are written.
    """
    state = new_state(accounts, len(firms.capital), len(classes.takes), day.loss.shape[1])
    settle_day(day, accounts, classes, firms, joint, drawn, state)
    fellow[:] = 0.0
    settle_houses(accounts, classes, firms, houses, state, paid, fellow)
    failed[:] = state.settled.failed
    return state.out.fails.sum()
