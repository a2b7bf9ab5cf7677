"""Stresses that wrap any simulator: correlation, volatility, an episode, a warm history."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from ..market import Market
from ..model import model
from ..types import DataError, DaysByFactors, FloatArray, StudyError
from .bootstrap import floored
from .dependence import nearest_correlation
from .paths import Sampler, Simulator


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
        shocks = market.shocks(1)[1:]
        return lambda rng: shocks.copy()


@model
class CorrelationStress:
    r"""Shocks of another simulator, re-tied to another correlation; own variances are kept.

    .. math:: x' = D R_1^{1/2} R_0^{-1/2} D^{-1} x

    with R_0 the correlation and D the standard deviations of the data, R_1 the target: the
    data's own within yields and within prices, `cross` between the two (times the sign each pair
    of a price and a yield is given), or `matrix`. Symmetric roots, so that no factor leads.
    Where the target is not a correlation matrix, the nearest one is taken.

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
        shocks = market.shocks(1)[1:]
        spread = shocks.std(axis=0)
        if (spread == 0).any():
            factor = market.factors[int(np.argmin(spread))]
            raise DataError(f"{factor} never moves, so it has no correlation; leave it out.")
        now = nearest_correlation(np.atleast_2d(np.corrcoef(shocks.T)))
        mix = _root(self._target(market, now)) @ np.linalg.inv(_root(now))
        price = np.array([kind == "price" for kind in market.kinds])
        return lambda rng: floored((draw(rng) / spread) @ mix.T * spread, price)

    def _target(self, market: Market, now: FloatArray) -> FloatArray:
        if self.matrix is not None:
            target = np.array(self.matrix, dtype=np.float64)
            if target.shape != now.shape or not np.allclose(target, target.T):
                raise StudyError(
                    f"matrix has shape {target.shape}; give a symmetric one of {now.shape}, in "
                    f"the order {', '.join(market.factors)}."
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
    """Shocks of another simulator, all or one kind of factor multiplied.

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

    Parameters
    ----------
    start, end : first and last day of the episode, ISO, days of the market's own history.

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
        rows = (market.dates >= np.datetime64(self.start)) & (
            market.dates <= np.datetime64(self.end)
        )
        episode = market.shocks(1)[rows & (np.arange(len(rows)) > 0)]
        if len(episode) == 0:
            raise StudyError(
                f"the market has no day between {self.start} and {self.end}; it runs from "
                f"{market.dates[0]} to {market.dates[-1]}."
            )

        def lay_over(rng: np.random.Generator) -> DaysByFactors:
            shocks = draw(rng).copy()
            at = int(rng.integers(0, len(shocks) - len(episode) + 1))
            shocks[at : at + len(episode)] = episode
            return shocks

        return lay_over


@model
class Spliced:
    """History, then a simulated future: lookbacks are warm when the future begins.

    Parameters
    ----------
    base : what the future is drawn from. days : its length in margin days.

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
        past = market.shocks(1)[1:]

        def splice(rng: np.random.Generator) -> DaysByFactors:
            future = draw(rng)
            while len(future) < self.days:
                future = np.vstack([future, draw(rng)])
            return np.vstack([past, future[: self.days]])

        return splice
