"""Shocks over the volatility that was foreseen when they began, brought to that of another day.

A shock in units of that volatility is a z, and z never change; what changes is the volatility of
today, and that goes into the unit sensitivities. So the tails of filtered scenarios are those of
plain ones with other units, by the same kernels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from backtest.estimators.ewma import ewma_variance
from backtest.estimators.garch import rolling_variance
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.revaluation import Revaluation
from backtest.types import Days, DaysByFactors, FloatArray

Dynamics = Literal["ewma", "garch", "gjr"]
SEED_DAYS = 60  # one-day shocks behind a floor, and whose mean square starts its volatility


@dataclass(frozen=True, eq=False)
class FactorVolatility:
    """Volatility of the next day of each factor, foreseen at each close from its one-day shocks.

    A factor is counted in its own days, and estimated when it is first asked for.

    Parameters
    ----------
    dynamics : 'ewma' with `decay`, or a GARCH-t ('gjr': that reacts to falls on their own) fitted
        to the last `fit_lookback` shocks every `refit_every` days.
    seed_days : shocks whose mean square starts the EWMA; 1 / (1 - decay) unless given.

    Examples
    --------
    >>> import backtest as bt
    >>> volatility = FactorVolatility(bt.load_market("sample", end="2017-12-31"), decay=0.97)
    >>> int(np.isnan(volatility.foreseen(0)).sum())
    34
    """

    market: Market
    dynamics: Dynamics = "ewma"
    decay: float = 0.97
    fit_lookback: int = 500
    refit_every: int = 20
    seed_days: int | None = None
    _estimated: dict[int, Days] = field(default_factory=dict, repr=False)

    def foreseen(self, factor: int) -> Days:
        """(days,) volatility in units of the shocks of a column of the market.

        NaN while warming up; on a day on which the factor does not trade, its last.
        """
        if factor not in self._estimated:
            shocks = self._one_day[:, factor]
            own = np.flatnonzero(~np.isnan(shocks))
            variance = self._variance(np.ascontiguousarray(shocks[own]))
            last = np.searchsorted(own, np.arange(len(shocks)), side="right") - 1
            out = np.full(len(shocks), np.nan)
            out[last >= 0] = np.sqrt(variance[last[last >= 0]])
            self._estimated[factor] = out
        return self._estimated[factor]

    def at_start(self, factor: int, steps: int) -> Days:
        """(days,) volatility foreseen when the shock began that ends on each day.

        steps : own days that a shock spans. NaN on days on which the factor does not trade.
        """
        own = np.flatnonzero(self.market.trades([self.market.factors[factor]]))
        out = np.full(len(self.market.dates), np.nan)
        out[own[steps:]] = self.foreseen(factor)[own[:-steps]]
        return out

    @cached_property
    def _one_day(self) -> DaysByFactors:
        return self.market.shocks(1)

    def _variance(self, shocks: FloatArray) -> FloatArray:
        if self.dynamics == "ewma":
            column = ewma_variance(shocks[:, None], decay=self.decay, seed_days=self.seed_days)
            return column[:, 0]
        return rolling_variance(
            shocks,
            lookback=self.fit_lookback,
            refit_every=self.refit_every,
            leverage=self.dynamics == "gjr",
        )


def standardised(shocks: FloatArray, volatility: FloatArray) -> FloatArray:
    """Z = shock / volatility; NaN where either is not known.

    A factor that had never moved when a shock began has no z: the shock counts as none.

    Examples
    --------
    >>> standardised(np.array([0.02, 0.02, np.nan]), np.array([0.01, 0.0, 0.01])).tolist()
    [2.0, 0.0, nan]
    """
    moves = (volatility > 0.0) | np.isnan(volatility) | np.isnan(shocks)
    return np.divide(shocks, volatility, out=np.zeros_like(shocks), where=moves)


Past = TypeVar("Past", bound=Scenarios | Revaluation)


def filtered(past: Past, volatility: FactorVolatility) -> Past:
    """Scenarios with every shock over the volatility foreseen at its start, times that of today.

    Over several days both volatilities are those of one, so that the days cancel.
    """
    rows = volatility.market.dates.searchsorted(past.dates)

    def now(factors: Iterable[int]) -> FloatArray:
        return np.column_stack([volatility.foreseen(int(f)) for f in factors])[rows]

    def start(factors: Iterable[int], steps: Iterable[int]) -> FloatArray:
        pairs = zip(factors, steps, strict=True)
        return np.column_stack([volatility.at_start(int(f), int(s)) for f, s in pairs])[rows]

    unit, shocks = past.unit.copy(), past.shocks
    if shocks.shape[1]:  # none where the book holds nothing but options
        unit[:, : shocks.shape[1]] *= now(past.factor) ** past.power
        shocks = standardised(shocks, start(past.factor, past.steps) ** past.power)
        shocks = np.ascontiguousarray(shocks)
    if isinstance(past, Scenarios):
        return replace(past, shocks=shocks, unit=unit)
    joint = zip(past.joint, past.joint_factors, past.joint_steps, strict=True)
    return replace(
        past,
        shocks=shocks,
        unit=unit,
        joint=tuple(
            standardised(one, start(factors, [steps] * len(factors)))
            for one, factors, steps in joint
        ),
        scale=tuple(now(factors) for factors in past.joint_factors),
    )


@dataclass(frozen=True, eq=False)
class FlooredShocks:
    """Shocks of one factor over some horizon, (days,) each; NaN while unknown.

    Parameters
    ----------
    standard : z of the shock that ends on each day; NaN where the factor did not trade.
    now : volatility to bring z to, never below its floor.
    highest : the highest volatility so far.
    """

    standard: Days
    now: Days
    highest: Days

    @classmethod
    def of(
        cls, volatility: FactorVolatility, factor: str, *, horizon: int, floor: float, lookback: int
    ) -> "FlooredShocks":
        r"""Standardised shocks of a factor, and the volatilities to bring them to.

        .. math:: z_t = R_t / \sigma_{t-H}, \qquad
                  R^*_{t \to T} = z_t \max(\sigma_T, f \bar\sigma_T)

        R are shocks over H days, in the factor's own days; :math:`\bar\sigma` is the root mean
        square of the last `lookback` one-day shocks.

        References
        ----------
        Hull, J. & White, A. (1998). Incorporating volatility updating into the historical
        simulation method for value-at-risk. Journal of Risk, 1(1), 5-19.

        Examples
        --------
        >>> days = pd.bdate_range("2024-01-02", periods=63)
        >>> level = np.cumprod(1.0 + np.tile([0.01, -0.01, 0.01], 21))
        >>> market = Market.from_frame(pd.DataFrame({"BTC": level}, index=days))
        >>> volatility = FactorVolatility(market, seed_days=60)
        >>> shocks = FlooredShocks.of(volatility, "BTC", horizon=1, floor=1.0, lookback=500)
        >>> shocks.standard[-2:].round(6).tolist(), shocks.now[-1].round(6).item()
        ([-1.0, 1.0], 0.01)
        """
        market, column = volatility.market, volatility.market.column(factor)
        own, last = market.own_days([factor])
        squares = pd.Series(own.shocks(1)[:, column] ** 2)
        mean_square = squares.rolling(lookback, min_periods=SEED_DAYS).mean().to_numpy()[last]
        sigma = volatility.foreseen(column)
        return cls(
            standard=standardised(
                market.shocks(horizon)[:, column], volatility.at_start(column, horizon)
            ),
            now=np.maximum(sigma, floor * np.sqrt(mean_square)),
            highest=np.fmax.accumulate(sigma),
        )
