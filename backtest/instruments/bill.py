"""Treasury bills: a new discount bill of constant maturity each day."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.constant_maturity import ConstantMaturity, years_passed
from backtest.instruments.protocol import unknown_tail
from backtest.instruments.treasury import par_yield
from backtest.market.market import Market
from backtest.types import Days, FloatArray, StudyError

DISCOUNT_YEAR = 360.0  # days in the year of a bank discount rate, 31 CFR 356 App. B


@dataclass(frozen=True)
class TBill(ConstantMaturity):
    r"""A new discount bill each day: it pays 1 at maturity and nothing before.

    The published constant-maturity yields of a year or less are *bond-equivalent* (investment)
    yields y, not bank discount rates. A bill of tau years costs

    .. math:: P(y, \tau) = \frac{1}{(1 + y \min(\tau, 1/2)) (1 + y \max(\tau - 1/2, 0))},

    simple interest up to half a year, one compounding beyond it. P&L per USD invested is
    P(y', tau - d/365.25) / P(y, tau) - 1, d calendar days later at the par yield y' interpolated
    at the remaining maturity (flat below the market's shortest yield). The P&L contains carry;
    scenarios do not.

    Parameters
    ----------
    tenor : years, whole months, at most one year.
    silo : clearing house; FICC, which margins bills, unless said.

    References
    ----------
    31 CFR 356, Appendix B, section VI (discount rate, price, investment rate of bills).

    Examples
    --------
    >>> TBill(0.25).name, TBill(1.0).factor
    ('BILL3M', '1Y')
    """

    contract: ClassVar[str] = "bill"
    asset_class: ClassVar[str] = "treasury"
    form: ClassVar[str] = "BILL"

    def __post_init__(self) -> None:
        months = 12.0 * self.tenor
        if not 0.99 < months < 12.01 or abs(months - round(months)) > 1e-9:
            raise StudyError(
                f"a bill of {self.tenor} years does not exist; give whole months, 1 to 12."
            )

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) later price over today's price, less 1; the last `horizon` rows NaN."""
        level = market.level(self.factor)
        years_left = np.maximum(self.tenor - years_passed(market, horizon), 0.0)
        later_yield = par_yield(market, years_left, offset=horizon)
        price = bill_price(level[:-horizon], self.tenor)
        return unknown_tail(bill_price(later_yield, years_left) / price - 1.0, len(level))

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of 1 USD of face value: the price of today's bill."""
        return {"face": bill_price(market.level(self.factor), self.tenor)}

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): minus modified duration (years) and convexity (years^2) of today's bill."""
        level = market.level(self.factor)
        # The price is a product of two discount terms: the slopes of their logarithms add up to
        # the duration, and the second derivative follows from the same slopes.
        simple, compounded = min(self.tenor, 0.5), max(self.tenor - 0.5, 0.0)
        slopes = [simple / (1.0 + simple * level), compounded / (1.0 + compounded * level)]
        duration = slopes[0] + slopes[1]
        return np.column_stack([-duration, duration**2 + slopes[0] ** 2 + slopes[1] ** 2])


def bill_price(level: FloatArray, years: float | FloatArray) -> FloatArray:
    """Price of 1 USD paid in `years` (at most 1) at a bond-equivalent yield.

    Examples
    --------
    >>> bill_price(np.array([0.08237]), 364 / 365).round(5).tolist()
    [0.92265]
    """
    simple, compounded = np.minimum(years, 0.5), np.maximum(np.subtract(years, 0.5), 0.0)
    return 1.0 / ((1.0 + level * simple) * (1.0 + level * compounded))


def bank_discount(price: float, days: int) -> float:
    """Bank discount rate of a bill: the discount on face value over a year of 360 days.

    Examples
    --------
    >>> round(bank_discount(0.92265, 364), 6)
    0.0765
    """
    return (1.0 - price) * DISCOUNT_YEAR / days
