"""A margin from a recursion of the quantile itself, without any distribution of the P&L."""

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


@model(kind="caviar_var")
class CaviarVaR(MarginOfForecast):
    r"""Conditional autoregressive value at risk of the book's P&L.

    .. math:: q_{t+1} = b_0 + b_1 q_t + (b_+ 1_{p_t \ge 0} + b_- 1_{p_t < 0}) |p_t|, \qquad
              M_t = \max(0, q_{t+1})

    p are the P&Ls that the positions of day t would have made in the one-day shocks of the last
    `lookback` days, every shock times the root of its MPOR; the recursion begins at their quantile.
    The coefficients minimise the tick loss, all positive and b_1 below one; the search is repeated
    every `refit_every` days from the last result. The manifest counts searches that do not end,
    after which the last good coefficients are kept. The recursion says nothing of the tail beyond
    the quantile: expected shortfall is q times one ratio, that of the largest likelihood of Taylor
    given q. Margin at day t uses closes up to and including t. USD.

    Each confidence is fitted alone, so quantiles may cross; and since only lookback (1 -
    confidence) days exceed the quantile, ten by default, the fit follows noise. The authors use
    2,892 days.

    Parameters
    ----------
    lookback : number of P&Ls. form : 'symmetric' (absolute value), equal reactions to gains and
        losses; 'asymmetric' (slope), different reactions; 'indirect-garch', equal reactions, with
        squares of q and p.
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
        """VaR of the recursion and ES in proportion to it; without a density.

        StudyError where `lookback` is too short for any day beyond the confidence.
        """

        def tails(scenarios: Scenarios | Revaluation) -> FloatArray:
            out = nan_estimates(scenarios)
            fitted = WarmCaviar(len(scenarios.exposure), coverage.confidence, form=self.form)
            for since_first, (day, pnl) in enumerate(each_window(scenarios, self.lookback)):
                if since_first % self.refit_every == 0:
                    fitted.refit(pnl)
                out[:, day] = fitted.tails(pnl)
            return out

        return scenario_tails(market, book, coverage, estimate=tails, scaling="sqrt")
