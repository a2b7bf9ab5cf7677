"""Volatility taken out of scenarios and put on again at the level of the day they are seen from.

A shock over the volatility that was foreseen when it began is a z, and z never change; what
changes is the volatility of today, and that goes into the unit sensitivities. So the tails of
filtered scenarios are those of plain ones with other units, by the same kernels.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from backtest.estimators.ewma import ewma_variance
from backtest.estimators.garch import rolling_variance
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.revaluation import Revaluation
from backtest.types import DaysByFactors, FloatArray

Dynamics = Literal["ewma", "garch", "gjr"]


@dataclass(frozen=True, eq=False)
class FactorVolatility:
    """Volatility of the next day of every factor, as foreseen at each close.

    Parameters
    ----------
    foreseen : (days, factors), in units of the shocks; NaN while warming up. A factor that does
        not trade keeps its last.
    """

    foreseen: DaysByFactors


def factor_volatility(
    market: Market,
    *,
    dynamics: Dynamics,
    decay: float,
    fit_lookback: int,
    refit_every: int,
    needed: Collection[int] | None = None,
) -> FactorVolatility:
    """Volatility of the factors' one-day shocks, each counted in its own days.

    dynamics : 'ewma' with `decay`, or a GARCH-t ('gjr': that reacts to falls on their own) fitted
        to the last `fit_lookback` shocks every `refit_every` days.
    needed : columns of the market, the others stay NaN; all where it is left out.

    Examples
    --------
    >>> import backtest as bt
    >>> from backtest.types import first_known
    >>> market = bt.load_market("sample", end="2017-12-31")
    >>> volatility = factor_volatility(
    ...     market, dynamics="ewma", decay=0.97, fit_lookback=500, refit_every=20)
    >>> first_known(volatility.foreseen)
    34
    """
    shocks = market.shocks(1)
    out = np.full(shocks.shape, np.nan)
    for j in range(shocks.shape[1]) if needed is None else needed:
        own = np.flatnonzero(~np.isnan(shocks[:, j]))
        series = np.ascontiguousarray(shocks[own, j])
        if dynamics == "ewma":
            variance = ewma_variance(series[:, None], decay=decay)[:, 0]
        else:
            variance = rolling_variance(
                series,
                lookback=fit_lookback,
                refit_every=refit_every,
                leverage=dynamics == "gjr",
            )
        at = np.searchsorted(own, np.arange(len(shocks)), side="right") - 1
        out[at >= 0, j] = np.sqrt(variance[at[at >= 0]])
    return FactorVolatility(out)


def factors_of(parts: Iterable[Scenarios | Revaluation]) -> list[int]:
    """Columns of the market whose shocks some scenarios are made of, in order."""
    found: set[int] = set()
    for past in parts:
        found.update(past.factor.tolist())
        if isinstance(past, Revaluation):
            found.update(*past.joint_factors)
    return sorted(found)


Past = TypeVar("Past", bound=Scenarios | Revaluation)


def filtered(past: Past, market: Market, volatility: FactorVolatility) -> Past:
    """Scenarios with every shock over the volatility foreseen at its start, times that of today.

    Over several days both volatilities are those of one, so that the days cancel. A factor that
    had never moved when a shock began has no z: the shock counts as none.
    """
    foreseen = volatility.foreseen
    now = foreseen[past.rows]
    begun = {
        steps: _at_start(market, foreseen, steps)[past.rows]
        for steps in {*past.steps.tolist(), *_joint_steps(past)}
    }
    start = np.empty_like(past.shocks)
    for c, (factor, steps) in enumerate(zip(past.factor, past.steps, strict=True)):
        start[:, c] = begun[int(steps)][:, factor]
    unit = past.unit.copy()
    columns = past.shocks.shape[1]
    unit[:, :columns] *= now[:, past.factor] ** past.power
    z = np.ascontiguousarray(_over(past.shocks, start**past.power))
    if isinstance(past, Scenarios):
        return replace(past, shocks=z, unit=unit)
    joint = zip(past.joint, past.joint_factors, past.joint_steps, strict=True)
    return replace(
        past,
        shocks=z,
        unit=unit,
        joint=tuple(_over(s, begun[steps][:, factors]) for s, factors, steps in joint),
        scale=tuple(now[:, factors] for factors in past.joint_factors),
    )


def _joint_steps(past: Scenarios | Revaluation) -> tuple[int, ...]:
    return () if isinstance(past, Scenarios) else past.joint_steps


def _over(shocks: FloatArray, volatility: FloatArray) -> FloatArray:
    """Shock over volatility; zero where the volatility is; NaN where either is not known."""
    moves = (volatility > 0.0) | np.isnan(volatility) | np.isnan(shocks)
    return np.divide(shocks, volatility, out=np.zeros_like(shocks), where=moves)


def _at_start(market: Market, foreseen: DaysByFactors, steps: int) -> DaysByFactors:
    """(days, factors) volatility foreseen when the shock began that ends on each day."""
    out = np.full(foreseen.shape, np.nan)
    if market.traded is None:
        out[steps:] = foreseen[:-steps]
        return out
    for j in range(foreseen.shape[1]):
        own = np.flatnonzero(market.traded[:, j])
        out[own[steps:], j] = foreseen[own[:-steps], j]
    return out
