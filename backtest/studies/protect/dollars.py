"""Dollars a year: what pooling saves accounts and firms, and what others then stand to lose.

Everything is against `silos` under the same model, on the same days and under the same draws of
defaults, so that differences are paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.clearing.ledger import BEARERS, OTHERS
from backtest.clearing.setting import Setting
from backtest.parameters.files import header
from backtest.parameters.terms import Terms
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import columns_of, tabled
from backtest.scores.money.level import Ends, difference_ends
from backtest.studies.protect.bounds import lost_more, of_margin, widest
from backtest.studies.protect.groups import GROUPS, STUCK, TOGETHER
from backtest.types import BoolArray, Days, FloatArray

RULE = "dollars_assumed"
# Regimes of customers for whose margin a firm needs capital: those of futures, and since 2010 of
# what is cleared over the counter too (17 CFR 1.17(a)(1)(i)(B); 74 FR 69279).
COUNTED = ("4d", "LSOC", "commingled")


class _Rates(Terms):
    """Form of the rule `dollars_assumed`."""

    funding_spread: float
    capital_cost: float
    customer_capital: float


@dataclass(frozen=True)
class Rate:
    """A yearly rate, and the range it may lie in."""

    value: float
    low: float
    high: float

    @property
    def ends(self) -> FloatArray:
        """(2,) the ends of the range."""
        return np.array([self.low, self.high])


@dataclass(frozen=True)
class DollarTerms:
    """Rates by which amounts become dollars a year.

    Parameters
    ----------
    spread : a year, what margin costs beyond what the collateral earns.
    capital_cost : a year, what a firm's capital costs.
    customer_capital : capital a firm needs, as a share of the margin of its futures and cleared
        swaps customers.

    Examples
    --------
    >>> terms = DollarTerms.read()
    >>> terms.spread.low < terms.spread.value < terms.spread.high, terms.customer_capital
    (True, 0.08)
    """

    spread: Rate
    capital_cost: Rate
    customer_capital: float

    @classmethod
    def read(cls, name: str = RULE) -> Self:
        """The rates of a version of the rule, with the ranges that it states."""
        rates = _Rates.of(None, name)
        ranges = {entry.term: entry for entry in header(name).uncertain}

        def rate(term: str) -> Rate:
            entry, value = ranges[term], getattr(rates, term)
            return Rate(value, float(entry.low), float(entry.high))

        return cls(rate("funding_spread"), rate("capital_cost"), rates.customer_capital)


@dataclass(frozen=True, eq=False)
class Daily:
    """Amounts of one model under one arrangement, (days,) USD.

    Parameters
    ----------
    margin : what accounts have to post. at_houses : what houses ask, net where omnibus.
    capital : what firms need for their futures and cleared swaps customers.
    losses : of each group of `GROUPS`, of `STUCK` and of `TOGETHER`.
    """

    margin: FloatArray
    at_houses: FloatArray
    capital: FloatArray
    losses: Mapping[str, Losses]

    @classmethod
    def of(cls, done: Protection, model: str, arrangement: str, customer_capital: float) -> Self:
        """Amounts of one outcome."""
        outcome, setting = done.outcomes[model, arrangement], done.settings[arrangement]
        required = outcome.required
        own = required[:, setting.is_own].sum(axis=(1, 2))
        return cls(
            (required * setting.multiplier[None, :, None]).sum(axis=(1, 2)),
            own + outcome.holdings.required.sum(axis=(1, 2, 3)),
            customer_capital * (required * counted_for_capital(setting)).sum(axis=(1, 2)),
            _by_group(done, model, arrangement),
        )


def dollars(protection: Protection, terms: DollarTerms) -> pd.DataFrame:
    """Dollars a year by (model, arrangement).

    `margin` that accounts post, `at_houses` what of it houses ask, `capital` of firms for their
    futures and cleared swaps customers: means over the scored days, USD. Then USD a year against
    `silos`: `funding_freed` by less margin, `capital_freed` by less capital, `freed` both;
    `loss_<who>` the extra expected loss of each group of `GROUPS`, of customers who are closed out
    though they did nothing (`loss_stuck`) and of all of them (`loss_others`); `net` what is freed
    less that loss.

    `_low` and `_high` are bounds of 95 % on each side over dates, the widest with rates of funding
    and capital at the ends of their ranges and a move of prices that spans several close-outs
    counted for one of them or for each; those of `net` take the ends that are worst together.
    `_events` is in how many events a loss differs from that in silos: with fewer than five neither
    it nor the net has a bound, and both are NaN.
    """
    daily = {key: Daily.of(protection, *key, terms.customer_capital) for key in protection.outcomes}
    rows = {
        (model, arrangement): {
            **columns_of("margin", of_margin(own.margin)),
            "at_houses": float(own.at_houses.mean()),
            "capital": float(own.capital.mean()),
            **_against(own, daily[model, SILOS], terms),
        }
        for (model, arrangement), own in daily.items()
    }
    return tabled(rows, "model", "arrangement")


def account_dollars(
    protection: Protection, accounts: tuple[str, ...], terms: DollarTerms
) -> pd.DataFrame:
    """What single accounts save: a row a (account, model, arrangement).

    `margin` the account posts, USD, and `funding_freed` against `silos`, USD a year, with bounds as
    in `dollars`.
    """
    rows = {}
    for account in accounts:
        place = protection.book.portfolios.index(account)
        posted = {
            key: outcome.required[:, place].sum(axis=1) * _multiplier(protection, key[1], place)
            for key, outcome in protection.outcomes.items()
        }
        for (model, arrangement), margin in posted.items():
            saved = posted[model, SILOS] - margin
            rows[account, model, arrangement] = {
                **columns_of("margin", of_margin(margin)),
                **columns_of("funding_freed", _at_rates(saved, terms.spread)),
            }
    return tabled(rows, "account", "model", "arrangement")


def _multiplier(protection: Protection, arrangement: str, place: int) -> float:
    return float(protection.settings[arrangement].multiplier[place])


def _against(own: Daily, silos: Daily, terms: DollarTerms) -> dict[str, float]:
    """Columns of one row of `dollars` that compare it with silos."""
    margin, capital = silos.margin - own.margin, silos.capital - own.capital
    freed = [
        of_margin(rate * margin + cost * capital)
        for rate, cost in product(terms.spread.ends, terms.capital_cost.ends)
    ]
    middle = float((terms.spread.value * margin + terms.capital_cost.value * capital).mean())
    columns = {
        **columns_of("funding_freed", _at_rates(margin, terms.spread)),
        **columns_of("capital_freed", _at_rates(capital, terms.capital_cost)),
        **columns_of("freed", widest(middle, freed)),
    }
    for group, losses in own.losses.items():
        counted, events = lost_more(losses, silos.losses[group])
        columns |= columns_of(f"loss_{group}", widest(counted[0][0], counted), events)
        if group == TOGETHER:
            nets = [difference_ends(one, lost) for one, lost in product(freed, counted)]
            columns |= columns_of("net", widest(middle - counted[0][0], nets), events)
    return columns


def _at_rates(amount: Days, rate: Rate) -> Ends:
    """A year of an amount at a rate, bounded at both ends of its range."""
    mean, *_ = of_margin(rate.value * amount)
    return widest(mean, [of_margin(end * amount) for end in rate.ends])


def _by_group(done: Protection, model: str, arrangement: str) -> dict[str, Losses]:
    """Losses by group, and of all together; a cost that no table states is NaN and in no sum."""
    groups = {
        name: Losses.of(done, model, arrangement, *map(BEARERS.index, bearers))
        for name, bearers in GROUPS.items()
    }
    one = groups["fellow"]
    outcome = done.outcomes[model, arrangement]
    stuck, base = outcome.stuck[:, 0], outcome.base_stuck[:, 0]
    failing = Losses.of(done, model, arrangement, *OTHERS)  # behind which firms fail
    groups[STUCK] = replace(one, base=base, drawn=stuck - base, once=base / failing.horizon)
    together = {
        name: np.nansum([getattr(losses, name) for losses in groups.values()], axis=0)
        for name in ("base", "drawn", "once")
    }
    return groups | {TOGETHER: replace(one, **together)}


def counted_for_capital(setting: Setting) -> BoolArray:
    """(accounts, houses) whether a firm needs capital for the margin of a customer at a house."""
    return np.array(
        [[regime in COUNTED for regime in of_account] for of_account in setting.regimes]
    )
