"""An add-on for funds whose coins are held by the member that would have to fail."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import is_option
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.grid import grid_pnl
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_step
from backtest.parameters.terms import Terms
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.parts import parts_of

Fall = Annotated[float, Gt(0), Lt(1)]


class WrongWayTerms(Terms):
    """`fall`: of the price of a fund when its custodian fails, relative."""

    fall: Fall


@model(kind="wrong_way_like")
class WrongWayLike:
    r"""Base margin, and the whole loss on custodied funds where that with the rest asks more.

    .. math:: M = \max\left(m, \; m_r + \sum_u L_u\right) \text{ where } \sum_u L_u > 0,
              \text{ else } M = m

    **OCC-like**: since April 2026 OCC adds margin for positions in spot crypto funds whose coins
    the clearing member or its affiliate holds, since the fund may lose its value as the member
    fails. That, on what and for whom is published; how much is not, so that this arithmetic and
    `fall` are this package's own, not verified. m is the base margin of the book and m_r that of
    the book without the custodied positions, L_u the loss of the positions on fund u if its price
    falls by `fall`: nothing offsets it, and a position that gains has no wrong-way risk. Spot
    positions in `coins` stand for shares of a spot fund, options for options on it; futures and
    perpetuals are no shares. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : the model to which the add-on is added.
    coins : price factors of the funds whose custodian the member is.
    fall : of a fund's price, relative; None is that of the file.
    parameters : rule or version of `strategies/parameters/`.

    References
    ----------
    The Options Clearing Corporation, SR-OCC-2026-001, 91 FR 9897 (27 February 2026).

    Examples
    --------
    >>> WrongWayLike(fall=0.5).terms.fall, WrongWayLike().coins
    (0.5, ('BTC', 'ETH'))
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    coins: tuple[str, ...] = ("BTC", "ETH")
    fall: Fall | None = None
    parameters: str = "occ_wrong_way"

    @property
    def terms(self) -> WrongWayTerms:
        """The terms in use."""
        return WrongWayTerms.of(self)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        custodied = self._custodied(book)
        if not custodied:
            return base
        rest = book.exposure.copy()
        rest[:, custodied] = 0.0
        of_rest = required_margin(self.base, market, replace(book, exposure=rest), coverage)
        loss = self._loss(market, book.holding(custodied))
        # A base that knows nothing yet is not made known by the rest of the book, nor by the loss.
        apart = np.where(loss > 0.0, of_rest + loss, 0.0)
        return np.where(np.isnan(base), np.nan, np.fmax(base, apart))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'wrong-way risk'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(
            parts_of(self.base, market, book, coverage), required, step="wrong-way risk"
        )

    def _custodied(self, book: Book) -> list[int]:
        """Columns of the book that are shares of the funds, or options on them."""
        return [
            i
            for i, instrument in enumerate(book.instruments)
            if instrument.factor in self.coins
            and (instrument.contract == "spot" or is_option(instrument))
        ]

    def _loss(self, market: Market, book: Book) -> DaysByPortfolios:
        """(days, portfolios) USD lost as the prices of the funds fall; gains pay for nothing."""
        index, move = book.unit_index(market), np.array([[-self.terms.fall, 0.0]])
        by_fund: dict[str, FloatArray] = {}
        for i, instrument in enumerate(book.instruments):
            pnl = (grid_pnl(instrument, market, move)[:, 0] * index[:, i])[:, None]
            fund = instrument.factor
            by_fund[fund] = by_fund.get(fund, 0.0) - pnl * book.exposure[:, i]
        return np.sum([np.maximum(loss, 0.0) for loss in by_fund.values()], axis=0)
