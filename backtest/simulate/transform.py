"""Stresses that wrap any simulator: correlation, volatility, an episode, a warm history."""

from datetime import date
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from backtest.estimators.dependence import nearest_correlation
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.paths import Sampler, Simulator, known_shocks
from backtest.simulate.pilot import pilot_moments
from backtest.types import DataError, DaysByFactors, FloatArray, StudyError


@model
class History:
    """History itself, once, as a simulator: what the stresses below are first applied to.

    Examples
    --------
    >>> History()
    History()
    """

    def sampler(self, market: Market) -> Sampler:
        """The market's own shocks, whatever the stream."""
        shocks = known_shocks(market)
        return lambda rng: shocks.copy()


@model
class CorrelationStress:
    r"""Shocks of another simulator, re-tied to another correlation; own variances are kept.

    .. math:: x' = m + D R_1^{1/2} R_0^{-1/2} D^{-1} (x - m)

    with R_0 the correlation and D the standard deviations of the base (over pilot histories), m
    the means of the path, which it keeps, and R_1 the target: the base's own within yields and
    within prices, `cross` between every price and every yield, or `matrix`. Symmetric roots, so
    that no factor leads. Where the target is not a correlation matrix, the nearest one is taken.

    Every day of the base is re-tied. To keep the history of a `Spliced` as it was and stress its
    future alone, put this inside: ``Spliced(base=CorrelationStress(base=...))``.

    Parameters
    ----------
    base : what is stressed.
    cross : correlation between every price and every yield. +c makes prices rise with yields, so
        that long crypto hedges long Treasuries; -c makes both lose together. The worst sign is the
        worse of the two for the book at hand.
    matrix : rows of a whole correlation matrix in the market's order of factors, instead.

    Examples
    --------
    >>> CorrelationStress(cross=-0.5).cross
    -0.5
    """

    base: Simulator = History()
    cross: Annotated[float, Ge(-1), Le(1)] = 0.0
    matrix: tuple[tuple[float, ...], ...] | None = None

    def sampler(self, market: Market) -> Sampler:
        """Draw from the base and re-tie."""
        draw = self.base.sampler(market)
        spread, now = pilot_moments(draw)
        if (spread == 0).any():
            factor = market.factors[int(np.argmin(spread))]
            raise DataError(f"{factor} never moves, so it has no correlation; leave it out.")
        now = nearest_correlation(now)
        mix = _root(self._target(market, now)) @ np.linalg.inv(_root(now))
        price = np.array([kind == "price" for kind in market.kinds])

        def tie(rng: np.random.Generator) -> DaysByFactors:
            shocks = draw(rng)
            mean = shocks.mean(axis=0)
            return floored(mean + ((shocks - mean) / spread) @ mix.T * spread, price)

        return tie

    def _target(self, market: Market, now: FloatArray) -> FloatArray:
        if self.matrix is not None:
            if [len(row) for row in self.matrix] != [len(now)] * len(now):
                raise StudyError(
                    f"matrix has {len(self.matrix)} rows of {sorted({*map(len, self.matrix)})}; "
                    f"give {len(now)} of {len(now)}, in the order {', '.join(market.factors)}."
                )
            target = np.array(self.matrix, dtype=np.float64)
            one = np.array_equal(np.diag(target), np.ones(len(now)))
            if not one or not np.allclose(target, target.T) or np.abs(target).max() > 1.0:
                raise StudyError(
                    f"matrix {self.matrix} holds no correlations; give a symmetric one within "
                    "-1 .. 1 whose diagonal is 1."
                )
            return nearest_correlation(target)
        price = np.array([kind == "price" for kind in market.kinds])
        target = np.where(price[:, None] != price[None, :], self.cross, now)
        return nearest_correlation(target)


def _root(matrix: FloatArray) -> FloatArray:
    """Symmetric square root of a positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 1e-12))) @ vectors.T


@model
class VolatilityScaling:
    """Shocks of another simulator, all or one kind of factor multiplied, drift included.

    Parameters
    ----------
    base : what is scaled. prices, yields : multiples of their shocks.

    Examples
    --------
    >>> VolatilityScaling(prices=2.0).yields
    1.0
    """

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
    """Shocks of another simulator with an episode of history spliced in at a random date.

    Any date of the path, its history included where the base is a `Spliced`; inside a `Spliced`
    the episode falls in the future.

    Parameters
    ----------
    start, end : first and last day of the episode, ISO, days of the market's own history. Shocks
        that end on these days and between them are laid over the base's, unchanged.
    base : what they are laid over.

    Examples
    --------
    >>> StressEpisode(start="2020-03-01", end="2020-03-31").start
    '2020-03-01'
    """

    start: str
    end: str
    base: Simulator = History()

    def sampler(self, market: Market) -> Sampler:
        """Draw from the base, then lay the episode over it; its date comes from the same stream."""
        draw = self.base.sampler(market)
        start, end = _day(self.start, "start"), _day(self.end, "end")
        # The market's first day has no shock.
        into = market.dates[1:]
        episode = known_shocks(market)[(into >= start) & (into <= end)]
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


def _day(text: str, what: str) -> np.datetime64:
    try:
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        raise StudyError(f"{what} is {text!r}; give a day such as 2020-03-01.") from None


@model
class Spliced:
    """History, then a simulated future: lookbacks are warm when the future begins.

    The future starts from the last day's levels, on the weekdays after it. A simulator with
    volatility of its own starts it at the mean, not at the last day's. Put the stresses inside, or
    they act on the history too. Scores are of the future alone where `score_from` is the market's
    last day, whose margin is the first to cover a simulated shock.

    Parameters
    ----------
    base : what the future is drawn from; repeated where it is shorter than `days`.
    days : length of the future in margin days.

    Examples
    --------
    >>> Spliced(days=250).days
    250
    """

    base: Simulator = History()
    days: Annotated[int, Ge(1)] = 500

    def sampler(self, market: Market) -> Sampler:
        """The market's own shocks, then `days` drawn ones."""
        draw = self.base.sampler(market)
        past = known_shocks(market)

        def splice(rng: np.random.Generator) -> DaysByFactors:
            future = draw(rng)
            while len(future) < self.days:
                future = np.vstack([future, draw(rng)])
            return np.vstack([past, future[: self.days]])

        return splice
