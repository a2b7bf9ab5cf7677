"""Declared bonds: a par bond at a yield of its own, or a spread over a Treasury yield."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from backtest.instruments.constant_maturity import years_passed
from backtest.instruments.declared.table import Declaration
from backtest.instruments.protocol import delta_gamma, qualified, unknown_tail
from backtest.instruments.treasury import par_bond_sensitivity, seasoned_price
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray


@dataclass(frozen=True)
class _Bond:
    """What both have in common: a bond that is replaced at every close, as a Treasury is.

    Parameters
    ----------
    code : name of the declaration. terms : the declaration. silo : clearing house.
    """

    contract: ClassVar[str] = "bond"

    code: str
    terms: Declaration = field(repr=False)
    silo: str

    @property
    def name(self) -> str:
        """Name of the declaration, with its silo where that is another."""
        return qualified(self.code, self.silo, self.terms.silo)

    @property
    def factor(self) -> str:
        """Its yield, or its spread."""
        return self.terms.factor or self.code

    @property
    def asset_class(self) -> str:
        """As declared; 'credit' unless given."""
        return self.terms.asset_class_or_default

    @property
    def underlying(self) -> str:
        """As declared; its name unless given."""
        return self.terms.underlying or self.code

    @property
    def maturity(self) -> float | None:
        """Years, where they are declared."""
        return self.terms.maturity

    @property
    def buckets(self) -> dict[str, str | float]:
        """Where the tables of models put it."""
        return self.terms.buckets.model_dump(exclude_none=True)

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of 1 USD of face value: 1, since every day's bond is new, at par."""
        return {"face": np.ones(len(market.dates))}

    def unit_value(self, market: Market) -> Days:
        """(days,) 1: the holding is replaced by a new bond at every close."""
        return np.ones(len(market.dates))


@dataclass(frozen=True)
class YieldBond(_Bond):
    """A new par bond of constant maturity each day at a yield of its own, without roll-down.

    P&L per USD is that of `Treasury` with the later yield of the same series: it has no curve.

    Examples
    --------
    >>> bond = YieldBond("BAA", Declaration(kind="bond", maturity=20.0), "FICC")
    >>> bond.factors, bond.asset_class
    ({'BAA': 'yield'}, 'credit')
    """

    @property
    def factors(self) -> dict[str, Kind]:
        """The one yield it needs."""
        return {self.factor: "yield"}

    @property
    def _tenor(self) -> float:
        return float(self.terms.maturity or 0.0)

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) price of the bond at t + H less 1; the last `horizon` rows NaN."""
        level, passed = market.level(self.factor), years_passed(market, horizon)
        price = seasoned_price(level[:-horizon], level[horizon:], self._tenor, passed)
        return unknown_tail(price - 1.0, len(level))

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): minus modified duration (years) and convexity (years^2) of today's bond."""
        return par_bond_sensitivity(market.level(self.factor), self._tenor)

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) delta-gamma P&L per USD for shocks of its yield, no carry."""
        return delta_gamma(self.sensitivity(market.until(day))[-1], shocks)


@dataclass(frozen=True)
class SpreadBond(_Bond):
    r"""A bond or an index of bonds by its spread over a Treasury yield, and its duration.

    .. math:: (y + s) \tau - D (\Delta y + \Delta s) + \tfrac12 C (\Delta y + \Delta s)^2

    per USD over tau years: carry, then duration and convexity, both constant. Sensitivities and
    scenarios leave out C times the product of the two changes, as every diagonal gamma does.

    Examples
    --------
    >>> terms = Declaration(kind="bond", duration=6.5, yield_factor="7Y")
    >>> SpreadBond("IG-OAS", terms, "FICC").factors
    {'IG-OAS': 'yield', '7Y': 'yield'}
    """

    @property
    def factors(self) -> dict[str, Kind]:
        """The spread and the Treasury yield."""
        return {self.factor: "yield", self.terms.yield_factor: "yield"}

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) carry, duration and convexity over the next `horizon` margin days."""
        total = market.level(self.factor) + market.level(self.terms.yield_factor)
        change = total[horizon:] - total[:-horizon]
        carry = total[:-horizon] * years_passed(market, horizon)
        return unknown_tail(carry + delta_gamma(self._slopes, change), len(total))

    def sensitivity(self, market: Market) -> dict[str, FloatArray]:
        """(days, 2) by factor: minus duration, and convexity."""
        return dict.fromkeys(self.factors, np.tile(self._slopes, (len(market.dates), 1)))

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per USD; `shocks` (scenarios, 2) of spread and yield, no carry."""
        return delta_gamma(self._slopes, shocks).sum(axis=1)

    @property
    def _slopes(self) -> FloatArray:
        return np.array([-float(self.terms.duration or 0.0), self.terms.convexity])
