"""Historical shocks rescaled from the volatility of their own time to that of today.

A shock divided by the volatility foreseen when it began is its z. The z of a day never change;
only today's volatility does, and it is multiplied into the unit sensitivities. So the tails of
rescaled scenarios come from the same kernels as those of plain ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from backtest.estimators.ewma import ewma_variance
from backtest.estimators.garch import rolling_variance
from backtest.estimators.schedule import refit_days
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios, shared_shocks
from backtest.model.revaluation import Revaluation
from backtest.types import Dates, Days, DaysByFactors, FloatArray, RowNumbers

Dynamics = Literal["ewma", "garch", "gjr"]
SEED_DAYS = 60  # one-day shocks needed for a floor; their mean square also starts the volatility


@dataclass(frozen=True, eq=False)
class FactorVolatility:
    """Volatility of the next day of each factor, foreseen at each close from its one-day shocks.

    Days are those on which a factor trades. Each factor is estimated at its first use.

    Parameters
    ----------
    dynamics : 'ewma' with `decay`, or a GARCH-t ('gjr': that reacts to falls on their own) fitted
        to the last `fit_lookback` shocks every `refit_every` weekdays.
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
        """(days,) volatility of one market column, in the units of its shocks.

        NaN while warming up; the last value on a day on which the factor does not trade.
        """
        if factor not in self._estimated:
            shocks, dates = self._one_day[:, factor], self.market.dates
            name, out = self.market.factors[factor], np.full(len(dates), np.nan)
            if self.market.traded is None:
                out[1:] = np.sqrt(self._variance(shocks[1:], dates[1:], name))
            else:
                known = ~np.isnan(shocks)
                variance = self._variance(shocks[known], dates[known], name)
                # Before the first shock the row is -1: the NaN at the end.
                out = np.sqrt(np.append(variance, np.nan))[np.cumsum(known) - 1]
            self._estimated[factor] = out
        return self._estimated[factor]

    def today(self, factor: int) -> Days:
        """(days,) volatility that shocks are scaled to on each day: the one foreseen."""
        return self.foreseen(factor)

    def at_start(self, factor: int, steps: int) -> Days:
        """(days,) for the shock that ends on each day, the volatility foreseen when it began.

        steps : trading days that a shock spans. NaN on days on which the factor does not trade.
        """
        # The volatility of the day on which a shock ends already contains the shock: dividing by
        # it would shrink the largest shocks most, and with them the tail.
        out = np.full(len(self.market.dates), np.nan)
        if self.market.traded is None:
            out[steps:] = self.foreseen(factor)[:-steps]
            return out
        traded_rows = np.flatnonzero(self.market.trades([self.market.factors[factor]]))
        out[traded_rows[steps:]] = self.foreseen(factor)[traded_rows[:-steps]]
        return out

    @cached_property
    def _one_day(self) -> DaysByFactors:
        return shared_shocks(self.market, 1)

    def _variance(self, shocks: Days, dates: Dates, name: str) -> Days:
        if self.dynamics == "ewma":
            column = ewma_variance(shocks[:, None], decay=self.decay, seed_days=self.seed_days)
            return column[:, 0]
        return rolling_variance(
            shocks,
            refit_days(dates, self.refit_every),
            lookback=self.fit_lookback,
            leverage=self.dynamics == "gjr",
            name=name,
        )


def standardised_shocks(shocks: FloatArray, volatility: FloatArray) -> FloatArray:
    """Z = shock / volatility; NaN where either is not known.

    Zero where the factor had never moved before the shock: without a volatility the shock cannot
    be scaled, and it is left out of the scenarios.

    Examples
    --------
    >>> standardised_shocks(np.array([0.02, 0.02, np.nan]), np.array([0.01, 0.0, 0.01])).tolist()
    [2.0, 0.0, nan]
    """
    moves = (volatility > 0.0) | np.isnan(volatility) | np.isnan(shocks)
    return np.divide(shocks, volatility, out=np.zeros_like(shocks), where=moves)


def to_power(volatility: FloatArray, power: RowNumbers) -> FloatArray:
    """(days, columns) volatilities, squared in place in the columns whose `power` is 2, not 1."""
    squared = power == 2
    if squared.any():
        volatility[:, squared] *= volatility[:, squared]
    return volatility


AnyScenarios = TypeVar("AnyScenarios", bound=Scenarios | Revaluation)


def volatility_scaled(scenarios: AnyScenarios, volatility: FactorVolatility) -> AnyScenarios:
    """Scenarios with every shock divided by the volatility at its start, times that of today.

    Shocks over several days are scaled by one-day volatilities too: the ratio is the same.
    """
    rows: slice | RowNumbers = slice(None)
    if len(scenarios.dates) < len(volatility.market.dates):
        rows = volatility.market.dates.searchsorted(scenarios.dates)

    def today(factors: Iterable[int]) -> FloatArray:
        return np.column_stack([volatility.today(int(f)) for f in factors])[rows]

    def start(factors: Iterable[int], steps: Iterable[int]) -> FloatArray:
        pairs = zip(factors, steps, strict=True)
        return np.column_stack([volatility.at_start(int(f), int(s)) for f, s in pairs])[rows]

    # Half a squared shock scales with the square of the volatility, hence the powers. Today's
    # volatility goes into the units, so that the z remain one matrix for all days.
    unit, shocks = scenarios.unit.copy(), scenarios.shocks
    if shocks.shape[1]:  # none where the book holds nothing but options
        unit[:, : shocks.shape[1]] *= to_power(today(scenarios.factor), scenarios.power)
        shocks = standardised_shocks(
            shocks, to_power(start(scenarios.factor, scenarios.steps), scenarios.power)
        )
        shocks = np.ascontiguousarray(shocks)
    if isinstance(scenarios, Scenarios):
        return replace(scenarios, shocks=shocks, unit=unit)
    joint = zip(scenarios.joint, scenarios.joint_factors, scenarios.joint_steps, strict=True)
    return replace(
        scenarios,
        shocks=shocks,
        unit=unit,
        joint=tuple(
            standardised_shocks(shocks_of_instrument, start(factors, [steps] * len(factors)))
            for shocks_of_instrument, factors, steps in joint
        ),
        scale=tuple(today(factors) for factors in scenarios.joint_factors),
    )


@dataclass(frozen=True, eq=False)
class FlooredShocks:
    """Standardised shocks of one factor over a horizon, (days,) each; NaN while unknown.

    Parameters
    ----------
    z : of the shock that ends on each day; NaN where the factor did not trade.
    volatility : today's volatility, by which z are multiplied, never below its floor.
    highest_volatility : the highest volatility so far.
    """

    z: Days
    volatility: Days
    highest_volatility: Days

    @classmethod
    def of(
        cls, volatility: FactorVolatility, factor: str, *, horizon: int, floor: float, lookback: int
    ) -> "FlooredShocks":
        r"""Standardised shocks of a factor, and the volatilities by which they are multiplied.

        .. math:: z_t = R_t / \sigma_{t-H}, \qquad
                  R^*_{t \to T} = z_t \max(\sigma_T, f \bar\sigma_T)

        R are shocks over H trading days of the factor; :math:`\bar\sigma` is the root mean square
        of the last `lookback` one-day shocks.

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
        >>> shocks.z[-2:].round(6).tolist(), shocks.volatility[-1].round(6).item()
        ([-1.0, 1.0], 0.01)
        """
        market, column = volatility.market, volatility.market.column(factor)
        traded_market, last_row = market.own_days([factor])
        # In a long calm today's volatility falls below that of most of the lookback, and a margin
        # on it would have to be raised in the next stress, when members can least pay.
        squares = pd.Series(traded_market.shocks(1)[:, column] ** 2)
        mean_square = squares.rolling(lookback, min_periods=SEED_DAYS).mean().to_numpy()[last_row]
        sigma = volatility.foreseen(column)
        return cls(
            z=standardised_shocks(
                market.shocks(horizon)[:, column], volatility.at_start(column, horizon)
            ),
            volatility=np.maximum(sigma, floor * np.sqrt(mean_square)),
            highest_volatility=np.fmax.accumulate(sigma),
        )
