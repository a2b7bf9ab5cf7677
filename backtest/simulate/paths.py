"""A simulator draws shocks; a path is the market with those shocks. (seed, i) determines path i."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from backtest.kernels.levels import shocked_levels
from backtest.market.market import Market
from backtest.types import DataError, Dates, DaysByFactors, StudyError

HIGHEST_YIELD = 0.20  # decimal; no constant-maturity Treasury yield was above 0.18 (1981)
FEWEST_STEPS = 60  # shocks to fit a law to: on less than a quarter it would be noise

Sampler = Callable[[np.random.Generator], DaysByFactors]


@runtime_checkable
class Simulator(Protocol):
    """Alternative histories of a market: frozen parameters and one method.

    Each of `SIMULATORS` also says in two attributes of its class, `keeps` and `loses`, what of the
    data its paths have and what they lack.
    """

    def sampler(self, market: Market) -> Sampler:
        """Fit to `market` once; the returned function draws (days, factors) one-day shocks.

        Row 0 is the step from the market's first day to its second. More rows than the market has
        steps continue after its last day, on weekdays. The function is called in worker processes,
        with a random stream for each path, and must have no state.
        """


def known_shocks(market: Market, *, fit: bool = False) -> DaysByFactors:
    """(days - 1, factors) one-day shocks of a market, without the first row of NaN.

    Parameters
    ----------
    fit : True where a distribution is fitted: there must be 60 days, and every factor must move.

    Raises
    ------
    DataError : too few days, or a factor that never moves.

    Examples
    --------
    >>> import backtest as bt
    >>> known_shocks(bt.load_market("sample", end="2016-12-31"), fit=True).shape[1]
    11
    """
    shocks = market.shocks(1)[1:]
    fewest = FEWEST_STEPS if fit else 1
    if len(shocks) < fewest:
        raise DataError(
            f"the market has {len(market.dates)} day(s); this simulator needs {fewest + 1} or more."
        )
    still = np.ptp(shocks, axis=0) == 0
    if fit and still.any():
        raise DataError(
            f"{market.factors[int(np.argmax(still))]} never moves, so no law can be fitted to it; "
            "leave it out."
        )
    return shocks


@dataclass(frozen=True, eq=False)
class Paths:
    """The paths of one simulator on one market; each can be built without the others.

    Parameters
    ----------
    template : market with the dates, first levels, factors and kinds of every path.
    draw : shocks of a random stream. seed : of all paths; with the number of a path it determines
        its stream.

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
        """Fit a simulator to a market.

        StudyError where `seed` is not a whole number from 0, or factors trade on different days.
        """
        refuse_own_days(market)
        return cls(market, simulator.sampler(market), repr(simulator), _whole(seed, "seed"))

    def path(self, number: int) -> Market:
        """Path `number` as a market."""
        return self.path_and_range(number)[0]

    def shocks(self, number: int) -> DaysByFactors:
        """Shocks of path `number` as the simulator draws them, unchecked."""
        # The stream depends on seed and number alone, so that a path is the same in any worker, in
        # any order, and however many paths a study has.
        stream = np.random.SeedSequence(self.seed, spawn_key=(_whole(number, "path"),))
        return self.draw(np.random.default_rng(stream))

    def path_and_range(self, number: int) -> tuple[Market, float]:
        """The path, and the share of its days on which some yield stopped at a limit.

        Yields stop at 0 and at 20 %, or at the lowest and highest yield of the data where these
        are outside 0 .. 20 %.
        """
        shocks = np.ascontiguousarray(self.shocks(number), dtype=np.float64)
        market = self.template
        if shocks.ndim != 2 or len(shocks) == 0 or shocks.shape[1] != len(market.factors):
            raise StudyError(
                f"{self.label} drew shocks of shape {shocks.shape} on path {number}; draw "
                f"(days, {len(market.factors)}), a column for each factor."
            )
        if not np.isfinite(shocks).all():
            raise StudyError(
                f"{self.label} drew a shock that is not finite on path {number}; check what it "
                "was fitted to."
            )
        price = np.array([kind == "price" for kind in market.kinds])
        if (shocks[:, price] <= -1.0).any():
            raise StudyError(
                f"{self.label} drew a price change of {shocks[:, price].min():.0%} on path "
                f"{number}; lower its volatility."
            )
        yields = market.levels[:, ~price]
        low, high = float(yields.min(initial=0.0)), float(yields.max(initial=HIGHEST_YIELD))
        levels = np.empty((len(shocks) + 1, len(market.factors)))
        days_stopped = shocked_levels(market.levels[0], shocks, price, low, high, levels)
        path = replace(
            market,
            dates=path_days(market.dates, len(levels)),
            levels=levels,
            simulated=True,
            source=f"SIMULATED: {self.label}, seed {self.seed}, path {number}",
            adjusted=(),
            before=None,  # no path goes on from the real past
        )
        return path, days_stopped / len(shocks)


def refuse_own_days(market: Market) -> None:
    """StudyError where factors trade on different days: no simulator draws such days."""
    if market.traded is not None:
        raise StudyError(
            "simulators draw days on which every factor trades; simulated histories need [clock] "
            "kind = 'business'."
        )


def _whole(value: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise StudyError(f"{what} is {value!r}; give a whole number, 0 or more.")
    return int(value)


def path_days(dates: Dates, days: int) -> Dates:
    """The first `days` of `dates`, and weekdays after them where the path is longer.

    Examples
    --------
    >>> path_days(np.array(["2024-01-04", "2024-01-05"], "M8[D]"), 3)[-1]
    np.datetime64('2024-01-08')
    """
    if days <= len(dates):
        return dates[:days]
    later_days = np.busday_offset(dates[-1], np.arange(1, days - len(dates) + 1), roll="backward")
    return np.concatenate([dates, later_days])
