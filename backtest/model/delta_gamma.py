"""Historical scenarios of a book: one matrix of shocks that never changes, and what scales it.

A portfolio's scenario P&L is exposure x unit x shock, summed over columns. A column is a shock of
one factor of one instrument over that instrument's MPOR, or half its square where the instrument
is curved in it; so delta-gamma revaluation of every portfolio on every day is one product, and
nothing of size days x portfolios x columns is ever stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.correlation import rolling_covariance
from backtest.kernels.tails import tail_losses
from backtest.market.market import Market
from backtest.types import Dates, FloatArray, RowNumbers, first_known

Scaling = Literal["overlapping", "sqrt"]


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Delta-gamma scenarios of a book over its MPOR.

    Its days are those of the market on which every factor that the book holds traded: all of them,
    unless factors keep days of their own.

    Parameters
    ----------
    shocks : (days, columns) shock that ends on each day; leading rows NaN.
    unit : (days, columns) P&L per 1 USD of exposure and unit shock, at today's level.
    exposure : (portfolios, columns) signed USD.
    silo : (columns,) index into the book's silos. instrument : (columns,) index into its holdings.
    factor : (columns,) column of the market. power : (columns,) 1 a shock, 2 half its square.
    steps : (columns,) of the factor's own days that a shock spans.
    dates : (days,) of the scenarios.
    """

    shocks: FloatArray
    unit: FloatArray
    exposure: FloatArray
    silo: FloatArray
    instrument: FloatArray
    factor: RowNumbers
    power: RowNumbers
    steps: RowNumbers
    dates: Dates

    @property
    def first(self) -> int:
        """First day whose shock is known for every column."""
        return first_known(self.shocks)

    def values(self, day: int, *, lookback: int) -> FloatArray:
        """(columns, lookback) shocks seen from `day`, its own the last of them."""
        return np.ascontiguousarray(self.shocks[day - lookback + 1 : day + 1].T)

    def tails(self, lookback: int, *, count: int) -> tuple[FloatArray, FloatArray]:
        """VaR and ES (days, portfolios) of the trailing scenarios; NaN while warming up."""
        return tail_losses(self.shocks, self.unit, self.exposure, lookback=lookback, count=count)

    def covariance(self, lookback: int) -> FloatArray:
        """(days, columns, columns) covariance of the shocks over each trailing window."""
        return rolling_covariance(self.shocks, lookback)


def book_scenarios(
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    scaling: Scaling = "overlapping",
    same_days: int | None = None,
) -> Scenarios:
    """Delta-gamma scenarios of every instrument of a book, each over its own MPOR.

    Of an option they hold no more than its sensitivities: `revaluation.priced_scenarios` has the
    whole of it.

    scaling : 'overlapping' takes H-day shocks; 'sqrt' takes one-day shocks times sqrt(H).
    same_days : takes the shocks of every instrument over these same days h, times sqrt(H / h), as
        if all were closed out together.

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
    shocks, unit, silo, owner, made_of = [], [], [], [], []
    cache: dict[tuple[int, int], FloatArray] = {}
    sensitivities = book.unit_sensitivities(market)
    horizons = Closeout(book, coverage).by_instrument
    for i in counted:
        horizon = horizons[i]
        over = days_of_shocks(horizon, scaling=scaling, same_days=same_days)
        if (horizon, over) not in cache:
            cache[horizon, over] = market.shocks(over) * (horizon / over) ** 0.5
        for factor, sensitivity in sensitivities[i].items():
            shock = cache[horizon, over][:, market.column(factor)]
            for order, column in enumerate([shock, shock * shock / 2.0]):
                if order == 0 or sensitivity[:, order].any():
                    shocks.append(column)
                    unit.append(sensitivity[:, order])
                    silo.append(book.silos.index(book.instruments[i].silo))
                    owner.append(i)
                    made_of.append((market.column(factor), order + 1, over))
    factors, powers, steps = np.array(made_of).T
    return Scenarios(
        shocks=np.ascontiguousarray(np.column_stack(shocks)[own]),
        unit=np.ascontiguousarray(np.column_stack(unit)[own]),
        exposure=np.ascontiguousarray(book.exposure[:, owner]),
        silo=np.array(silo),
        instrument=np.array(owner),
        factor=factors,
        power=powers,
        steps=steps,
        dates=market.dates[own],
    )


def days_of_shocks(horizon: int, *, scaling: Scaling, same_days: int | None) -> int:
    """Margin days that a shock is taken over, before it is scaled up to the MPOR."""
    return same_days or (horizon if scaling == "overlapping" else 1)
