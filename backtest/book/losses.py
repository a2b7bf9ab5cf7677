"""Exact losses of a book over the MPOR."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.positions import by_day
from backtest.market.market import Market
from backtest.types import DaysByInstruments, DaysByPortfolios, DaysByPortfoliosBySilos

if TYPE_CHECKING:
    from backtest.book.book import Book


def unit_pnl(book: "Book", market: Market, coverage: Coverage) -> DaysByInstruments:
    """(days, instruments) exact P&L over the MPOR per 1 of `exposure` held at the close of t.

    The MPOR is counted in the days on which the instrument trades. On other days the P&L starts
    from its last close.
    """
    columns, days = [], Closeout(book, coverage).by_instrument
    for instrument, horizon in zip(book.instruments, days, strict=True):
        traded_market, last_row = market.own_days(instrument.factors)
        columns.append(instrument.pnl(traded_market, horizon)[last_row])
    pnl = np.column_stack(columns)
    if not book.in_usd:
        pnl *= book.unit_index(market)
    # The loss of a day is known only when the last position is closed out. Earlier, a margin would
    # be compared with the loss of the fast legs alone.
    unknown = np.isnan(pnl).ravel()
    first = int(unknown.argmax())
    if unknown[first]:
        pnl[first // pnl.shape[1] :] = np.nan
    return pnl


def loss_by_silo(book: "Book", market: Market, coverage: Coverage) -> DaysByPortfoliosBySilos:
    """Loss over the MPOR of positions held at t, USD, > 0 is a loss; last rows NaN."""
    out = np.empty((len(market.dates), len(book.portfolios), len(book.silos)))
    for s, loss in enumerate(_of_each_silo(book, market, coverage)):
        out[:, :, s] = loss
    return out


def total_loss(book: "Book", market: Market, coverage: Coverage) -> DaysByPortfolios:
    """The same over all silos, which are added one after another and not stored."""
    losses = _of_each_silo(book, market, coverage)
    total = next(losses)
    for loss in losses:
        total += loss
    return total


def _of_each_silo(book: "Book", market: Market, coverage: Coverage) -> Iterator[DaysByPortfolios]:
    pnl, book = unit_pnl(book, market, coverage), book.on(market.dates)
    for silo in book.silos:
        columns = [i for i, x in enumerate(book.instruments) if x.silo == silo]
        loss = -by_day(pnl[:, columns], book.exposure[..., columns])
        if book.liquidation is not None:
            silo_book = book.holding(columns)
            loss += book.liquidation.cost(
                market,
                silo_book.instruments,
                exposure=silo_book.exposure,
                index=silo_book.unit_index(market),
            )
        yield loss
