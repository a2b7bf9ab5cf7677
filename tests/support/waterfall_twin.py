"""A close-out in plain Python, debt by debt: written from the words of docs/protect.md.

Every debt is an amount that one account owes at one house. The kernels never keep single debts;
that their sums by class come to the same is what this twin is for.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from backtest.kernels.parties import CENT, COMMINGLED, POOLED
from tests.support.close_outs import World

Place = tuple[int, int]  # account and house


@dataclass
class Ledger:
    """Who pays how much at each house, by the words of the ledger."""

    paid: dict[tuple[int, str], float] = field(default_factory=lambda: defaultdict(float))
    fellow: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    failed: set[int] = field(default_factory=set)
    firms: set[int] = field(default_factory=set)
    porting_cost: float = 0.0
    frozen: float = 0.0


def pay(debts: dict[Place, float], among: list[Place], available: float) -> float:
    """Pay up to what is available, each debt in the same proportion; what was paid."""
    owed = sum(debts[place] for place in among)
    amount = min(owed, max(available, 0.0))
    if amount > 0.0:
        for place in among:
            debts[place] *= 1.0 - amount / owed
    return amount


def twin(world: World, t: int, *, joint: bool, drawn: set[int]) -> Ledger:
    """Close out day t; drawn : accounts, and firms after them, that fail whatever happens."""
    ledger = Ledger()
    accounts, houses = range(world.loss.shape[1]), range(world.loss.shape[2])
    debts: dict[Place, float] = {}
    left: dict[Place, float] = {}
    for a in accounts:
        owes, has = settle_account(world, t, a, joint=joint, drawn=drawn)
        if a in drawn and not world.accounts.own[a]:
            ledger.failed.add(a)
        if owes is None:
            ledger.failed.add(a)
            owes = [0.0 for _ in houses]
        if sum(owes) > CENT:
            ledger.failed.add(a)
        for h in houses:
            debts[a, h], left[a, h] = owes[h], has[h]
            ledger.paid[h, "accounts"] += world.loss[t, a, h] - owes[h]
    for f in range(len(world.firms.capital)):
        mine = [a for a in accounts if world.accounts.firm[a] == f]
        settle_firm(world, t, f, mine, debts, left, drawn=drawn, joint=joint, ledger=ledger)
    own_layers(world, debts, ledger)
    return ledger


def settle_account(
    world: World, t: int, a: int, *, joint: bool, drawn: set[int]
) -> tuple[list[float] | None, list[float]]:
    """What an account owes and has left at each house; None of one that failed and owes nothing."""
    houses = range(world.loss.shape[2])
    loss, held = world.loss[t, a], world.collateral[t, a]
    is_own = bool(world.accounts.own[a])
    name = len(world.accounts.firm) + int(world.accounts.firm[a]) if is_own else a
    pays = name not in drawn
    resources = float(world.accounts.resources[a])
    nets = world.accounts.nets[a]
    if nets == COMMINGLED or (nets == POOLED and joint):
        short = sum(loss[h] - held[h] for h in houses)
        owed = max(short, 0.0)
        if pays:
            owed = max(owed - resources, 0.0)
        margin, value = world.required[t, a], held
        even = [1.0 / len(houses)] * len(houses)
        by_margin = margin / margin.sum() if margin.sum() > 0.0 else even
        by_value = value / value.sum() if value.sum() > 0.0 else even
        rest = max(-short, 0.0)
        return [owed * by_margin[h] for h in houses], [rest * by_value[h] for h in houses]
    lacks = [max(loss[h] - held[h], 0.0) for h in houses]
    has = [max(held[h] - loss[h], 0.0) for h in houses]
    gains = [max(-loss[h], 0.0) for h in houses]
    total = sum(lacks)
    owed = total
    if owed > 0.0 and pays:
        owed -= min(owed, resources)
        from_gains = min(owed, sum(gains))
        owed -= from_gains
        if from_gains > 0.0:
            has = [has[h] - from_gains * gains[h] / sum(gains) for h in houses]
    could_not = owed > CENT
    if could_not and not is_own:
        in_time = min(owed, world.firms.set_off * sum(has))
        if in_time > 0.0:
            has = [x * (1.0 - in_time / sum(has)) for x in has]
            owed -= in_time
    if could_not and owed <= 0.0:
        return None, has
    return [owed * x / total if total > 0.0 else 0.0 for x in lacks], has


def settle_firm(
    world: World, t: int, f: int, mine: list[int], debts: dict[Place, float],
    left: dict[Place, float], *, drawn: set[int], joint: bool, ledger: Ledger,
) -> None:  # fmt: skip
    """The firm pays, or its waterfall begins; debts are lowered by what is paid."""
    houses = range(world.loss.shape[2])
    own = [a for a in mine if world.accounts.own[a]]
    customers = [a for a in mine if not world.accounts.own[a]]
    class_of = world.accounts.account_class
    for h in houses:
        ledger.paid[h, "advanced by firms"] += pay(
            debts, [(a, h) for a in customers], world.advanced[t, f, h]
        )
    owed = sum(debts[a, h] for a in mine for h in houses)
    is_drawn = len(world.accounts.firm) + f in drawn
    capital = float(world.firms.capital[f])
    if not is_drawn and owed <= capital + CENT:
        for h in houses:
            ledger.paid[h, "firms"] += sum(debts[a, h] for a in mine)
            for a in mine:
                debts[a, h] = 0.0
        return
    ledger.firms.add(f)
    idle = [a for a in customers if a not in ledger.failed]
    ledger.porting_cost += (1.0 - world.firms.porting) * sum(world.cost[t, a] for a in idle)
    ledger.frozen += world.firms.porting_days * sum(left[a, h] for a in idle for h in houses)
    money = capital * (world.firms.recovery if is_drawn else 1.0)
    before = dict(debts)
    pay(debts, [(a, h) for a in mine for h in houses], money)
    for h in houses:
        ledger.paid[h, "firms"] += sum(before[a, h] - debts[a, h] for a in mine)
    surplus = {h: sum(left[a, h] for a in own) for h in houses}
    pooled = {h: sum(left[a, h] for a in own if world.accounts.nets[a] == POOLED) for h in houses}
    for h in houses:
        amount = pay(debts, [(a, h) for a in mine], surplus[h])
        surplus[h] -= amount
        ledger.paid[h, "firms"] += amount
    before = dict(debts)
    hands_over = sum(min(surplus[h], pooled[h]) for h in houses)
    pay(debts, [(a, h) for a in mine for h in houses], hands_over)
    for h in houses:
        ledger.paid[h, "surplus at the other house"] += sum(
            before[a, h] - debts[a, h] for a in mine
        )
    for a in customers:
        if world.accounts.nets[a] == POOLED and not joint and a in ledger.failed:
            before = {h: debts[a, h] for h in houses}
            pay(debts, [(a, h) for h in houses], sum(left[a, h] for h in houses))
            for h in houses:
                ledger.paid[h, "surplus at the other house"] += before[h] - debts[a, h]
    for h in houses:
        ledger.paid[h, "firms' contributions"] += pay(
            debts, [(a, h) for a in mine], world.firms.contribution[f, h]
        )
    for k in range(len(world.classes.takes)):
        if world.classes.takes[k]:
            take_of_fellows(world, t, f, k, customers, idle, debts, left, ledger)
    assert all(class_of[a, h] < len(world.classes.takes) for a in mine for h in houses)


def take_of_fellows(
    world: World, t: int, f: int, k: int, customers: list[int], idle: list[int],
    debts: dict[Place, float], left: dict[Place, float], ledger: Ledger,
) -> None:  # fmt: skip
    """Customers of a class who did nothing pay for those of the class who did not pay."""
    houses = range(world.loss.shape[2])
    class_of = world.accounts.account_class
    equity = {a: sum(left[a, h] for h in houses if class_of[a, h] == k) for a in idle}
    there = {
        h: sum(left[a, h] for a in idle if class_of[a, h] == k) * world.at_house[t, f, k, h]
        for h in houses
    }
    of_class = {h: [(a, h) for a in customers if class_of[a, h] == k] for h in houses}
    taken = dict.fromkeys(houses, 0.0)
    for h in houses:
        amount = pay(debts, of_class[h], there[h])
        there[h] -= amount
        taken[h] += amount
    if world.classes.anywhere[k]:
        before = dict(debts)
        pay(debts, [place for h in houses for place in of_class[h]], sum(there.values()))
        for h in houses:
            taken[h] += sum(before[place] - debts[place] for place in of_class[h])
    total = sum(taken.values())
    if total <= 0.0:
        return
    returned = 0.0
    for a in idle:
        share = total * equity[a] / sum(equity.values())
        back = min(share, float(world.classes.advance[k]))
        ledger.fellow[a] += share - back
        returned += back
    for h in houses:
        ledger.paid[h, "advanced by SIPC"] += returned * taken[h] / total
        ledger.paid[h, "fellow customers"] += (total - returned) * taken[h] / total


def own_layers(world: World, debts: dict[Place, float], ledger: Ledger) -> None:
    """What is still owed goes through each house's own layers."""
    for h in range(world.loss.shape[2]):
        owed = sum(
            debt
            for (a, house), debt in debts.items()
            if house == h and int(world.accounts.firm[a]) in ledger.firms
        )
        fund = float(world.houses.fund[h]) + sum(
            float(world.firms.contribution[f, h])
            for f in range(len(world.firms.capital))
            if f not in ledger.firms
        )
        layers = {
            "houses' capital": float(world.houses.capital[h]),
            "mutual fund": fund,
            "assessments": float(world.houses.assessment[h]) * fund,
        }
        for name, size in layers.items():
            amount = min(owed, size)
            ledger.paid[h, name] += amount
            owed -= amount
        ledger.paid[h, "uncovered"] += owed
