"""Bootstraps of the joint shocks of all factors: as observed, or with volatility filtered out."""

import math
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.kernels.recursion import Recursion, devolatilise, revolatilise
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.scores.resample import stationary_indices
from backtest.simulate.paths import Sampler, known_shocks
from backtest.simulate.pilot import matching_scale
from backtest.types import DaysByFactors, FloatArray


def block_lengths(shocks: DaysByFactors) -> FloatArray:
    """Optimal mean lengths of a stationary bootstrap, days: (2, factors), of shocks and of sizes.

    Of the shocks themselves, whose memory is that of a level (a funding rate, a peg), and of their
    absolute values, whose memory is that of volatility.

    Parameters
    ----------
    shocks : (days, factors), every factor moving.

    References
    ----------
    Patton, A., Politis, D. & White, H. (2009). Correction to "Automatic block-length selection
    for the dependent bootstrap". Econometric Reviews, 28(4), 372-375. (arch.bootstrap)

    Examples
    --------
    >>> block_lengths(np.random.default_rng(0).standard_normal((500, 2))).shape
    (2, 2)
    """
    from arch.bootstrap import optimal_block_length

    both = (optimal_block_length(x)["stationary"].to_numpy() for x in (shocks, np.abs(shocks)))
    return np.array(list(both), dtype=np.float64)


def block_length(shocks: DaysByFactors) -> int:
    """Longest of the optimal lengths over all factors, of shocks and of sizes; whole days.

    All factors of a day are drawn together, so one length must do for all. Too short a block tears
    the clusters of the factor with the longest memory apart, and its extremes no longer come in
    rows; too long a one only leaves fewer different blocks. Hence the longest: on daily prices that
    of a volatility, a hundred days where returns alone would ask for two.

    Examples
    --------
    >>> block_length(np.random.default_rng(0).standard_normal((500, 2))) < 10
    True
    """
    return max(1, math.ceil(float(block_lengths(shocks).max())))


def _rows(shocks: DaysByFactors, block: int, rng: np.random.Generator) -> DaysByFactors:
    # Whole days are drawn, never factors one by one: a crash of crypto must meet the Treasury
    # moves of its own day, or the dependence between the two would be lost.
    seed = int(rng.integers(2**63))
    rows = stationary_indices(len(shocks), resamples=1, block=block, seed=seed)[0]
    return shocks[rows]


@model
class StationaryBootstrap:
    """Blocks of history, joint over all factors, of geometric length.

    Parameters
    ----------
    block_size : mean block length in days; None takes the data's (`block_length`). Days follow each
        other in a circle, the first after the last, so that every day is drawn as often as another.

    References
    ----------
    Politis, D. & Romano, J. (1994). The stationary bootstrap. JASA, 89(428), 1303-1313.

    Examples
    --------
    >>> StationaryBootstrap(block_size=20)
    StationaryBootstrap(block_size=20)
    """

    keeps: ClassVar[str] = (
        "every shock of the data with all factors of its day, and how shocks follow each "
        "other within a block"
    )
    loses: ClassVar[str] = "what lasts longer than a block, and shocks and levels outside the data"

    block_size: Annotated[int, Ge(1)] | None = None

    def sampler(self, market: Market) -> Sampler:
        """Draw as many shocks as the market has steps."""
        shocks = known_shocks(market, fit=self.block_size is None)
        block = self.block_size or block_length(shocks)
        return lambda rng: _rows(shocks, block, rng)


@model
class FilteredBootstrap:
    r"""Resample shocks divided by their volatility, then multiply by a new volatility path.

    .. math:: v_{t+1} = (1 - p) \bar v + a x_t^2 + (p - a) v_t, \qquad z_t = x_t / \sqrt{v_t}

    for each factor, with the same days drawn for all, which preserves dependence. Shocks are then
    scaled so that a typical history as long as the data has the data's standard deviation
    (`pilot.matching_scale`): volatility that the recursion misses remains in z, and would
    otherwise be counted twice.

    Parameters
    ----------
    reaction : a. persistence : p, below 1 so that variance has a mean.
    block_size : mean block of the innovations z, days.

    References
    ----------
    Barone-Adesi, G., Giannopoulos, K. & Vosper, L. (1999). VaR without correlations for
    portfolios of derivative securities. Journal of Futures Markets, 19(5), 583-602.

    Examples
    --------
    >>> FilteredBootstrap().persistence
    0.98
    """

    keeps: ClassVar[str] = (
        "the dependence and the tails of one day's innovations, and volatility that clusters "
        "as the given recursion says"
    )
    loses: ClassVar[str] = (
        "memory of volatility that the recursion does not have, a reaction that differs by "
        "sign, and dependence that changes"
    )

    reaction: Annotated[float, Gt(0), Lt(0.5)] = 0.06
    persistence: Annotated[float, Gt(0.5), Lt(1)] = 0.98
    block_size: Annotated[int, Ge(1)] = 5

    def sampler(self, market: Market) -> Sampler:
        """Draw as many shocks as the market has steps, from the mean variance on."""
        shocks = np.ascontiguousarray(known_shocks(market, fit=True))
        target = shocks.var(axis=0)
        reaction = np.full(len(target), self.reaction)
        memory = np.full(len(target), self.persistence - self.reaction)
        law = Recursion((1.0 - self.persistence) * target, reaction, reaction, memory)
        z = np.empty_like(shocks)
        devolatilise(shocks, target.copy(), law, z)
        # The recursion is not fitted, so its z have neither mean 0 nor variance 1. Both are needed:
        # the drawn variance would drift from the mean variance otherwise.
        z = (z - z.mean(axis=0)) / z.std(axis=0)
        price = np.array([kind == "price" for kind in market.kinds])

        def draw(rng: np.random.Generator) -> FloatArray:
            out = np.empty_like(z)
            z_drawn = np.ascontiguousarray(_rows(z, self.block_size, rng))
            revolatilise(z_drawn, target.copy(), law, out)
            return out

        scale = matching_scale(draw, shocks)
        return lambda rng: floored(draw(rng) * scale, price)


LARGEST_FALL = -0.90  # of a simulated price in a day: larger than any in history, short of zero


def floored(shocks: DaysByFactors, price: np.ndarray) -> DaysByFactors:
    """Shocks with price falls stopped at -90 % a day, since a price cannot reach zero.

    Examples
    --------
    >>> floored(np.array([[-1.2, -1.2]]), np.array([True, False])).tolist()
    [[-0.9, -1.2]]
    """
    shocks[:, price] = np.maximum(shocks[:, price], LARGEST_FALL)
    return shocks
