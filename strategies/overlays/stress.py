"""A fixed weight for the margin of a stressed period."""

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_lookback, with_step
from backtest.parameters.files import read_as, stated
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.overlays.terms import Article28, Assumed
from strategies.parts import parts_of


class StressTerms(NamedTuple):
    """Weight of the stressed margin, and scenarios of a year."""

    weight: float
    days: int


@model(kind="stress_blend")
class StressBlend:
    r"""Base margin blended with that of a stressed period.

    .. math:: M_t = (1 - w) m_t + w \max(m_t, s_t)

    m is the base margin, w = `weight`, s the margin of `stressed`. Without `stressed`, s is that
    of the worst year so far: the base over `days` scenarios, per USD of gross exposure, at its
    highest up to and including t. No day of a crisis counts before it has happened. A stressed
    margin below the base's counts as the base's, so that the blend is never a discount. The
    article gives the weight to stressed observations in the look-back period; here their margin has
    it, which is a reading of the article and not its letter (`StressWeighted` is). Margin at day t
    uses closes up to and including t. USD.

    Parameters
    ----------
    base : the model that is blended.
    stressed : the model of the stressed margin; by default the worst year so far.
    parameters, assumed_parameters : rule or version of `strategies/parameters/` that gives
        `weight`; and `days`, which no rule fixes.
    weight : w, of the stressed margin; None takes the article's 25 %, the least that it allows.
    days : scenarios of a year; None takes the assumed ones.

    References
    ----------
    Commission Delegated Regulation (EU) 153/2013, Art. 28(1)(b).

    Examples
    --------
    >>> StressBlend().terms
    StressTerms(weight=0.25, days=250)
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    stressed: MarginModel | None = None
    parameters: str = "emir_28"
    assumed_parameters: str = "overlays_assumed"
    weight: Annotated[float, Ge(0), Le(1)] | None = None
    days: Annotated[int, Ge(20)] | None = None

    @property
    def terms(self) -> StressTerms:
        """The terms in use: those that this model states, before those of the files."""
        weight = stated(self.weight, read_as(Article28, self.parameters).stress_weight)
        days = stated(self.days, read_as(Assumed, self.assumed_parameters).stress_days)
        return StressTerms(weight, days)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        stressed_margin = np.fmax(base, self._stressed(market, book, coverage))
        weight = self.terms.weight
        blended = (1.0 - weight) * base + weight * stressed_margin
        return np.where(np.isnan(base), np.nan, blended)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'stress'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(parts_of(self.base, market, book, coverage), required, step="stress")

    def _stressed(self, market: Market, book: Book, coverage: Coverage) -> DaysByPortfolios:
        """(days, portfolios) margin of the stressed period."""
        if self.stressed is not None:
            return required_margin(self.stressed, market, book, coverage)
        # The worst year of a position is that of its risk, not of its size: margins are compared
        # per USD of gross exposure, then applied to today's exposure.
        one_year = with_lookback(self.base, self.terms.days)
        year = required_margin(one_year, market, book, coverage)
        gross = book.unit_index(market) @ np.abs(book.exposure).T
        per_usd = np.divide(year, gross, out=np.zeros_like(year), where=gross > 0)
        return np.fmax.accumulate(per_usd, axis=0) * gross
