"""Treasury futures priced from the par curve: approximate, for histories without futures prices."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest.instruments.constant_maturity import years_passed
from backtest.instruments.contracts import Contract, contract_terms
from backtest.instruments.protocol import qualified, unknown_tail
from backtest.instruments.treasury import par_bond_sensitivity, par_yield, seasoned_price
from backtest.market.market import Kind, Market, tenor_years
from backtest.types import Days, FloatArray, StudyError

FINANCING = "3M"
CURVE = ("2Y", "5Y", "10Y", "30Y")  # yields that it needs; other yields of the market are used too


@dataclass(frozen=True)
class CurveFuture:
    r"""A new forward on a new par bond each day, financed at the 3-month yield.

    The bond has the contract's shortest deliverable maturity T and coupon c, the par yield at T;
    the forward is delivered in tau years. Its price is F = 1 + s tau - c tau, s the 3-month yield,
    and d calendar days later P&L per USD of notional is

    .. math:: \frac{P' (1 + s' (\tau - d/365.25)) - (1 + s \tau)}{F},

    P' the dirty price of the same bond on that day (see `Treasury`). Two kinds of factors move it:
    the par yields around T, with their weights in the interpolation, and the 3-month yield.
    Curvature is divided by the same weights, which is exact for parallel moves.

    **Approximate**: no cheapest-to-deliver switch, no conversion factor, no repo rate.

    Parameters
    ----------
    code : of a Treasury future in `contracts.toml`.
    silo : clearing house; CME unless said.

    References
    ----------
    Burghardt, G. & Belton, T. (2005). The Treasury Bond Basis, 3rd ed., ch. 1-2 (forward price of
    a financed bond; which bond is cheapest to deliver).

    Examples
    --------
    >>> CurveFuture("ZN").name, CurveFuture("ZN").factors
    ('ZN~curve', {'5Y': 'yield', '10Y': 'yield', '3M': 'yield'})
    """

    contract: ClassVar[str] = "future"
    asset_class: ClassVar[str] = "treasury"

    code: str
    silo: str = "CME"

    def __post_init__(self) -> None:
        if self._terms.maturity is None or self._terms.to_delivery is None:
            raise StudyError(
                f"{self.code} is no bond future; only those have a curve ('ZN~curve')."
            )

    @property
    def _terms(self) -> Contract:
        return contract_terms(self.code)

    @property
    def maturity(self) -> float:
        """Years of the deliverable bond."""
        return float(self._terms.maturity or 0.0)

    @property
    def underlying(self) -> str:
        """Its code: each future delivers a basket of its own."""
        return self.code

    @property
    def to_delivery(self) -> float:
        """Years to delivery."""
        return float(self._terms.to_delivery or 0.0)

    @property
    def factor(self) -> str:
        """The par yield nearest to its maturity, among `CURVE`."""
        return min(CURVE, key=lambda f: abs((tenor_years(f) or 0.0) - self.maturity))

    @property
    def factors(self) -> dict[str, Kind]:
        """The yields on either side of its maturity, and the financing yield."""
        years = {f: tenor_years(f) or 0.0 for f in CURVE}
        below = [f for f in CURVE if years[f] <= self.maturity][-1]
        above = next(f for f in CURVE if years[f] >= self.maturity)
        return dict.fromkeys((below, above, FINANCING), "yield")

    @property
    def name(self) -> str:
        """Code and '~curve', with its silo where that is not CME."""
        return qualified(f"{self.code}~curve", self.silo, "CME")

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) relative change of the forward over `horizon` margin days; last rows NaN."""
        count = len(market.dates)
        coupon = par_yield(market, np.full(count, self.maturity))
        repo, passed = market.level(FINANCING), years_passed(market, horizon)
        years_left = np.maximum(self.to_delivery - passed, 0.0)
        later_yield = par_yield(market, self.maturity - passed, offset=horizon)
        dirty = seasoned_price(coupon[:-horizon], later_yield, self.maturity, passed)
        # A forward struck at t is worth the bond today less its financing to delivery. What the
        # later day finances is only the time that is left, at its own yield.
        financed = 1.0 + repo[:-horizon] * self.to_delivery
        forward_price = financed - coupon[:-horizon] * self.to_delivery
        later = dirty * (1.0 + repo[horizon:] * years_left)
        return unknown_tail((later - financed) / forward_price, count)

    def sensitivity(self, market: Market) -> dict[str, FloatArray]:
        """(days, 2) by factor: delta and gamma per USD of notional."""
        coupon = par_yield(market, np.full(len(market.dates), self.maturity))
        financed = 1.0 + market.level(FINANCING) * self.to_delivery
        forward_price = financed - coupon * self.to_delivery
        bond = par_bond_sensitivity(coupon, self.maturity) * (financed / forward_price)[:, None]
        by_factor = {f: w * bond for f, w in curve_weights(market, self.maturity).items()}
        by_factor[FINANCING] = np.column_stack(
            [self.to_delivery / forward_price, np.zeros(len(forward_price))]
        )
        return by_factor

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per USD; `shocks` (scenarios, factors) in the order of `sensitivity`."""
        today = [s[-1] for s in self.sensitivity(market.until(day)).values()]
        delta, gamma = np.array(today).T
        return shocks @ delta + (shocks * shocks) @ gamma / 2.0

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of one contract, whose price the curve puts at par: 100 points."""
        return {"contracts": np.full(len(market.dates), 100.0 * self._terms.multiplier)}

    def unit_value(self, market: Market) -> Days:
        """(days,) 1: the holding is replaced by a new forward at every close."""
        return np.ones(len(market.dates))


def curve_weights(market: Market, maturity: float) -> dict[str, float]:
    """Weights of the market's par yields in the yield interpolated at `maturity`; they sum to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"5Y": [0.03], "10Y": [0.04]}, index=["2024-01-02"])
    >>> curve_weights(Market.from_frame(frame), 6.5)
    {'5Y': 0.7, '10Y': 0.3}
    """
    years_of = {f: years for f in market.factors if (years := tenor_years(f)) is not None}
    names = sorted(years_of, key=years_of.__getitem__)
    tenors = [years_of[f] for f in names]
    # Interpolation is linear in the yields: interpolating a curve of one 1 and otherwise zeros
    # gives the weight of that yield.
    shares = {
        f: float(np.interp(maturity, tenors, np.eye(len(names))[j])) for j, f in enumerate(names)
    }
    return {f: share for f, share in shares.items() if share > 0.0}
