"""A structure under one arrangement, as numbers for the kernels: what is assumed is filled in."""

from dataclasses import dataclass

import numpy as np

from backtest.account.account import AccountTerms
from backtest.clearing.arrangement import Arrangement
from backtest.clearing.regimes import REGIMES
from backtest.clearing.rules import Rules
from backtest.clearing.structure import EVERYWHERE, Member, Structure
from backtest.kernels import parties as kernels
from backtest.types import BoolArray, FloatArray

# Of days on which two names or more fail; all others are counted exactly. Another seed moves a
# year's losses of customers-and-houses by a millionth of themselves, and by 5 % where two names
# fail in three days: little beside what other dates would change (docs/intervals.md).
DRAWS = 1
WORST = 0.1  # share of days that `wrong_way` is about


@dataclass(frozen=True, eq=False)
class Setting:
    """A structure under an arrangement.

    Parameters
    ----------
    structure : members in the order of the accounts. houses : names.
    mean_margin : (accounts, houses) USD, mean margin of each house alone over the scored days; the
        scale of whatever is assumed as a multiple of margin.
    legs : (accounts, houses) whether an account has positions at a house.
    """

    structure: Structure
    houses: tuple[str, ...]
    arrangement: Arrangement
    rules: Rules
    mean_margin: FloatArray
    legs: BoolArray

    @property
    def firm_of(self) -> np.ndarray:
        """(accounts,) number of the firm of each account."""
        number = {name: f for f, name in enumerate(self.structure.firm_names)}
        return np.array([number[m.firm] for m in self.structure.members], dtype=np.int64)

    @property
    def is_own(self) -> BoolArray:
        """(accounts,) whether an account is the firm's own."""
        return np.array([m.kind == "house" for m in self.structure.members], dtype=np.bool_)

    @property
    def is_pooled(self) -> BoolArray:
        """(accounts,) whether an account's legs are margined together.

        One that clears at a single house has nothing to pool, and stays under the regime there.
        """
        pools = [self.arrangement.pools(m.kind) for m in self.structure.members]
        pooled: BoolArray = np.array(pools, dtype=np.bool_) & (self.legs.sum(axis=1) > 1)
        return pooled

    @property
    def classes(self) -> tuple[str, ...]:
        """Account classes of the regimes."""
        return tuple(dict.fromkeys(p.account_class for p in self.rules.regimes.regimes.values()))

    @property
    def regimes(self) -> list[list[str]]:
        """Legal regime of each account at each house, by their order; '' for firms' own."""
        return [
            [
                "" if member.kind == "house" else self._regime(member, house, pooled)
                for house in self.houses
            ]
            for member, pooled in self._with_pooled()
        ]

    def _regime(self, member: Member, house: str, pooled: bool) -> str:
        if self.arrangement.commingled and pooled:
            return "commingled"
        stated = member.regimes.get(house, member.regimes.get(EVERYWHERE, ""))
        # A commingled account exists under the order alone; without it each leg is its house's.
        return self.rules.regimes.usual(house) if stated in ("", "commingled") else stated

    def _with_pooled(self) -> list[tuple[Member, bool]]:
        """Members, and whether the legs of each are margined together."""
        return list(zip(self.structure.members, self.is_pooled.tolist(), strict=True))

    def account_terms(self, terms: AccountTerms, *, stated: bool) -> list[list[AccountTerms]]:
        """Terms of each account at each house: the payment days of its regime.

        terms : of the study; of all accounts where `stated`, else of firms' own alone.
        """
        by_regime = {
            name: AccountTerms(
                p.call_lag, terms.minimum_transfer, terms.collateral, terms.excess, p.settlement
            )
            for name, p in ((n, self.rules.regimes.protection(n)) for n in REGIMES)
        }
        return [
            [terms if stated or not regime else by_regime[regime] for regime in of_account]
            for of_account in self.regimes
        ]

    @property
    def account_class(self) -> np.ndarray:
        """(accounts, houses) number of the account class; 0 for firms' own, which have none."""
        number = {name: k for k, name in enumerate(self.classes)}
        class_of = {
            name: number[self.rules.regimes.protection(name).account_class] for name in REGIMES
        }
        return np.array(
            [[class_of[name] if name else 0 for name in of_account] for of_account in self.regimes],
            dtype=np.int64,
        )

    @property
    def multiplier(self) -> FloatArray:
        """(accounts,) of the house's margin that an account posts."""
        assumed = self.rules.assumptions.multiplier
        stated = [self.structure.firm(m.firm).multiplier for m in self.structure.members]
        asked = np.array([assumed if value is None else value for value in stated])
        return np.where(self.is_own, 1.0, asked)

    @property
    def posts_intraday(self) -> BoolArray:
        """(firms,) whether a firm posts before its customers pay."""
        assumed = self.rules.assumptions.posts
        posts = [self.structure.firm(name).posts or assumed for name in self.structure.firm_names]
        return np.array([value == "intraday" for value in posts], dtype=np.bool_)

    @property
    def by_name(self) -> np.ndarray:
        """(accounts + firms,) numbers of accounts, and of firms after them, each in the alphabet.

        Defaults are drawn in that order, so that none depends on how a study lists its names.
        """
        accounts = [member.account for member in self.structure.members]
        firms = self.structure.firm_names
        order = [
            *sorted(range(len(accounts)), key=accounts.__getitem__),
            *(len(accounts) + f for f in sorted(range(len(firms)), key=firms.__getitem__)),
        ]
        return np.array(order, dtype=np.int64)

    @property
    def daily_default(self) -> FloatArray:
        """(accounts + firms,) probability a day of a default that is drawn.

        None of an account that never holds anything, whose default nobody would know of.
        """
        assumed = self.rules.assumptions
        held: BoolArray = self.legs.sum(axis=1) > 0
        accounts = [
            0.0
            if member.kind == "house" or not holds
            else assumed.customer_default_rate
            if member.default_rate is None
            else member.default_rate
            for member, holds in zip(self.structure.members, held.tolist(), strict=True)
        ]
        stated = [self.structure.firm(name).default_rate for name in self.structure.firm_names]
        firms = [assumed.firm_default_rate if rate is None else rate for rate in stated]
        yearly = np.array(accounts + firms, dtype=np.float64)
        daily: FloatArray = 1.0 - (1.0 - yearly) ** (1.0 / assumed.margin_days)
        return daily

    def daily_defaults(self, loss: FloatArray) -> FloatArray:
        """(days, accounts + firms) the same on each day: higher where an account itself loses most.

        Customers' rates are `wrong_way` times as high on the days in the worst tenth of their own
        losses over the MPOR as on others, and what they were on average over these days. Those
        losses are known only afterwards: outcomes take part in who fails, never in a margin.

        loss : (days, accounts, houses) USD over the MPOR.
        """
        daily = np.broadcast_to(self.daily_default, (len(loss), len(self.daily_default)))
        factor = self.rules.assumptions.wrong_way
        if factor == 1.0:
            return daily
        own = loss.sum(axis=2)
        worst = own > np.quantile(own, 1.0 - WORST, axis=0)
        relative = np.where(worst, factor, 1.0)
        accounts = daily[:, : len(self.structure.members)] * (relative / relative.mean(axis=0))
        return np.hstack([np.minimum(accounts, 1.0), daily[:, len(self.structure.members) :]])

    def kernel_accounts(self) -> kernels.Accounts:
        """Accounts as the kernels take them."""
        assumed = self.rules.assumptions
        pooled = kernels.COMMINGLED if self.arrangement.commingled else kernels.POOLED
        nets = np.where(self.is_own & self.is_pooled, kernels.POOLED, kernels.APART)
        nets = np.where(~self.is_own & self.is_pooled, pooled, nets)
        by_margin = assumed.resources * self.mean_margin.sum(axis=1)
        stated = [member.resources for member in self.structure.members]
        resources = [b if s is None else s for s, b in zip(stated, by_margin, strict=True)]
        return kernels.Accounts(
            self.firm_of,
            self.is_own,
            nets.astype(np.int64),
            np.where(self.is_own, 0.0, np.array(resources, dtype=np.float64)),
            self.account_class,
        )

    def kernel_classes(self) -> kernels.Classes:
        """Account classes as the kernels take them."""
        omnibus, regimes = self.arrangement.omnibus, self.rules.regimes
        taken = [regimes.taken(name, omnibus=omnibus) for name in self.classes]
        advance = {p.account_class: p.advance for p in regimes.regimes.values()}
        return kernels.Classes(
            np.array([fellow != "none" for fellow in taken], dtype=np.bool_),
            np.array([fellow == "one account" for fellow in taken], dtype=np.bool_),
            np.array([advance[name] for name in self.classes]),
        )

    def kernel_firms(self) -> kernels.Firms:
        """Firms as the kernels take them."""
        assumed, names = self.rules.assumptions, self.structure.firm_names
        by_firm = np.zeros((len(names), len(self.houses)))
        np.add.at(by_firm, self.firm_of, self.mean_margin)
        shares = [self.rules.waterfall.house(house).contribution for house in self.houses]
        capital, contribution = np.empty(len(names)), np.array(shares) * by_firm
        for f, name in enumerate(names):
            firm = self.structure.firm(name)
            capital[f] = (
                assumed.firm_capital * by_firm[f].sum() if firm.capital is None else firm.capital
            )
            for h, house in enumerate(self.houses):
                contribution[f, h] = firm.contributions.get(house, contribution[f, h])
        return kernels.Firms(
            capital,
            contribution,
            assumed.recovery,
            assumed.set_off,
            assumed.porting,
            assumed.porting_days,
        )

    def kernel_houses(self) -> kernels.Houses:
        """Houses as the kernels take them."""
        layers = []
        for name in self.houses:
            stated, assumed = self.structure.house(name), self.rules.waterfall.house(name)
            layers.append(
                [
                    getattr(assumed, key) if getattr(stated, key) is None else getattr(stated, key)
                    for key in ("capital", "fund", "assessment")
                ]
            )
        columns = np.array(layers, dtype=np.float64).T
        return kernels.Houses(*(np.ascontiguousarray(column) for column in columns))

    def net_groups(self) -> dict[str, list[int]]:
        """Customers whose positions a house nets, by a name: of one firm, alike in their classes.

        Those who are pooled are netted apart from those who clear at one house alone. Under a
        regime that protects every customer by itself nobody is netted.
        """
        if not self.arrangement.omnibus:
            return {}
        takes, classes = self.kernel_classes().takes, self.account_class
        groups: dict[str, list[int]] = {}
        for a, (member, pooled) in enumerate(self._with_pooled()):
            if member.kind == "customer" and takes[classes[a]].all():
                names = "+".join(self.classes[k] for k in classes[a])
                name = f"{member.firm}: {names}{', pooled' if pooled else ''}"
                groups.setdefault(name, []).append(a)
        return groups
