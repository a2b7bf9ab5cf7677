"""Historical scenarios of a book: one constant matrix of shocks, and the sensitivities to them.

A portfolio's scenario P&L is exposure x unit x shock, summed over columns. A column is a shock of
one factor of one instrument over that instrument's MPOR, or half its square where the instrument
has gamma; so delta-gamma revaluation of every portfolio on every day is one product, and no array
of size days x portfolios x columns is ever stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.correlation import rolling_covariance
from backtest.instruments import Instrument, by_factor
from backtest.kernels.tails import tail_losses
from backtest.market.market import Market
from backtest.model.sharing import are_ours, once
from backtest.types import BoolArray, Dates, DaysByFactors, FloatArray, RowNumbers, first_known

Scaling = Literal["overlapping", "sqrt"]


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Delta-gamma scenarios of a book over its MPOR.

    Its days are those on which all factors of the book traded: all days of the market, unless
    factors trade on different days.

    Parameters
    ----------
    shocks : (days, columns) shock that ends on each day; leading rows NaN.
    unit : (days, columns) P&L per 1 USD of exposure and unit shock, at the levels of the day.
    exposure : (portfolios, columns) signed USD; (days, portfolios, columns) where they change.
    silo : (columns,) index into the book's silos. instrument : (columns,) index into its holdings.
    factor : (columns,) column of the market. power : (columns,) 1 a shock, 2 half its square.
    steps : (columns,) trading days of the factor that a shock spans.
    dates : (days,) days of the scenarios.
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
        """(columns, lookback) latest shocks on `day`; the last column is the shock of that day."""
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

    An option enters by its sensitivities alone; `revaluation.priced_scenarios` revalues it in full.

    scaling : 'overlapping' takes H-day shocks; 'sqrt' takes one-day shocks times sqrt(H).
    same_days : takes the shocks of every instrument over the same h days, times sqrt(H / h), as
        if all instruments were closed out together.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-02", periods=4)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [10., 11., 12., 15.]}, index=days))
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["long BTC"]))
    >>> book_scenarios(market, book, coverage=Coverage()).shocks[2:, 0].round(6).tolist()
    [0.2, 0.363636]
    """
    instruments: Sequence[int] = range(len(book.instruments))
    if market.traded is not None:
        # A bond that no portfolio holds must not remove the weekends of a crypto book.
        instruments = [int(i) for i in np.flatnonzero(book.is_held.any(axis=0))] or [0]
    # An H-day shock counts the days on which its factor trades. Shocks are therefore taken first,
    # and only then cut to the days that all factors share; the other order would make them longer.
    all_traded: slice | BoolArray = slice(None)
    if market.traded is not None:
        all_traded = market.trades([f for i in instruments for f in book.instruments[i].factors])
    index = None if book.in_usd else book.unit_index(market)
    horizons, silos = Closeout(book, coverage).by_instrument, book.silos
    columns: list[_Column] = []
    unit, silo, holding, steps = [], [], [], []
    for i in instruments:
        instrument = book.instruments[i]
        days = days_of_shocks(horizons[i], scaling=scaling, same_days=same_days)
        for column in _columns(instrument, market, horizons[i], days):
            columns.append(column)
            unit.append(column.unit if index is None else column.unit * index[:, i])
            silo.append(silos.index(instrument.silo))
            holding.append(i)
            steps.append(days)
    dates = market.dates[all_traded]
    return Scenarios(
        shocks=np.column_stack([c.shock for c in columns])[all_traded],
        unit=np.column_stack(unit)[all_traded],
        exposure=np.ascontiguousarray(book.on(dates).exposure[..., holding]),
        silo=np.array(silo),
        instrument=np.array(holding),
        factor=np.array([c.factor for c in columns]),
        power=np.array([c.power for c in columns]),
        steps=np.array(steps),
        dates=dates,
    )


class _Column(NamedTuple):
    """One column of scenarios: (days,) shocks, and (days,) P&L per USD and unit of shock."""

    factor: int
    power: int
    shock: FloatArray
    unit: FloatArray


def _columns(instrument: Instrument, market: Market, horizon: int, days: int) -> list[_Column]:
    """Columns of an instrument over its MPOR `horizon`, from shocks over `days`."""

    def shocks() -> FloatArray:
        over_days = shared_shocks(market, days)
        return over_days if horizon == days else over_days * (horizon / days) ** 0.5

    def columns() -> list[_Column]:
        all_shocks = once(market, ("shocks", horizon, days), shocks)
        out = []
        for name, sensitivity in by_factor(instrument, market).items():
            factor = market.column(name)
            shock = np.ascontiguousarray(all_shocks[:, factor])
            out.append(_Column(factor, 1, shock, sensitivity[:, 0]))
            # Columns of curvature are added only where there is gamma: for linear instruments they
            # would double the work of every tail.
            if sensitivity[:, 1].any():
                out.append(_Column(factor, 2, shock * shock / 2.0, sensitivity[:, 1]))
        return out

    if not are_ours(instrument):
        return columns()
    return once(market, ("columns", instrument, horizon, days), columns)


def shared_shocks(market: Market, days: int) -> DaysByFactors:
    """`Market.shocks` over `days`, computed once for all models; nobody may write into it."""
    return once(market, ("shocks", days), lambda: market.shocks(days))


def days_of_shocks(horizon: int, *, scaling: Scaling, same_days: int | None) -> int:
    """Margin days over which a shock is taken, before it is scaled to the MPOR."""
    return same_days or (horizon if scaling == "overlapping" else 1)
