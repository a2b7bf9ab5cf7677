"""Prices tied to yields by the order of their days: a stress that keeps every law of one day."""

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from backtest.estimators.dependence import nearest_correlation
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.paths import Sampler, Simulator
from backtest.simulate.transform import History, root
from backtest.types import BoolArray, DataError, DaysByFactors, FloatArray

ROUNDS = 8  # of correction: re-ordering alone gives up a tenth of a correlation
MOST = 0.99  # correlation that is asked of the sums below


@model
class TiedPrices:
    r"""Shocks of another simulator, those of each price in another order of days.

    Yields stay as they are, day by day, so a book that holds no price is not moved at all. Each
    price keeps all its shocks, and with them its mean, its standard deviation and its tails; only
    the days on which they fall change, until its correlation with the yields is `cross`. The new
    order is that of

    .. math:: p = B y + S_1^{1/2} S_0^{-1/2} (x - B_0 y)

    with x the prices and y the yields, standardised; B and B_0 the regressions of prices on yields
    after and before; S_1 and S_0 the covariances that the regressions leave. `CorrelationStress`
    takes the sums themselves for shocks: that keeps variances alone, thins tails (of Bitcoin, a
    kurtosis of 6.7 to 4.8 at +.5) and mixes prices into yields.

    What is not kept exactly: correlations among prices (of Bitcoin with Ether .58 to .55), and how
    shocks follow each other in time. The correlation of each pair is near `cross`, their mean is
    it within .01 where the target can be had.

    Parameters
    ----------
    base : the stressed simulator. A base with random paths is tied path by path.
    cross : correlation of every price with every yield. +c makes prices rise with yields.

    Examples
    --------
    >>> TiedPrices(cross=-0.5).cross
    -0.5
    """

    keeps: ClassVar[str] = (
        "yields day by day, and each price's distribution of one day, as its base has them"
    )
    loses: ClassVar[str] = (
        "the correlation of prices with yields, which is given, and in part that among "
        "prices and how prices' shocks follow each other"
    )

    base: Simulator = History()
    cross: Annotated[float, Ge(-1), Le(1)] = 0.0

    def sampler(self, market: Market) -> Sampler:
        """Draw from the base and put the prices into another order."""
        draw = self.base.sampler(market)
        price = np.array([kind == "price" for kind in market.kinds])

        def tie(rng: np.random.Generator) -> DaysByFactors:
            shocks = draw(rng)
            if not price.any() or price.all():
                return shocks  # one class: there is nothing to tie it to
            deviation = shocks.std(axis=0)
            if (deviation == 0).any():
                factor = market.factors[int(np.argmin(deviation))]
                raise DataError(f"{factor} never moves, so it has no correlation; leave it out.")
            return _tied(shocks, price, self.cross)

        return tie


def _tied(shocks: DaysByFactors, price: BoolArray, cross: float) -> DaysByFactors:
    """The shocks with those of prices in an order of days that has the correlation `cross`."""
    z = (shocks - shocks.mean(axis=0)) / shocks.std(axis=0)
    x, y = z[:, price], z[:, ~price]
    before = nearest_correlation(np.corrcoef(z.T))
    regression, left = _regression(before, price)
    rest = (x - y @ regression.T) @ np.linalg.inv(root(left)).T
    ascending = np.sort(shocks[:, price], axis=0)
    found, asked = shocks.copy(), cross
    for _ in range(ROUNDS):
        target = np.where(price[:, None] != price[None, :], asked, before)
        regression, left = _regression(nearest_correlation(target), price)
        sums = y @ regression.T + rest @ root(left).T
        # Ranks of the sums say on which day each shock falls: the shocks themselves stay.
        ranks = sums.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
        found[:, price] = np.take_along_axis(ascending, ranks, axis=0)
        correlation = np.atleast_2d(np.corrcoef(found.T))
        reached = float(correlation[np.ix_(price, ~price)].mean())
        asked = float(np.clip(asked + cross - reached, -MOST, MOST))
    return found


def _regression(correlation: FloatArray, price: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients of prices on yields, and the covariance of what they leave."""
    ties = correlation[np.ix_(price, ~price)]
    coefficients = ties @ np.linalg.inv(correlation[np.ix_(~price, ~price)])
    return coefficients, correlation[np.ix_(price, price)] - coefficients @ ties.T
