"""A mix of collateral assets: its shares, its haircuts, and its value day by day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum, isfinite
from typing import Literal

import numpy as np

from backtest.account.assets import (
    FUND_BILL,
    HELD_OUTRIGHT,
    Asset,
    Cash,
    TokenisedFund,
    parse_asset,
    proceeds,
)
from backtest.account.haircuts import Schedule, load_schedule
from backtest.instruments import Instrument
from backtest.market.market import Market
from backtest.types import Days, FloatArray, RowNumbers, StudyError

Rule = Literal["more conservative", "first"]
AtCloseout = Literal["after haircut", "market"]

SCHEDULES = ("haircuts/cme", "haircuts/occ", "haircuts/cftc_pilot")
ROUNDING = 1e-9  # shares sum to one within this


@dataclass(frozen=True)
class Mix:
    """The posted collateral, in shares of the account's value after haircut.

    The shares are constant: at each close assets above their share are exchanged for assets below
    theirs, at the prices of that close and without cost. Calls and returns have the same shares.

    Parameters
    ----------
    shares : share by asset ('cash', 'BILL3M', 'BILL-FUND', 'UST10Y', 'BTC', ...), adding up to 1.
    haircuts : schedules of `strategies/parameters/`. The CFTC's pilot publishes no collateral
        haircut for BTC, ETH and USDC; its numbers are capital charges on proprietary positions,
        used here because no others are published.
    rule : 'more conservative', the largest haircut of any schedule that lists the asset (the rule
        of CME and FICC in their cross-margining), or 'first', that of the first such schedule.
    own : haircut by asset, which replaces that of any schedule.
    caps : largest share by asset; a mix above a cap is refused, not re-allocated.
    at_closeout : value the collateral at close-out 'after haircut' (the convention: the haircut
        is never used), or at 'market' value, where the haircut absorbs the first losses.
    rates : haircut of each asset, from `own` or the schedules.

    Raises
    ------
    StudyError : shares that do not sum to one or are negative, an unknown asset, a haircut of 1
        or more, an asset that no schedule lists, a share above its cap.

    References
    ----------
    CME and FICC cross-margining: the more conservative of two haircuts applies to collateral.

    Examples
    --------
    >>> Mix({"cash": 0.5, "UST10Y": 0.5}).rates
    {'cash': 0.0, 'UST10Y': 0.05}
    """

    shares: Mapping[str, float]
    haircuts: tuple[str, ...] = SCHEDULES
    rule: Rule = "more conservative"
    own: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)
    at_closeout: AtCloseout = "after haircut"
    rates: Mapping[str, float] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("shares", "own", "caps"):
            object.__setattr__(self, name, dict(getattr(self, name)))
        if self.rule not in ("more conservative", "first"):
            raise StudyError(f"rule is {self.rule!r}; known: 'more conservative', 'first'.")
        if self.at_closeout not in ("after haircut", "market"):
            raise StudyError(
                f"at_closeout is {self.at_closeout!r}; known: 'after haircut', 'market'."
            )
        self._check_shares()
        rates = {name: self._rate(asset) for name, asset in self.assets().items()}
        object.__setattr__(self, "rates", rates)

    def assets(self) -> dict[str, Asset]:
        """The assets by name, in the order of the mix."""
        return {name: parse_asset(name) for name in self.shares}

    @property
    def posted(self) -> float:
        """USD of market value behind each USD of value after haircut."""
        return fsum(share / (1.0 - self.rates[name]) for name, share in self.shares.items())

    def _check_shares(self) -> None:
        for name, share in self.shares.items():
            if not isfinite(share) or share < 0:
                raise StudyError(f"collateral {name} has a share of {share:g}; give 0 .. 1.")
        total = fsum(self.shares.values())
        if abs(total - 1.0) > ROUNDING:
            raise StudyError(f"the collateral mix sums to {total:.6g}; make its shares add to 1.")
        for field_name, by_asset in (("own", self.own), ("caps", self.caps)):
            unknown = next((name for name in by_asset if name not in self.shares), None)
            if unknown is not None:
                raise StudyError(
                    f"{field_name} names {unknown!r}, which is not in the mix; remove it."
                )
        # A mix above its cap would not be accepted. Moving the excess elsewhere would test another
        # mix than the one of the study.
        for name, cap in self.caps.items():
            if not 0 <= cap <= 1:
                raise StudyError(f"the cap of {name} is {cap:g}; give a share, 0 .. 1.")
            if self.shares[name] > cap + ROUNDING:
                raise StudyError(
                    f"{name} is {self.shares[name]:.1%} of the collateral, above its cap of "
                    f"{cap:.1%}; lower its share or raise the cap."
                )

    def _rate(self, asset: Asset) -> float:
        rate = self.own.get(asset.name)
        if rate is None:
            rate = published_haircut(asset, self.haircuts, rule=self.rule)
        if not 0 <= rate < 1:
            raise StudyError(
                f"the haircut of {asset.name} is {rate:g}; give a fraction of 0 or more, below 1."
            )
        return rate


@dataclass(frozen=True, eq=False)
class Marks:
    """Value of one unit of collateral (1 USD of value after haircut) over time.

    Parameters
    ----------
    growth : (days,) value at t per unit at t - 1; 1 on the first day.
    closeout : (days, 1) value at t + H, the end of close-out, per unit at t; (days, portfolios)
        where H differs by portfolio.
    posted : USD of market value posted per unit.
    """

    growth: Days
    closeout: FloatArray
    posted: float = 1.0


def cash_marks(days: int) -> Marks:
    """Marks of cash: ones, from day to day and through the close-out."""
    return Marks(np.ones(days), np.ones((days, 1)))


def collateral_marks(
    collateral: Mix | Literal["cash"], market: Market, *, horizon: int | RowNumbers
) -> Marks:
    r"""Marks of a mix on a market, H = `horizon` margin days to the end of close-out.

    horizon : margin days, one number or (portfolios,).

    With shares w of value after haircut h, and R the value of 1 USD of an asset H days on,

    .. math:: growth_t = \sum_a w_a R_a(t-1, t), \qquad
              closeout_t = \sum_a w_a R_a(t, t+H) \times
              (1 \text{ after haircut}, \; 1 / (1 - h_a) \text{ at market}):

    a constant haircut cancels from a relative change. The last H values of closeout are NaN: the
    end of those close-outs is not yet known.

    Raises
    ------
    StudyError : an asset that the market cannot price; a 24/7 market, on which the assets of a
        mix would be sold on different days.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    >>> m = Market.from_frame(pd.DataFrame({"BTC": [100.0, 90.0, 99.0]}, index=days))
    >>> marks = collateral_marks(Mix({"cash": 0.5, "BTC": 0.5}), m, horizon=1)
    >>> marks.growth.round(3).tolist(), marks.closeout[:, 0].round(3).tolist()
    ([1.0, 0.95, 1.05], [0.95, 1.05, nan])
    """
    if collateral == "cash":
        return cash_marks(len(market.dates))
    if market.traded is not None:
        raise StudyError(
            "a mix is marked on the business clock only; set [clock] kind = 'business', or post "
            "cash."
        )
    # Portfolios with the same days to close out share a column, so that an asset is priced once
    # per horizon. At market value the haircut is posted on top of the unit: a unit is backed by
    # 1 / (1 - h) USD of the asset, and all of it pays for losses.
    horizons, horizon_of_portfolio = np.unique(horizon, return_inverse=True)
    growth, closeout = np.zeros(len(market.dates)), np.zeros((len(market.dates), len(horizons)))
    for name, asset in collateral.assets().items():
        check_priced(asset, market)
        share = collateral.shares[name]
        cushion = 1.0 - collateral.rates[name] if collateral.at_closeout == "market" else 1.0
        growth[1:] += share * (1.0 + asset.pnl(market, 1)[:-1])
        for column, days in enumerate(horizons):
            closeout[:, column] += share / cushion * proceeds(asset, market, int(days))
    growth[0] = 1.0
    if len(horizons) > 1:
        closeout = closeout[:, horizon_of_portfolio]
    return Marks(growth, closeout, collateral.posted)


def published_haircut(
    asset: Asset, schedules: tuple[str, ...], *, rule: Rule = "more conservative"
) -> float:
    """Haircut of an asset by the schedules that list it; cash has a haircut of 0.

    Raises
    ------
    StudyError : no schedule lists the asset.

    Examples
    --------
    >>> from backtest.instruments import Treasury
    >>> published_haircut(Treasury(10), ("haircuts/cme", "haircuts/occ"))
    0.05
    >>> published_haircut(Treasury(10), ("haircuts/cme", "haircuts/occ"), rule="first")
    0.045
    """
    if isinstance(asset, Cash):
        return 0.0
    listed_rates = [_listed_rate(asset, load_schedule(name)) for name in schedules]
    rates = [rate for rate in listed_rates if rate is not None]
    if not rates:
        raise StudyError(
            f"no haircut for {asset.name} in schedules {', '.join(schedules) or '(none)'}; "
            "add one under `own`."
        )
    return rates[0] if rule == "first" else max(rates)


def _listed_rate(asset: TokenisedFund | Instrument, schedule: Schedule) -> float | None:
    # A schedule also holds margin rates of derivatives; those are no haircut of posted collateral.
    if isinstance(asset, TokenisedFund):
        bill = schedule.haircut(FUND_BILL)
        return None if bill is None else bill + asset.token_haircut
    return schedule.haircut(asset) if asset.contract in HELD_OUTRIGHT else None


def check_priced(asset: Asset, market: Market) -> None:
    """Raise StudyError, one line, where the market cannot price an asset."""
    kinds = dict(zip(market.factors, market.kinds, strict=True))
    for factor, kind in asset.factors.items():
        if kinds.get(factor) != kind:
            raise StudyError(
                f"collateral {asset.name} has no price in this market: it needs the {kind} "
                f"{factor!r}, and there are {', '.join(market.factors)}; add it to the study's "
                "[data] factors."
            )
