"""The clearing mandate: margin of books as it is today, once cleared, and once cross-margined.

Today cash Treasuries are financed by repo that is not cleared, at a haircut that is often none,
and only what else the book holds is margined by a house. Cleared, the Treasuries are margined by
their house too, by itself; cross-margined, both houses reduce what they ask.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.parameters.terms import Terms
from backtest.replay.protection.margins import margins_by_house
from backtest.replay.protection.tabled import columns_of
from backtest.scores.money.level import Ends
from backtest.studies.protect.bounds import of_margin
from backtest.types import DaysByPortfolios, FloatArray, StudyError, unheard

RULE = "mandate_survey"
ALL_BOOKS = "all books"
NONE, SURVEYED, EVERY = "today, no haircut", "today, as surveyed", "today, 2 % on all"
ALONE, CROSSED = "cleared, each house alone", "cleared, cross-margined"


class Figure(BaseModel):
    """A published figure: its value, the words it is printed in, by whom, and what was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    value: float
    printed: str
    by: str
    read: str


class MandateTerms(Terms):
    """Bilateral practice as surveyed: the share of repo at zero haircut, the haircut of the rest.

    Examples
    --------
    >>> terms = MandateTerms.read()
    >>> round(terms.mean_haircut, 4), terms.figure[1].printed
    (0.0052, 'approximately $58.4BN')
    """

    zero_share: Annotated[float, Field(ge=0, le=1)]
    haircut: Annotated[float, Field(ge=0, le=1)]
    figure: tuple[Figure, ...]

    @classmethod
    def read(cls, name: str = RULE) -> "MandateTerms":
        """The terms of a version of the rule."""
        return cls.of(None, name)

    @property
    def mean_haircut(self) -> float:
        """Haircut of the whole market: none on a share of it."""
        return (1.0 - self.zero_share) * self.haircut


@dataclass(frozen=True, eq=False)
class MandateMargins:
    """What each account needs day by day, (days, portfolios) USD; NaN while a model warms up.

    Parameters
    ----------
    portfolios : names.
    financed : gross market value of the positions that will have to be cleared.
    elsewhere : margin of all other silos, each by itself: unchanged by the mandate.
    cleared : margin of the silo that clears them, by itself.
    crossed : margin of the whole book by the model.
    """

    portfolios: tuple[str, ...]
    financed: DaysByPortfolios
    elsewhere: DaysByPortfolios
    cleared: DaysByPortfolios
    crossed: DaysByPortfolios

    def steps(self, terms: MandateTerms) -> dict[str, DaysByPortfolios]:
        """Margin from today's practice to cross-margining; each step of the whole book."""
        return {
            NONE: self.elsewhere,
            SURVEYED: self.elsewhere + terms.mean_haircut * self.financed,
            EVERY: self.elsewhere + terms.haircut * self.financed,
            ALONE: self.elsewhere + self.cleared,
            CROSSED: self.crossed,
        }


def mandate_margins(
    model: MarginModel, market: Market, book: Book, coverage: Coverage, *, silo: str = "FICC"
) -> MandateMargins:
    """Margins of a book by a model: of the silo that will clear, of the others, and of all.

    A silo's positions are given to the model alone, so that a model of an arrangement asks what
    the house asks without it. Both sides of a position in `silo` count as financed: cash is
    borrowed on what is long, and lent on what is borrowed to be sold.

    Raises
    ------
    StudyError : nothing in the book is at `silo`.

    Examples
    --------
    >>> import backtest as bt, pandas as pd, strategies as st
    >>> market = bt.load_market("sample")
    >>> legs = pd.DataFrame({"UST10Y": [100e6], "UST5Y@CME": [-180e6]}, index=["basis"])
    >>> book = bt.Book.from_frame(legs, market)
    >>> margins = mandate_margins(st.HistoricalVaR(), market, book, bt.Coverage())
    >>> steps = {step: margin[-1, 0] for step, margin in margins.steps(MandateTerms.read()).items()}
    >>> round(steps["today, as surveyed"] - steps["today, no haircut"])
    520000
    >>> bool(steps["cleared, cross-margined"] < steps["cleared, each house alone"])
    True
    """
    check_silo(book, silo)
    margins = margins_by_house(
        {"": model}, market, book, coverage, kind="customer", progress=unheard
    )[""]
    place = book.silos.index(silo)
    cleared = margins.alone[:, :, place]
    return MandateMargins(
        book.portfolios,
        np.abs(book.in_silo(silo).usd(market)).sum(axis=2),
        margins.alone.sum(axis=2) - cleared,
        cleared,
        margins.pooled.sum(axis=2),
    )


def check_silo(book: Book, silo: str) -> None:
    """Raise StudyError where nothing in the book is at a silo."""
    if silo not in book.silos:
        raise StudyError(f"no position is at {silo!r}; silos of the book: {', '.join(book.silos)}.")


def mandate_table(
    margins: MandateMargins, terms: MandateTerms, *, scored: slice, spread: tuple[float, ...]
) -> pd.DataFrame:
    """Mean margin by book and step, its change from today's practice, and the cost a year.

    Rows are (book, step), last all books together, each margined by itself. Columns, USD:
    `margin`, `change` from `SURVEYED` (more is positive), each with `_low` and `_high`, one-sided
    bounds of 95 % over dates; `cost`, the change funded for a year at the middle one of
    the three rates `spread`, `cost_low` and `cost_high` the widest of bounds and rates.

    The bounds know the days that were, and not how practice or models differ: the rows of
    other haircuts show the first.
    """
    steps = {step: _with_total(values[scored]) for step, values in margins.steps(terms).items()}
    names = (*margins.portfolios, ALL_BOOKS)
    base = steps[SURVEYED]
    rows = {}
    for step, values in steps.items():
        for k, name in enumerate(names):
            change = of_margin((values - base)[:, k])
            rows[name, step] = {
                **columns_of("margin", of_margin(values[:, k])),
                **columns_of("change", change),
                **columns_of("cost", _cost(change, spread)),
            }
    index = pd.MultiIndex.from_product([names, steps], names=["book", "step"])
    return pd.DataFrame.from_dict(rows, orient="index").reindex(index)


def _cost(change: Ends, spread: tuple[float, ...]) -> Ends:
    """A change of margin funded for a year: the middle rate, and the widest of bounds and rates."""
    ends = np.multiply.outer(np.array(spread), np.array(change[1:]))
    return spread[1] * change[0], float(ends.min()), float(ends.max())


def figures_table(terms: MandateTerms) -> pd.DataFrame:
    """Published figures, a row each: the words as printed, by whom, and what was read."""
    return pd.DataFrame([figure.model_dump() for figure in terms.figure]).set_index("name")


def _with_total(values: DaysByPortfolios) -> FloatArray:
    return np.column_stack([values, values.sum(axis=1)])
