"""What a new Treasury bond, bill or swap of each day have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.protocol import delta_gamma, qualified
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class ConstantMaturity(ABC):
    """A contract that is replaced by a new one of the same maturity at every close.

    Parameters
    ----------
    tenor : years from each close to maturity.
    silo : clearing house.
    """

    form: ClassVar[str]  # first letters of the name
    home: ClassVar[str] = "FICC"  # clearing house that the name leaves out

    tenor: float
    silo: str = "FICC"

    @property
    def factor(self) -> str:
        """The par-yield factor of its maturity."""
        is_whole_years = self.tenor == int(self.tenor)
        return f"{self.tenor:.0f}Y" if is_whole_years else f"{12 * self.tenor:.0f}M"

    @property
    def factors(self) -> dict[str, Kind]:
        """The par yield of its maturity; other yields of the market are used where they exist."""
        return {self.factor: "yield"}

    @property
    def name(self) -> str:
        """Form and maturity, with its silo where that is not the usual one."""
        return qualified(self.underlying, self.silo, self.home)

    @property
    def underlying(self) -> str:
        """Form and maturity, such as 'UST10Y'."""
        return f"{self.form}{self.factor}"

    @property
    def maturity(self) -> float:
        """Its tenor, years."""
        return self.tenor

    @abstractmethod
    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2) delta and gamma per 1 USD, in the yield of its maturity."""

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) delta-gamma P&L per USD for shocks of its yield, no carry."""
        return delta_gamma(self.sensitivity(market.until(day))[-1], shocks)

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of 1 USD of face value: 1, since every day's contract is new, at par."""
        return {"face": np.ones(len(market.dates))}

    def unit_value(self, market: Market) -> Days:
        """(days,) 1: the holding is replaced by a new contract at every close."""
        return np.ones(len(market.dates))


def years_passed(market: Market, horizon: int) -> FloatArray:
    """(days - horizon,) calendar time over `horizon` rows from each close, years of 365.25 days.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-01-05", "2024-01-08", "2024-01-09"])
    >>> market = Market.from_frame(pd.DataFrame({"10Y": [0.04, 0.04, 0.04]}, index=days))
    >>> (DAYS_PER_YEAR * years_passed(market, 1)).tolist()
    [3.0, 1.0]
    """
    calendar = (market.dates[horizon:] - market.dates[:-horizon]).astype(np.float64)
    return calendar / DAYS_PER_YEAR
