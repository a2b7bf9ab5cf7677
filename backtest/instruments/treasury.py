"""Treasury notes and bonds: a new par bond each day, repriced on the later curve."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.constant_maturity import ConstantMaturity, years_passed
from backtest.instruments.protocol import unknown_tail
from backtest.kernels.curves import interpolated
from backtest.kernels.par_bond import par_bond_slopes
from backtest.market.market import Market, tenor_years
from backtest.types import Days, FloatArray, StudyError


@dataclass(frozen=True)
class Treasury(ConstantMaturity):
    r"""A new par bond of constant maturity each day: coupon = par yield, semi-annual, price 1.

    Held to t + H, d calendar days later, it is worth

    .. math:: \sum_{i=1}^{2T} \frac{y_t}{2} (1 + y'/2)^{-2 (t_i - d/365.25)}
              + (1 + y'/2)^{-2 (T - d/365.25)},

    with y' the par yield of t + H interpolated linearly in maturity at T - d/365.25 between the
    market's yield factors (flat outside). The P&L contains carry and roll-down; scenarios (modified
    duration and convexity of today's bond) do not.

    Parameters
    ----------
    tenor : years; 2 x tenor is a positive integer.
    silo : clearing house; FICC unless said.

    References
    ----------
    Fabozzi, F. (2012). The Handbook of Fixed Income Securities, 8th ed., ch. 8-9 (price,
    modified duration, convexity of a semi-annual bond).

    Examples
    --------
    >>> Treasury(10).name, Treasury(5, silo="CME").name, Treasury(0.5).factor
    ('UST10Y', 'UST5Y@CME', '6M')
    """

    contract: ClassVar[str] = "bond"
    asset_class: ClassVar[str] = "treasury"
    form: ClassVar[str] = "UST"

    def __post_init__(self) -> None:
        if self.tenor <= 0 or 2 * self.tenor != int(2 * self.tenor):
            raise StudyError(
                f"a Treasury of {self.tenor} years has no whole number of coupons; "
                "give a positive multiple of half a year."
            )

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) price of the bond at t + H less 1; the last `horizon` rows NaN."""
        coupon, passed = market.level(self.factor), years_passed(market, horizon)
        later_yield = par_yield(market, self.tenor - passed, offset=horizon)
        price = seasoned_price(coupon[:-horizon], later_yield, self.tenor, passed)
        return unknown_tail(price - 1.0, len(coupon))

    def sensitivity(self, market: Market) -> FloatArray:
        """(days, 2): minus modified duration (years) and convexity (years^2) of today's bond."""
        return par_bond_sensitivity(market.level(self.factor), self.tenor)


def par_bond_sensitivity(level: Days, tenor: float) -> FloatArray:
    """(days, 2): minus modified duration and convexity of the par bond at the yields `level`.

    Examples
    --------
    >>> par_bond_sensitivity(np.array([0.04]), 0.5).round(6).tolist()
    [[-0.490196, 0.480584]]
    """
    out = np.empty((len(level), 2))
    par_bond_slopes(np.ascontiguousarray(level), int(2 * tenor), out)
    return out


def par_yield(market: Market, maturity: FloatArray, *, offset: int = 0) -> FloatArray:
    """Par yield at `maturity[i]` years on day i + offset, linear in maturity, flat outside.

    Examples
    --------
    >>> import pandas as pd
    >>> m = Market.from_frame(pd.DataFrame({"2Y": [0.02], "10Y": [0.04]}, index=["2024-01-02"]))
    >>> par_yield(m, np.array([6.0])).round(6).tolist()
    [0.03]
    """
    years = {tenor_years(f): j for j, f in enumerate(market.factors) if tenor_years(f)}
    tenors = sorted(y for y in years if y is not None)
    columns = [years[y] for y in tenors]
    levels = market.levels[offset : offset + len(maturity)]
    if len(tenors) == 1:
        return levels[:, columns[0]]
    # numpy.interp takes one curve for all points; here every day has its own curve and maturity.
    out = np.empty(len(maturity))
    interpolated(levels, np.array(columns), np.array(tenors, dtype=np.float64), maturity, out)
    return out


def seasoned_price(
    coupon: FloatArray, par: FloatArray, tenor: float, age: FloatArray
) -> FloatArray:
    """Dirty price of a bond issued at par `age` years ago, at the par yield `par`.

    The sum over coupons in closed form; its limit where the yield is zero.

    Examples
    --------
    >>> seasoned_price(np.array([0.04]), np.array([0.04]), 10, np.array([0.0])).round(12).tolist()
    [1.0]
    """
    # A 30-year bond has 60 coupons, and is priced on every day of every path: hence the closed
    # form. expm1 and log1p keep its digits at yields near zero, as in 2020.
    coupons = 2.0 * tenor
    growth = np.log1p(par / 2.0)
    zero = par == 0.0
    annuity = np.where(zero, coupons, -np.expm1(-coupons * growth) / np.where(zero, 1.0, par / 2.0))
    accrued = np.exp(2.0 * age * growth)
    return accrued * (coupon / 2.0 * annuity + np.exp(-coupons * growth))
