"""What forecasting models share: margin from a forecast, books by holdings, density forecasts."""

from dataclasses import replace
from typing import Literal

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.innovations import unit_probability, unit_tail
from backtest.estimators.skewed import skewed_probability, skewed_tail
from backtest.market.market import Market
from backtest.model.protocol import Forecast
from backtest.types import DaysByPortfolios, RowNumbers

Measure = Literal["var", "es"]
Innovations = Literal["normal", "t", "skew-t"]


def margin_of(forecast: Forecast, measure: Measure) -> DaysByPortfolios:
    """The measure that a margin is, never below zero.

    Examples
    --------
    >>> two = Forecast(np.array([[1.0, -1.0]]), np.array([[2.0, 0.5]]))
    >>> margin_of(two, "var").tolist(), margin_of(two, "es").tolist()
    ([[1.0, 0.0]], [[2.0, 0.5]])
    """
    tail = forecast.value_at_risk if measure == "var" else forecast.expected_shortfall
    return np.maximum(tail, 0.0)


def by_holdings(book: Book) -> list[tuple[RowNumbers, Book]]:
    """Portfolios apart by what they hold, each group with a book of those instruments alone.

    For models whose estimate for one pair of factors depends on the others beside it: a portfolio
    then stands alone, whatever its neighbours hold. One that holds nothing is left out: its margin
    is zero, on every day.

    Examples
    --------
    >>> import pandas as pd
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0, 2.0, 1.0], "ETH": [0.0, 1.0, 0.0]}))
    >>> [(rows.tolist(), len(part.instruments)) for rows, part in by_holdings(book)]
    [([0, 2], 1), ([1], 2)]
    """
    groups = []
    held, group = np.unique(book.exposure != 0.0, axis=0, return_inverse=True)
    for number, columns in enumerate(held):
        if not columns.any():
            continue
        rows, chosen = np.flatnonzero(group.ravel() == number), np.flatnonzero(columns)
        part = replace(
            book.select([int(p) for p in rows]),
            instruments=tuple(book.instruments[i] for i in chosen),
            exposure=book.exposure[np.ix_(rows, chosen)],
        )
        groups.append((rows, part))
    return groups


def density_forecast(
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    volatility: DaysByPortfolios,
    freedom: DaysByPortfolios | float,
    skew: DaysByPortfolios | None = None,
) -> Forecast:
    """Forecast of a zero-mean P&L with the given volatility and unit-variance t innovations.

    volatility : (days, portfolios) USD over the MPOR. freedom : inf for normal innovations.
    skew : of skewed innovations, below zero where losses have the longer tail.
    """
    freedoms = np.broadcast_to(freedom, volatility.shape)
    pnl = -book.loss(market, coverage).sum(axis=2)
    z = np.divide(pnl, volatility, out=np.full_like(pnl, np.nan), where=volatility > 0.0)
    if skew is None:
        tail, pit = unit_tail(coverage.confidence, freedoms), unit_probability(z, freedoms)
    else:
        tail = skewed_tail(coverage.confidence, freedoms, skew)
        pit = skewed_probability(z, freedoms, skew)
    return Forecast(
        value_at_risk=volatility * tail[0], expected_shortfall=volatility * tail[1], pit=pit
    )
