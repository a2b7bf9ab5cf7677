"""Shared by models that forecast: the margin of a forecast, and density forecasts."""

from typing import Literal, Protocol

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.book.losses import total_loss
from backtest.estimators.innovations import unit_probability, unit_tail
from backtest.estimators.skewed import skewed_probability, skewed_tail
from backtest.market.market import Market
from backtest.model.protocol import Forecast
from backtest.types import DaysByPortfolios

Measure = Literal["var", "es"]
Innovations = Literal["normal", "t", "skew-t"]


def margin_of(forecast: Forecast, measure: Measure) -> DaysByPortfolios:
    """Margin from a forecast: its VaR or its expected shortfall, never below zero.

    Examples
    --------
    >>> two = Forecast(np.array([[1.0, -1.0]]), np.array([[2.0, 0.5]]))
    >>> margin_of(two, "var").tolist(), margin_of(two, "es").tolist()
    ([[1.0, 0.0]], [[2.0, 0.5]])
    """
    tail = forecast.value_at_risk if measure == "var" else forecast.expected_shortfall
    return np.maximum(tail, 0.0)


class Forecaster(Protocol):
    """A model that forecasts a tail, and names the measure that is its margin."""

    @property
    def measure(self) -> Measure:
        """'var' or 'es'."""

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the loss over the MPOR."""


class MarginOfForecast:
    """Base of models whose margin is the `measure` of their `forecast`."""

    def margin(
        self: Forecaster, market: Market, book: Book, coverage: Coverage
    ) -> DaysByPortfolios:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return margin_of(self.forecast(market, book, coverage), self.measure)


def density_forecast(
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    volatility: DaysByPortfolios,
    freedom: DaysByPortfolios | float,
    skew: DaysByPortfolios | None = None,
    with_pit: bool = True,
) -> Forecast:
    """Forecast of a zero-mean P&L with the given volatility and unit-variance t innovations.

    volatility : (days, portfolios) USD over the MPOR. freedom : degrees of freedom, inf for normal
    innovations. skew : of skewed innovations, below zero where losses have the longer tail.
    with_pit : False leaves out the PIT, which takes as long as many a fit and no margin needs.
    """
    # The quantile is that of innovations of variance one. The textbook Student law has variance
    # nu / (nu - 2): its quantile would raise a volatility that already is the whole deviation.
    freedoms = np.broadcast_to(freedom, volatility.shape)
    if skew is None:
        tail = unit_tail(coverage.confidence, freedoms)
    else:
        tail = skewed_tail(coverage.confidence, freedoms, skew)
    pit = None
    if with_pit:
        # A portfolio without volatility has no z, so its density cannot be tested.
        pnl = -total_loss(book, market, coverage)
        z = np.divide(pnl, volatility, out=np.full_like(pnl, np.nan), where=volatility > 0.0)
        pit = (
            unit_probability(z, freedoms) if skew is None else skewed_probability(z, freedoms, skew)
        )
    return Forecast(
        value_at_risk=volatility * tail[0], expected_shortfall=volatility * tail[1], pit=pit
    )
