"""A simulator draws shocks; a path is the market those shocks make. Path i is keyed (seed, i)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from ..kernels.levels import shocked_levels
from ..market import Market
from ..types import Dates, DaysByFactors, StudyError

HIGHEST_YIELD = 0.20  # decimal; no Treasury par yield has been above 0.16 (1981)

Sampler = Callable[[np.random.Generator], DaysByFactors]


@runtime_checkable
class Simulator(Protocol):
    """Alternative histories of a market: a frozen bag of parameters with one method."""

    def sampler(self, market: Market) -> Sampler:
        """Fit to `market` once; the function returned draws (days, factors) one-day shocks.

        Row 0 leads from the market's first day to its second. More rows than the market has steps
        carry on after its last day.
        """


@dataclass(frozen=True, eq=False)
class Paths:
    """The paths of one simulator on one market; any of them can be built alone.

    Parameters
    ----------
    template : gives dates, first levels, factors and kinds.
    draw : shocks of a random stream. seed : with the path's number it keys that stream.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2016-12-31")
    >>> paths = Paths.of(bt.StationaryBootstrap(block_size=20), market, seed=7)
    >>> bool((paths.path(3).levels == paths.path(3).levels).all())
    True
    """

    template: Market
    draw: Sampler
    label: str
    seed: int

    @classmethod
    def of(cls, simulator: Simulator, market: Market, *, seed: int) -> "Paths":
        """Fit a simulator to a market."""
        return cls(market, simulator.sampler(market), repr(simulator), seed)

    def path(self, number: int) -> Market:
        """Path `number` as a market."""
        return self.path_and_range(number)[0]

    def path_and_range(self, number: int) -> tuple[Market, float]:
        """The path, and the share of (day, yield) cells on which the range of yields acted.

        Yields stop at the lower edge min(0, lowest yield of the data) and at 20 %.
        """
        stream = np.random.SeedSequence(self.seed, spawn_key=(number,))
        shocks = np.ascontiguousarray(self.draw(np.random.default_rng(stream)))
        market = self.template
        price = np.array([kind == "price" for kind in market.kinds])
        if (shocks[:, price] <= -1.0).any():
            raise StudyError(
                f"{self.label} drew a price change of {shocks[:, price].min():.0%} on path "
                f"{number}; lower its volatility."
            )
        yields = market.levels[:, ~price]
        low = min(0.0, float(yields.min(initial=0.0)))
        levels = np.empty((len(shocks) + 1, len(market.factors)))
        acted = shocked_levels(market.levels[0], shocks, price, low, HIGHEST_YIELD, levels)
        cells = len(shocks) * int((~price).sum())
        path = replace(
            market,
            dates=path_days(market.dates, len(levels)),
            levels=levels,
            simulated=True,
            source=f"SIMULATED: {self.label}, seed {self.seed}, path {number}",
        )
        return path, acted / cells if cells else 0.0


def path_days(dates: Dates, days: int) -> Dates:
    """The first `days` of `dates`, and weekdays after them where the path is longer.

    Examples
    --------
    >>> path_days(np.array(["2024-01-04", "2024-01-05"], "M8[D]"), 3)[-1]
    np.datetime64('2024-01-08')
    """
    if days <= len(dates):
        return dates[:days]
    more = np.busday_offset(dates[-1], np.arange(1, days - len(dates) + 1), roll="backward")
    return np.concatenate([dates, more])
