"""Parameters of SPAN: a dated, cited file, or scan ranges from the market's volatility."""

from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from backtest.instruments import (
    Instrument,
    Spot,
    bucket_of,
    is_option,
    rate_in,
    treasury_maturity,
)
from backtest.market.market import Market
from backtest.parameters.buckets import ByMaturity
from backtest.parameters.files import read_as
from backtest.types import Days

Share = Annotated[float, Field(ge=0, le=1)]
Legs = dict[str, float]


class _Credit(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    legs: Legs
    rate: Share


class SpanParameters(BaseModel):
    """A dated, cited file of scan ranges (shares of notional), charges and credits."""

    model_config = ConfigDict(extra="forbid")
    extreme: Annotated[float, Field(ge=1)]
    cover: Share
    volatility: Annotated[float, Field(ge=0)]
    intermonth: Share
    short_option_minimum: Share
    price: dict[str, Share]
    treasury: ByMaturity
    credits: list[_Credit]

    def scan(self, instrument: Instrument, commodity: str) -> float | None:
        """Price scan range of a contract, or of its declared bucket; None without one."""
        if bucket_of(instrument, "span") is not None:
            return rate_in(instrument, "span", self.price)
        years = treasury_maturity(instrument)
        return self.price.get(commodity) if years is None else self.treasury.at(years)


def load_span(name: str) -> SpanParameters:
    """A version of SPAN's parameters, or the latest of a rule.

    Examples
    --------
    >>> load_span("span").price["BTC"]
    0.4
    """
    return read_as(SpanParameters, name)


def month_of(instrument: Instrument) -> str:
    """Name of the contract in which a position is netted; for an option, its underlying."""
    return instrument.factor if is_option(instrument) else instrument.name


def rolling_scan(
    instrument: Instrument, market: Market, *, horizon: int, multiple: float, lookback: int
) -> Days:
    r"""(days,) scan range as a multiple of the standard deviation of past P&L.

    .. math:: PSR_t = k \, sd(\text{P\&L}_{s \to s+H}: t - H - n < s \le t - H)

    per USD of notional (for an option: of its underlying), all P&Ls known at t; NaN before.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-02", periods=4)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [100.0, 110.0, 99.0, 99.0]}, index=days))
    >>> rolling_scan(Spot("BTC"), market, horizon=1, multiple=3.0, lookback=2).round(3).tolist()
    [nan, nan, 0.3, 0.15]
    """
    scanned = Spot(instrument.factor) if is_option(instrument) else instrument
    traded_market, last_row = market.own_days(scanned.factors)
    known_pnl = pd.Series(scanned.pnl(traded_market, horizon)).shift(horizon)
    return multiple * known_pnl.rolling(lookback).std(ddof=0).to_numpy()[last_row]
