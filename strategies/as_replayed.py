"""Any model under the rules of each day, as they were then."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

import numpy as np
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.parameters.in_force import changes, in_force, named_rules
from backtest.types import DaysByPortfolios, FloatArray, RowNumbers
from strategies.haircut import HaircutOnly
from strategies.parts import parts_of


@model(kind="as_replayed")
class AsReplayed:
    r"""The base model with the rules of each day: a change of rules changes margin on its day.

    .. math:: M_t = m_t(\theta_{v(t)})

    v(t) is the version of every rule in force on day t, and theta its numbers: parameter files that
    the base names without a version. Before the first version of a rule came into force it is the
    first, after the last one ended the last. Margin at day t uses closes up to and including t, and
    the rules of t: history is revalued with today's numbers, as a house does on the day of a
    change. It gives margins and their parts, no forecast. USD.

    Parameters
    ----------
    base : the model; a version that it names outright stays.

    References
    ----------
    Each version's source stands in its file (`backtest rules`).

    Examples
    --------
    >>> from strategies.simm.model import Simm
    >>> from backtest.parameters.sources import parameter_sources
    >>> [source.name for source in parameter_sources(AsReplayed(base=Simm()))][:2]
    ['simm/2.1', 'simm/2.2']
    """

    base: MarginModel = Field(default_factory=HaircutOnly)

    replays_rules: ClassVar[bool] = True  # `in_force` leaves the base alone

    @property
    def across_books(self) -> bool:
        """Whether the base looks across portfolios."""
        return bool(getattr(self.base, "across_books", False))

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        required = np.full((len(market.dates), len(book.portfolios)), np.nan)
        for rows, base in self._stretches(market):
            required[rows] = required_margin(base, market, book, coverage)[rows]
        return required

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps of each day; a step that a version does not have is zero on its days."""
        shape = (len(market.dates), len(book.portfolios))
        by_silo = np.full((*shape, len(book.silos)), np.nan)
        steps: dict[str, DaysByPortfolios] = {}
        for rows, base in self._stretches(market):
            parts = parts_of(base, market, book, coverage)
            by_silo[rows] = parts.by_silo[rows]
            for step, usd in parts.steps.items():
                steps.setdefault(step, np.zeros(shape))[rows] = usd[rows]
        return Parts(silos=book.silos, by_silo=by_silo, steps=steps)

    def _stretches(self, market: Market) -> Iterator[tuple[RowNumbers, MarginModel]]:
        """Rows between two changes of rules, and the base under the rules of those days."""
        days = market.dates.astype("datetime64[D]")
        first, last = (day.astype(date) for day in (days[0], days[-1]))
        starts = np.array([first, *changes(self.base, first, last)], dtype="datetime64[D]")
        stretch = np.searchsorted(starts, days, side="right") - 1
        for number, start in enumerate(starts):
            yield np.flatnonzero(stretch == number), in_force(self.base, start.astype(date))


def under_rules(base: MarginModel, day: date | None, *, replayed: bool) -> MarginModel:
    """A model with its rules pinned to a day, or replayed; as it is where no day is known yet.

    Examples
    --------
    >>> under_rules(HaircutOnly(), date(2026, 6, 30), replayed=True)
    ... # doctest: +ELLIPSIS
    AsReplayed(base=HaircutOnly(schedules=('haircuts/cme', 'haircuts/cftc_pilot'), ...))
    """
    if replayed:
        is_one = getattr(base, "replays_rules", False) or not named_rules(base)
        wrapped: MarginModel = base if is_one else AsReplayed(base=base)
        return wrapped
    return base if day is None else in_force(base, day)


def unwrapped(model: MarginModel) -> MarginModel:
    """The model itself, or the one whose rules it replays.

    Examples
    --------
    >>> unwrapped(AsReplayed(base=HaircutOnly())) == unwrapped(HaircutOnly())
    True
    """
    return model.base if isinstance(model, AsReplayed) else model
