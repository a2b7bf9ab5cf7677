"""A price held outright."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.protocol import delta_gamma, qualified, unknown_tail
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray

ASSET_CLASSES = {"BTC": "crypto", "ETH": "crypto", "USDC": "stablecoin", "SPY": "equity"}


@dataclass(frozen=True)
class Spot:
    """A price factor held outright: P&L per USD = level(t + H) / level(t) - 1.

    Parameters
    ----------
    factor : a factor of kind 'price'.
    silo : clearing house; CME unless said.

    Examples
    --------
    >>> Spot("BTC").name, Spot("ETH", silo="NODAL").name
    ('BTC', 'ETH@NODAL')
    """

    contract: ClassVar[str] = "spot"
    maturity: ClassVar[None] = None

    factor: str
    silo: str = "CME"

    @property
    def factors(self) -> dict[str, Kind]:
        """The one price it needs."""
        return {self.factor: "price"}

    @property
    def name(self) -> str:
        """Factor, with its silo where that is not CME."""
        return qualified(self.factor, self.silo, "CME")

    @property
    def underlying(self) -> str:
        """The factor."""
        return self.factor

    @property
    def asset_class(self) -> str:
        """'crypto', 'stablecoin', 'equity', or 'other' for an unlisted price."""
        return ASSET_CLASSES.get(self.factor, "other")

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) relative change over the next `horizon` margin days; last rows NaN."""
        level = market.level(self.factor)
        return unknown_tail(level[horizon:] / level[:-horizon] - 1.0, len(level))

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): one USD gains the relative change, no curvature."""
        out = np.zeros((len(market.dates), 2))
        out[:, 0] = 1.0
        return out

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per USD: the relative shocks themselves."""
        return delta_gamma(self.sensitivity(market)[day], shocks)

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of one coin, or of one share or ounce."""
        return {"coins": market.level(self.factor)}

    def unit_value(self, market: Market) -> Days:
        """(days,) the price of one unit."""
        return market.level(self.factor)
