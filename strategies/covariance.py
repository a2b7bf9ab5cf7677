"""Variance-covariance: factor volatilities and their correlation, delta only."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.correlation import (
    correlation_of,
    dcc_covariance,
    ewma_covariance,
    rolling_covariance,
    shrunk_covariance,
    tail_correlation,
)
from backtest.estimators.dependence import nearest_correlation
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios, book_scenarios
from backtest.model.forecasting import MarginOfForecast, Measure, density_forecast
from backtest.model.protocol import Forecast, model
from backtest.model.tails import Group, by_group, same_holdings
from backtest.model.volatility_scaled import Dynamics, FactorVolatility, volatility_scaled
from backtest.types import DaysByPortfolios, FloatArray


@model(kind="variance_covariance")
class VarianceCovariance(MarginOfForecast):
    r"""Each factor's volatility, and the correlation between them.

    .. math:: M_t = q_c \sqrt{w' R_t w}, \qquad w_j = \sigma_{j,t+1} \sqrt{H} \, \delta_j

    with delta_j the USD sensitivity of the positions of day t to factor j, sigma its volatility
    foreseen for the next day and constant over the MPOR, R the correlation of the z = shock /
    volatility of its day, q_c the normal or Student quantile (or expected shortfall) at unit
    variance. Delta only: curvature and options are not revalued. Margin at day t uses closes up to
    and including t. USD.

    Parameters
    ----------
    correlation : 'rolling' over `lookback` days (with GARCH volatilities the constant conditional
        correlation), 'ewma' with `decay`, 'dcc', 'shrunk' (Ledoit-Wolf), 'stressed': the rolling
        one, moved by the share `stress` towards losses of all legs at once, or 'tail': that of the
        share `tail` of largest moves of each pair, in the last `lookback` days.
    lookback : days of the correlation. volatility : 'ewma' with `decay`, 'garch' or 'gjr'.
    freedom : degrees of freedom of Student innovations; None for normal. measure : 'var' or 'es'.
    reaction, persistence : of the DCC, not fitted.
    fit_lookback, refit_every : shocks of each GARCH fit, days between fits.

    References
    ----------
    Engle, R. (2002). Dynamic conditional correlation. Journal of Business & Economic Statistics,
    20(3), 339-350.
    Ledoit, O. & Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance
    matrices. Journal of Multivariate Analysis, 88(2), 365-411.
    Campbell, R., Koedijk, K. & Kofman, P. (2002). Increased correlation in bear markets. Financial
    Analysts Journal, 58(1), 87-94.

    Examples
    --------
    >>> VarianceCovariance(correlation="stressed").stress
    0.3
    """

    lookback: Annotated[int, Ge(20)] = 500
    correlation: Literal["rolling", "ewma", "dcc", "shrunk", "stressed", "tail"] = "rolling"
    volatility: Dynamics = "ewma"
    decay: Annotated[float, Gt(0.5), Lt(1)] = 0.97
    freedom: Annotated[float, Gt(2)] | None = None
    measure: Measure = "var"
    stress: Annotated[float, Ge(0), Le(1)] = 0.3
    tail: Annotated[float, Gt(0), Lt(0.5)] = 0.05
    reaction: Annotated[float, Gt(0), Lt(0.5)] = 0.03
    persistence: Annotated[float, Gt(0.5), Lt(1)] = 0.98
    fit_lookback: Annotated[int, Ge(50)] = 500
    refit_every: Annotated[int, Ge(1)] = 20

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the joint density, and the PIT of the realised P&L."""
        volatility = FactorVolatility(
            market,
            dynamics=self.volatility,
            decay=self.decay,
            fit_lookback=self.fit_lookback,
            refit_every=self.refit_every,
        )

        def deviation(group: Group) -> list[DaysByPortfolios]:
            scenarios = book_scenarios(market, group.book, coverage=coverage, scaling="sqrt")
            root = np.sqrt(Closeout(group.book, coverage).by_instrument)
            return [
                self._deviation(
                    volatility_scaled(scenarios, volatility), root[scenarios.instrument]
                )
            ]

        return density_forecast(
            market,
            book,
            coverage,
            volatility=by_group(market, book, deviation, split=same_holdings, empty=(0.0,))[0],
            freedom=np.inf if self.freedom is None else self.freedom,
        )

    def _deviation(self, scenarios: Scenarios, root: FloatArray) -> DaysByPortfolios:
        """sqrt(w' R w) of rescaled scenarios, whose units contain today's volatility.

        root : (columns,) square root of the MPOR, contained in the shocks of each column.
        """
        # A factor has a column for every instrument that it moves. They are one risk: their z are
        # equal but for the root of the MPOR, so their weights are added first.
        linear = np.flatnonzero(scenarios.power == 1)
        _, first, factor_of_column = np.unique(
            scenarios.factor[linear], return_index=True, return_inverse=True
        )
        z = scenarios.shocks[:, linear[first]] / root[linear[first]]
        correlation = self._correlation(np.ascontiguousarray(z))
        gather = np.zeros((len(linear), len(first)))
        gather[np.arange(len(linear)), factor_of_column] = root[linear]
        out = np.empty((len(scenarios.unit), len(scenarios.exposure)))
        for p, exposure in enumerate(scenarios.exposure[:, linear]):
            w = (exposure * scenarios.unit[:, linear]) @ gather
            variance = np.einsum("ti,tij,tj->t", w, correlation, w)
            if self.correlation == "stressed":
                worst = np.abs(w).sum(axis=1) ** 2
                variance = (1.0 - self.stress) * variance + self.stress * worst
            out[:, p] = np.sqrt(np.maximum(variance, 0.0))
        return out

    def _correlation(self, z: FloatArray) -> FloatArray:
        """(days, factors, factors) correlation foreseen at each close; NaN in the warm-up."""
        if self.correlation == "ewma":
            covariance = ewma_covariance(z, self.decay, seed_days=self.lookback)
        elif self.correlation == "dcc":
            covariance = dcc_covariance(
                z, reaction=self.reaction, persistence=self.persistence, lookback=self.lookback
            )
        elif self.correlation == "shrunk":
            covariance = shrunk_covariance(z, self.lookback)
        elif self.correlation == "tail":
            covariance = tail_correlation(z, self.lookback, tail=self.tail)
            for day in np.flatnonzero(~np.isnan(covariance[:, 0, 0])):
                covariance[day] = nearest_correlation(covariance[day])
        else:
            covariance = rolling_covariance(z, self.lookback)
        return correlation_of(covariance)
