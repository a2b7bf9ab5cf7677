"""One close-out of all accounts, firms and houses: who lacks what, who fails, who pays.

A day is an experiment of its own: positions and collateral of its close, losses over the MPOR.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.compile import kernel
from backtest.kernels.default_draws import default_chances, draw_key, draw_several
from backtest.kernels.waterfall import (
    contributions,
    fellow_customers,
    firm_capital,
    guaranty,
    layer,
    own_surplus,
    pay,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

APART, POOLED, COMMINGLED = 0, 1, 2  # how an account's legs at several houses are closed out
# Who pays: columns of the ledger.
ACCOUNT, FIRM, ADVANCED, ELSEWHERE, CONTRIBUTION, FELLOW, HOUSE, FUND, ASSESSED, UNCOVERED = range(
    10
)
BEARERS = 10


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


class Firms(NamedTuple):
    """Clearing firms."""

    capital: FloatArray  # (firms,) USD
    contribution: FloatArray  # (firms, houses) USD, to the fund of each house
    recovery: float  # share of the capital of a firm that is drawn to default
    set_off: float  # share of a defaulter's surplus at other houses that pays what it lacks


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
    limit: FloatArray  # (firms, houses) most that a house hands over to the others


class Sums(NamedTuple):
    """What accounts leave to their firms; (firms, classes + 1, houses) USD, the last row its own.

    unpaid : what firms must pay. equity : of customers who did not fail. surplus : of firms' own
    accounts, pooled : that of own accounts that are pooled, and estate : of pooled customers that
    failed, (firms, houses).
    """

    unpaid: FloatArray
    equity: FloatArray
    surplus: FloatArray
    pooled: FloatArray
    estate: FloatArray


@kernel
def settle_account(
    a: int, day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: bool,
    lacking: FloatArray, left: FloatArray,
) -> bool:  # fmt: skip
    r"""Write what an account leaves unpaid and what it has left, by house; whether it failed.

    .. math:: x_h = L_h - V_h, \qquad
        \text{lack} = \max(0, \textstyle\sum_h x_h) \text{ where legs net, else }
        \sum_h \max(0, x_h)

    Who is not drawn pays from resources and then from gains elsewhere, which were paid to it as
    they arose; so does a firm for its own account, whose resources are the firm's capital and come
    later. The unpaid part of legs that net is shared by the houses in proportion to their margins.

    lacking, left : (houses,), written; gains that have paid are no longer left.
    """
    houses = len(lacking)
    nets = accounts.nets[a] == COMMINGLED or (accounts.nets[a] == POOLED and joint)
    total = lack = surplus = gain = posted = asked = 0.0
    for h in range(houses):
        x = day.loss[a, h] - day.collateral[a, h]
        total += x
        posted += day.collateral[a, h]
        asked += day.required[a, h]
        lack += max(x, 0.0)
        surplus += max(-x, 0.0)
        gain += max(-day.loss[a, h], 0.0)
    apart = lack
    if nets:
        lack, surplus, gain = max(total, 0.0), max(-total, 0.0), 0.0
    unpaid, spent = lack, 0.0
    if not drawn:
        unpaid = max(0.0, unpaid - accounts.resources[a])
        spent = min(unpaid, gain)
        unpaid -= spent
    if unpaid > 0.0 and not nets and not accounts.own[a]:
        unpaid = max(0.0, unpaid - firms.set_off * surplus)
    for h in range(houses):
        x = day.loss[a, h] - day.collateral[a, h]
        if nets:
            by_margin = day.required[a, h] / asked if asked > 0.0 else 1.0 / houses
            by_value = day.collateral[a, h] / posted if posted > 0.0 else 1.0 / houses
            lacking[h], left[h] = unpaid * by_margin, surplus * by_value
        else:
            lacking[h] = unpaid * max(x, 0.0) / apart if apart > 0.0 else 0.0
            used = spent * max(-day.loss[a, h], 0.0) / gain if spent > 0.0 else 0.0
            left[h] = max(-x - used, 0.0)
    return drawn or unpaid > 0.0


@kernel
def settle_accounts(
    day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: BoolArray,
    sums: Sums, failed: BoolArray, paid: FloatArray,
) -> None:  # fmt: skip
    """Settle every account: what firms must pay, what customers who did not fail have left.

    drawn : (accounts + firms,) who is drawn to default. failed : (accounts,), written.
    paid : (houses, BEARERS), the ledger, added to.
    """
    houses = day.loss.shape[1]
    own = sums.unpaid.shape[1] - 1
    lacking, left = np.empty(houses), np.empty(houses)
    for a in range(len(accounts.firm)):
        f = accounts.firm[a]
        is_drawn = drawn[len(accounts.firm) + f] if accounts.own[a] else drawn[a]
        failed[a] = settle_account(a, day, accounts, firms, joint, is_drawn, lacking, left)
        for h in range(houses):
            paid[h, ACCOUNT] += day.loss[a, h] - lacking[h]
            row = own if accounts.own[a] else accounts.account_class[a, h]
            sums.unpaid[f, row, h] += lacking[h]
            if accounts.own[a]:
                sums.surplus[f, h] += left[h]
                sums.pooled[f, h] += left[h] if accounts.nets[a] == POOLED else 0.0
            elif not failed[a]:
                sums.equity[f, row, h] += left[h]
            elif accounts.nets[a] == POOLED:
                sums.estate[f, h] += left[h]


@kernel
def settle_firm(
    f: int, day: Day, accounts: Accounts, classes: Classes, firms: Firms, drawn: bool,
    sums: Sums, paid: FloatArray, taken: FloatArray,
) -> bool:  # fmt: skip
    """Pay what accounts of a firm left unpaid, as far as it can; whether it failed.

    `sums.unpaid` of a firm that fails is what its houses still lack. taken : (classes, houses),
    what is taken of fellow customers, written.
    """
    houses, rows = day.loss.shape[1], sums.unpaid.shape[1]
    residual = sums.unpaid[f]
    step = np.zeros(houses)
    taken[:] = 0.0
    # What the firm has posted for its customers is lost first, whether or not it fails.
    for h in range(houses):
        paid[h, ADVANCED] += pay(residual, rows - 1, h, day.advanced[f, h])
    owed = residual.sum()
    if not drawn and owed <= firms.capital[f]:
        for h in range(houses):
            paid[h, FIRM] += residual[:, h].sum()
        residual[:] = 0.0
        return False
    capital = firms.capital[f] * (firms.recovery if drawn else 1.0)
    firm_capital(residual, capital, step)
    paid[:, FIRM] += step
    own_surplus(residual, sums.surplus[f], step)
    paid[:, FIRM] += step
    limit = day.limit[f].copy()
    guaranty(residual, rows, np.minimum(sums.surplus[f], sums.pooled[f]), limit, step)
    paid[:, ELSEWHERE] += step
    guaranty(residual, rows - 1, sums.estate[f], limit, step)
    paid[:, ELSEWHERE] += step
    contributions(residual, firms.contribution[f], step)
    paid[:, CONTRIBUTION] += step
    available = sums.equity[f, : rows - 1] * day.at_house[f]
    for k in range(rows - 1):
        if not classes.takes[k]:
            available[k] = 0.0
    fellow_customers(residual, available, classes.anywhere, taken)
    for h in range(houses):
        paid[h, FELLOW] += taken[:, h].sum()
    return True


@kernel
def close_out(
    day: Day, accounts: Accounts, classes: Classes, firms: Firms, houses: Houses, joint: bool,
    drawn: BoolArray, failed: BoolArray, paid: FloatArray, fellow: FloatArray,
) -> int:  # fmt: skip
    """Close out one day; the number of firms that fail.

    failed : (accounts,) who fails. paid : (houses, BEARERS) USD, who pays. fellow : (accounts,)
    what is taken of each customer who did nothing. All three are written.
    """
    count, number = day.loss.shape
    many = len(firms.capital)
    k_count = len(classes.takes)
    sums = Sums(
        np.zeros((many, k_count + 1, number)),
        np.zeros((many, k_count + 1, number)),
        np.zeros((many, number)),
        np.zeros((many, number)),
        np.zeros((many, number)),
    )
    paid[:], fellow[:] = 0.0, 0.0
    settle_accounts(day, accounts, firms, joint, drawn, sums, failed, paid)
    rest, fund = np.zeros(number), houses.fund.copy()
    taken = np.empty((k_count, number))
    share = np.zeros((many, k_count))
    defaults = 0
    for f in range(many):
        fails = settle_firm(f, day, accounts, classes, firms, drawn[count + f], sums, paid, taken)
        if not fails:
            fund += firms.contribution[f]
            continue
        defaults += 1
        for h in range(number):
            rest[h] += sums.unpaid[f, :, h].sum()
        for k in range(k_count):
            lost, equity = taken[k].sum(), sums.equity[f, k].sum()
            share[f, k] = lost / equity if lost > 0.0 else 0.0
    if defaults == 0:
        return 0
    step = np.empty(number)
    layer(rest, houses.capital, step)
    paid[:, HOUSE] += step
    layer(rest, fund, step)
    paid[:, FUND] += step
    layer(rest, houses.assessment * fund, step)
    paid[:, ASSESSED] += step
    paid[:, UNCOVERED] += rest
    if share.max() > 0.0:
        share_out(day, accounts, firms, joint, drawn, failed, share, fellow)
    return defaults


@kernel
def share_out(
    day: Day, accounts: Accounts, firms: Firms, joint: bool, drawn: BoolArray,
    failed: BoolArray, share: FloatArray, fellow: FloatArray,
) -> None:  # fmt: skip
    """Divide what is taken between customers of a class, in proportion to their equity.

    share : (firms, classes) of the equity that is taken. fellow : (accounts,) USD, written.
    """
    houses = day.loss.shape[1]
    lacking, left = np.empty(houses), np.empty(houses)
    for a in range(len(accounts.firm)):
        if accounts.own[a] or failed[a]:
            continue
        settle_account(a, day, accounts, firms, joint, drawn[a], lacking, left)
        for h in range(houses):
            fellow[a] += share[accounts.firm[a], accounts.account_class[a, h]] * left[h]


class Outcomes(NamedTuple):
    """Expectations of each day, written; USD.

    paid, base : (days, houses, BEARERS), with and without defaults that come whatever prices do.
    touched, base_touched : (days, 4) probability that fellow customers lose, the fund pays,
    a firm fails, something is uncovered.
    fellow, base_fellow : (accounts,) sum over the days of what is taken of each.
    """

    paid: FloatArray
    base: FloatArray
    touched: FloatArray
    base_touched: FloatArray
    fellow: FloatArray
    base_fellow: FloatArray


@kernel
def note(
    t: int, weight: float, paid: FloatArray, defaults: int, into: FloatArray, touched: FloatArray
) -> None:
    """Add one close-out with its weight to the means of day t."""
    into[t] += weight * paid
    touched[t, 0] += weight * (paid[:, FELLOW].sum() > 0.0)
    touched[t, 1] += weight * (paid[:, FUND].sum() > 0.0)
    touched[t, 2] += weight * (defaults > 0)
    touched[t, 3] += weight * (paid[:, UNCOVERED].sum() > 0.0)


@kernel
def changes_nothing(n: int, day: Day, accounts: Accounts, daily: float, defaults: int) -> bool:
    """Whether the default of name n alone leaves the day as it is without one.

    A customer that lacks nothing at any house leaves nothing unpaid, and where no firm fails
    nothing is taken of it. defaults : firms that fail without it. daily : its probability.
    """
    if daily == 0.0:
        return True
    if n >= len(accounts.firm) or defaults > 0:
        return False
    for h in range(day.loss.shape[1]):
        if day.loss[n, h] > day.collateral[n, h]:
            return False
    return True


@kernel
def replay_protection(
    loss: FloatArray, collateral: FloatArray, required: FloatArray, at_house: FloatArray,
    advanced: FloatArray, limit: FloatArray, accounts: Accounts, classes: Classes, firms: Firms,
    houses: Houses, coordination: float, daily: FloatArray, seed: np.uint64, path: np.uint64,
    draws: int, out: Outcomes,
) -> None:  # fmt: skip
    """Close out every day, without and with the defaults that come whatever prices do.

    loss .. limit : as in `Day`, with days first. daily : (days, accounts + firms) probabilities.
    Nobody and each name alone count with their probabilities, as do joint and separate close-outs;
    days on which two names or more fail are drawn, `draws` times each.
    """
    days, count, number = loss.shape
    names = count + len(firms.capital)
    alone, least = np.empty(names), np.empty((3, names + 1))
    drawn = np.zeros(names, dtype=np.bool_)
    failed = np.empty(count, dtype=np.bool_)
    calm, calm_fellow = np.empty((number, BEARERS)), np.empty(count)
    paid, fellow = np.empty((number, BEARERS)), np.empty(count)
    ways = (accounts.nets == POOLED).any()  # elsewhere joint and separate close-outs are one
    for t in range(days):
        day = Day(loss[t], collateral[t], required[t], at_house[t], advanced[t], limit[t])
        nobody = default_chances(daily[t], alone, least)
        for together in range(2):
            weight = coordination if together == 1 else 1.0 - coordination
            if not ways:
                weight = float(together)
            if weight == 0.0:
                continue
            joint, same = together == 1, nobody
            drawn[:] = False
            calm_defaults = close_out(
                day, accounts, classes, firms, houses, joint, drawn, failed, calm, calm_fellow
            )
            for n in range(names):
                if changes_nothing(n, day, accounts, daily[t, n], calm_defaults):
                    same += alone[n]
                    continue
                drawn[n] = True
                defaults = close_out(
                    day, accounts, classes, firms, houses, joint, drawn, failed, paid, fellow
                )
                drawn[n] = False
                note(t, weight * alone[n], paid, defaults, out.paid, out.touched)
                out.fellow[:] += weight * alone[n] * fellow
            several = least[2, 0]
            for d in range(draws if several > 0.0 else 0):
                draw_several(draw_key(seed, path, t, d), daily[t], least, drawn)
                defaults = close_out(
                    day, accounts, classes, firms, houses, joint, drawn, failed, paid, fellow
                )
                note(t, weight * several / draws, paid, defaults, out.paid, out.touched)
                out.fellow[:] += weight * several / draws * fellow
            note(t, weight, calm, calm_defaults, out.base, out.base_touched)
            note(t, weight * same, calm, calm_defaults, out.paid, out.touched)
            out.base_fellow[:] += weight * calm_fellow
            out.fellow[:] += weight * same * calm_fellow
