"""Any model on each silo alone, without netting across silos."""

from functools import reduce

import numpy as np
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin, takes_days
from backtest.model.protocol import MarginModel, Parts, model
from backtest.types import FloatArray
from strategies.historical import HistoricalVaR


@model(kind="siloed")
class Siloed:
    r"""The base model on each silo's own positions, summed.

    .. math:: M_t = \sum_i m_i(t)

    Caption: 'same model, no netting across silos'. Savings are measured from this margin; it is
    not the present regime of any clearing house. Margin at day t uses closes up to and including
    t. USD.

    Parameters
    ----------
    base : the model that margins each silo.

    References
    ----------
    CPSS-IOSCO (2012). Principles for financial market infrastructures, Principle 6 (margin).

    Examples
    --------
    >>> Siloed().base.lookback
    500
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return reduce(np.add, self._alone(market, book, coverage))

    def takes_days(self, market: Market, book: Book) -> bool:
        """Positions by day at once where the base takes them."""
        return takes_days(self.base, market, book)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Stand-alone margin of each silo; the only step is 'gross', their sum."""
        by_silo = np.stack(self._alone(market, book, coverage), axis=2)
        return Parts(silos=book.silos, by_silo=by_silo, steps={"gross": by_silo.sum(axis=2)})

    def _alone(self, market: Market, book: Book, coverage: Coverage) -> list[FloatArray]:
        """(days, portfolios) margin of each silo by itself."""
        return [required_margin(self.base, market, book.in_silo(s), coverage) for s in book.silos]
