"""Simulators that change another one: correlation, volatility, a stress episode, a warm history."""

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from backtest.estimators.dependence import nearest_correlation
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.paths import Sampler, Simulator, known_shocks
from backtest.simulate.pilot import pilot_moments
from backtest.types import DataError, DaysByFactors, FloatArray, StudyError, parse_day


@model
class History:
    """The market's own history as a simulator: the default base of the stresses below.

    Examples
    --------
    >>> History()
    History()
    """

    keeps: ClassVar[str] = "the data themselves, the same on every path"
    loses: ClassVar[str] = "nothing, and so it says nothing of what did not happen"

    def sampler(self, market: Market) -> Sampler:
        """The market's own shocks, the same for every random stream."""
        shocks = known_shocks(market)
        return lambda rng: shocks.copy()


@model
class CorrelationStress:
    r"""Shocks of another simulator with another correlation; variances do not change.

    Tails do: sums of shocks have thinner ones. `TiedPrices` keeps every factor's law of one day.

    .. math:: x' = m + D R_1^{1/2} R_0^{-1/2} D^{-1} (x - m)

    with R_0 the correlation and D the standard deviations of the base (over pilot histories), m
    the means of the path, which do not change, and R_1 the target: the base's correlation among
    yields and among prices, `cross` between every price and every yield, or `matrix`. The roots
    are symmetric, so that the order of the factors does not matter. Where the target is not a
    correlation matrix, the nearest one is taken.

    Every day of the base is changed. To stress only the future of a `Spliced`, put this inside:
    ``Spliced(base=CorrelationStress(base=...))``.

    Parameters
    ----------
    base : the stressed simulator.
    cross : correlation between every price and every yield. +c makes prices rise with yields, so
        that long crypto hedges long Treasuries; -c makes both lose together. Which sign is worse
        depends on the book.
    matrix : rows of a whole correlation matrix in the market's order of factors, instead.

    Examples
    --------
    >>> CorrelationStress(cross=-0.5).cross
    -0.5
    """

    keeps: ClassVar[str] = (
        "means and variances of its base, and correlations within yields and within prices "
        "unless a matrix is given"
    )
    loses: ClassVar[str] = (
        "the correlation of prices with yields, which is given, and the shape of tails, "
        "which sums of shocks thin"
    )

    base: Simulator = History()
    cross: Annotated[float, Ge(-1), Le(1)] = 0.0
    matrix: tuple[tuple[float, ...], ...] | None = None

    def sampler(self, market: Market) -> Sampler:
        """Draw from the base and change the correlation."""
        draw = self.base.sampler(market)
        base_sd, base_correlation = pilot_moments(draw)
        if (base_sd == 0).any():
            factor = market.factors[int(np.argmin(base_sd))]
            raise DataError(f"{factor} never moves, so it has no correlation; leave it out.")
        base_correlation = nearest_correlation(base_correlation)
        # The inverse root makes the base's factors uncorrelated, the other root correlates them
        # anew. Deviations are divided out before and multiplied in after, so variances stay.
        rotation = root(self._target(market, base_correlation)) @ np.linalg.inv(
            root(base_correlation)
        )
        price = np.array([kind == "price" for kind in market.kinds])

        def tie(rng: np.random.Generator) -> DaysByFactors:
            shocks = draw(rng)
            mean = shocks.mean(axis=0)
            return floored(mean + ((shocks - mean) / base_sd) @ rotation.T * base_sd, price)

        return tie

    def _target(self, market: Market, base_correlation: FloatArray) -> FloatArray:
        """(factors, factors) correlation after the stress."""
        size = len(market.factors)
        if self.matrix is not None:
            if [len(row) for row in self.matrix] != [size] * size:
                raise StudyError(
                    f"matrix has {len(self.matrix)} rows of {sorted({*map(len, self.matrix)})}; "
                    f"give {size} of {size}, in the order {', '.join(market.factors)}."
                )
            target = np.array(self.matrix, dtype=np.float64)
            unit_diagonal = np.array_equal(np.diag(target), np.ones(size))
            if not unit_diagonal or not np.allclose(target, target.T) or np.abs(target).max() > 1.0:
                raise StudyError(
                    f"matrix {self.matrix} holds no correlations; give a symmetric one within "
                    "-1 .. 1 whose diagonal is 1."
                )
            return nearest_correlation(target)
        # Only pairs of a price and a yield change: within a class the base is evidence.
        price = np.array([kind == "price" for kind in market.kinds])
        target = np.where(price[:, None] != price[None, :], self.cross, base_correlation)
        return nearest_correlation(target)


def root(matrix: FloatArray) -> FloatArray:
    """Symmetric square root of a positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 1e-12))) @ vectors.T


@model
class VolatilityScaling:
    """Shocks of another simulator times a constant, one for prices and one for yields.

    Parameters
    ----------
    base : the scaled simulator. prices, yields : multiples of their shocks, drift included.

    Examples
    --------
    >>> VolatilityScaling(prices=2.0).yields
    1.0
    """

    keeps: ClassVar[str] = (
        "all of its base but the size of shocks: correlations, the shape of tails, the order "
        "of days"
    )
    loses: ClassVar[str] = "the size of shocks, which is given"

    base: Simulator = History()
    prices: Annotated[float, Gt(0)] = 1.0
    yields: Annotated[float, Gt(0)] = 1.0

    def sampler(self, market: Market) -> Sampler:
        """Draw from the base and multiply."""
        draw = self.base.sampler(market)
        price = np.array([kind == "price" for kind in market.kinds])
        scale = np.where(price, self.prices, self.yields)
        return lambda rng: floored(draw(rng) * scale, price)


@model
class StressEpisode:
    """Shocks of another simulator, with an episode of history in their place at a random date.

    Any date of the path may be drawn, also in the history of a base that is a `Spliced`; inside a
    `Spliced` the episode always falls in the future.

    Parameters
    ----------
    start, end : first and last day of the episode, ISO, days of the market's own history. Shocks
        that end between these days, both included, replace those of the base, unchanged.
    base : the simulator whose shocks are replaced.

    Examples
    --------
    >>> StressEpisode(start="2020-03-01", end="2020-03-31").start
    '2020-03-01'
    """

    keeps: ClassVar[str] = (
        "all of its base outside the episode, and the episode as it happened, all factors together"
    )
    loses: ClassVar[str] = "the date of the episode, which is drawn, and what led to it"

    start: str
    end: str
    base: Simulator = History()

    def sampler(self, market: Market) -> Sampler:
        """Draw from the base, then put the episode in; its date comes from the same stream."""
        draw = self.base.sampler(market)
        start, end = parse_day(self.start, "start"), parse_day(self.end, "end")
        # Shocks are named by the day on which they end; the market's first day has none.
        shock_dates = market.dates[1:]
        episode = known_shocks(market)[(shock_dates >= start) & (shock_dates <= end)]
        if len(episode) == 0:
            raise StudyError(
                f"the market has no shock between {self.start} and {self.end}; it runs from "
                f"{market.dates[0]} to {market.dates[-1]}."
            )

        def lay_over(rng: np.random.Generator) -> DaysByFactors:
            shocks = draw(rng).copy()
            if len(episode) > len(shocks):
                raise StudyError(
                    f"the episode {self.start} .. {self.end} has {len(episode)} days and the path "
                    f"{len(shocks)}; shorten the episode."
                )
            at = int(rng.integers(0, len(shocks) - len(episode) + 1))
            shocks[at : at + len(episode)] = episode
            return shocks

        return lay_over


@model
class Spliced:
    """History, then a simulated future: lookbacks are full when the future begins.

    The future starts from the last day's levels, on the weekdays after it. A simulator with a
    volatility recursion starts it at the mean, not at the volatility of the last day. Put stresses
    inside, or they change the history too. To score the future alone set `score_from` to the
    market's last day, whose margin is the first to cover a simulated shock.

    Parameters
    ----------
    base : simulator of the future; drawn again where its path is shorter than `days`.
    days : length of the future in margin days.

    Examples
    --------
    >>> Spliced(days=250).days
    250
    """

    keeps: ClassVar[str] = "the data day by day up to their end, and then what its base keeps"
    loses: ClassVar[str] = "in the future what its base loses, and the volatility of the last day"

    base: Simulator = History()
    days: Annotated[int, Ge(1)] = 500

    def sampler(self, market: Market) -> Sampler:
        """The market's own shocks, then `days` drawn ones."""
        if follows_dates(self.base):
            raise StudyError(
                "the base of this Spliced has shocks for each day of the path, and the days of the "
                "future are others; put the Spliced inside, as its base."
            )
        draw = self.base.sampler(market)
        history = known_shocks(market)

        def splice(rng: np.random.Generator) -> DaysByFactors:
            future = draw(rng)
            while len(future) < self.days:
                future = np.vstack([future, draw(rng)])
            return np.vstack([history, future[: self.days]])

        return splice


def follows_dates(simulator: Simulator) -> bool:
    """Whether shocks of a simulator, or of a base in it, depend on the days of the path."""
    base = getattr(simulator, "base", None)
    return getattr(simulator, "follows_dates", False) or (base is not None and follows_dates(base))
