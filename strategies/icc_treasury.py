"""A model in the form of ICE Clear Credit's for Treasuries: Monte Carlo, volatility kept up."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pandas as pd
from annotated_types import Ge, Gt, Le, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.delta_gamma import book_scenarios
from backtest.model.forecasting import MarginOfForecast, Measure
from backtest.model.joint_draws import drawn_estimates
from backtest.model.protocol import Forecast, model
from backtest.model.tails import Group, by_group, same_holdings
from backtest.model.volatility_scaled import FactorVolatility, volatility_scaled
from backtest.parameters.terms import Terms
from backtest.types import Days, FloatArray

Lookback = Annotated[int, Ge(50)]
Draws = Annotated[int, Ge(500)]
Decay = Annotated[float, Gt(0.5), Lt(1)]
Share = Annotated[float, Ge(0), Le(1)]
StressDays = Annotated[int, Ge(20)]


class IccTerms(Terms):
    """The terms of a version, see `IccTreasuryLike`."""

    mpor: Annotated[int, Ge(1)]
    lookback: Lookback
    draws: Draws
    decay: Decay
    stress_weight: Share
    stress_days: StressDays


@model(kind="icc_treasury_like")
class IccTreasuryLike(MarginOfForecast):
    r"""ICE Clear Credit-like: value-at-risk of Monte Carlo scenarios, with stress in volatility.

    .. math:: x_j = \bar\sigma_j \, \hat F_j^{-1}(t_\nu(y_j)), \qquad y \sim t_\nu(0, R), \qquad
              \bar\sigma_j = (1 - w) \sigma_j + w \max_{u \le t} s_j(u)

    sigma_j is the volatility of factor j foreseen today (EWMA), s_j(u) the root mean square of its
    `stress_days` one-day shocks that end on day u: the highest of them so far has the weight w,
    whatever the market does today. F_j is the empirical distribution of the last `lookback` shocks
    over the MPOR, each divided by the volatility foreseen when it began; R and nu are those of a
    Student copula of the same (see `CopulaVaR`). Until the first s_j is known, sigma_j stands in
    its place. Delta and gamma at the levels of day t; options are not revalued. Margin at day t
    uses closes up to and including t. USD.

    **ICC-like**: that the house draws Monte Carlo scenarios over two days is known from second
    sources. Its distribution, dependence and tool against procyclicality are not: those here are
    this package's, and w that of another house of ICE (`strategies/parameters/icc_treasury/`).

    Parameters
    ----------
    mpor : margin days of all positions. Losses are always over the study's days.
    lookback : shocks of a fit. draws : scenarios. decay : of the EWMA.
    stress_weight : w. stress_days : see above.
    refit_every : days between fits. seed : of the draws. measure : 'var' or 'es'.
    parameters : rule or version of `strategies/parameters/`, for the terms that are None here.

    References
    ----------
    SEC (2026). Release 34-104762; ICE Clear Credit (2026). SR-ICC-2026-005, 91 FR 35286.
    Demarta, S. & McNeil, A. (2005). The t copula and related copulas. International Statistical
    Review, 73(1), 111-129.

    Examples
    --------
    >>> IccTreasuryLike(decay=0.94).terms.mpor
    2
    """

    mpor: Annotated[int, Ge(1)] | None = None
    lookback: Lookback | None = None
    draws: Draws | None = None
    decay: Decay | None = None
    stress_weight: Share | None = None
    stress_days: StressDays | None = None
    refit_every: Annotated[int, Ge(1)] = 20
    seed: Annotated[int, Ge(0)] = 7
    measure: Measure = "var"
    parameters: str = "icc_treasury"

    @property
    def terms(self) -> IccTerms:
        """The terms in use."""
        return IccTerms.of(self)

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the drawn scenarios over the house's MPOR; without a density."""
        terms = self.terms
        volatility = StressedVolatility(
            market,
            decay=terms.decay,
            stress_weight=terms.stress_weight,
            stress_days=terms.stress_days,
        )
        own_coverage = replace(coverage, mpor=terms.mpor)

        def tails(group: Group) -> FloatArray:
            scenarios = book_scenarios(market, group.book, coverage=own_coverage)
            return drawn_estimates(
                volatility_scaled(scenarios, volatility),
                confidence=coverage.confidence,
                lookback=terms.lookback,
                draws=terms.draws,
                seed=self.seed,
                refit_every=self.refit_every,
            )

        return Forecast(*by_group(market, book, tails, split=same_holdings))


@dataclass(frozen=True, eq=False)
class StressedVolatility(FactorVolatility):
    """Volatility in which the highest of past windows keeps a weight.

    Parameters
    ----------
    stress_weight : of the highest root mean square so far. stress_days : one-day shocks of each.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-02", periods=80)
    >>> move = np.where(np.arange(80) < 40, 0.04, 0.01) * (-1.0) ** np.arange(80)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": np.cumprod(1 + move)}, index=days))
    >>> volatility = StressedVolatility(market, decay=0.5, stress_weight=0.25, stress_days=20)
    >>> volatility.foreseen(0)[-1].round(4).item(), volatility.today(0)[-1].round(4).item()
    (0.01, 0.0175)
    """

    stress_weight: float = 0.0
    stress_days: int = 250

    def today(self, factor: int) -> Days:
        """(days,) volatility by which shocks of a factor are multiplied."""
        sigma = self.foreseen(factor)
        traded_market, last_row = self.market.own_days([self.market.factors[factor]])
        squares = pd.Series(traded_market.shocks(1)[:, factor] ** 2)
        mean_square = squares.rolling(self.stress_days).mean().to_numpy()
        highest = np.sqrt(np.fmax.accumulate(mean_square))[last_row]
        highest = np.where(np.isnan(highest), sigma, highest)
        return (1.0 - self.stress_weight) * sigma + self.stress_weight * highest
