"""The MPOR mismatch: the part of an offset that is lost because legs have different MPORs.

In a default all legs begin to close out on the same day; the scenarios let them end on the same
day, which overlaps as much. Legs with MPORs H_i and H_j share the moves of min(H_i, H_j) days
only: of a correlation rho of daily moves, rho min(H_i, H_j) / sqrt(H_i H_j) remains. Netting at
rho itself would grant an offset that does not exist. The charge is

    required over each leg's own MPOR - required if all legs closed out over the same days.

The same days are the h = min H_i that all legs share; their moves are scaled by sqrt(H_i / h), and
the stand-alone margin of every leg remains that over its own MPOR. So only the dependence between
legs differs, and the charge does not mix in two estimates of the risk of one leg. It is negative
where the losses of legs add up, since these too coincide on fewer days.
"""

from collections.abc import Callable

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.types import DaysByPortfolios, FloatArray

MISMATCH = "MPOR mismatch"  # the step in `Parts.steps`


def over_same_days(
    book: Book,
    coverage: Coverage,
    required: DaysByPortfolios,
    *,
    netted_over: Callable[[list[int], int], DaysByPortfolios],
) -> DaysByPortfolios:
    """`required` if the legs of each portfolio closed out over the same days.

    required : (days, portfolios) margins, or shares of margin saved.
    netted_over : (rows of the book, days h) -> (days, those portfolios), over the same h days.
    """
    same_days_required, days = required.copy(), Closeout(book, coverage).shared
    for h in np.unique(days[days > 0]):
        rows = [int(p) for p in np.flatnonzero(days == h)]
        same_days_required[:, rows] = netted_over(rows, int(h))
    same_days_required[np.isnan(required)] = np.nan
    return same_days_required


def mismatch_step(
    book: Book, coverage: Coverage, required: FloatArray, same_days_required: FloatArray
) -> dict[str, DaysByPortfolios]:
    """The step 'MPOR mismatch' where MPORs of the book differ; no step where all are equal."""
    if len(set(Closeout(book, coverage).by_instrument)) == 1:
        return {}
    return {MISMATCH: required - same_days_required}
