"""A cap on margin: not above a quantile of its own past."""

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from annotated_types import Ge, Gt, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_step
from backtest.parameters.files import read_as, stated
from backtest.types import FloatArray
from strategies.historical import HistoricalVaR
from strategies.overlays.terms import Assumed
from strategies.parts import parts_of


class CapTerms(NamedTuple):
    """Quantile of the margins so far, and margins before the first cap."""

    quantile: float
    days: int


@model(kind="cap")
class Cap:
    r"""Margin not above a quantile of the margins so far.

    .. math:: M_t = \min\left(m_t, \; g_t \, Q_q\{m_s / g_s : s \le t\}\right)

    m is the base margin, g gross exposure, q = `quantile` (linear between neighbours): margins are
    compared per USD of gross exposure, day t among them. A cap moves losses that margin no longer
    covers to the default fund, and is here to be measured, not to be recommended. There is none on
    the first `days` known margins. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : the model to which the cap is applied.
    parameters : rule or version of `strategies/parameters/`.
    quantile : q. days : margins before the first cap. None takes those of the file.

    References
    ----------
    Glinz, S. (2023). Margin procyclicality during Covid-19: drivers, impact and solutions.
    Bachelor's thesis, University of St. Gallen (a cap at the 95 % quantile of all years, also of
    those to come, which no house could have set).

    Examples
    --------
    >>> Cap(quantile=0.9).terms
    CapTerms(quantile=0.9, days=250)
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    parameters: str = "overlays_assumed"
    quantile: Annotated[float, Gt(0), Le(1)] | None = None
    days: Annotated[int, Ge(0)] | None = None

    @property
    def terms(self) -> CapTerms:
        """The terms in use: those that this model states, before those of the file."""
        assumed = read_as(Assumed, self.parameters)
        return CapTerms(
            quantile=stated(self.quantile, assumed.cap_quantile),
            days=stated(self.days, assumed.cap_days),
        )

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        # A cap in USD would bind whenever a position grows, and on none that shrinks.
        gross = book.unit_index(market) @ np.abs(book.exposure).T
        per_usd = np.divide(base, gross, out=np.zeros_like(base), where=gross > 0)
        expanding = pd.DataFrame(per_usd).expanding(min_periods=self.terms.days + 1)
        highest = expanding.quantile(self.terms.quantile).to_numpy() * gross
        return np.where(np.isnan(highest), base, np.minimum(base, highest))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'cap'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(parts_of(self.base, market, book, coverage), required, step="cap")
