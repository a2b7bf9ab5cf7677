"""Futures on their front-month prices, without the jumps at the rolls."""

from dataclasses import dataclass
from typing import ClassVar

from backtest.instruments.contracts import contract_terms
from backtest.instruments.protocol import qualified
from backtest.instruments.spot import Spot
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray


@dataclass(frozen=True)
class Future:
    """A front-month future, rolled at no cost: P&L per USD of notional = level(t+H)/level(t) - 1.

    Variation margin is settled daily, so nothing is financed and no carry is added: the price
    already contains it.

    Parameters
    ----------
    code : contract of `contracts.toml`, and the factor of its roll-adjusted price.
    silo : clearing house; CME unless said.

    Examples
    --------
    >>> Future("ZN").name, Future("BTC_CME", silo="NODAL").name
    ('ZN', 'BTC_CME@NODAL')
    """

    contract: ClassVar[str] = "future"

    code: str
    silo: str = "CME"

    def __post_init__(self) -> None:
        contract_terms(self.code)

    @property
    def factor(self) -> str:
        """Its own price."""
        return self.code

    @property
    def factors(self) -> dict[str, Kind]:
        """The one price it needs."""
        return {self.code: "price"}

    @property
    def name(self) -> str:
        """Code, with its silo where that is not CME."""
        return qualified(self.code, self.silo, "CME")

    @property
    def asset_class(self) -> str:
        """'treasury' of a bond future, else the class of the spot price that it follows."""
        return "treasury" if self.maturity else Spot(self.underlying).asset_class

    @property
    def underlying(self) -> str:
        """Its code where it delivers bonds, else the spot price that it follows."""
        return self.code if self.maturity else contract_terms(self.code).reference

    @property
    def maturity(self) -> float | None:
        """Years of the bond it delivers; None of a future on a price."""
        return contract_terms(self.code).maturity

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) relative change over the next `horizon` margin days; last rows NaN."""
        return Spot(self.code).pnl(market, horizon)

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): one USD gains the relative change, no curvature."""
        return Spot(self.code).sensitivity(market)

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per USD: the relative shocks themselves."""
        return Spot(self.code).scenarios(market, day, shocks)

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of one contract: its multiplier at the price as traded."""
        multiplier = contract_terms(self.code).multiplier
        return {"contracts": multiplier * traded_price(market, self.code)}

    def unit_value(self, market: Market) -> Days:
        """(days,) the adjusted price: the value of a holding rolled at every expiry."""
        return market.level(self.code)


def traded_price(market: Market, code: str) -> Days:
    """(days,) front-month price as traded: the adjusted price with its roll jumps restored.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from backtest.market.market import Adjustment
    >>> frame = pd.DataFrame({"ZN": [110.0, 111.0]}, index=["2024-01-02", "2024-01-03"])
    >>> splice = Adjustment("ZN", np.datetime64("2024-01-03"), -0.01, "end of ZNZ23")
    >>> traded_price(Market.from_frame(frame, adjusted=(splice,)), "ZN").round(2).tolist()
    [110.0, 109.89]
    """
    price = market.level(code).copy()
    for splice in market.adjusted:
        if splice.factor == code:
            price[market.dates >= splice.date] *= 1.0 + splice.jump
    return price


def basis(market: Market, code: str) -> Days:
    """(days,) traded futures price over spot price, less 1.

    A CME future of crypto closes at 16:00 Chicago (Yahoo) or settles at 15:00, spot at midnight
    UTC: one to three hours of crypto moves are in every figure, so read averages, not days.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"BTC": [100.0], "BTC_CME": [101.0]}, index=["2024-01-02"])
    >>> basis(Market.from_frame(frame), "BTC_CME").round(3).tolist()
    [0.01]
    """
    return traded_price(market, code) / market.level(contract_terms(code).reference) - 1.0
