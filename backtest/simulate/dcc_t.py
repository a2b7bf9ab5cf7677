"""Volatility recursions whose innovations a Student copula with a moving correlation joins."""

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Lt

from backtest.estimators.dcc import fit_dcc
from backtest.estimators.student import student_of
from backtest.kernels.dcc import dcc_path
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.garch_t import BURN_IN, VolatilityFits
from backtest.simulate.paths import Sampler, known_shocks
from backtest.simulate.pilot import matching_correlation, matching_scale
from backtest.types import DaysByFactors, FloatArray


@model
class DccT:
    r"""GARCH, or GJR, of each factor; a Student copula whose correlation moves joins them.

    .. math:: w_t = R_t^{1/2} n_t \sqrt{\frac{\nu - 2}{\chi^2_{\nu, t}}}, \qquad
              Q_{t+1} = (1 - p) \bar Q + a w_t w_t' + (p - a) Q_t

    with R_t the correlation of Q_t, and n independent normals. All factors of a day share the
    chi-square, so that their extremes coincide more often than their correlation says; each then
    has its own tails, as in `GarchT`: its innovation has the rank of w and the degrees of freedom
    of the factor. a, p and nu are fitted once to the innovations of the data (`fit_dcc`); Q bar is
    then moved so that a typical history as long as the data has the data's correlations
    (`pilot.matching_correlation`).

    Parameters
    ----------
    leverage : GJR, whose variance reacts by the sign of a shock.
    max_persistence : of the variances, as in `GarchT`.

    References
    ----------
    Engle, R. (2002). Dynamic conditional correlation. Journal of Business & Economic Statistics,
    20(3), 339-350.
    Jondeau, E. & Rockinger, M. (2006). The Copula-GARCH model of conditional dependencies: An
    international stock market application. Journal of International Money and Finance, 25(5),
    827-853.

    Examples
    --------
    >>> DccT(leverage=True)
    DccT(leverage=True, max_persistence=0.98)
    """

    keeps: ClassVar[str] = (
        "each factor's volatility clusters and fat tails, the standard deviations and correlations "
        "of a typical history, how fast correlations move, and how often extremes coincide"
    )
    loses: ClassVar[str] = (
        "drift, dependence that differs by sign, and correlations that break with volatility"
    )

    leverage: bool = False
    max_persistence: Annotated[float, Ge(0.5), Lt(1)] = 0.98

    def sampler(self, market: Market) -> Sampler:
        """Fit every factor and the copula, then draw as many shocks as the market has steps."""
        shocks = known_shocks(market, fit=True)
        fits = VolatilityFits.of(
            market, shocks, leverage=self.leverage, max_persistence=self.max_persistence
        )
        copula = fit_dcc(fits.z)
        margins = student_of(fits.freedom, copula.freedom)
        unit = np.sqrt((copula.freedom - 2.0) / copula.freedom)
        price = np.array([kind == "price" for kind in market.kinds])

        def draw_of(target: FloatArray) -> Sampler:
            def draw(rng: np.random.Generator) -> DaysByFactors:
                normal = rng.standard_normal((len(shocks) + BURN_IN, len(price)))
                chi_square = rng.chisquare(copula.freedom, len(normal))
                w, mixing = np.empty_like(normal), np.sqrt((copula.freedom - 2.0) / chi_square)
                dcc_path(normal, mixing, target, copula.reaction, copula.persistence, w)
                return fits.shocks(margins(w / unit))

            return draw

        draw = draw_of(matching_correlation(draw_of, shocks, copula.target))
        scale = matching_scale(draw, shocks)
        return lambda rng: floored(draw(rng) * scale, price)
