"""Simulators whose days are independent: a multivariate Student law, a Student copula."""

from typing import ClassVar

import numpy as np
from scipy.special import stdtr

from backtest.estimators.dependence import fit_multivariate_t, t_copula
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.paths import Sampler, known_shocks
from backtest.types import DataError, DaysByFactors


@model
class MultivariateT:
    """Independent days from one multivariate Student distribution fitted by maximum likelihood.

    Volatility does not cluster; all factors share their degrees of freedom, so extremes coincide.

    References
    ----------
    Liu, C. & Rubin, D. (1995). ML estimation of the t distribution using EM and its extensions,
    ECM and ECME. Statistica Sinica, 5(1), 19-39.

    Examples
    --------
    >>> MultivariateT()
    MultivariateT()
    """

    keeps: ClassVar[str] = (
        "means, correlations, and one heaviness of tails in which extremes of all factors coincide"
    )
    loses: ClassVar[str] = (
        "volatility clusters, asymmetry, and tails that differ by factor, and with them the "
        "standard deviations"
    )

    def sampler(self, market: Market) -> Sampler:
        """Draw as many shocks as the market has steps."""
        shocks = known_shocks(market, fit=True)
        try:
            mean, scatter, freedom = fit_multivariate_t(shocks)
            root = np.linalg.cholesky(scatter)
        except np.linalg.LinAlgError:
            raise DataError(
                "the shocks of a factor follow from those of the others, so no multivariate "
                "Student law can be fitted; leave one out."
            ) from None
        price = np.array([kind == "price" for kind in market.kinds])

        def draw(rng: np.random.Generator) -> DaysByFactors:
            normal = rng.standard_normal(shocks.shape) @ root.T
            mixing = np.sqrt(freedom / rng.chisquare(freedom, len(shocks)))
            return floored(mean + normal * mixing[:, None], price)

        return draw


@model
class TCopula:
    """Each factor's empirical distribution, joined by a Student copula; independent days.

    Correlation from Kendall's tau, degrees of freedom by maximum likelihood.

    References
    ----------
    Demarta, S. & McNeil, A. (2005). The t copula and related copulas. International Statistical
    Review, 73(1), 111-129.

    Examples
    --------
    >>> TCopula()
    TCopula()
    """

    keeps: ClassVar[str] = (
        "each factor's distribution of one day exactly, and how often extremes coincide"
    )
    loses: ClassVar[str] = (
        "volatility clusters, dependence that differs by sign or changes, and shocks outside "
        "the data"
    )

    def sampler(self, market: Market) -> Sampler:
        """Draw as many shocks as the market has steps."""
        shocks = known_shocks(market, fit=True)
        correlation, freedom = t_copula(shocks)
        root = np.linalg.cholesky(correlation)
        ordered = np.sort(shocks, axis=0)

        def draw(rng: np.random.Generator) -> DaysByFactors:
            normal = rng.standard_normal(shocks.shape) @ root.T
            mixing = np.sqrt(freedom / rng.chisquare(freedom, len(shocks)))
            # A draw is read off the sorted shocks of its factor, so that no factor ever moves
            # further than it has; new are only the days on which extremes coincide.
            uniform = stdtr(freedom, normal * mixing[:, None])
            rank = np.minimum((uniform * len(shocks)).astype(np.int64), len(shocks) - 1)
            return np.take_along_axis(ordered, rank, axis=0)

        return draw
