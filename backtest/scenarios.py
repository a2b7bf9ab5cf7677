"""Historical scenarios of a book: one matrix of shocks that never changes, and what scales it.

A portfolio's scenario P&L is exposure x unit x shock, summed over columns. A column is a shock of
one instrument's factor over that instrument's MPOR, or half its square where the instrument is
curved; so delta-gamma revaluation of every portfolio on every day is one product, and nothing of
size days x portfolios x columns is ever stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .book import Book
from .market import Market
from .types import Coverage, FloatArray, RowNumbers

Scaling = Literal["overlapping", "sqrt"]


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Delta-gamma scenarios of a book over its MPOR.

    Its days are those of the market on which every factor that the book holds traded: all of them,
    unless factors keep days of their own. `spread` leads back to the days of the market.

    Parameters
    ----------
    shocks : (days, columns) shock that ends on each day; leading rows NaN.
    unit : (days, columns) P&L per 1 USD of exposure and unit shock, at today's level.
    exposure : (portfolios, columns) signed USD.
    silo : (columns,) index into the book's silos. instrument : (columns,) index into its holdings.
    at : (days of the market,) the last day of the scenarios on or before each.
    """

    shocks: FloatArray
    unit: FloatArray
    exposure: FloatArray
    silo: FloatArray
    instrument: FloatArray
    at: RowNumbers

    def spread(self, values: FloatArray) -> FloatArray:
        """Carry (days, ...) values to every day of the market: the last known on each."""
        return values if len(self.at) == len(values) else values[self.at]


def book_scenarios(
    market: Market, book: Book, *, coverage: Coverage, scaling: Scaling = "overlapping"
) -> Scenarios:
    """Scenarios of every instrument of a book, each over the MPOR of its silo.

    scaling : 'overlapping' takes H-day shocks; 'sqrt' takes one-day shocks times sqrt(H).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-02", periods=4)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [10., 11., 12., 15.]}, index=days))
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["long BTC"]))
    >>> book_scenarios(market, book, coverage=Coverage()).shocks[2:, 0].round(6).tolist()
    [0.2, 0.363636]
    """
    counted: Sequence[int] = range(len(book.instruments))
    if market.traded is not None:  # what nobody holds must not take days from what somebody does
        counted = [int(i) for i in np.flatnonzero(book.exposure.any(axis=0))] or [0]
    # Steps are counted in a factor's own days, so they are taken before the common days are.
    own = market.trades([f for i in counted for f in book.instruments[i].factors])
    sensitivity = book.unit_sensitivities(market)
    shocks, unit, silo, owner = [], [], [], []
    cache: dict[int, FloatArray] = {}
    for i in counted:
        instrument = book.instruments[i]
        horizon = coverage.horizon(instrument.silo)
        step, factor_scale = (horizon, 1.0) if scaling == "overlapping" else (1, horizon**0.5)
        if step not in cache:
            cache[step] = market.shocks(step)
        shock = cache[step][:, market.column(instrument.factor)] * factor_scale
        for order, column in enumerate([shock, shock * shock / 2.0]):
            if order == 0 or sensitivity[:, i, order].any():
                shocks.append(column)
                unit.append(sensitivity[:, i, order])
                silo.append(book.silos.index(instrument.silo))
                owner.append(i)
    return Scenarios(
        shocks=np.ascontiguousarray(np.column_stack(shocks)[own]),
        unit=np.ascontiguousarray(np.column_stack(unit)[own]),
        exposure=np.ascontiguousarray(book.exposure[:, owner]),
        silo=np.array(silo),
        instrument=np.array(owner),
        at=np.cumsum(own) - 1,
    )
