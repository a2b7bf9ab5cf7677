"""Margins from a fitted distribution of the book's P&L: EWMA, GARCH and GJR, Cornish-Fisher.

Each is fitted to the P&L that today's positions would have made over past scenarios, as in
historical simulation, so that options, curvature and changing durations are included.
"""

from typing import Annotated, Literal, Protocol

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.cornish_fisher import cornish_fisher_tail, rises_everywhere
from backtest.estimators.ewma import ewma_coefficients
from backtest.estimators.fits import Certificate, note_fits
from backtest.estimators.garch import RollingGarch
from backtest.estimators.stale import refuse_stale
from backtest.kernels.garch import student_freedom, variance_rows
from backtest.kernels.skewed import skewed_shape
from backtest.kernels.tails import is_constant
from backtest.kernels.window_tail import window_pnl
from backtest.kernels.windowed_ewma import windowed_ewma
from backtest.market.market import Market
from backtest.model.delta_gamma import Scenarios
from backtest.model.forecasting import (
    Innovations,
    MarginOfForecast,
    Measure,
    density_forecast,
    margin_of,
)
from backtest.model.protocol import Forecast, in_words, model
from backtest.model.revaluation import Revaluation, each_fit, each_window, priced_scenarios
from backtest.model.tails import Group, by_group, nan_estimates, scenario_tails
from backtest.types import DaysByPortfolios, FloatArray


class FitsLaw(Protocol):
    """A model that fits a law to each window of P&Ls."""

    @property
    def innovations(self) -> Innovations:
        """Their law."""

    @property
    def measure(self) -> Measure:
        """'var' or 'es'."""

    def law(self, scenarios: Scenarios | Revaluation) -> FloatArray:
        """(3, days, portfolios) volatility, degrees of freedom and skew."""


class MarginOfLaw:
    """Base of models that fit a law to each window: their margin leaves its PIT out."""

    def margin(self: FitsLaw, market: Market, book: Book, coverage: Coverage) -> DaysByPortfolios:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return margin_of(_forecast(self, market, book, coverage, with_pit=False), self.measure)

    def forecast(self: FitsLaw, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the fitted density, and the PIT of the realised P&L."""
        return _forecast(self, market, book, coverage, with_pit=True)


@model(kind="ewma_var")
class EwmaVaR(MarginOfLaw):
    r"""Exponentially weighted variance of the book's P&L, with normal, Student or skewed tails.

    .. math:: \sigma^2_{t+1} = \lambda \sigma^2_t + (1 - \lambda) p_t^2, \qquad
              M_t = \sigma_{t+1} q_c

    p are the P&Ls that the positions of day t would have made in the one-day shocks of the last
    `lookback` days, every shock times the root of its MPOR; zero mean; q_c is the quantile (or
    expected shortfall) at unit variance. Student degrees of freedom, and for 'skew-t' Hansen's
    skew, are fitted to p / sigma by maximum likelihood every `refit_every` days. The volatility of
    the next day is assumed for the whole MPOR. Margin at day t uses closes up to and including t.
    USD.

    Parameters
    ----------
    lookback : number of P&Ls. decay : lambda. innovations : 'normal', 't' or 'skew-t'.
    measure : 'var' or 'es'. refit_every : days between fits of the degrees of freedom and the skew.

    References
    ----------
    J.P. Morgan/Reuters (1996). RiskMetrics technical document, 4th edition.
    Alexander, C. & Dakos, M. (2023). Assessing the accuracy of exponentially weighted moving
    average models for value-at-risk and expected shortfall of crypto portfolios. Quantitative
    Finance, 23(3), 393-427.
    Hansen, B. (1994). Autoregressive conditional density estimation. International Economic
    Review, 35(3), 705-730.

    Examples
    --------
    >>> EwmaVaR(innovations="t").decay
    0.97
    """

    lookback: Annotated[int, Ge(50)] = 500
    decay: Annotated[float, Gt(0.5), Lt(1)] = 0.97
    innovations: Innovations = "normal"
    measure: Measure = "var"
    refit_every: Annotated[int, Ge(1)] = 20

    def law(self, scenarios: Scenarios | Revaluation) -> FloatArray:
        """(3, days, portfolios) volatility, degrees of freedom and skew."""
        law = nan_estimates(scenarios, 3)
        begin = scenarios.first + self.lookback - 1
        pnl_of_day = steady_pnl(scenarios, begin)
        if self.innovations == "normal" and pnl_of_day is not None:
            variance = np.empty_like(pnl_of_day)
            windowed_ewma(pnl_of_day, self.decay, self.lookback, begin, variance)
            law[0, begin:], law[1, begin:], law[2, begin:] = np.sqrt(variance[begin:]), np.inf, 0.0
            return law
        rows = np.tile(ewma_coefficients(self.decay), (len(scenarios.exposure), 1))
        skew = np.zeros(len(scenarios.exposure))
        out = np.empty((len(scenarios.exposure), self.lookback + 1))
        fitted = self.innovations != "normal"
        for day, pnl, due in each_fit(scenarios, self.lookback, self.refit_every if fitted else 1):
            variance_rows(pnl, rows, out)
            if fitted and due:
                for p in np.flatnonzero(out[:, -1] > 0.0):
                    z = pnl[p] / np.sqrt(out[p, :-1])
                    if self.innovations == "t":
                        rows[p, 4] = student_freedom(z)
                    else:
                        rows[p, 4], skew[p] = skewed_shape(z)
                who = f"{in_words(self)}, up to {scenarios.dates[day]},"
                refuse_stale(pnl, rows[:, 4], who=who)
            law[:, day] = np.sqrt(out[:, -1]), rows[:, 4], skew
        return law


@model(kind="garch_var")
class GarchVaR(MarginOfLaw):
    r"""GARCH(1, 1) or GJR of the book's P&L, with normal, Student or skewed innovations.

    .. math:: v_{t+1} = \omega + (\alpha + \gamma 1_{p_t < 0}) p_t^2 + \beta v_t, \qquad
              M_t = \sqrt{v_{t+1}} \, q_c

    p are the P&Ls that the positions of day t would have made in the one-day shocks of the last
    `lookback` days, every shock times the root of its MPOR; zero mean; q_c is the quantile (or
    expected shortfall) at unit variance. Fitted by maximum likelihood from several starts, degrees
    of freedom and Hansen's skew included, on the first full window and then every `refit_every`
    weekdays counted from 1970, so that margins do not depend on the first day of the study; one
    that does not converge is counted in the manifest, and the last good parameters stay in use. The
    volatility of the next day is held over the MPOR. Margin at day t uses closes up to and
    including t. USD.

    Parameters
    ----------
    lookback : number of P&Ls. leverage : True for GJR, a separate reaction to losses. innovations :
        't', 'normal' or 'skew-t'. measure : 'var' or 'es'. refit_every : days between fits.

    References
    ----------
    Bollerslev, T. (1987). A conditionally heteroskedastic time series model for speculative prices
    and rates of return. Review of Economics and Statistics, 69(3), 542-547.
    Glosten, L., Jagannathan, R. & Runkle, D. (1993). On the relation between the expected value
    and the volatility of the nominal excess return on stocks. Journal of Finance, 48(5).
    Hansen, B. (1994). Autoregressive conditional density estimation. International Economic
    Review, 35(3), 705-730.

    Examples
    --------
    >>> GarchVaR(leverage=True).innovations
    't'
    """

    lookback: Annotated[int, Ge(50)] = 500
    leverage: bool = False
    innovations: Innovations = "t"
    measure: Measure = "var"
    refit_every: Annotated[int, Ge(1)] = 20

    def law(self, scenarios: Scenarios | Revaluation) -> FloatArray:
        """(3, days, portfolios) volatility, degrees of freedom and skew."""
        law = nan_estimates(scenarios, 3)
        garch = RollingGarch(
            len(scenarios.exposure),
            leverage=self.leverage,
            student=self.innovations == "t",
            skewed=self.innovations == "skew-t",
        )
        for day, pnl, due in each_fit(scenarios, self.lookback, self.refit_every):
            if due:
                garch.refit(pnl)
                who = f"{in_words(self)}, up to {scenarios.dates[day]},"
                refuse_stale(pnl, garch.freedom(), who=who)
            volatility = np.sqrt(garch.variances(pnl)[:, -1])
            law[:, day] = volatility, garch.freedom(), garch.skew()
        return law


@model(kind="cornish_fisher_var")
class CornishFisherVaR(MarginOfForecast):
    r"""Quantile of the book's P&L from its first four moments.

    .. math:: M_t = \max(0, -\mu - \sigma \tilde z), \qquad
              \tilde z = z + \tfrac{(z^2 - 1) S}{6} + \tfrac{(z^3 - 3z) K}{24}
              - \tfrac{(2z^3 - 5z) S^2}{36}

    of the P&L of the positions of day t over the last `lookback` scenarios: mean, deviation,
    skewness S and excess kurtosis K. Where the expansion is not monotone its values are put in
    order first. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    lookback : scenarios. measure : 'var' or 'es'.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).

    References
    ----------
    Maillard, D. (2012). A user's guide to the Cornish Fisher expansion. SSRN 1997178.

    Examples
    --------
    >>> CornishFisherVaR().scaling
    'overlapping'
    """

    lookback: Annotated[int, Ge(50)] = 500
    measure: Measure = "var"
    scaling: Literal["overlapping", "sqrt"] = "overlapping"

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the expansion, which is no proper density."""

        def tails(scenarios: Scenarios | Revaluation) -> FloatArray:
            out = nan_estimates(scenarios)
            for day, pnl in each_window(scenarios, self.lookback):
                mean, deviation = pnl.mean(axis=1), pnl.std(axis=1)
                # A P&L that never moves has no shape. Its z are then zeros, and its kurtosis is
                # set to that of the normal law, or the expansion would see one of -3.
                z = (pnl - mean[:, None]) / np.where(deviation > 0.0, deviation, 1.0)[:, None]
                square = z * z
                skewness = (square * z).mean(axis=1)
                kurtosis = np.where(deviation > 0.0, (square * square).mean(axis=1) - 3.0, 0.0)
                unit = cornish_fisher_tail(coverage.confidence, skewness, kurtosis)
                outside = int(np.count_nonzero(~rises_everywhere(skewness, kurtosis)))
                note_fits("Cornish-Fisher", Certificate(tried=len(pnl), at_bound=outside))
                out[0, day] = deviation * unit[0] - mean
                out[1, day] = deviation * unit[1] - mean
            return out

        return scenario_tails(market, book, coverage, estimate=tails, scaling=self.scaling)


def steady_pnl(scenarios: Scenarios | Revaluation, begin: int) -> FloatArray | None:
    """(days, portfolios) P&L of the positions in each shock, where it is the same on every day.

    None where sensitivities or positions change after row `begin`, or options are revalued: the
    P&Ls of a window then differ from day to day.
    """
    unit, exposure = scenarios.unit[begin:], scenarios.exposure
    if isinstance(scenarios, Revaluation) or exposure.ndim == 3 or not len(unit):
        return None
    if not is_constant(np.ascontiguousarray(unit)):
        return None
    # Not by a matrix product, whose last digits depend on how many portfolios it is asked for.
    pnl = np.empty((len(exposure), len(scenarios.shocks)))
    window_pnl(np.ascontiguousarray(scenarios.shocks.T), unit[0], exposure, pnl)
    return np.ascontiguousarray(pnl.T)


def _forecast(
    fits_law: FitsLaw, market: Market, book: Book, coverage: Coverage, *, with_pit: bool
) -> Forecast:
    """Forecast from the laws of a model; an empty portfolio has zero volatility."""

    def law(group: Group) -> FloatArray:
        return fits_law.law(priced_scenarios(market, group.book, coverage=coverage, scaling="sqrt"))

    volatility, freedom, skew = by_group(market, book, law, empty=(0.0, np.inf, 0.0))
    return density_forecast(
        market,
        book,
        coverage,
        volatility=volatility,
        freedom=freedom,
        skew=skew if fits_law.innovations == "skew-t" else None,
        with_pit=with_pit,
    )
