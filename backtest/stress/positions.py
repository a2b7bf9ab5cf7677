"""A book as it is held on one day, and what its instruments gain in each scenario."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.stress.history import historic_pnl, usual_span
from backtest.stress.repricing import Repricer
from backtest.stress.scenario import Scenario
from backtest.types import Dates, FloatArray, RowNumbers, StudyError

ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Held:
    """The positions of a book on one day of a market, frozen over the close-out.

    Parameters
    ----------
    market, book : prices and positions. coverage : the standard, whose MPOR is the close-out.
    row : of the day in the market.
    """

    market: Market
    book: Book
    coverage: Coverage
    row: int

    @cached_property
    def closeout(self) -> Closeout:
        """Margin days of each instrument."""
        return Closeout(self.book, self.coverage)

    @cached_property
    def exposure(self) -> FloatArray:
        """(portfolios, instruments) signed USD."""
        day = self.market.dates[self.row : self.row + 1]
        positions = self.book.on(day).exposure
        positions = positions[0] if positions.ndim == 3 else positions
        return np.asarray(positions * self.book.unit_index(self.market)[self.row])

    @cached_property
    def cost(self) -> FloatArray:
        """(portfolios, silos) USD of closing out; 0 where the book's losses leave it out."""
        out = np.zeros((len(self.book.portfolios), len(self.book.silos)))
        if self.book.liquidation is None:
            return out
        known = self.market.until(self.row)
        for s, columns in enumerate(self.silo_columns):
            instruments = [self.book.instruments[i] for i in columns]
            ones = np.ones((len(known.dates), len(columns)))
            out[:, s] = self.book.liquidation.cost(
                known, instruments, exposure=self.exposure[:, columns], index=ones
            )[-1]
        return out

    @property
    def silo_columns(self) -> list[list[int]]:
        """Places of the instruments of each silo."""
        return [
            [i for i, x in enumerate(self.book.instruments) if x.silo == silo]
            for silo in self.book.silos
        ]

    @cached_property
    def repricer(self) -> Repricer:
        """The instruments under any moves, over the usual calendar days of their MPOR."""
        spans = [usual_span(self.market, self.row, days) for days in self.closeout.by_instrument]
        return Repricer(self.market, self.row, self.book.instruments, spans)

    @cached_property
    def historic_starts(self) -> Dates:
        """Days from which the moves of all instruments over their MPOR were known on the day."""
        known_from = self.closeout.known_from(self.market)
        return self.market.dates[known_from <= self.row]

    def historic(self, starts: Dates) -> FloatArray:
        """(starts, instruments) P&L per 1 USD under the moves that began on each of `starts`."""
        return np.column_stack(
            [
                historic_pnl(instrument, self.market, self.row, horizon=days, starts=starts)
                for instrument, days in zip(
                    self.book.instruments, self.closeout.by_instrument, strict=True
                )
            ]
        )

    def pnl(self, scenarios: Sequence[Scenario]) -> FloatArray:
        """(scenarios, instruments) exact P&L per 1 USD of exposure.

        Raises
        ------
        StudyError : a historic scenario that was not over by the day.
        """
        out = np.empty((len(scenarios), len(self.book.instruments)))
        stated = [i for i, s in enumerate(scenarios) if s.start is None]
        if stated:
            moves = np.array([scenarios[i].vector(self.market) for i in stated])
            out[stated] = self.repricer.pnl(moves)
        for i, scenario in enumerate(scenarios):
            if scenario.start is None:
                continue
            if scenario.start not in self.historic_starts:
                raise StudyError(
                    f"the move from {scenario.start} was not over on "
                    f"{self.market.dates[self.row]}, the day of the stress test; name an earlier "
                    "day of the market."
                )
            out[i] = self.historic(np.array([scenario.start]))[0]
        return out

    def losses(self, pnl: FloatArray, rows: slice = ALL) -> FloatArray:
        """(scenarios, portfolios) USD, > 0 is a loss, with the cost of closing out.

        rows : portfolios.
        """
        return -pnl @ self.exposure[rows].T + self.cost[rows].sum(axis=1)

    def each_by_silo(self, pnl: FloatArray, places: RowNumbers) -> FloatArray:
        """(portfolios, silos) losses of the portfolios at `places`, each in a scenario of its own.

        pnl : (portfolios, instruments) per 1 USD.
        """
        lost = -pnl * self.exposure[places]
        sums = [lost[:, columns].sum(axis=1) for columns in self.silo_columns]
        return np.column_stack(sums) + self.cost[places]

    def losses_by_silo(self, pnl: FloatArray) -> FloatArray:
        """(scenarios, portfolios, silos) USD, > 0 is a loss, with the cost of closing out."""
        return np.stack(
            [
                -pnl[:, columns] @ self.exposure[:, columns].T + self.cost[:, s]
                for s, columns in enumerate(self.silo_columns)
            ],
            axis=2,
        )


def stress_losses(
    market: Market, book: Book, scenarios: Sequence[Scenario], *, coverage: Coverage, day: str
) -> FloatArray:
    """Losses of the positions held on a day, by full repricing of every instrument.

    Parameters
    ----------
    day : ISO; positions and levels are those of its close.
    coverage : its MPOR is the close-out, over which a historic move is taken and carry accrues.

    Returns
    -------
    (scenarios, portfolios, silos) USD, > 0 is a loss. The cost of closing out is in it where the
    book has one.

    Raises
    ------
    StudyError : no such day, a factor that the market does not have, a historic move that was not
        over on the day.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-02", periods=4)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [100.0, 80.0, 90.0, 90.0]}, index=days))
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1e6, -1e6]}, index=["long", "short"]))
    >>> scenarios = [Scenario("half", {"BTC": -0.5}), Scenario("2024", start=market.dates[0])]
    >>> stress_losses(
    ...     market, book, scenarios, coverage=Coverage(mpor=1), day="2024-01-05"
    ... )[..., 0].round(2).tolist()
    [[500000.0, -500000.0], [200000.0, -200000.0]]
    """
    held = Held(market, book, coverage, row_of(market, day))
    return held.losses_by_silo(held.pnl(scenarios))


def row_of(market: Market, day: str) -> int:
    """The row of a day (ISO); the last one where it is empty.

    Raises
    ------
    StudyError : no margin day of the market.
    """
    if not day:
        return len(market.dates) - 1
    date = np.datetime64(day, "D")
    row = int(market.dates.searchsorted(date))
    if row == len(market.dates) or market.dates[row] != date:
        raise StudyError(
            f"stress.day is {day}, which is no margin day of this market; it has "
            f"{market.dates[0]} to {market.dates[-1]}, without days on which a factor is unknown."
        )
    return row
