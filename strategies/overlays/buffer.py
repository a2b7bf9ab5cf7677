"""A margin buffer that is built in calm times and released when margin rises."""

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from annotated_types import Ge
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
from strategies.overlays.terms import Article28, Assumed
from strategies.parts import parts_of


class BufferTerms(NamedTuple):
    """Share of margin, and margin days of its average."""

    size: float
    days: int


@model(kind="buffer")
class Buffer:
    r"""A buffer on top of the base margin, released as margin rises above its average.

    .. math:: M_t = \max\left(m_t, \; (1 + b) \min(m_t, a_t)\right)

    m is the base margin, b = `size`, a_t the mean of m over the last `days` margin days, day t
    included (over fewer at the start). While margin is at or below its average the buffer is full;
    as margin rises above the average the buffer absorbs the rise, with a requirement of
    (1 + b) a_t; above that the buffer is empty and the requirement is the base margin. It is
    rebuilt as margin falls or the average rises. The article lets a buffer be exhausted for a time
    while margins rise significantly; when that is, and when the buffer is rebuilt, it does not say:
    the average is this package's answer. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : the model to which the buffer is added.
    parameters, assumed_parameters : rule or version of `strategies/parameters/` that gives `size`;
        and `days`, which no rule fixes.
    size : b, share of margin; None takes the article's 25 %, the least that it allows.
    days : margin days of the average; None takes the assumed ones.

    References
    ----------
    Commission Delegated Regulation (EU) 153/2013, Art. 28(1)(a).
    Murphy, D., Vasios, M. & Vause, N. (2016). A comparative analysis of tools to limit the
    procyclicality of initial margin requirements. Bank of England Working Paper 597.

    Examples
    --------
    >>> margin_with_buffer(np.array([100.0, 120.0, 140.0]), np.full(3, 100.0), size=0.25).tolist()
    [125.0, 125.0, 140.0]
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    parameters: str = "emir_28"
    assumed_parameters: str = "overlays_assumed"
    size: Annotated[float, Ge(0)] | None = None
    days: Annotated[int, Ge(1)] | None = None

    @property
    def terms(self) -> BufferTerms:
        """The terms in use: those that this model states, before those of the files."""
        size = stated(self.size, read_as(Article28, self.parameters).buffer)
        days = stated(self.days, read_as(Assumed, self.assumed_parameters).anchor_days)
        return BufferTerms(size, days)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        average = pd.DataFrame(base).rolling(self.terms.days, min_periods=1).mean().to_numpy()
        return margin_with_buffer(base, average, size=self.terms.size)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'buffer'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(parts_of(self.base, market, book, coverage), required, step="buffer")


def margin_with_buffer(base: FloatArray, average: FloatArray, *, size: float) -> FloatArray:
    """Margin with the part of the buffer that is not released."""
    return np.maximum(base, (1.0 + size) * np.minimum(base, average))
