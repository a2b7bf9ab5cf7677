"""A margin that follows a recursion of its own: the quantile, with no distribution behind it."""

from typing import Annotated

from annotated_types import Ge

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.caviar import Form, WarmCaviar
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import MarginOfForecast, Measure
from backtest.model.protocol import Forecast, model
from backtest.model.revaluation import Revaluation, each_window
from backtest.model.tails import nan_estimates, scenario_tails
from backtest.types import FloatArray


@model
class CaviarVaR(MarginOfForecast):
    r"""Conditional autoregressive value at risk of the book's P&L.

    .. math:: q_{t+1} = b_0 + b_1 q_t + (b_+ 1_{p_t \ge 0} + b_- 1_{p_t < 0}) |p_t|, \qquad
              M_t = \max(0, q_{t+1})

    p are the P&Ls that the positions of day t would have made in the one-day shocks of the last
    `lookback` days, every shock times the root of its MPOR; the recursion begins at their quantile.
    Coefficients of least tick loss, all positive and b_1 below one, are sought every `refit_every`
    days from the last ones; a search that does not end is counted in the manifest, and the last
    good coefficients stand. Of the tail beyond it the recursion says nothing: expected shortfall
    is q times one ratio, the one that Taylor's likelihood is largest at, given q. Margin at day t
    uses closes up to and including t. USD.

    Each confidence is fitted on its own, so quantiles may cross; and with lookback (1 - confidence)
    days beyond the quantile, ten by default, the fit follows noise. The authors have 2,892 days.

    Parameters
    ----------
    lookback : P&Ls. form : 'symmetric' (absolute value), both reactions equal; 'asymmetric'
        (slope), each its own; 'indirect-garch', equal, with squares of q and p.
    measure : 'var' or 'es'. refit_every : days between fits.

    References
    ----------
    Engle, R. & Manganelli, S. (2004). CAViaR: conditional autoregressive value at risk by
    regression quantiles. Journal of Business & Economic Statistics, 22(4), 367-381.
    Taylor, J. (2019). Forecasting value at risk and expected shortfall using a semiparametric
    approach based on the asymmetric Laplace distribution. Journal of Business & Economic
    Statistics, 37(1), 121-133.

    Examples
    --------
    >>> CaviarVaR(form="asymmetric").lookback
    1000
    """

    lookback: Annotated[int, Ge(50)] = 1000
    form: Form = "symmetric"
    measure: Measure = "var"
    refit_every: Annotated[int, Ge(1)] = 20

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR of the recursion and ES in proportion to it; it has no density.

        StudyError where `lookback` days hold no day beyond the confidence.
        """

        def tails(past: Scenarios | Revaluation) -> FloatArray:
            out = nan_estimates(past)
            fitted = WarmCaviar(len(past.exposure), coverage.confidence, form=self.form)
            for since, (day, pnl) in enumerate(each_window(past, self.lookback)):
                if since % self.refit_every == 0:
                    fitted.refit(pnl)
                out[:, day] = fitted.tails(pnl)
            return out

        return scenario_tails(market, book, coverage, estimate=tails, scaling="sqrt")
