"""Over how many days a book is closed out, and whether a standard fits it at all."""

from dataclasses import replace

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.types import RowNumbers, StudyError


def own_standard(book: Book, coverage: Coverage) -> Coverage:
    """`coverage` without the days of silos and classes that this book does not hold."""
    if isinstance(coverage.mpor, int):
        return coverage
    own = {*book.silos, *(i.asset_class for i in book.instruments)}
    return replace(coverage, mpor={key: d for key, d in coverage.mpor.items() if key in own})


def check_mpor(book: Book, coverage: Coverage) -> None:
    """One clear line where `coverage` gives days to what is neither a silo nor a class here.

    Examples
    --------
    >>> import pandas as pd
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0]}))
    >>> check_mpor(book, Coverage(mpor={"CME": 2, "FIC": 3}))
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: mpor names 'FIC', neither a silo (CME) nor an asset class (crypto) \
of the book; remove it or mend its spelling.
    """
    if isinstance(coverage.mpor, int):
        return
    classes = tuple(dict.fromkeys(i.asset_class for i in book.instruments))
    for key in coverage.mpor:
        if key not in book.silos and key not in classes:
            raise StudyError(
                f"mpor names {key!r}, neither a silo ({', '.join(book.silos)}) nor an asset class "
                f"({', '.join(classes)}) of the book; remove it or mend its spelling."
            )


def closeout_days(book: Book, coverage: Coverage) -> RowNumbers:
    """(portfolios,) longest MPOR of what each holds; 1 where that is nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"UST10Y": [1e6, 0.0], "BTC": [1e6, 1e6]}, index=["both", "coin"])
    >>> closeout_days(Book.from_frame(frame), Coverage(mpor={"FICC": 3, "CME": 2})).tolist()
    [3, 2]
    """
    days = np.where(book.exposure != 0.0, book.horizons(coverage), 1)
    return np.asarray(days.max(axis=1))


def longest_closeout(book: Book, coverage: Coverage) -> int:
    """The book's longest MPOR, in margin days."""
    return max(book.horizons(coverage))
