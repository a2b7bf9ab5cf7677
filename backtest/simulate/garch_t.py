"""GARCH and GJR with Student innovations for each factor, and a constant correlation."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Lt

from backtest.estimators.dependence import nearest_correlation
from backtest.estimators.garch import fit_garch
from backtest.estimators.student import student_of, tail_freedom
from backtest.kernels.recursion import Recursion, devolatilise, revolatilise
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.paths import Sampler, known_shocks
from backtest.simulate.pilot import matching_correlation, matching_scale
from backtest.types import DataError, DaysByFactors, FloatArray

BURN_IN = 250  # first simulated days, not used: they start from the mean volatility


@model
class GarchT:
    r"""GARCH(1, 1) with Student innovations for each factor, and a constant correlation.

    .. math:: v_{t+1} = \omega + \alpha x_t^2 + \beta v_t, \qquad
              x_t = \sqrt{v_t} \, T_{\nu}^{-1}(\Phi(u_t)) \sqrt{(\nu - 2) / \nu}

    u are correlated standard normals, so that each factor has its own degrees of freedom. alpha and
    beta are likeliest for zero-mean shocks, nu for the largest tenth of the innovations that they
    leave (`tail_freedom`). An approximation: factors have no tail dependence beyond their
    correlation, and shocks are symmetric. omega and the correlation of u are set so that a typical
    history as long as the data has the data's standard deviations and correlations
    (`pilot.matching_scale`, `pilot.matching_correlation`).

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
        "each factor's volatility clusters and fat tails, and the standard deviations and "
        "correlations of the data on a typical history"
    )
    loses: ClassVar[str] = (
        "drift, asymmetry, dependence in the tail beyond the correlation, and dependence "
        "that changes"
    )

    max_persistence: Annotated[float, Ge(0.5), Lt(1)] = 0.98

    def sampler(self, market: Market) -> Sampler:
        """Fit every factor, then draw as many shocks as the market has steps."""
        return _constant_correlation(market, self.max_persistence, leverage=False)


@model
class GjrT:
    r"""`GarchT` whose variance reacts more to falls than to rises, or the other way round.

    .. math:: v_{t+1} = \omega + (\alpha + \gamma 1_{x_t < 0}) x_t^2 + \beta v_t

    The sign of gamma is the data's, factor by factor: for yields a rise is the fall of the bond.

    Parameters
    ----------
    max_persistence : alpha + gamma / 2 + beta is held at or below it, so that variance has a mean.

    References
    ----------
    Glosten, L., Jagannathan, R. & Runkle, D. (1993). On the relation between the expected value
    and the volatility of the nominal excess return on stocks. Journal of Finance, 48(5), 1779-1801.

    Examples
    --------
    >>> GjrT().max_persistence
    0.98
    """

    keeps: ClassVar[str] = (
        "each factor's volatility clusters, whether falls or rises feed them, and fat tails, and "
        "the standard deviations and correlations of the data on a typical history"
    )
    loses: ClassVar[str] = (
        "drift, skew of one day, dependence in the tail beyond the correlation, and dependence "
        "that changes"
    )

    max_persistence: Annotated[float, Ge(0.5), Lt(1)] = 0.98

    def sampler(self, market: Market) -> Sampler:
        """Fit every factor, then draw as many shocks as the market has steps."""
        return _constant_correlation(market, self.max_persistence, leverage=True)


@dataclass(frozen=True, eq=False)
class VolatilityFits:
    """Variance recursions of all factors, and the innovations that they leave of the data.

    Parameters
    ----------
    start : (factors,) variance of the data, from which the recursion starts and to which it tends.
    freedom : (factors,) degrees of freedom of the innovations. z : (days, factors) innovations.
    """

    law: Recursion
    start: FloatArray
    freedom: FloatArray
    z: DaysByFactors

    @classmethod
    def of(
        cls, market: Market, shocks: DaysByFactors, *, leverage: bool, max_persistence: float
    ) -> "VolatilityFits":
        """Fit each factor alone.

        DataError where the likelihood of a factor has no peak.
        """
        start, z = np.square(shocks).mean(axis=0), np.empty_like(shocks)
        fits = [fit_garch(x, leverage=leverage) for x in (shocks / np.sqrt(start)).T]
        for factor, fit in zip(market.factors, fits, strict=True):
            if not fit.converged:
                raise DataError(
                    f"no volatility recursion fits the shocks of {factor}; simulate it by "
                    "'stationary_bootstrap' or leave it out."
                )
        omega, alpha, gamma, beta = np.array([(f.omega, f.alpha, f.gamma, f.beta) for f in fits]).T
        devolatilise(
            np.ascontiguousarray(shocks),
            start.copy(),
            Recursion(omega * start, alpha, alpha + gamma, beta),
            z,
        )
        reaction = alpha + gamma / 2.0
        persistence = np.minimum(reaction + beta, max_persistence)
        # Memory below zero would turn the variance negative: a reaction beyond the persistence that
        # is allowed is cut to it, for gains and losses in proportion.
        cut = np.minimum(1.0, persistence / reaction)
        law = Recursion(
            (1.0 - persistence) * start,
            alpha * cut,
            (alpha + gamma) * cut,
            persistence - reaction * cut,
        )
        return cls(law, start, np.array([tail_freedom(column) for column in z.T]), z)

    def shocks(self, z: DaysByFactors) -> DaysByFactors:
        """Shocks of given innovations, without the first days, in which volatility settles."""
        out = np.empty_like(z)
        revolatilise(np.ascontiguousarray(z), self.start.copy(), self.law, out)
        return out[BURN_IN:]


def _constant_correlation(market: Market, max_persistence: float, *, leverage: bool) -> Sampler:
    """Sampler of innovations that a normal copula joins, the same on every day."""
    shocks = known_shocks(market, fit=True)
    fits = VolatilityFits.of(market, shocks, leverage=leverage, max_persistence=max_persistence)
    innovations = student_of(fits.freedom)
    price = np.array([kind == "price" for kind in market.kinds])

    def draw_of(correlation: FloatArray) -> Sampler:
        root = np.linalg.cholesky(correlation)

        def draw(rng: np.random.Generator) -> DaysByFactors:
            normal = rng.standard_normal((len(shocks) + BURN_IN, len(root))) @ root.T
            return fits.shocks(innovations(normal))

        return draw

    first = nearest_correlation(np.atleast_2d(np.corrcoef(fits.z.T)))
    draw = draw_of(matching_correlation(draw_of, shocks, first))
    scale = matching_scale(draw, shocks)
    return lambda rng: floored(draw(rng) * scale, price)
