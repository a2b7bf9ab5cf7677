"""What can be posted as collateral, priced from the market's own factors.

Anything with a name, factors and `pnl(market, horizon)` can be posted, so every instrument of a
book is an asset already; here stand those that no book holds.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol

import numpy as np

from .instruments import Spot, Treasury, par_yield, parse_instrument
from .instruments.treasury import DAYS_PER_YEAR
from .market import Kind, Market
from .types import Days, StudyError

BILL_DAYS = 91  # maturity of a bill when it is posted
BILL_YEAR = 365  # days a year of a bill's bond-equivalent yield (simple interest)
_PRICE = re.compile(r"^[A-Z][A-Z0-9]*$")


class Asset(Protocol):
    """One asset. P&L is per 1 USD of market value."""

    @property
    def name(self) -> str:
        """Its key in a mix."""

    @property
    def factors(self) -> Mapping[str, Kind]:
        """Every market factor it cannot be priced without, and its kind."""

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) change of value of 1 USD over the next `horizon` margin days; tail NaN."""


@dataclass(frozen=True)
class Cash:
    """US dollars: the value does not move, and no interest is credited."""

    name: str = "cash"

    @property
    def factors(self) -> dict[str, Kind]:
        """None."""
        return {}

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) zeros; tail NaN."""
        out = np.zeros(len(market.dates))
        out[-horizon:] = np.nan
        return out


@dataclass(frozen=True)
class Bill:
    r"""A 91-day Treasury bill, a fresh one at each close, aged by the calendar.

    Struck at the 3M par yield y (bond-equivalent, simple interest), held d calendar days

    .. math:: \frac{1 + 91 y_t / 365}{1 + (91 - d)^+ y_{t+H} / 365} - 1

    with the later yield linear in maturity between the market's yield factors, flat below them.

    References
    ----------
    31 CFR part 356, Appendix B: price and bond-equivalent yield of bills of half a year or less.
    """

    name: str = "TBILL"

    @property
    def factors(self) -> dict[str, Kind]:
        """The 3M par yield."""
        return {"3M": "yield"}

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) change of value of 1 USD of bills over `horizon` margin days; tail NaN."""
        struck = market.level("3M")
        out = np.full(len(struck), np.nan)
        aged = (market.dates[horizon:] - market.dates[:-horizon]).astype(np.float64)
        left = np.maximum(BILL_DAYS - aged, 0.0)
        later = par_yield(market, left / DAYS_PER_YEAR, offset=horizon)
        grown = 1.0 + struck[:-horizon] * BILL_DAYS / BILL_YEAR
        out[:-horizon] = grown / (1.0 + later * left / BILL_YEAR) - 1.0
        return out


@dataclass(frozen=True)
class TokenisedFund:
    """A tokenised bill fund: marked as the bills it holds, paid out late and below them.

    APPROXIMATE: the terms are assumptions (`strategies/parameters/collateral/`).

    Parameters
    ----------
    redemption_lag : calendar days from the end of close-out to cash, funded at the 3M yield.
    token_basis : fraction of value lost where the token is sold or redeemed in haste.
    token_haircut : added to the haircut of the bills.

    Examples
    --------
    >>> TokenisedFund().redemption_lag
    3
    """

    redemption_lag: int = 3
    token_basis: float = 0.001
    token_haircut: float = 0.02
    name: str = "TBILL-FUND"

    @property
    def factors(self) -> dict[str, Kind]:
        """Those of its bills."""
        return Bill().factors

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) P&L of its bills: how it is marked from day to day."""
        return Bill().pnl(market, horizon)

    def proceeds(self, market: Market, horizon: int) -> Days:
        """(days,) cash of 1 USD posted at t and closed out at t + horizon; tail NaN."""
        later = np.full(len(market.dates), np.nan)
        later[:-horizon] = market.level("3M")[horizon:]
        funding = 1.0 + later * self.redemption_lag / BILL_YEAR
        return (1.0 + self.pnl(market, horizon)) * (1.0 - self.token_basis) / funding


def proceeds(asset: Asset, market: Market, horizon: int) -> Days:
    """(days,) what 1 USD of an asset posted at t brings at the end of close-out, t + horizon."""
    if isinstance(asset, TokenisedFund):
        return asset.proceeds(market, horizon)
    return 1.0 + asset.pnl(market, horizon)


def parse_asset(name: str) -> Asset:
    """Asset of a name: 'cash', 'TBILL', 'TBILL-FUND', 'UST10Y', or a price factor such as 'BTC'.

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
    if name == "TBILL":
        return Bill()
    if name == "TBILL-FUND":
        return _tokenised_fund()
    if _PRICE.match(name):
        found = parse_instrument(name)
        if isinstance(found, (Spot, Treasury)):
            return found
    raise StudyError(
        f"unknown collateral {name!r}; known: cash, TBILL, TBILL-FUND, Treasuries such as UST10Y, "
        "and price factors such as BTC, ETH, USDC."
    )


@cache
def _tokenised_fund() -> TokenisedFund:
    path = files("strategies") / "parameters" / "collateral" / "tokenised_fund.toml"
    terms = tomllib.loads(path.read_text(encoding="utf-8"))
    kept = ("redemption_lag", "token_basis", "token_haircut")
    return TokenisedFund(**{key: terms[key] for key in kept})
