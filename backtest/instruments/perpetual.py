"""Perpetual swaps on a coin, linear and inverse, with the funding that long positions pay."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.protocol import qualified, unknown_tail
from backtest.instruments.spot import Spot
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray

# US perpetual-style futures (Coinbase Derivatives) clear at Nodal Clear.
HOME = "NODAL"

PERPETUAL_NAME = r"(?P<factor>.+)-(?P<form>PERP|INV)(?:-(?P<venue>[A-Z0-9]+))?"


@dataclass(frozen=True)
class Perpetual:
    r"""Perpetual swap: the price change of the coin less the funding that long positions pay.

    .. math:: \frac{P_{t+H}}{P_t} - 1 - \sum_{t < s \le t+H} f_s

    per 1 USD of notional, s over every *calendar* day (weekends too), f_s the day's rate, positive
    where long positions pay. The funding factor is an index, the exponential of the sum of all
    rates so far, so that the sum over any period is the logarithm of a ratio of its levels and is
    exact between any two margin days. Each rate is charged on the USD notional of t.

    An inverse perpetual is quoted in USD and pays in the coin: N (1 / P_0 - 1 / P_1) coins for N
    USD of notional. They are worth N (P_1 / P_0 - 1) USD at P_1, so in USD it is linear too and
    the formula is the same; it is curved in coin (`coin_pnl`).

    Scenarios are the coin's change less the funding of the same days: a long spot, short perpetual
    book has no other risk here, and funding is an uncertain price, not a carry known in advance.

    Parameters
    ----------
    factor : the coin, a factor of kind 'price'; the basis of the perpetual to it is not modelled.
    inverse : True where it pays in the coin.
    venue : exchange of the funding rate: '' takes '<factor>-FUNDING', 'BITMEX' takes
        '<factor>-FUNDING-BITMEX'. Venues are never joined into one series.
    silo : clearing house; NODAL unless said.

    References
    ----------
    Alexander, C., Choi, J., Park, H. & Sohn, S. (2020). BitMEX bitcoin derivatives: Price
    discovery, informational efficiency, and hedging effectiveness. Journal of Futures Markets,
    40(1), 23-43 (inverse perpetuals and their funding).

    Examples
    --------
    >>> Perpetual("BTC").name, Perpetual("BTC", inverse=True, venue="BITMEX").name
    ('BTC-PERP', 'BTC-INV-BITMEX')
    """

    contract: ClassVar[str] = "perpetual"
    maturity: ClassVar[None] = None

    factor: str
    inverse: bool = False
    venue: str = ""
    silo: str = HOME

    @property
    def funding(self) -> str:
        """The market factor of its funding index."""
        return "-".join([self.factor, "FUNDING"] + [self.venue] * bool(self.venue))

    @property
    def factors(self) -> dict[str, Kind]:
        """The coin and its funding index."""
        return {self.factor: "price", self.funding: "price"}

    @property
    def name(self) -> str:
        """'BTC-PERP' or 'BTC-INV', then the venue and the silo where they are not the usual."""
        parts = [self.factor, "INV" if self.inverse else "PERP"] + [self.venue] * bool(self.venue)
        return qualified("-".join(parts), self.silo, HOME)

    @property
    def underlying(self) -> str:
        """The coin."""
        return self.factor

    @property
    def asset_class(self) -> str:
        """The asset class of the coin."""
        return Spot(self.factor).asset_class

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) USD per USD of notional over `horizon` margin days, less funding; tail NaN."""
        return Spot(self.factor).pnl(market, horizon) - self.funding_paid(market, horizon)

    def funding_paid(self, market: Market, horizon: int) -> Days:
        """(days,) funding paid by a long per USD of notional in (t, t + horizon]; tail NaN."""
        # Logarithms of the index add up all funding in between, weekends too, which a rate per
        # margin day would miss.
        accrued = np.log(market.level(self.funding))
        return unknown_tail(accrued[horizon:] - accrued[:-horizon], len(accrued))

    def sensitivity(self, market: Market) -> dict[str, FloatArray]:
        """(days, 2) by factor: the change of the coin, and minus the log change of funding.

        To second order -log(1 + y) is -y + y^2 / 2; for a funding of 1 % the error is 3e-7.
        """
        days = len(market.dates)
        return {
            self.factor: np.tile([1.0, 0.0], (days, 1)),
            self.funding: np.tile([-1.0, 1.0], (days, 1)),
        }

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per USD for joint relative shocks (scenarios, 2) of coin and funding."""
        return shocks[:, 0] - np.log1p(shocks[:, 1])

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of one coin; an inverse contract is one of 1 USD."""
        price = market.level(self.factor)
        return {"contracts": np.ones(len(price))} if self.inverse else {"coins": price}

    def unit_value(self, market: Market) -> Days:
        """(days,) price of one coin; of an inverse contract 1 USD, whatever the price."""
        price = market.level(self.factor)
        return np.ones(len(price)) if self.inverse else price


def coin_pnl(notional: float, *, entry: FloatArray, close: FloatArray) -> FloatArray:
    r"""P&L in coin of an inverse perpetual of `notional` USD, before funding.

    .. math:: c(P_1) = N (1 / P_0 - 1 / P_1), \qquad c'' = -2 N / P_1^3

    Concave for a long, convex for a short: with x the relative change of the price a long gains
    (N / P_0) (x - x^2 + x^3 - ...) coins. It matters where the margin is posted in coin. A long
    then loses more coins the less each coin is worth: V coins are used up at
    P_1 = N / (V + N / P_0), which at 1x leverage is half the entry price, where a linear contract
    on USD margin would have lost half. A backtest in USD that re-marks coin collateral contains
    the same effect, as a linear loss and a falling value of the collateral.

    Parameters
    ----------
    notional : USD, > 0 long, < 0 short.
    entry, close : USD a coin, any shapes that broadcast.

    Examples
    --------
    >>> coin_pnl(10_000.0, entry=np.array(10_000.0), close=np.array([5_000.0, 20_000.0])).tolist()
    [-1.0, 0.5]
    """
    return notional * (1.0 / entry - 1.0 / close)


def perpetual_of(name: re.Match[str], silo: str | None) -> Perpetual:
    """Perpetual of a match of `PERPETUAL_NAME`.

    Examples
    --------
    >>> perpetual_of(re.fullmatch(PERPETUAL_NAME, "ETH-INV"), None)
    Perpetual(factor='ETH', inverse=True, venue='', silo='NODAL')
    """
    inverse = name["form"] == "INV"
    return Perpetual(name["factor"], inverse, venue=name["venue"] or "", silo=silo or HOME)
