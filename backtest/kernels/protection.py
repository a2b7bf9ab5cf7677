"""Close-outs of all accounts, firms and houses, day by day, without and with drawn defaults.

A day is an experiment of its own: positions and collateral of its close, losses over the MPOR.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.default_draws import default_chances, draw_key, draw_several
from backtest.kernels.parties import (
    ACCOUNT,
    ASSESSED,
    BEARERS,
    CENT,
    FELLOW,
    FUND,
    HOUSE,
    POOLED,
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
    redraw_customer,
    settle_account,
    settle_accounts,
    sum_firm,
)
from backtest.kernels.settled_firms import new_paid, settle_firm, share_out
from backtest.kernels.waterfall import layer


class Outcomes(NamedTuple):
    """Expectations of each day, written; USD.

    paid, base : (days, houses, BEARERS), with and without defaults that come whatever prices do.
    touched, base_touched : (days, 4) probability that fellow customers lose, the fund pays,
    a firm fails, something is uncovered.
    stuck, base_stuck : (days, 2) of customers of failed firms who did nothing: cost of closing out
    those that are not ported, USD; what they have left times the days until they are, USD x days.
    fellow, base_fellow : (accounts,) sum over the days of what each of them loses.
    """

    paid: FloatArray
    base: FloatArray
    touched: FloatArray
    base_touched: FloatArray
    stuck: FloatArray
    base_stuck: FloatArray
    fellow: FloatArray
    base_fellow: FloatArray


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
    state.total[:] = 0.0
    for a in range(len(accounts.firm)):
        for h in range(len(state.total)):
            state.total[h] += day.loss[a, h]
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
    paid[:] = 0.0
    for f in range(many):
        for h in range(len(rest)):
            rest[h] += out.rest[f, h]
            fund[h] += 0.0 if out.fails[f] else firms.contribution[f, h]
            for b in range(BEARERS):
                paid[h, b] += out.by[f, h, b]
            for k in range(state.sums.unpaid.shape[1]):
                paid[h, ACCOUNT] -= state.sums.unpaid[f, k, h]
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


@kernel
def note(
    t: int, weight: float, paid: FloatArray, firms: Firms, state: State, into: FloatArray,
    touched: FloatArray, stuck: FloatArray,
) -> None:  # fmt: skip
    """Add one close-out with its weight to the means of day t."""
    into[t] += weight * paid
    touched[t, 0] += weight * (paid[:, FELLOW].sum() > CENT)
    touched[t, 1] += weight * (paid[:, FUND].sum() > CENT)
    touched[t, 3] += weight * (paid[:, UNCOVERED].sum() > CENT)
    some = False
    for f in range(len(firms.capital)):
        if state.out.fails[f]:
            some = True
            stuck[t, 0] += weight * (1.0 - firms.porting) * state.sums.cost[f]
            stuck[t, 1] += weight * firms.porting_days * state.sums.equity[f].sum()
    touched[t, 2] += weight * some


@kernel
def copy_firm(f: int, sums: Sums, out: Paid, into: Sums, paid: Paid) -> None:
    """Copy what is known of one firm."""
    into.unpaid[f], into.equity[f] = sums.unpaid[f], sums.equity[f]
    into.surplus[f], into.pooled[f], into.cost[f] = sums.surplus[f], sums.pooled[f], sums.cost[f]
    paid.by[f], paid.rest[f], paid.taken[f] = out.by[f], out.rest[f], out.taken[f]
    paid.fails[f] = out.fails[f]


@kernel
def redraw(
    names: IntArray, day: Day, accounts: Accounts, classes: Classes, firms: Firms, joint: bool,
    drawn: BoolArray, state: State, kept: State,
) -> None:  # fmt: skip
    """Draw some names to default and settle their firms anew; all other firms stay as they are.

    names : accounts, and firms after them. kept : takes what the firms were before.
    """
    count, many = len(accounts.firm), len(firms.capital)
    affected, anew = np.zeros(many, np.bool_), np.zeros(many, np.bool_)
    for n in names:
        drawn[n] = True
        f = n - count if n >= count else accounts.firm[n]
        if not affected[f]:
            copy_firm(f, state.sums, state.out, kept.sums, kept.out)
            affected[f] = True
        if n >= count:
            anew[f] = True
            for a in state.order[state.starts[f] : state.starts[f + 1]]:
                if accounts.own[a]:
                    settle_account(a, day, accounts, firms, joint, True, state.settled)
        else:
            changed = redraw_customer(n, day, accounts, firms, joint, state.settled, state.sums)
            anew[f] = anew[f] or not changed
    settle_firms(affected, anew, day, accounts, classes, firms, drawn, state)


@kernel
def take_back(
    names: IntArray, day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: BoolArray,
    state: State, kept: State,
) -> None:  # fmt: skip
    """Undo `redraw`."""
    count = len(accounts.firm)
    for n in names:
        drawn[n] = False
        f = n - count if n >= count else accounts.firm[n]
        copy_firm(f, kept.sums, kept.out, state.sums, state.out)
        if n < count:
            settle_account(n, day, accounts, firms, joint, False, state.settled)
        else:
            for a in state.order[state.starts[f] : state.starts[f + 1]]:
                if accounts.own[a]:
                    settle_account(a, day, accounts, firms, joint, False, state.settled)


@kernel
def changes_nothing(n: int, day: Day, accounts: Accounts, daily: float, state: State) -> bool:
    """Whether the default of name n alone leaves the day as it is without one.

    A customer that lacks nothing at any house leaves nothing unpaid, and where its firm does not
    fail nothing is taken of it. daily : its probability.
    """
    if daily == 0.0:
        return True
    if n >= len(accounts.firm) or state.out.fails[accounts.firm[n]]:
        return False
    for h in range(day.loss.shape[1]):
        if day.loss[n, h] > day.collateral[n, h]:
            return False
    return True


@kernel
def replay_protection(
    loss: FloatArray, collateral: FloatArray, required: FloatArray, at_house: FloatArray,
    advanced: FloatArray, cost: FloatArray, accounts: Accounts, classes: Classes, firms: Firms,
    houses: Houses, coordination: float, daily: FloatArray, seed: np.uint64, path: np.uint64,
    draws: int, out: Outcomes,
) -> None:  # fmt: skip
    """Close out every day, without and with the defaults that come whatever prices do.

    loss .. cost : as in `Day`, with days first. daily : (days, accounts + firms) probabilities.
    Nobody and each name alone count with their probabilities, as do joint and separate close-outs;
    days on which two names or more fail are drawn, `draws` times each. The close-out without a
    default is settled whole, and the others where they differ from it: in the firms of the names.
    """
    days, count, number = loss.shape
    many = len(firms.capital)
    names = count + many
    alone, least = np.empty(names), np.empty((3, names + 1))
    drawn, several = np.zeros(names, np.bool_), np.empty(names, np.bool_)
    paid, fellow = np.empty((number, BEARERS)), np.zeros(count)
    state = new_state(accounts, many, len(classes.takes), number)
    kept = new_state(accounts, many, len(classes.takes), number)
    ways = (accounts.nets == POOLED).any()  # elsewhere joint and separate close-outs are one
    for t in range(days):
        day = Day(loss[t], collateral[t], required[t], at_house[t], advanced[t], cost[t])
        nobody = default_chances(daily[t], alone, least)
        for together in range(2):
            joint = together == 1
            weight = coordination if joint else 1.0 - coordination
            if not ways:
                weight = float(together)
            if weight == 0.0:
                continue
            settle_day(day, accounts, classes, firms, joint, drawn, state)
            same = nobody
            for n in range(names):
                if changes_nothing(n, day, accounts, daily[t, n], state):
                    same += alone[n]
            lost = settle_houses(accounts, classes, firms, houses, state, paid, fellow)
            note(t, weight, paid, firms, state, out.base, out.base_touched, out.base_stuck)
            note(t, weight * same, paid, firms, state, out.paid, out.touched, out.stuck)
            if lost:
                out.base_fellow[:] += weight * fellow
                out.fellow[:] += weight * same * fellow
                fellow[:] = 0.0
            for d in range(-names, draws if least[2, 0] > 0.0 else 0):
                # First each name alone, then the draws of several.
                if d < 0:
                    if changes_nothing(d + names, day, accounts, daily[t, d + names], state):
                        continue
                    chance, who = alone[d + names], np.array([d + names])
                else:
                    draw_several(draw_key(seed, path, t, d), daily[t], least, several)
                    chance, who = least[2, 0] / draws, np.flatnonzero(several)
                redraw(who, day, accounts, classes, firms, joint, drawn, state, kept)
                lost = settle_houses(accounts, classes, firms, houses, state, paid, fellow)
                note(t, weight * chance, paid, firms, state, out.paid, out.touched, out.stuck)
                if lost:
                    out.fellow[:] += weight * chance * fellow
                    fellow[:] = 0.0
                take_back(who, day, accounts, firms, joint, drawn, state, kept)


__all__ = [
    "BEARERS",
    "Accounts",
    "Classes",
    "Day",
    "Firms",
    "Houses",
    "Outcomes",
    "close_out",
    "replay_protection",
]
