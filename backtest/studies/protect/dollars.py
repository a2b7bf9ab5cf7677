"""Dollars a year: what pooling saves accounts and firms, and what others then stand to lose.

Everything is against `silos` under the same model, on the same days and under the same draws of
defaults, so that differences are paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.clearing.ledger import BEARERS
from backtest.clearing.setting import Setting
from backtest.parameters.files import header
from backtest.parameters.terms import Terms
from backtest.replay.protection.outcome import Outcome
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.yearly import by_year
from backtest.studies.protect.resampled import bounded, columns_of, resampled_days
from backtest.types import BoolArray, Days, FloatArray

RULE = "dollars_assumed"
# Regimes of customers for whose margin a firm needs capital: those of futures, and since 2010 of
# what is cleared over the counter too (17 CFR 1.17(a)(1)(i)(B); 74 FR 69279).
COUNTED = ("4d", "LSOC", "commingled")
# Who else pays than the account itself: groups of the ledger's bearers.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "fellow": ("fellow customers",),
    "sipc": ("advanced by SIPC",),
    "elsewhere": ("surplus at the other house",),
    "firm": ("firms", "advanced by firms", "firms' contributions"),
    "house": ("houses' capital",),
    "fund": ("mutual fund", "assessments"),
    "uncovered": ("uncovered",),
}
STUCK = "stuck"  # customers of failed firms: closing out what is not ported, which no bearer pays
OTHERS = "others"  # all of them
Column = tuple[Days, list[Days]]  # daily amounts whose mean is shown, and those that bound it


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
class Yearly:
    """Daily amounts of one model under one arrangement, each day's mean over draws; (days,) USD.

    Parameters
    ----------
    margin : what accounts have to post. at_houses : what houses ask, net where omnibus.
    capital : what firms need for their futures and cleared swaps customers.
    paid, moved : by group of `GROUPS` and `STUCK`, what it is expected to pay for one day's
        close-out: in all, and because prices moved by more than margin and resources.
    once : `moved`, with each move counted once of the close-outs that it is in.
    """

    margin: FloatArray
    at_houses: FloatArray
    capital: FloatArray
    paid: Mapping[str, FloatArray]
    moved: Mapping[str, FloatArray]
    once: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls, outcome: Outcome, setting: Setting, customer_capital: float, spans: FloatArray
    ) -> Self:
        """Amounts of an outcome; spans : (houses,) close-outs that one move of prices is in."""
        required = outcome.required
        own = required[:, setting.is_own].sum(axis=(1, 2))
        return cls(
            (required * setting.multiplier[None, :, None]).sum(axis=(1, 2)),
            own + outcome.holdings.required.sum(axis=(1, 2, 3)),
            customer_capital * (required * counted_for_capital(setting)).sum(axis=(1, 2)),
            _by_group(outcome.paid, outcome.stuck),
            _by_group(outcome.base, outcome.base_stuck),
            _by_group(outcome.base / spans[:, None], outcome.base_stuck / spans.max()),
        )

    def expected_loss(self, group: str, *, a_year: float, each_time: bool = False) -> FloatArray:
        """(days,) loss of a group at the rate of a year, USD; see `by_year`.

        each_time : a move of prices counts in every close-out that it is in, not once.
        """
        moved, drawn = self.moved[group], self.paid[group] - self.moved[group]
        counted = moved if each_time else self.once[group]
        return by_year(counted + drawn, counted, horizon=1.0, margin_days=a_year)


def dollars(protection: Protection, terms: DollarTerms) -> pd.DataFrame:
    """Dollars a year by (model, arrangement).

    `margin` that accounts post, `at_houses` what of it houses ask, `capital` of firms for their
    futures and cleared swaps customers: means over the scored days, USD. Then USD a year against
    `silos`: `funding_freed` by less margin, `capital_freed` by less capital, `loss_<who>` the extra
    expected loss of each group of `GROUPS`, of customers who are closed out though they did nothing
    (`loss_stuck`) and of all of them (`loss_others`), `net` what is freed less that loss. `_low`
    and `_high` are bounds of 95 % on each side: days are resampled, rates of funding and capital
    are at the ends of their ranges, and a move of prices that spans several close-outs counts for
    one of them or for each.
    """
    a_year = next(iter(protection.settings.values())).rules.assumptions.margin_days
    spans = protection.spans
    daily = {
        key: Yearly.of(outcome, protection.settings[key[1]], terms.customer_capital, spans)
        for key, outcome in protection.outcomes.items()
    }
    columns = {
        key: _columns(amounts, daily[key[0], SILOS], terms, a_year)
        for key, amounts in daily.items()
    }
    table = _with_bounds(columns, ["model", "arrangement"])
    table.insert(3, "at_houses", [amounts.at_houses.mean() for amounts in daily.values()])
    table.insert(4, "capital", [amounts.capital.mean() for amounts in daily.values()])
    return table


def account_dollars(
    protection: Protection, accounts: tuple[str, ...], terms: DollarTerms
) -> pd.DataFrame:
    """What single accounts save: a row a (account, model, arrangement).

    `margin` the account posts, USD, and `funding_freed` against `silos`, USD a year, with bounds as
    in `dollars`.
    """
    columns = {}
    for account in accounts:
        place = protection.book.portfolios.index(account)
        posted = {
            key: outcome.required[:, place].sum(axis=1) * _multiplier(protection, key[1], place)
            for key, outcome in protection.outcomes.items()
        }
        for (model, arrangement), margin in posted.items():
            saved = posted[model, SILOS] - margin
            columns[account, model, arrangement] = {
                "margin": (margin, [margin]),
                "funding_freed": _at_rates(saved, terms.spread),
            }
    return _with_bounds(columns, ["account", "model", "arrangement"])


def _multiplier(protection: Protection, arrangement: str, place: int) -> float:
    return float(protection.settings[arrangement].multiplier[place])


def _columns(own: Yearly, silos: Yearly, terms: DollarTerms, a_year: float) -> dict[str, Column]:
    """Columns of one row of `dollars`."""
    margin, capital = silos.margin - own.margin, silos.capital - own.capital
    once, each_time = (
        {
            group: own.expected_loss(group, a_year=a_year, each_time=each)
            - silos.expected_loss(group, a_year=a_year, each_time=each)
            for group in (*GROUPS, STUCK, OTHERS)
        }
        for each in (False, True)
    )
    nets = [
        rate * margin + cost * capital - losses[OTHERS]
        for rate in terms.spread.ends
        for cost in terms.capital_cost.ends
        for losses in (once, each_time)
    ]
    middle = terms.spread.value * margin + terms.capital_cost.value * capital - once[OTHERS]
    return {
        "margin": (own.margin, [own.margin]),
        "funding_freed": _at_rates(margin, terms.spread),
        "capital_freed": _at_rates(capital, terms.capital_cost),
        **{f"loss_{group}": (once[group], [once[group], each_time[group]]) for group in once},
        "net": (middle, nets),
    }


def _at_rates(amount: Days, rate: Rate) -> Column:
    """An amount at a rate, bounded at both ends of its range."""
    return rate.value * amount, [rate.low * amount, rate.high * amount]


def _with_bounds(rows: Mapping[Any, Mapping[str, Column]], names: list[str]) -> pd.DataFrame:
    """Means of columns, and the widest bounds of the series that bound each; all days at once."""
    if not rows:
        return pd.DataFrame(index=pd.MultiIndex.from_arrays([[]] * len(names), names=names))
    series = [
        one for row in rows.values() for point, ends in row.values() for one in (point, *ends)
    ]
    three = iter(bounded(np.column_stack(series), resampled_days(len(series[0]))).T)
    table = []
    for row in rows.values():
        cells: dict[str, float] = {}
        for name, (_, ends) in row.items():
            mean, *_ = next(three)
            bounds = np.array([next(three) for _ in ends])
            cells |= columns_of(name, np.array([mean, bounds[:, 1].min(), bounds[:, 2].max()]))
        table.append(cells)
    return pd.DataFrame(table, index=pd.MultiIndex.from_tuples(list(rows), names=names))


def _by_group(paid: FloatArray, stuck: FloatArray) -> dict[str, FloatArray]:
    """(days,) USD by group, and of all together.

    paid : (days, houses, bearers). stuck : (days, 2), the first column is the cost of closing out,
    NaN where no table of bid-offers has an instrument: it is then in no sum.
    """
    by_bearer = paid.sum(axis=1)
    groups = {
        name: by_bearer[:, [BEARERS.index(one) for one in bearers]].sum(axis=1)
        for name, bearers in GROUPS.items()
    }
    together = np.add.reduce([*groups.values(), np.nan_to_num(stuck[:, 0])])
    return groups | {STUCK: stuck[:, 0], OTHERS: together}


def counted_for_capital(setting: Setting) -> BoolArray:
    """(accounts, houses) whether a firm needs capital for the margin of a customer at a house."""
    return np.array(
        [[regime in COUNTED for regime in of_account] for of_account in setting.regimes]
    )
