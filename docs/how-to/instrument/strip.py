"""Treasury STRIPS: each day a fresh zero-coupon bond of constant maturity."""  # GAP 1: what it is

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.constant_maturity import years_passed
from backtest.instruments.protocol import Instrument, delta_gamma, qualified, unknown_tail
from backtest.instruments.treasury import par_yield
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray


@dataclass(frozen=True)
class Strip:
    """A zero-coupon Treasury, priced at the par yield of its maturity (approximate).

    Parameters
    ----------
    maturity : years. silo : the clearing house that margins it.
    """

    # GAP 2: what it says of itself; the page has the table of terms
    contract: ClassVar[str] = "strip"
    asset_class: ClassVar[str] = "treasury"

    maturity: float
    silo: str = "FICC"

    @property
    def factor(self) -> str:
        """The par yield of its maturity."""
        return f"{self.maturity:.0f}Y"  # GAP 3: the factor of the market that moves it most

    @property
    def factors(self) -> dict[str, Kind]:
        """That yield alone."""
        return {self.factor: "yield"}  # GAP 4: all that it is priced from: 'yield' or 'price'

    @property
    def underlying(self) -> str:
        """The strip of its maturity, wherever it clears."""
        return f"STRIP{self.factor}"

    @property
    def name(self) -> str:
        """As a column of a book: 'STRIP10Y', elsewhere 'STRIP10Y@CME'."""
        return qualified(self.underlying, self.silo, "FICC")

    # GAP 5: P&L of 1 USD struck at each close and held `horizon` days, exact; the tail is NaN
    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) P&L per 1 USD: the price `horizon` days later, on the curve of that day."""
        level = market.level(self.factor)
        left = self.maturity - years_passed(market, horizon)
        later = (1.0 + par_yield(market, left, offset=horizon) / 2.0) ** (-2.0 * left)
        pnl = later * (1.0 + level[:-horizon] / 2.0) ** (2.0 * self.maturity) - 1.0
        return unknown_tail(pnl, len(level))

    # GAP 6: first and second derivative of that P&L by the factor
    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2) minus duration, and convexity, per 1 USD."""
        growth = 1.0 + market.level(self.factor) / 2.0
        convexity = self.maturity * (self.maturity + 0.5) / growth**2
        return np.column_stack([-self.maturity / growth, convexity])

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per 1 USD at the level of `day`, to second order."""
        return delta_gamma(self.sensitivity(market.until(day))[-1], shocks)

    def unit_value(self, market: Market) -> Days:
        """(days,) 1 USD: each day a fresh strip."""
        return np.ones(len(market.dates))  # GAP 7: value of one unit that is bought and kept


def strip_of(name: re.Match[str], silo: str | None) -> Instrument:
    """Strip of a name such as 'STRIP10Y'; FICC unless the name says '@' and another house."""
    return Strip(float(name[1]), silo=silo or "FICC")
