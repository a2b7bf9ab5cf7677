"""A declared instrument on a price: held outright, or a future on its front month."""

from dataclasses import dataclass, field
from typing import ClassVar

from backtest.instruments.declared.table import Declaration
from backtest.instruments.future import traded_price
from backtest.instruments.protocol import qualified
from backtest.instruments.spot import Spot
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray


@dataclass(frozen=True)
class DeclaredPrice:
    """A price of the market as a study declares it: P&L per USD = level(t + H) / level(t) - 1.

    Parameters
    ----------
    code : name of the declaration.
    terms : the declaration.
    silo : clearing house; that of the declaration unless said.

    Examples
    --------
    >>> gold = Declaration(kind="spot", asset_class="commodity", factor="XAU")
    >>> DeclaredPrice("GOLD", gold, "CME").asset_class, DeclaredPrice("GOLD", gold, "OCC").name
    ('commodity', 'GOLD@OCC')
    """

    maturity: ClassVar[None] = None

    code: str
    terms: Declaration = field(repr=False)
    silo: str

    @property
    def name(self) -> str:
        """Name of the declaration, with its silo where that is another."""
        return qualified(self.code, self.silo, self.terms.silo)

    @property
    def factor(self) -> str:
        """The price that moves it."""
        return self.terms.factor or self.code

    @property
    def factors(self) -> dict[str, Kind]:
        """The one price it needs."""
        return {self.factor: "price"}

    @property
    def asset_class(self) -> str:
        """As declared."""
        return self.terms.asset_class_or_default

    @property
    def contract(self) -> str:
        """'future', or 'spot' of anything held outright."""
        return "future" if self.terms.kind == "future" else "spot"

    @property
    def underlying(self) -> str:
        """As declared; its factor unless given."""
        return self.terms.underlying or self.factor

    @property
    def buckets(self) -> dict[str, str | float]:
        """Where the tables of models put it."""
        return self.terms.buckets.model_dump(exclude_none=True)

    @property
    def _spot(self) -> Spot:
        return Spot(self.factor)

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) relative change over the next `horizon` margin days; last rows NaN."""
        return self._spot.pnl(market, horizon)

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): one USD gains the relative change, no curvature."""
        return self._spot.sensitivity(market)

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per USD: the relative shocks themselves."""
        return self._spot.scenarios(market, day, shocks)

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of one contract of a future, at the price as traded; else of one coin or share."""
        if self.terms.multiplier is not None:
            return {"contracts": self.terms.multiplier * traded_price(market, self.factor)}
        return {"coins": market.level(self.factor)}

    def unit_value(self, market: Market) -> Days:
        """(days,) the price of one unit; of a future, of a holding rolled at every expiry."""
        return market.level(self.factor)
