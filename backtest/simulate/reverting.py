"""Funding rates and implied volatilities that revert to their mean, jointly with the price."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from backtest.kernels.recursion import revert
from backtest.market.examination import role_of
from backtest.market.market import Kind, Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import StationaryBootstrap
from backtest.simulate.paths import Sampler, Simulator, known_shocks, path_days
from backtest.simulate.recast import recast
from backtest.types import DaysByFactors, FloatArray, StudyError

MOST_PERSISTENT = 0.999  # a state with no mean to revert to would end at its limits
LARGEST = 0.1  # change of a price, for the largest innovation of a state
BEYOND = 0.5  # of the range of the data, by which a state may leave it at either end

Form = Literal["funding", "price", "yield"]  # what the state of a factor is


@model
class MeanReverting:
    r"""Funding rates and implied volatilities as states that revert to a mean.

    .. math:: s_t = m + p (s_{t-1} - m) + e_t

    with s the mean funding rate of the calendar days of a step (its index accrues the rate over all
    of them), or the logarithm of an implied volatility, which so stays above zero. m and p are
    least squares of the data. e takes the place of the factor's shocks in the market to which the
    base is fitted: so the base draws it together with the shocks of the prices, and a volatility
    that rises as its price falls does so in the paths. Without this layer a simulator takes the
    changes of such a factor for independent or nearly so, and its level wanders off.

    States stop half the range of the data beyond either end of it. A path begins from the data's
    first volatility and from the mean funding rate. A `Spliced` belongs inside, so that its future
    goes on from the data's last state.

    Parameters
    ----------
    base : simulator of the prices' shocks and of e; blocks of history keep all that ties them.
    factors : names of what reverts; () takes all funding indices ('BTC-FUNDING') and implied
        volatilities ('VIX', 'BTC-VOL') of the market. Others that are named revert in logarithms
        if prices, in levels if yields: a stablecoin, a rate.

    References
    ----------
    Heston, S. (1993). A closed-form solution for options with stochastic volatility with
    applications to bond and currency options. Review of Financial Studies, 6(2), 327-343 (a
    volatility that reverts, correlated with its price).

    Examples
    --------
    >>> MeanReverting(factors=("VIX",)).factors
    ('VIX',)
    """

    keeps: ClassVar[str] = (
        "the mean of funding and implied volatility and how fast they return to it, how their "
        "innovations move with prices, and what its base keeps"
    )
    loses: ClassVar[str] = (
        "memory beyond one day of funding and volatility, levels far beyond the data's, and what "
        "its base loses"
    )
    follows_dates: ClassVar[bool] = True

    base: Simulator = StationaryBootstrap(block_size=20)
    factors: tuple[str, ...] = ()

    def sampler(self, market: Market) -> Sampler:
        """Take the innovations of the states, fit the base, draw, and let the states revert."""
        shocks = known_shocks(market, fit=True)
        forms = _forms(market, self.factors)
        columns = list(forms)
        states = _States.of(market, shocks, forms)
        fitted = shocks.copy()
        # As small changes of a price, so that no sum of them leaves what a market takes. In
        # proportion: of logarithms of changes with mean zero the mean is below zero, and a state
        # would come to rest below its mean.
        largest = np.abs(states.innovations).max(axis=0)
        unit = np.where(largest > 0.0, largest, 1.0) / LARGEST
        fitted[:, columns] = states.innovations / unit
        kinds: tuple[Kind, ...] = tuple(
            "price" if j in forms else kind for j, kind in enumerate(market.kinds)
        )
        draw = self.base.sampler(recast(market, fitted, kinds))

        def reverting(rng: np.random.Generator) -> DaysByFactors:
            drawn = draw(rng).copy()
            steps = np.diff(path_days(market.dates, len(drawn) + 1)).astype(np.float64)
            drawn[:, columns] = states.shocks(drawn[:, columns] * unit, steps)
            return drawn

        return reverting


def _forms(market: Market, names: tuple[str, ...]) -> dict[int, Form]:
    """What reverts: the column of each factor, and what its state is."""
    roles = [
        role_of(factor, is_yield=kind == "yield")
        for factor, kind in zip(market.factors, market.kinds, strict=True)
    ]
    if names:
        columns = [market.column(name) for name in dict.fromkeys(names)]
    else:
        columns = [j for j, role in enumerate(roles) if role in ("funding", "volatility")]
    if not columns:
        raise StudyError(
            "the market has no funding rate ('BTC-FUNDING') and no implied volatility ('VIX', "
            f"'BTC-VOL'), only {', '.join(market.factors)}; name in `factors` what reverts."
        )
    return {j: "funding" if roles[j] == "funding" else market.kinds[j] for j in columns}


@dataclass(frozen=True, eq=False)
class _States:
    """Recursions of the states, one a column, fitted to their history."""

    forms: tuple[Form, ...]
    first: FloatArray  # before the first step
    mean: FloatArray
    persistence: FloatArray
    low: FloatArray
    high: FloatArray
    innovations: DaysByFactors

    @classmethod
    def of(cls, market: Market, shocks: DaysByFactors, forms: dict[int, Form]) -> "_States":
        steps = np.diff(market.dates).astype(np.float64)
        first, history = np.empty(len(forms)), np.empty((len(shocks), len(forms)))
        for k, (j, form) in enumerate(forms.items()):
            level = market.levels[:, j]
            state = level if form == "yield" else np.log(level)
            first[k], history[:, k] = state[0], state[1:]
            if form == "funding":  # an index: its rate a calendar day, not known before the first
                history[:, k] = np.diff(state) / steps
                first[k] = history[:, k].mean()
        before = np.vstack([first, history[:-1]])
        centre = before.mean(axis=0)
        spread = ((before - centre) ** 2).sum(axis=0)
        slope = ((before - centre) * history).sum(axis=0) / np.where(spread > 0.0, spread, 1.0)
        persistence = np.clip(slope, 0.0, MOST_PERSISTENT)
        beyond = BEYOND * np.ptp(history, axis=0)
        low, high = history.min(axis=0) - beyond, history.max(axis=0) + beyond
        # A mean that the data hardly pin down may lie anywhere; beyond the limits it says nothing.
        mean = (history.mean(axis=0) - persistence * centre) / (1.0 - persistence)
        mean = np.clip(mean, low, high)
        innovations = history - mean - persistence * (before - mean)
        return cls(tuple(forms.values()), first, mean, persistence, low, high, innovations)

    def shocks(self, innovations: DaysByFactors, steps: FloatArray) -> DaysByFactors:
        """Shocks of the factors; steps (days,) calendar days of each."""
        states = np.empty_like(innovations)
        revert(
            np.ascontiguousarray(innovations), self.first.copy(),
            self.mean, self.persistence, self.low, self.high, states,
        )  # fmt: skip
        before = np.vstack([self.first, states[:-1]])
        out = states - before
        for k, form in enumerate(self.forms):
            if form == "funding":
                out[:, k] = np.expm1(states[:, k] * steps)
            elif form == "price":
                out[:, k] = np.expm1(out[:, k])
        return out
