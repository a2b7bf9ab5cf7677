"""Regimes of volatility and of correlation: calm days in which one hedges, stress in which not."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from backtest.estimators.correlation import correlation_of
from backtest.estimators.dependence import nearest_correlation
from backtest.estimators.regimes import Regimes, fit_regimes
from backtest.kernels.regimes import chain
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.paths import Sampler, known_shocks
from backtest.simulate.pilot import matching_scale
from backtest.types import DaysByFactors, FloatArray, StudyError


@model
class RegimeSwitching:
    r"""Two or three hidden regimes, each with its volatilities and correlations.

    .. math:: x_t = S_{r_t}^{1/2} n_t \sqrt{\nu / \chi^2_{\nu, t}}, \qquad
              P(r_{t+1} = j \mid r_t = i) = P_{ij}

    fitted to zero-mean shocks by maximum likelihood (`fit_regimes`), and scaled so that a typical
    history as long as the data has the data's standard deviation (`pilot.matching_scale`). The
    first regime is that with the smallest variances, summed over factors as shares of the data's. A
    path begins in a regime drawn from the long run of the chain.

    What is given replaces what is fitted, regime by regime, so that one can make the world in
    which a correlation of calm days breaks in stress:
    ``RegimeSwitching(cross=(0.4, -0.4), volatility=(0.8, 3.0), lengths=(250.0, 15.0))``. An offset
    measured in calm days is then wrong when it is needed, however long the history. Left to the
    data of 2015 to 2026 the regimes are others: yields calm and crypto wild, and the reverse, some
    twelve days each, with next to no correlation between the two in either.

    Parameters
    ----------
    regimes : how many.
    lengths : mean days for which each regime lasts, above one.
    volatility : standard deviations of all factors in each regime, as multiples of the data's.
    cross : correlation of every price with every yield in each regime; correlations among prices
        and among yields stay those of the regime.

    Raises
    ------
    StudyError : not one value a regime.

    References
    ----------
    Hamilton, J. (1989). A new approach to the economic analysis of nonstationary time series and
    the business cycle. Econometrica, 57(2), 357-384.
    Ang, A. & Bekaert, G. (2002). International asset allocation with regime shifts. Review of
    Financial Studies, 15(4), 1137-1187 (volatility and correlation switch together).

    Examples
    --------
    >>> RegimeSwitching(cross=(0.4, -0.4)).regimes
    2
    """

    keeps: ClassVar[str] = (
        "how regimes follow each other, and the volatilities, the correlations and the joint tails "
        "of each"
    )
    loses: ClassVar[str] = (
        "drift, asymmetry, what changes inside a regime, and tails that differ by factor"
    )

    regimes: Literal[2, 3] = 2
    lengths: tuple[Annotated[float, Gt(1)], ...] | None = None
    volatility: tuple[Annotated[float, Gt(0)], ...] | None = None
    cross: tuple[Annotated[float, Ge(-1), Le(1)], ...] | None = None

    def sampler(self, market: Market) -> Sampler:
        """Fit the regimes, put in what is given, draw as many shocks as the market has steps."""
        for name in ("lengths", "volatility", "cross"):
            values = getattr(self, name)
            if values is not None and len(values) != self.regimes:
                raise StudyError(
                    f"{name} has {len(values)} values and there are {self.regimes} regimes; give "
                    "one for each, the calmest first."
                )
        shocks = known_shocks(market, fit=True)
        fit = fit_regimes(shocks, self.regimes)
        price = np.array([kind == "price" for kind in market.kinds])
        roots = np.linalg.cholesky(self._scatter(fit, price, shocks.std(axis=0)))
        transition = self._transition(fit.transition)
        start = long_run(transition)

        def draw(rng: np.random.Generator) -> DaysByFactors:
            regime = np.empty(len(shocks), dtype=np.int64)
            chain(rng.random(len(shocks)), transition, start, regime)
            normal = rng.standard_normal(shocks.shape)
            normal *= np.sqrt(fit.freedom / rng.chisquare(fit.freedom, len(shocks)))[:, None]
            out = np.empty_like(normal)
            for k, root in enumerate(roots):
                out[regime == k] = normal[regime == k] @ root.T
            return out

        scale = 1.0 if self.volatility is not None else matching_scale(draw, shocks)
        return lambda rng: floored(draw(rng) * scale, price)

    def _scatter(self, fit: Regimes, price: FloatArray, data: FloatArray) -> FloatArray:
        """(regimes, factors, factors) after what is given; data (factors,) standard deviations."""
        deviation = np.sqrt(np.diagonal(fit.covariance, axis1=1, axis2=2))
        if self.volatility is not None:
            deviation = np.outer(self.volatility, data)
        correlation = correlation_of(fit.scatter)
        if self.cross is not None:
            tie = price[:, None] != price[None, :]
            targets = [np.where(tie, c, r) for c, r in zip(self.cross, correlation, strict=True)]
            correlation = np.stack([nearest_correlation(target) for target in targets])
        unit = deviation * np.sqrt((fit.freedom - 2.0) / fit.freedom)
        return correlation * unit[:, :, None] * unit[:, None, :]

    def _transition(self, fitted: FloatArray) -> FloatArray:
        """(regimes, regimes): where a regime goes is fitted, how long it lasts may be given."""
        if self.lengths is None:
            return fitted
        leaves = fitted * (1.0 - np.eye(len(fitted)))
        leaves /= leaves.sum(axis=1, keepdims=True)
        ends = 1.0 / np.array(self.lengths)
        return np.asarray(leaves * ends[:, None] + np.diag(1.0 - ends))


def long_run(transition: FloatArray) -> FloatArray:
    """(regimes,) share of days in each regime in the long run of a chain.

    Examples
    --------
    >>> long_run(np.array([[0.9, 0.1], [0.3, 0.7]])).round(2).tolist()
    [0.75, 0.25]
    """
    size = len(transition)
    # The shares p that the chain leaves as they are, p P = p, and that add up to one.
    equations = np.vstack([(transition - np.eye(size)).T, np.ones(size)])
    return np.asarray(np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0])
