"""Close-outs of all accounts, firms and houses, day by day, without and with drawn defaults.

A day is an experiment of its own: positions and collateral of its close, losses over the MPOR.
"""

from typing import NamedTuple

import numpy as np

from backtest.kernels.closed_day import (
    State,
    new_state,
    settle_day,
    settle_firms,
    settle_houses,
)
from backtest.kernels.compile import kernel
from backtest.kernels.default_draws import Several, default_chances
from backtest.kernels.parties import (
    ACCOUNT,
    BEARERS,
    CENT,
    FELLOW,
    FUND,
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
)
from backtest.kernels.settled_accounts import (
    redraw_customer,
    settle_again,
)


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
            if firms.porting < 1.0:  # or a cost that nobody knows would be one of nobody
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
def add_difference(f: int, weight: float, state: State, kept: State, into: FloatArray) -> None:
    """Add what a firm that stands, and its accounts, pay more than before.

    into : (houses, BEARERS).
    """
    by, before, unpaid, was = state.out.by, kept.out.by, state.sums.unpaid, kept.sums.unpaid
    for h in range(into.shape[0]):
        for b in range(BEARERS):
            into[h, b] += weight * (by[f, h, b] - before[f, h, b])
        for k in range(unpaid.shape[1]):
            into[h, ACCOUNT] -= weight * (unpaid[f, k, h] - was[f, k, h])


@kernel
def add_defaults(
    t: int, weight: float, same: float, day: Day, accounts: Accounts, classes: Classes,
    firms: Firms, houses: Houses, joint: bool, alone: FloatArray, several: Several,
    several_chance: float, changes: BoolArray, drawn: BoolArray, state: State, kept: State,
    out: Outcomes,
) -> float:  # fmt: skip
    """Add every default that changes the day; the probability that it is as without one.

    state : the day without a default, as it is again at the end; kept : room for its firms.
    same : the probability that nobody fails. alone : (names,) that each name alone does.
    several_chance : of each draw of several. changes : (names,) as of `list_changes`.
    """
    count, number = day.loss.shape
    paid, fellow = np.empty((number, BEARERS)), np.zeros(count)
    one = np.empty(1, np.int64)
    for f in range(len(firms.capital)):
        copy_firm(f, state, kept)
    for d in range(-len(alone), several.draws if several_chance > 0.0 else 0):
        # First each name alone, then the draws of several.
        one[0] = d + len(alone)
        who = one if d < 0 else drawn_on(t, d, several)
        chance = alone[one[0]] if d < 0 else several_chance
        if not any_of(who, changes):
            same += chance
            continue
        redraw(who, day, accounts, classes, firms, joint, drawn, state)
        f = accounts.firm[who[0]] if who[0] < count else 0
        if len(who) == 1 and who[0] < count and not (state.out.fails[f] or kept.out.fails[f]):
            # The firm pays for its customer, and nobody else knows.
            same += chance
            add_difference(f, weight * chance, state, kept, out.paid[t])
        else:
            lost = settle_houses(accounts, classes, firms, houses, state, paid, fellow)
            note(t, weight * chance, paid, firms, state, out.paid, out.touched, out.stuck)
            if lost:
                out.fellow[:] += weight * chance * fellow
                fellow[:] = 0.0
        take_back(who, day, accounts, firms, joint, drawn, state, kept)
    return same


@kernel
def replay_protection(
    loss: FloatArray, collateral: FloatArray, required: FloatArray, at_house: FloatArray,
    advanced: FloatArray, cost: FloatArray, accounts: Accounts, classes: Classes, firms: Firms,
    houses: Houses, coordination: float, daily: FloatArray, several: Several, out: Outcomes,
) -> None:  # fmt: skip
    """Close out every day, without and with the defaults that come whatever prices do.

    loss .. cost : as in `Day`, with days first. daily : (days, accounts + firms) probabilities.
    Nobody and each name alone count with their probabilities, as do joint and separate close-outs;
    days on which two names or more fail were drawn, `several`. The close-out without a default is
    settled whole, and the others where they differ from it: in the firms of the names.
    """
    days, count, number = loss.shape
    many = len(firms.capital)
    names = count + many
    alone, least, nobody = np.empty(names), np.empty((3, names + 1)), 0.0
    drawn, changes = np.zeros(names, np.bool_), np.empty(names, np.bool_)
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
            lost = settle_houses(accounts, classes, firms, houses, state, paid, fellow)
            list_changes(day, accounts, daily[t], state, changes)
            same = add_defaults(
                t, weight, nobody, day, accounts, classes, firms, houses, joint, alone, several,
                least[2, 0] / several.draws, changes, drawn, state, kept, out,
            )  # fmt: skip
            note(t, weight, paid, firms, state, out.base, out.base_touched, out.base_stuck)
            note(t, weight * same, paid, firms, state, out.paid, out.touched, out.stuck)
            if lost:
                out.base_fellow[:] += weight * fellow
                out.fellow[:] += weight * same * fellow
                fellow[:] = 0.0
