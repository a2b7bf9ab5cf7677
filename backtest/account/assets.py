"""Assets that can be posted as collateral, priced from the factors of the market.

Any instrument held outright can be posted; this file adds cash and a tokenised fund, which no book
holds. All have a name, factors and `pnl(market, horizon)` per 1 USD of market value.
"""

import re
from dataclasses import dataclass

import numpy as np

from backtest.instruments import Instrument, TBill, parse_instrument
from backtest.instruments.constant_maturity import DAYS_PER_YEAR
from backtest.market.market import Kind, Market
from backtest.parameters.files import load_parameters
from backtest.types import Days, StudyError

HELD_OUTRIGHT = ("spot", "bill", "bond")  # contracts that can be delivered as collateral
FUND_BILL = TBill(0.25)  # the fund is priced as this bill
_PRICE = re.compile(r"^[A-Z][A-Z0-9]*$")


@dataclass(frozen=True)
class Cash:
    """US dollars: the value is constant, and no interest is credited."""

    name: str = "cash"

    @property
    def factors(self) -> dict[str, Kind]:
        """No factor: cash needs no price."""
        return {}

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) zeros; the last `horizon` rows NaN."""
        out = np.zeros(len(market.dates))
        out[-horizon:] = np.nan
        return out


@dataclass(frozen=True)
class TokenisedFund:
    """A tokenised bill fund: marked as the bills it holds, paid out later and for less.

    APPROXIMATE: the terms are assumptions (rule `tokenised_fund`).

    Parameters
    ----------
    redemption_lag : calendar days from the end of close-out to cash, funded at the 3M yield.
    token_basis : fraction of value lost when the token is sold or redeemed at once.
    token_haircut : added to the haircut of the bills.

    Examples
    --------
    >>> parse_asset("BILL-FUND").redemption_lag
    3
    """

    redemption_lag: int
    token_basis: float
    token_haircut: float
    name: str = "BILL-FUND"

    @property
    def factors(self) -> dict[str, Kind]:
        """The factors of its bills."""
        return FUND_BILL.factors

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) P&L of its bills, by which the fund is marked from day to day."""
        return FUND_BILL.pnl(market, horizon)

    def proceeds(self, market: Market, horizon: int) -> Days:
        """(days,) cash from 1 USD posted at t and closed out at t + horizon; last rows NaN."""
        # The clearing house must pay when close-out ends, and the fund pays days later: until then
        # it borrows at the yield of that day, and the token is worth its payment discounted.
        later_yield = np.full(len(market.dates), np.nan)
        later_yield[:-horizon] = market.level("3M")[horizon:]
        funding = 1.0 + later_yield * self.redemption_lag / DAYS_PER_YEAR
        return (1.0 + self.pnl(market, horizon)) * (1.0 - self.token_basis) / funding


Asset = Cash | TokenisedFund | Instrument


def proceeds(asset: Asset, market: Market, horizon: int) -> Days:
    """(days,) cash from 1 USD of an asset posted at t, at the end of close-out, t + horizon."""
    if isinstance(asset, TokenisedFund):
        return asset.proceeds(market, horizon)
    return 1.0 + asset.pnl(market, horizon)


def parse_asset(name: str) -> Asset:
    """Asset of a name: 'cash', 'BILL3M', 'BILL-FUND', 'UST10Y', or a price factor such as 'BTC'.

    Raises
    ------
    StudyError : a name of another form.

    Examples
    --------
    >>> parse_asset("UST10Y")
    Treasury(tenor=10.0, silo='FICC')
    """
    if name == "cash":
        return Cash()
    if name == "BILL-FUND":
        return TokenisedFund(**load_parameters("tokenised_fund"))
    if _PRICE.match(name):
        instrument = parse_instrument(name)
        if instrument.contract in HELD_OUTRIGHT:
            return instrument
    raise StudyError(
        f"unknown collateral {name!r}; known: cash, bills such as BILL3M, BILL-FUND, Treasuries "
        "such as UST10Y, and price factors such as BTC, ETH, USDC."
    )
