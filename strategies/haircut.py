"""A published percentage of every position, long or short, without netting."""

from typing import Annotated

import numpy as np
from annotated_types import Gt
from pydantic import Field

from backtest.account.haircuts import known_schedules, load_schedule
from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.book.positions import by_day
from backtest.instruments import Instrument, undeclared
from backtest.market.market import Market
from backtest.model.protocol import Parts, model
from backtest.parameters.buckets import Rate
from backtest.types import FloatArray, StudyError


@model(kind="haircut_only")
class HaircutOnly:
    r"""Haircut times absolute exposure, summed over positions: no netting, no history.

    .. math:: M_t = s \sum_i h_i |x_i(t)|

    Margin at day t uses exposures of day t. USD. It does not depend on confidence or MPOR: the
    published numbers are for the horizon of their source.

    Parameters
    ----------
    schedules : rules or versions of `strategies/parameters/haircuts/`; the first that lists an
        instrument is used.
    haircuts : haircut by instrument name, in place of any schedule.
    scale : s, multiple of every haircut.

    References
    ----------
    CME Clearing advisory 14-020 (2014); CFTC staff letter 26-05 (2026): see the schedule files.

    Examples
    --------
    >>> HaircutOnly(haircuts={"BTC": 0.35}).haircuts["BTC"]
    0.35
    """

    schedules: tuple[str, ...] = ("haircuts/cme", "haircuts/cftc_pilot")
    haircuts: dict[str, Rate] = Field(default_factory=dict)
    scale: Annotated[float, Gt(0)] = 1.0

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        rates = np.array([self._haircut(i) for i in book.instruments]) * self.scale
        return by_day(book.unit_index(market) * rates, np.abs(book.on(market.dates).exposure))

    def takes_days(self, market: Market, book: Book) -> bool:
        """Positions by day at once: a day's margin is of its own positions alone."""
        return True

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Requirement of each silo's positions; the only step is 'gross', their sum."""
        by_silo = np.stack(
            [self.margin(market, book.in_silo(s), coverage) for s in book.silos], axis=2
        )
        return Parts(silos=book.silos, by_silo=by_silo, steps={"gross": by_silo.sum(axis=2)})

    def _haircut(self, instrument: Instrument) -> float:
        if instrument.name in self.haircuts:
            return self.haircuts[instrument.name]
        for name in self.schedules:
            rate = load_schedule(name).haircut(instrument)
            if rate is not None:
                return rate
        raise StudyError(
            f"no haircut for {instrument.name} in schedules {', '.join(self.schedules)}; "
            f"add one under `haircuts`{_elsewhere(instrument)}{undeclared(instrument, 'haircut')}."
        )


def _elsewhere(instrument: Instrument) -> str:
    """End of the error sentence: the schedules that do list an instrument."""
    listing = [n for n in known_schedules() if load_schedule(n).haircut(instrument) is not None]
    return f", or a schedule that has one ({', '.join(listing)})" if listing else ""
