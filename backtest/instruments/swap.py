"""Par interest-rate swaps, on discount factors stripped from the par curve."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.constant_maturity import ConstantMaturity, years_passed
from backtest.instruments.curve_future import curve_weights
from backtest.instruments.protocol import unknown_tail
from backtest.instruments.treasury import par_yield
from backtest.market.market import Kind, Market
from backtest.types import Days, FloatArray, StudyError

FLOATING = "3M"


@dataclass(frozen=True)
class Swap(ConstantMaturity):
    r"""A new par swap each day that receives fixed: rate s_t = par yield, semi-annual, value 0.

    Discount factors D at half-years are stripped from the market's par curve (linear in maturity
    between its yields), and are log-linear in between. Held to t + H, d calendar days later,

    .. math:: \sum_{i=1}^{2T} \frac{s_t}{2} D'(t_i - d/365.25) + D'(T - d/365.25)
              - (1 + r_t\, d/365.25),

    r_t the 3-month yield at which the floating leg accrues. At par the value moves with the par
    yield of the swap's maturity alone: delta is minus the annuity A = sum D / 2, gamma -2 dA/ds.

    **Approximate**: the Treasury par curve stands in for the SOFR curve (no annual act/360 legs),
    the 3-month bill for compounded SOFR. There is no swap spread, so the offset of a swap against
    a Treasury is overstated.

    Parameters
    ----------
    tenor : whole years for which the market has a par yield.
    silo : clearing house; CME unless said.

    References
    ----------
    Hull, J. (2018). Options, Futures, and Other Derivatives, 10th ed., ch. 4.7 (bootstrap), 7
    (valuation of swaps as bonds).

    Examples
    --------
    >>> Swap(10).name, Swap(5, silo="LCH").name
    ('SWAP10Y', 'SWAP5Y@LCH')
    """

    contract: ClassVar[str] = "swap"
    asset_class: ClassVar[str] = "rates"
    form: ClassVar[str] = "SWAP"
    home: ClassVar[str] = "CME"

    silo: str = "CME"

    def __post_init__(self) -> None:
        if self.tenor < 1 or self.tenor != int(self.tenor):
            raise StudyError(f"a swap of {self.tenor} years is not quoted; give whole years.")

    @property
    def factors(self) -> dict[str, Kind]:
        """Its par yield and the rate at which the floating leg accrues."""
        return {self.factor: "yield", FLOATING: "yield"}

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) later value of the swap per USD of notional; the last `horizon` rows NaN."""
        fixed, passed = market.level(self.factor), years_passed(market, horizon)
        log_discount = np.log(discount_factors(market, self.tenor)[horizon:])
        # After d days every payment is d days nearer, between two half-year nodes of the new
        # curve. Log discount factors are linear there: forward rates are then constant and jump
        # only at the nodes.
        earlier = np.column_stack([np.zeros(len(passed)), log_discount[:, :-1]])
        discount = np.exp(log_discount + 2.0 * passed[:, None] * (earlier - log_discount))
        received = fixed[:-horizon] / 2.0 * discount.sum(axis=1) + discount[:, -1]
        floating = 1.0 + market.level(FLOATING)[:-horizon] * passed
        return unknown_tail(received - floating, len(fixed))

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): minus the annuity (years), and its curvature in the swap's par yield."""
        annuity = discount_factors(market, self.tenor).sum(axis=1) / 2.0
        slope = discount_slopes(market, self.tenor, self.factor).sum(axis=1) / 2.0
        return np.column_stack([-annuity, -2.0 * slope])


def discount_factors(market: Market, tenor: float) -> FloatArray:
    """(days, 2 tenor) discount factors at half-years that price every par bond at 1.

    Examples
    --------
    >>> import pandas as pd
    >>> flat = Market.from_frame(pd.DataFrame({"2Y": [0.04]}, index=["2024-01-02"]))
    >>> discount_factors(flat, 1).round(6).tolist()
    [[0.980392, 0.961169]]
    """
    days = len(market.dates)
    out = np.empty((days, int(2 * tenor)))
    annuity = np.zeros(days)
    # A par bond is worth 1, and all its coupons but the last are already discounted: the price
    # equation of each maturity gives the next discount factor.
    for i in range(out.shape[1]):
        half = par_yield(market, np.full(days, (i + 1) / 2.0)) / 2.0
        out[:, i] = (1.0 - half * annuity) / (1.0 + half)
        annuity += out[:, i]
    return out


def discount_slopes(market: Market, tenor: float, factor: str) -> FloatArray:
    """(days, 2 tenor) derivatives of the discount factors in one par yield of the market.

    Examples
    --------
    >>> import pandas as pd
    >>> flat = Market.from_frame(pd.DataFrame({"2Y": [0.0]}, index=["2024-01-02"]))
    >>> discount_slopes(flat, 1, "2Y").tolist()
    [[-0.5, -1.0]]
    """
    days = len(market.dates)
    discount = discount_factors(market, tenor)
    out = np.empty_like(discount)
    annuity, annuity_slope = np.zeros(days), np.zeros(days)
    # The derivative of the recursion above. A par yield also moves every longer discount factor,
    # through the annuity, so the slopes of the earlier factors are carried along.
    for i in range(out.shape[1]):
        maturity = (i + 1) / 2.0
        half = par_yield(market, np.full(days, maturity)) / 2.0
        share = curve_weights(market, maturity).get(factor, 0.0) / 2.0
        out[:, i] = -(share * (annuity + discount[:, i]) + half * annuity_slope) / (1.0 + half)
        annuity += discount[:, i]
        annuity_slope += out[:, i]
    return out
