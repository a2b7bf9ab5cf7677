"""What stands behind margins, from a structure of firms and houses."""

from collections.abc import Mapping

import numpy as np

from backtest.clearing.setting import Setting
from backtest.clearing.structure import Structure
from backtest.stress import Backing


def stated_backing(structure: Structure) -> Backing:
    """What a structure states, and nothing that it leaves out.

    The funds of a firm's houses are those of every house to which it is said to contribute: the
    house's own capital, its fund, and what other firms of the structure contribute to it.

    Examples
    --------
    >>> from backtest.clearing.structure import Firm, House, Member
    >>> structure = Structure(
    ...     (Member("fund", "A", resources=5e6),),
    ...     {"A": Firm(capital=1e6, contributions={"CME": 2e6})},
    ...     {"CME": House(capital=3e6, fund=4e6)},
    ... )
    >>> stated_backing(structure).layers("A")
    {'capital': 1000000.0, "the firm's contributions": 3000000.0, 'the funds of its houses': \
10000000.0}
    """
    firms, funds = structure.firms, {}
    for name, firm in firms.items():
        houses = [structure.house(house) for house in firm.contributions]
        layers = [usd for house in houses for usd in (house.capital, house.fund) if usd is not None]
        layers += [
            other.contributions[house]
            for house in firm.contributions
            for other_name, other in firms.items()
            if other_name != name and house in other.contributions
        ]
        if layers:
            funds[name] = sum(layers)
    return Backing(
        firm={member.account: member.firm for member in structure.members},
        resources=_stated({m.account: m.resources for m in structure.members}),
        capital=_stated({name: firm.capital for name, firm in firms.items()}),
        contributions={
            n: sum(f.contributions.values()) for n, f in firms.items() if f.contributions
        },
        fund=funds,
    )


def assumed_backing(setting: Setting) -> Backing:
    """What a structure states, and what is assumed where it states nothing.

    The funds of a firm's houses are those of every house at which its accounts have positions: the
    house's own capital, the fund of members outside the structure, and the contributions of the
    other firms in it; no assessments.
    """
    members, names = setting.structure.members, setting.structure.firm_names
    accounts, firms = setting.kernel_accounts(), setting.kernel_firms()
    houses = setting.kernel_houses()
    funds = {}
    for f, name in enumerate(names):
        at = setting.legs[accounts.firm == f].any(axis=0)
        others = np.delete(firms.contribution, f, axis=0).sum(axis=0)
        funds[name] = float((houses.capital + houses.fund + others)[at].sum())
    return Backing(
        firm={member.account: member.firm for member in members},
        resources={m.account: float(v) for m, v in zip(members, accounts.resources, strict=True)},
        capital=dict(zip(names, map(float, firms.capital), strict=True)),
        contributions=dict(zip(names, map(float, firms.contribution.sum(axis=1)), strict=True)),
        fund=funds,
    )


def _stated(amounts: Mapping[str, float | None]) -> dict[str, float]:
    return {name: usd for name, usd in amounts.items() if usd is not None}
