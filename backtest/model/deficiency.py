"""Backtesting deficiencies of a margin: the amounts by which known losses exceeded it."""

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

    At the close of day t, over the last `days` days whose loss over the MPOR is known by then; 0
    where fewer than `rank` of them have a deficiency. Days without a requirement have none.

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
    rows_known = Closeout(book, coverage).known_from(market)
    largest = np.zeros_like(required)
    for t in range(len(required)):
        # A house cannot charge today for losses that it sees only when close-out has ended. Losses
        # become known in the order of their days, so the known ones are a block that ends here.
        stop = int(np.searchsorted(rows_known, t, side="right"))
        trailing = short[max(0, stop - days) : stop]
        if len(trailing) >= rank:
            largest[t] = np.partition(trailing, len(trailing) - rank, axis=0)[-rank]
    return largest
