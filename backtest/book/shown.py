"""How a book shows itself: one line in a terminal, a table in a notebook."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.book.book import Book

SHOWN = 6  # instruments named in a line
MOST_ROWS = 30  # portfolios in a table


def book_text(book: "Book") -> str:
    """One line: how many portfolios, in what, and how large or from when."""
    names = ", ".join(i.name for i in book.instruments[:SHOWN])
    more = ", ..." if len(book.instruments) > SHOWN else ""
    what = f"Book of {len(book.portfolios)} portfolios in {names}{more}"
    if book.dates is not None:
        return f"<{what}; positions by day, {book.dates[0]} to {book.dates[-1]}>"
    if book.units is not None:
        return f"<{what}; positions in {', '.join(dict.fromkeys(book.units))}>"
    gross = np.abs(book.exposure).sum(axis=1) / 1e6
    return (
        f"<{what}; gross {gross.min():,.1f} to {gross.max():,.1f} USD m, "
        f"rebalanced {book.rebalance}>"
    )


def book_html(book: "Book") -> str:
    """The positions of the first portfolios: the largest of each, where they change."""
    page = str(book.to_frame().head(MOST_ROWS).to_html(float_format="{:,.0f}".format))
    more = len(book.portfolios) - MOST_ROWS
    return page + (f"<p>and {more:,} more portfolios</p>" if more > 0 else "")
