"""Historical simulation with rescaled scenarios, or with weights by age."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.kernels.aged_tail import aged_tail
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure
from backtest.model.protocol import Forecast, model
from backtest.model.revaluation import Revaluation
from backtest.model.tails import nan_estimates, scenario_tails
from backtest.model.volatility_scaled import Dynamics, FactorVolatility, volatility_scaled
from backtest.types import FloatArray, tail_count


@model(kind="filtered_historical")
class FilteredHistorical(MarginOfForecast):
    r"""Historical simulation of shocks rescaled to today's volatility, factor by factor.

    .. math:: x^*_s = \sigma_{t+1} \frac{x_s}{\sigma_s}, \qquad M_t = \max(0, L^*_{(k)})

    with sigma_s the volatility foreseen when shock s began, sigma_{t+1} the one foreseen today
    for the next day, k as in historical simulation. Over one day Hull-White and filtered
    historical simulation are the same; over several days shocks are those of consecutive days,
    where Barone-Adesi et al. draw days one by one. Options are revalued in full. Margin at day t
    uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : scenarios, ending on day t. measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).
    volatility : of each factor's one-day shocks: 'ewma', 'garch' or 'gjr' (both with t
        innovations).
    decay : of the EWMA. fit_lookback, refit_every : shocks of each GARCH fit, days between fits.

    References
    ----------
    Hull, J. & White, A. (1998). Incorporating volatility updating into the historical simulation
    method for value-at-risk. Journal of Risk, 1(1), 5-19.
    Barone-Adesi, G., Giannopoulos, K. & Vosper, L. (1999). VaR without correlations for
    portfolios of derivative securities. Journal of Futures Markets, 19(5), 583-602.

    Examples
    --------
    >>> FilteredHistorical(volatility="garch").refit_every
    20
    """

    lookback: Annotated[int, Ge(20)] = 500
    measure: Measure = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"
    volatility: Dynamics = "ewma"
    decay: Annotated[float, Gt(0.5), Lt(1)] = 0.97
    fit_lookback: Annotated[int, Ge(50)] = 500
    refit_every: Annotated[int, Ge(1)] = 20

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the rescaled scenarios; without a density."""
        volatility = FactorVolatility(
            market,
            dynamics=self.volatility,
            decay=self.decay,
            fit_lookback=self.fit_lookback,
            refit_every=self.refit_every,
        )
        count = tail_count(self.lookback, coverage.confidence)
        return scenario_tails(
            market,
            book,
            coverage,
            estimate=lambda scenarios: volatility_scaled(scenarios, volatility).tails(
                self.lookback, count=count
            ),
            scaling=self.scaling,
        )


@model(kind="age_weighted")
class AgeWeighted(MarginOfForecast):
    r"""Historical simulation in which older scenarios have smaller weights.

    .. math:: w_i = \frac{\lambda^{i-1} (1 - \lambda)}{1 - \lambda^N}

    for the i-th latest of N scenarios; the margin is the largest loss at which the weights of this
    and all larger losses reach 1 - confidence (ES: the weighted mean of that tail). With lambda
    near one it is historical simulation. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : N. decay : lambda; the authors use 0.97 to 0.99. measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).

    References
    ----------
    Boudoukh, J., Richardson, M. & Whitelaw, R. (1998). The best of both worlds. Risk, 11(5),
    64-67.

    Examples
    --------
    >>> AgeWeighted().weights()[-1].round(6)
    np.float64(0.010066)
    """

    lookback: Annotated[int, Ge(20)] = 500
    decay: Annotated[float, Gt(0.5), Lt(1)] = 0.99
    measure: Measure = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"

    def weights(self) -> FloatArray:
        """(lookback,) weight of each scenario, the oldest first; they sum to one."""
        ages = np.arange(self.lookback - 1, -1, -1)
        share = (1.0 - self.decay) / (1.0 - self.decay**self.lookback)
        return np.asarray(self.decay**ages * share, dtype=np.float64)

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the weighted scenarios; without a density."""
        # 1 - 0.99 is not 0.01 in binary: round to the decimal that the confidence means.
        weights, level = self.weights(), round(1.0 - coverage.confidence, 9)

        def tails(scenarios: Scenarios | Revaluation) -> FloatArray:
            out = nan_estimates(scenarios)
            for day in range(scenarios.first + self.lookback - 1, len(scenarios.unit)):
                values = scenarios.values(day, lookback=self.lookback)
                aged_tail(
                    values, scenarios.unit[day], scenarios.exposure, weights, level, *out[:, day]
                )
            return out

        return scenario_tails(market, book, coverage, estimate=tails, scaling=self.scaling)
