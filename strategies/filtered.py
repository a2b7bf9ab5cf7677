"""Historical simulation whose scenarios are rescaled, or count by their age."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.kernels.aged_tail import aged_tail
from backtest.market.market import Market
from backtest.model.filtered import Dynamics, factor_volatility, factors_of, filtered
from backtest.model.forecasting import Measure, margin_of
from backtest.model.protocol import Forecast, model
from backtest.model.revaluation import priced_scenarios
from backtest.types import FloatArray, tail_count


@model
class FilteredHistorical:
    r"""Historical simulation of shocks rescaled to today's volatility, factor by factor.

    .. math:: x^*_s = \sigma_{t+1} \frac{x_s}{\sigma_s}, \qquad M_t = \max(0, L^*_{(k)})

    with sigma_s the volatility foreseen when shock s began, sigma_{t+1} the one foreseen today
    for the next day, k as in historical simulation. One day ahead Hull-White and filtered
    historical simulation are the same; over several days the shocks keep the order they had,
    where Barone-Adesi et al. would draw days one by one. Options are revalued in full. Margin at
    day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : scenarios, ending on day t. measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).
    volatility : of each factor's one-day shocks: 'ewma', 'garch' or 'gjr' (both with t
        innovations, fitted on a schedule).
    decay : of the EWMA. fit_lookback, refit_every : shocks behind each GARCH fit, days between.

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

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return margin_of(self.forecast(market, book, coverage), self.measure)

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the rescaled scenarios; they have no density."""
        tails = np.zeros((2, len(market.dates), len(book.portfolios)))
        by_clock = [
            (some, priced_scenarios(market, part, coverage=coverage, scaling=self.scaling))
            for some, part in book.by_clock(market)
        ]
        volatility = factor_volatility(
            market,
            dynamics=self.volatility,
            decay=self.decay,
            fit_lookback=self.fit_lookback,
            refit_every=self.refit_every,
            needed=factors_of(past for _, past in by_clock),
        )
        count = tail_count(self.lookback, coverage.confidence)
        for some, past in by_clock:
            found = filtered(past, market, volatility).tails(self.lookback, count=count)
            for tail, value in zip(tails, found, strict=True):
                tail[:, some] = past.spread(value)
        return Forecast(*tails)


@model
class AgeWeighted:
    r"""Historical simulation whose scenarios count less the older they are.

    .. math:: w_i = \frac{\lambda^{i-1} (1 - \lambda)}{1 - \lambda^N}

    for the i-th latest of N scenarios; the margin is the smallest loss that, with all larger ones,
    holds a weight of 1 - confidence (ES: the weighted mean of that tail). With lambda near one it
    is historical simulation. Margin at day t uses closes up to and including t. USD.

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

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return margin_of(self.forecast(market, book, coverage), self.measure)

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the weighted scenarios; they have no density."""
        tails = np.zeros((2, len(market.dates), len(book.portfolios)))
        weights, level = self.weights(), round(1.0 - coverage.confidence, 9)
        for some, part in book.by_clock(market):
            past = priced_scenarios(market, part, coverage=coverage, scaling=self.scaling)
            found = np.full((2, len(past.unit), len(past.exposure)), np.nan)
            for day in range(past.first + self.lookback - 1, len(past.unit)):
                values = past.values(day, lookback=self.lookback)
                today = (found[0, day], found[1, day])
                aged_tail(values, past.unit[day], past.exposure, weights, level, *today)
            for tail, value in zip(tails, found, strict=True):
                tail[:, some] = past.spread(value)
        return Forecast(*tails)
