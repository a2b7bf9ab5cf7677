"""Close-outs of all accounts, firms and houses, day by day, without and with drawn defaults.

A day is an experiment of its own: positions and collateral of its close, losses over the MPOR.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.compile import kernel
from backtest.kernels.default_draws import Several, default_chances
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
    settle_accounts,
    settle_again,
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
    some, fails = False, state.out.fails
    for f in range(len(fails)):
        if fails[f]:
            some = True
            stuck[t, 0] += weight * (1.0 - firms.porting) * state.sums.cost[f]
            stuck[t, 1] += weight * firms.porting_days * state.sums.equity[f].sum()
    touched[t, 2] += weight * some


@kernel
def copy_firm(f: int, state: State, into: State) -> None:
    """Copy what is known of one firm."""
    sums, out, new, paid = state.sums, state.out, into.sums, into.out
    new.unpaid[f], new.equity[f] = sums.unpaid[f], sums.equity[f]
    new.surplus[f], new.pooled[f], new.cost[f] = sums.surplus[f], sums.pooled[f], sums.cost[f]
    paid.by[f], paid.rest[f], paid.taken[f] = out.by[f], out.rest[f], out.taken[f]
    paid.fails[f] = out.fails[f]


@kernel
def redraw(
    names: IntArray, day: Day, accounts: Accounts, classes: Classes, firms: Firms, joint: bool,
    drawn: BoolArray, state: State,
) -> None:  # fmt: skip
    """Draw some names to default and settle their firms anew; all other firms stay as they are.

    names : accounts, and firms after them.
    """
    count, many = len(accounts.firm), len(firms.capital)
    affected, anew = np.zeros(many, np.bool_), np.zeros(many, np.bool_)
    for n in names:
        drawn[n] = True
        f = n - count if n >= count else accounts.firm[n]
        affected[f] = True
        if n >= count:
            anew[f] = True
            for a in state.order[state.starts[f] : state.starts[f + 1]]:
                if accounts.own[a]:
                    settle_again(a, day, accounts, firms, joint, True, state.settled)
        else:
            changed = redraw_customer(n, day, accounts, firms, joint, state.settled, state.sums)
            anew[f] = anew[f] or not changed
    settle_firms(affected, anew, day, accounts, classes, firms, drawn, state)


@kernel
def take_back(
    names: IntArray, day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: BoolArray,
    state: State, kept: State,
) -> None:  # fmt: skip
    """Undo `redraw`; kept : what the firms were before."""
    count = len(accounts.firm)
    for n in names:
        drawn[n] = False
        f = n - count if n >= count else accounts.firm[n]
        copy_firm(f, kept, state)
        if n < count:
            settle_again(n, day, accounts, firms, joint, False, state.settled)
        else:
            for a in state.order[state.starts[f] : state.starts[f + 1]]:
                if accounts.own[a]:
                    settle_again(a, day, accounts, firms, joint, False, state.settled)


@kernel
def list_changes(
    day: Day, accounts: Accounts, daily: FloatArray, state: State, changes: BoolArray
) -> None:
    """Write whether the default of a name makes the day another one. changes : (names,).

    A customer that lacks nothing at any house leaves nothing unpaid, and where its firm does not
    fail nothing is taken of it; so do several of them. daily : (names,) probabilities.
    """
    loss, collateral, firm, fails = day.loss, day.collateral, accounts.firm, state.out.fails
    count = len(firm)
    changes[count:] = daily[count:] > 0.0
    for a in range(count):
        lacks = False
        for h in range(loss.shape[1]):
            lacks = lacks or loss[a, h] > collateral[a, h]
        changes[a] = daily[a] > 0.0 and (lacks or fails[firm[a]])


@kernel
def drawn_on(t: int, d: int, several: Several) -> IntArray:
    """Who fails in draw d of day t."""
    e = t * several.draws + d
    return several.names[several.starts[e] : several.starts[e + 1]]


@kernel
def any_of(names: IntArray, marked: BoolArray) -> bool:
    """Whether any of these names is marked."""
    found = False
    for n in names:
        found = found or marked[n]
    return found


@kernel
def replay_protection(
    loss: FloatArray, collateral: FloatArray, required: FloatArray, at_house: FloatArray,
    advanced: FloatArray, cost: FloatArray, accounts: Accounts, classes: Classes, firms: Firms,
    houses: Houses, coordination: float, daily: FloatArray, several: Several, out: Outcomes,
) -> None:  # fmt: skip
    """Close out every day, without and with the defaults that come whatever prices do.

    loss .. cost : as in `Day`, with days first. daily : (days, accounts + firms) probabilities.
    Nobody and each name alone count with their probabilities, as do joint and separate close-outs;
    days on which two names or more fail were drawn, `several`. The close-out without a
    default is settled whole, and the others where they differ from it: in the firms of the names.
    """
    days, count, number = loss.shape
    many = len(firms.capital)
    names = count + many
    alone, least = np.empty(names), np.empty((3, names + 1))
    drawn, changes = np.zeros(names, np.bool_), np.empty(names, np.bool_)
    one = np.empty(1, np.int64)
    nobody = 0.0
    paid, fellow = np.empty((number, BEARERS)), np.zeros(count)
    state = new_state(accounts, many, len(classes.takes), number)
    kept = new_state(accounts, many, len(classes.takes), number)
    ways = (accounts.nets == POOLED).any()  # elsewhere joint and separate close-outs are one
    for t in range(days):
        day = Day(loss[t], collateral[t], required[t], at_house[t], advanced[t], cost[t])
        if t == 0 or (daily[t] != daily[t - 1]).any():
            nobody = default_chances(daily[t], alone, least)
        for together in range(2):
            joint = together == 1
            weight = coordination if joint else 1.0 - coordination
            if not ways:
                weight = float(together)
            if weight == 0.0:
                continue
            settle_day(day, accounts, classes, firms, joint, drawn, state)
            for f in range(many):
                copy_firm(f, state, kept)
            list_changes(day, accounts, daily[t], state, changes)
            same = nobody
            for n in range(names):
                same += 0.0 if changes[n] else alone[n]
            together_drawn = several.draws if least[2, 0] > 0.0 else 0
            chance = least[2, 0] / several.draws
            for d in range(together_drawn):
                same += 0.0 if any_of(drawn_on(t, d, several), changes) else chance
            lost = settle_houses(accounts, classes, firms, houses, state, paid, fellow)
            note(t, weight, paid, firms, state, out.base, out.base_touched, out.base_stuck)
            note(t, weight * same, paid, firms, state, out.paid, out.touched, out.stuck)
            if lost:
                out.base_fellow[:] += weight * fellow
                out.fellow[:] += weight * same * fellow
                fellow[:] = 0.0
            for d in range(-names, together_drawn):
                # First each name alone, then the draws of several.
                one[0] = d + names
                who = one if d < 0 else drawn_on(t, d, several)
                if not any_of(who, changes):
                    continue
                chance = alone[one[0]] if d < 0 else least[2, 0] / several.draws
                redraw(who, day, accounts, classes, firms, joint, drawn, state)
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
