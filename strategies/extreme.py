"""Extreme value theory: the tail beyond a threshold, after division by volatility."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.ewma import ewma_coefficients
from backtest.estimators.fits import Certificate, note_fits
from backtest.estimators.garch import RollingGarch
from backtest.kernels.pareto import OUTCOMES, peaks_tail
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure
from backtest.model.protocol import Forecast, in_words, model
from backtest.model.revaluation import Revaluation, each_fit
from backtest.model.tails import nan_estimates, scenario_tails
from backtest.model.volatility_scaled import Dynamics
from backtest.types import FloatArray, StudyError, tail_count

FEWEST_PEAKS = 20  # excesses needed to fit a law with two parameters


@model(kind="extreme_value_var")
class ExtremeValueVaR(MarginOfForecast):
    r"""Peaks over a threshold on standardised residuals.

    .. math:: M_t = \sigma_{t+1} \Bigl(u + \frac{\beta}{\xi}
              \Bigl(\Bigl(\frac{(1 - c) n}{k}\Bigr)^{-\xi} - 1\Bigr)\Bigr)

    p are the P&Ls that the positions of day t would have made in the one-day shocks of the last
    `lookback` days, every shock times the root of its MPOR; sigma the volatility foreseen for each.
    A generalised Pareto law (xi, beta) is fitted every day to the k = `peaks` x n largest losses of
    p / sigma, above their threshold u. Expected shortfall is (VaR + beta - xi u) / (1 - xi). The
    volatility of the next day is assumed for the whole MPOR. Margin at day t uses closes up to and
    including t. USD.

    Parameters
    ----------
    lookback : number of P&Ls; the authors use 1000. peaks : share of them beyond the threshold;
        the authors use 0.10; 1 - confidence must not exceed it. measure : 'var' or 'es'.
    volatility : of the book's P&L: 'ewma' with `decay`, or 'garch' or 'gjr' with normal innovations
        (the pseudo-likelihood of the authors), fitted every `refit_every` days.

    References
    ----------
    McNeil, A. & Frey, R. (2000). Estimation of tail-related risk measures for heteroscedastic
    financial time series: an extreme value approach. Journal of Empirical Finance, 7, 271-300.

    Examples
    --------
    >>> ExtremeValueVaR().peaks
    0.1
    """

    lookback: Annotated[int, Ge(100)] = 500
    peaks: Annotated[float, Gt(0), Lt(0.5)] = 0.10
    measure: Measure = "var"
    volatility: Dynamics = "garch"
    decay: Annotated[float, Gt(0.5), Lt(1)] = 0.97
    refit_every: Annotated[int, Ge(1)] = 20

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the tail law, which has no density below the threshold.

        StudyError where the confidence is below the threshold, or there are fewer than 20 peaks.
        """
        peaks, level = self._peaks(coverage), 1.0 - coverage.confidence

        def tails(scenarios: Scenarios | Revaluation) -> FloatArray:
            out = nan_estimates(scenarios)
            garch = RollingGarch(
                len(scenarios.exposure), leverage=self.volatility == "gjr", student=False
            )
            garch.coefficients[:] = ewma_coefficients(self.decay)
            fitted = self.volatility != "ewma"
            if fitted:
                garch.coefficients[:] = np.nan
            days = each_fit(scenarios, self.lookback, self.refit_every if fitted else 1)
            for day, pnl, due in days:
                if fitted and due:
                    garch.refit(pnl)
                sigma = np.sqrt(garch.variances(pnl))
                # A portfolio that never moved has no z to fit a tail to; its margin is zero.
                out[:, day] = 0.0
                tails_of_z = np.full((len(pnl), OUTCOMES), np.nan)
                for p in np.flatnonzero(sigma[:, -1] != 0.0):
                    peaks_tail(-pnl[p] / sigma[p, :-1], peaks, level, tails_of_z[p])
                    out[:, day, p] = sigma[p, -1] * tails_of_z[p, :2]
                value, _, gain, second_peak, at_bound, beyond = tails_of_z.T
                self._refuse_stale(beyond, scenarios.dates[day])
                note_fits(
                    "generalised Pareto",
                    Certificate.of(
                        np.where(np.isnan(value), np.nan, 1.0),
                        at_bound=at_bound,
                        second_peak=second_peak,
                        gain=gain,
                    ),
                )
            return out

        return scenario_tails(market, book, coverage, estimate=tails, scaling="sqrt")

    def _refuse_stale(self, beyond: FloatArray, day: np.datetime64) -> None:
        """StudyError where too few losses lie beyond the threshold, as of prices that repeat.

        The threshold is then zero, and with it nearly all of the margin.
        """
        few = beyond < FEWEST_PEAKS
        if few.any():
            raise StudyError(
                f"{in_words(self)}, up to {day}, cannot be fitted: {beyond[few][0]:.0f} of "
                f"{self.lookback} P&Ls are losses beyond the threshold, {FEWEST_PEAKS} are needed. "
                "Prices are stale: leave out the days that were filled, or take a model that is "
                "not fitted."
            )

    def _peaks(self, coverage: Coverage) -> int:
        """Number of peaks; StudyError where they are too few, or do not reach the confidence."""
        peaks = tail_count(self.lookback, 1.0 - self.peaks, "floor")
        if peaks < FEWEST_PEAKS:
            raise StudyError(
                f"peaks is {self.peaks}: {peaks} of {self.lookback} days; raise peaks or lookback "
                f"until there are {FEWEST_PEAKS}."
            )
        if tail_count(self.lookback, coverage.confidence) > peaks:
            raise StudyError(
                f"confidence is {coverage.confidence}, below the threshold of the {self.peaks:.0%} "
                "largest losses, where their law says nothing; raise peaks."
            )
        return peaks
