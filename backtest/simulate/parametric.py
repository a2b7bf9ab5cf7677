"""Parametric simulators: GARCH-t with constant correlation, multivariate t, t-copula."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Lt
from scipy.special import ndtr, stdtr, stdtrit

from backtest.estimators.dependence import fit_multivariate_t, nearest_correlation, t_copula
from backtest.kernels.levels import revolatilise
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.paths import Sampler, known_shocks
from backtest.simulate.pilot import matching_scale
from backtest.types import DaysByFactors, FloatArray

BURN_IN = 250  # first simulated days, not used: they start from the mean volatility


@model
class GarchT:
    r"""GARCH(1, 1) with Student innovations for each factor, and a constant correlation.

    .. math:: v_{t+1} = \omega + \alpha x_t^2 + \beta v_t, \qquad
              x_t = \sqrt{v_t} \, T_{\nu}^{-1}(\Phi(u_t)) \sqrt{(\nu - 2) / \nu}

    u are correlated standard normals, so that each factor has its own degrees of freedom. Fitted
    once by arch to zero-mean shocks; the correlation is that of the standardised residuals. An
    approximation: factors have no tail dependence beyond their correlation, and shocks are
    symmetric. omega is set so that a typical history as long as the data has the data's standard
    deviation (`pilot.matching_scale`), in place of the fitted long-run variance.

    Parameters
    ----------
    max_persistence : alpha + beta is held at or below it, so that variance has a mean.

    References
    ----------
    Bollerslev, T. (1987). A conditionally heteroskedastic time series model for speculative prices
    and rates of return. Review of Economics and Statistics, 69(3), 542-547.
    Bollerslev, T. (1990). Modelling the coherence in short-run nominal exchange rates: a
    multivariate generalized ARCH model. Review of Economics and Statistics, 72(3), 498-505.

    Examples
    --------
    >>> GarchT().max_persistence
    0.98
    """

    keeps: ClassVar[str] = (
        "each factor's volatility clusters, its fat tails and its typical standard "
        "deviation, and one correlation of innovations"
    )
    loses: ClassVar[str] = (
        "drift, asymmetry, dependence in the tail beyond the correlation, and dependence "
        "that changes"
    )

    max_persistence: Annotated[float, Ge(0.5), Lt(1)] = 0.98

    def sampler(self, market: Market) -> Sampler:
        """Fit every factor, then draw as many shocks as the market has steps."""
        shocks = known_shocks(market, fit=True)
        # Each factor is fitted alone and the correlation afterwards, from residuals: raw shocks of
        # a quiet and a wild factor correlate less in calm times than the innovations behind them.
        fits = [_fit_garch(column, self.max_persistence) for column in shocks.T]
        reaction = np.array([f.reaction for f in fits])
        persistence = np.array([f.persistence for f in fits])
        target = np.array([f.target for f in fits])
        freedom = np.array([f.freedom for f in fits])
        correlation = nearest_correlation(np.atleast_2d(np.corrcoef([f.z for f in fits])))
        root = np.linalg.cholesky(correlation)
        price = np.array([kind == "price" for kind in market.kinds])

        def draw(rng: np.random.Generator) -> FloatArray:
            normal = rng.standard_normal((len(shocks) + BURN_IN, len(fits))) @ root.T
            z = _student(normal, freedom)
            out = np.empty_like(z)
            revolatilise(z, target.copy(), reaction, persistence, target, out)
            return out[BURN_IN:]

        scale = matching_scale(draw, shocks)
        return lambda rng: floored(draw(rng) * scale, price)


@dataclass(frozen=True, eq=False)
class _GarchFit:
    """Recursion parameters of one factor, and its standardised residuals."""

    z: FloatArray
    reaction: float
    persistence: float
    target: float
    freedom: float


def _fit_garch(shocks: FloatArray, max_persistence: float) -> _GarchFit:
    """Arch's GARCH(1, 1)-t of one factor; shocks are scaled to unit variance for the fit."""
    from arch import arch_model

    scale = float(shocks.std())
    fitted = arch_model(
        shocks / scale, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False
    ).fit(disp="off", show_warning=False)
    alpha, beta = float(fitted.params["alpha[1]"]), float(fitted.params["beta[1]"])
    persistence = min(alpha + beta, max_persistence)
    return _GarchFit(
        z=np.asarray(fitted.std_resid),
        reaction=min(alpha, persistence),  # beta below zero would turn the variance negative
        persistence=persistence,
        target=scale**2,
        freedom=max(float(fitted.params["nu"]), 2.1),
    )


def _student(normal: FloatArray, freedom: FloatArray) -> FloatArray:
    """Unit-variance Student values with the ranks of `normal` (days, factors)."""
    # Through the lower tail on both sides: the upper one would round to probability 1.
    tail = ndtr(-np.abs(normal))
    quantile = np.abs(stdtrit(freedom, tail))
    return np.sign(normal) * quantile * np.sqrt((freedom - 2.0) / freedom)


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
        "means, covariances, and one heaviness of tails in which extremes of all factors coincide"
    )
    loses: ClassVar[str] = "volatility clusters, asymmetry, and tails that differ by factor"

    def sampler(self, market: Market) -> Sampler:
        """Draw as many shocks as the market has steps."""
        shocks = known_shocks(market, fit=True)
        mean, scatter, freedom = fit_multivariate_t(shocks)
        root = np.linalg.cholesky(scatter)
        price = np.array([kind == "price" for kind in market.kinds])

        def draw(rng: np.random.Generator) -> FloatArray:
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
