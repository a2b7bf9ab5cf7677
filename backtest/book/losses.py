"""Exact losses of a book over the MPOR."""

from typing import TYPE_CHECKING

import numpy as np

from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.positions import by_day
from backtest.market.market import Market
from backtest.types import DaysByInstruments, DaysByPortfoliosBySilos

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
    pnl = np.column_stack(columns) * book.unit_index(market)
    # The loss of a day is known only when the last position is closed out. Earlier, a margin would
    # be compared with the loss of the fast legs alone.
    pnl[~np.logical_and.accumulate(~np.isnan(pnl).any(axis=1))] = np.nan
    return pnl


def loss_by_silo(book: "Book", market: Market, coverage: Coverage) -> DaysByPortfoliosBySilos:
    """Loss over the MPOR of positions held at t, USD, > 0 is a loss; last rows NaN."""
    pnl, book = unit_pnl(book, market, coverage), book.on(market.dates)
    out = np.empty((len(market.dates), len(book.portfolios), len(book.silos)))
    for s, silo in enumerate(book.silos):
        columns = [i for i, x in enumerate(book.instruments) if x.silo == silo]
        out[:, :, s] = -by_day(pnl[:, columns], book.exposure[..., columns])
        if book.liquidation is not None:
            silo_book = book.holding(columns)
            out[:, :, s] += book.liquidation.cost(
                market,
                silo_book.instruments,
                exposure=silo_book.exposure,
                index=silo_book.unit_index(market),
            )
    return out
