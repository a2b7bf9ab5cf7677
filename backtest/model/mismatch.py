"""The MPOR mismatch: what it takes back of an offset that legs close out over different days.

Own MPORs H_i end on the same day in the scenarios, as they would begin on the same day in a
default. Legs that are both being closed out on only min(H_i, H_j) of their days share only those
days' moves: of a correlation rho of daily moves, rho min / sqrt(H_i H_j) is left, and what netting
at rho itself would grant beyond that is not earned. The charge is

    required over own MPORs - required if all legs closed out over the same days,

the same days being the h = min H_i that all share, their moves scaled by sqrt(H_i / h), and every
leg's stand-alone margin being what it is over its own MPOR: only what one leg says of another
differs, so the charge is not the difference between two estimates of one leg's own risk. It is
negative where legs add up, for these too move together on fewer days.
"""

from collections.abc import Callable

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.types import DaysByPortfolios, DaysByPortfoliosBySilos, FloatArray

MISMATCH = "MPOR mismatch"  # the step in `Parts.steps`


def as_if_together(
    book: Book,
    coverage: Coverage,
    required: DaysByPortfolios,
    *,
    netted_over: Callable[[list[int], int], DaysByPortfolios],
) -> DaysByPortfolios:
    """`required` as it would be if the legs of each portfolio closed out over the same days.

    required : margins, or a share of them that is saved.
    netted_over : (rows of the book, days h) -> (days, those portfolios), over the same h days.
    """
    together, days = required.copy(), Closeout(book, coverage).shared
    for h in np.unique(days[days > 0]):
        rows = [int(p) for p in np.flatnonzero(days == h)]
        together[:, rows] = netted_over(rows, int(h))
    together[np.isnan(required)] = np.nan
    return together


def mismatch_step(
    book: Book, coverage: Coverage, required: FloatArray, together: FloatArray
) -> dict[str, DaysByPortfolios]:
    """The named step, where some MPORs of the book differ; nothing where none do."""
    if len(set(Closeout(book, coverage).by_instrument)) == 1:
        return {}
    return {MISMATCH: required - together}


def in_proportion(
    alone: DaysByPortfoliosBySilos, required: DaysByPortfolios, *, gross: DaysByPortfolios
) -> DaysByPortfoliosBySilos:
    """`required` shared out by silo in proportion to stand-alone margins.

    gross : the sum of `alone`, as the steps state it.

    Each silo's margin is reduced by the same share, the form of the CME-FICC programme. Where no
    silo has a margin of its own the requirement is shared equally.

    Examples
    --------
    >>> alone, required = np.array([[[30.0, 10.0]]]), np.array([[20.0]])
    >>> in_proportion(alone, required, gross=alone.sum(axis=2)).tolist()
    [[[15.0, 5.0]]]
    """
    kept = np.divide(required, gross, out=np.where(np.isnan(gross), np.nan, 0.0), where=gross > 0)
    shared = alone * kept[:, :, None]
    bare = (gross == 0.0) & (required > 0.0)
    shared[bare] = required[bare][:, None] / alone.shape[2]
    return shared
