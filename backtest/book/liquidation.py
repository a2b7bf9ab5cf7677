"""Cost of closing a position out: half the bid-offer, and the price impact of its size.

APPROXIMATE wherever it is shown: one set of parameters for all of history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from backtest.book.positions import by_day
from backtest.instruments import Instrument, bucket_of, undeclared
from backtest.market.market import Market
from backtest.parameters.files import header, read_as
from backtest.parameters.header import Marked
from backtest.types import (
    Days,
    DaysByInstruments,
    DaysByPortfolios,
    FloatArray,
    StudyError,
)

VOLATILITY_DAYS = 60  # margin days behind the daily volatility
BASIS_POINT = 1e-4


class ContractCost(Marked):
    """Half the bid-offer in basis points of notional, average daily volume in USD."""

    half_spread_bp: Annotated[float, Field(ge=0)]
    adv_usd: Annotated[float, Field(gt=0)]


class _Impact(Marked):
    coefficient: Annotated[float, Field(ge=0)]


class CostTable(BaseModel):
    """A dated, cited table of costs: by contract, and by asset class for other contracts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    impact: _Impact
    contract: dict[str, ContractCost]
    asset_class: dict[str, ContractCost]

    def of(self, instrument: Instrument) -> ContractCost:
        """Costs of a contract, of the same contract at its home venue, or of its asset class.

        A declared instrument takes those of the contract that is its bucket, where it has one.

        Raises
        ------
        StudyError : the table has none of the three.
        """
        bucket = bucket_of(instrument, "cost")
        names = [instrument.name, instrument.name.partition("@")[0]] if bucket is None else [bucket]
        for name in names:
            if name in self.contract:
                return self.contract[str(name)]
        if bucket is None and instrument.asset_class in self.asset_class:
            return self.asset_class[instrument.asset_class]
        raise StudyError(
            f"no liquidation cost for {instrument.name} ({instrument.asset_class}); "
            "leave liquidation_cost off, or add the contract to a table of your own"
            f"{undeclared(instrument, 'cost')}."
        )


def load_costs(name: str) -> CostTable:
    """A version of the costs, or the latest of a rule.

    Raises
    ------
    StudyError : no such table, or a file of another kind.

    Examples
    --------
    >>> load_costs("liquidation").contract["UST10Y"].adv_usd
    93000000000.0
    """
    return read_as(CostTable, name)


@dataclass(frozen=True)
class LiquidationCost:
    r"""Cost of closing a position out, known at the close from which the loss is counted.

    .. math:: C = |Q| \left(\tfrac{s}{2} + Y \sigma \sqrt{|Q| / V}\right)

    Q is the position in USD, s / 2 half the bid-offer, V the average daily volume in USD, Y the
    impact coefficient and sigma the standard deviation of the one-day P&L per USD over the 60 days
    up to and including the close (over fewer at the start). The cost does not depend on the MPOR,
    and no other member closes out at the same time: in a crisis both make it too low.

    Parameters
    ----------
    table : file of `backtest/parameters/`.

    References
    ----------
    Almgren, R., Thum, C., Hauptmann, E. & Li, H. (2005). Direct estimation of equity market
    impact. Risk, 18(7), 58-62.
    Grinold, R. & Kahn, R. (2000). Active Portfolio Management, 2nd ed. McGraw-Hill, ch. 16.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> million = np.array([[1e6], [4e6]])
    >>> ones = np.ones((len(market.dates), 1))
    >>> LiquidationCost().cost(market, [bt.Spot("BTC")], exposure=million, index=ones)[0].tolist()
    [307.5, 1230.0]
    """

    table: str = "liquidation/2025"

    def cost(
        self,
        market: Market,
        instruments: Sequence[Instrument],
        *,
        exposure: FloatArray,
        index: DaysByInstruments,
    ) -> DaysByPortfolios:
        """(days, portfolios) cost of closing out all `instruments`, USD >= 0.

        exposure : (portfolios, instruments), or by day, signed. index : USD held at each close per
            1 of exposure.
        """
        costs = load_costs(self.table)
        half_spread = BASIS_POINT * np.array([costs.of(i).half_spread_bp for i in instruments])
        impact = self.impact(market, instruments)
        # |Q| is the index times the exposure, and both terms of the cost are powers of |Q|: the
        # powers of the two factors multiply, so one product over instruments gives all days.
        usd_held, size = np.abs(index), np.abs(exposure)
        spread = by_day(usd_held * half_spread, size)
        return spread + by_day(usd_held**1.5 * impact, size**1.5)

    def impact(self, market: Market, instruments: Sequence[Instrument]) -> DaysByInstruments:
        """(days, instruments) Y sigma / sqrt(V): Q USD move a price by this times sqrt(|Q|)."""
        costs = load_costs(self.table)
        volume = np.array([costs.of(i).adv_usd for i in instruments])
        volatility = np.column_stack([daily_volatility(i, market) for i in instruments])
        by_dollar: DaysByInstruments = costs.impact.coefficient * volatility / np.sqrt(volume)
        return by_dollar

    def to_dict(self) -> dict[str, Any]:
        """The entry of the manifest."""
        return {"table": self.table, "dated": str(header(self.table).in_force_from)}


def daily_volatility(instrument: Instrument, market: Market) -> Days:
    """(days,) standard deviation of one-day P&L per USD over 60 days; 0 before two are known.

    Examples
    --------
    >>> from backtest.instruments import Spot
    >>> days = pd.bdate_range("2024-01-02", periods=3)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [100.0, 110.0, 99.0]}, index=days))
    >>> daily_volatility(Spot("BTC"), market).round(6).tolist()
    [0.0, 0.0, 0.1]
    """
    traded_market, last_row = market.own_days(instrument.factors)
    # An instrument's P&L of row t runs from t to t + 1, so at t only that of t - 1 is known.
    known_pnl = pd.Series(instrument.pnl(traded_market, 1)).shift(1)
    deviation = known_pnl.rolling(VOLATILITY_DAYS, min_periods=2).std(ddof=0).fillna(0.0)
    return deviation.to_numpy()[last_row]
