"""Backtesting deficiencies of a margin: what losses that are known by a day exceeded it by."""

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.types import DaysByPortfolios


def largest_deficiencies(
    market: Market,
    book: Book,
    required: DaysByPortfolios,
    *,
    coverage: Coverage,
    days: int,
    rank: int,
) -> DaysByPortfolios:
    """The `rank`-th largest deficiency of the trailing days, max(0, loss - required), in USD.

    At the close of day t those of the last `days` days whose loss over the MPOR is known by t; 0
    where fewer than `rank` of them are short. Days without a requirement count as not short.

    Examples
    --------
    >>> import pandas as pd
    >>> dates = pd.bdate_range("2024-01-02", periods=6)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [10., 8., 8., 6., 6., 6.]}, index=dates))
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [100.0]}, index=["long"]))
    >>> largest_deficiencies(market, book, np.full((6, 1), 15.0), coverage=Coverage(mpor=1),
    ...                      days=3, rank=2).ravel().tolist()
    [0.0, 0.0, 0.0, 5.0, 0.0, 0.0]
    """
    short = np.nan_to_num(np.maximum(book.loss(market, coverage).sum(axis=2) - required, 0.0))
    known = Closeout(book, coverage).known_from(market)
    largest = np.zeros_like(required)
    for t in range(len(required)):
        # Losses become known in the order of their days.
        stop = int(np.searchsorted(known, t, side="right"))
        trailing = short[max(0, stop - days) : stop]
        if len(trailing) >= rank:
            largest[t] = np.partition(trailing, len(trailing) - rank, axis=0)[-rank]
    return largest
