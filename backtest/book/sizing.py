"""Stand-alone margin of one USD of each instrument, by which risk-matched legs are sized."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.book.coverage import Coverage
from backtest.book.lending import lent
from backtest.market.market import Market
from backtest.types import FloatArray, StudyError, first_known

if TYPE_CHECKING:
    from backtest.book.book import Book
    from backtest.model.protocol import MarginModel


def margin_per_usd(
    book: "Book", market: Market, *, base: "MarginModel", coverage: Coverage
) -> FloatArray:
    """(2, instruments) margin of one USD long, and of one USD short, of each instrument.

    The margins are those of the first day on which `base` has one for all.

    Raises
    ------
    StudyError : no such day, or a margin of zero for a leg.
    """
    count = len(book.instruments)
    units = replace(
        book,
        portfolios=tuple(f"{s} {i.name}" for s in ("long", "short") for i in book.instruments),
        exposure=np.vstack([np.eye(count), -np.eye(count)]),
    )
    margin = base.margin(lent(market), lent(units), lent(coverage))
    day = first_known(margin)
    if day == len(margin):
        raise StudyError(
            f"{base!r} knows no margin on the sizing day of a market of {len(market.dates)} "
            "days; shorten its lookback ([sizing] of a study) or lengthen the history."
        )
    per_usd = margin[day]
    if (per_usd <= 0).any():
        name = units.portfolios[int(np.argmax(per_usd <= 0))]
        raise StudyError(f"{base!r} asks no margin of {name}; size that leg in USD instead.")
    return per_usd.reshape(2, count)
