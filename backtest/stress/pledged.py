"""Positions of a day with the collateral behind them: what a move does to losses and to margin.

Collateral is priced as one more instrument that an account holds, so that a search for the smallest
move that uses a margin up sees both sides of it: what is lost, and what is there to pay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from backtest.account.mix import Mix, collateral_marks
from backtest.market.market import Market
from backtest.stress.history import HistoricMoves, usual_span
from backtest.stress.positions import Held
from backtest.stress.repricing import Repricer, scenario_markets
from backtest.stress.scenario import Scenario, moved_levels
from backtest.types import Dates, FloatArray, RowNumbers

Collateral = Mix | Literal["cash"]


def collateral_pnl(
    collateral: Collateral,
    market: Market,
    rows: RowNumbers,
    *,
    later: FloatArray,
    elapsed: FloatArray,
) -> FloatArray:
    """(scenarios,) what 1 USD of collateral after haircut gains until the end of close-out.

    Arguments as of `repricing.repriced_pnl`; the value at the end is that of
    `account.mix.collateral_marks`.

    Examples
    --------
    >>> import pandas as pd
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [100.0]}, index=["2024-01-02"]))
    >>> mix, today = Mix({"cash": 0.5, "BTC": 0.5}), np.array([0])
    >>> collateral_pnl(mix, market, today, later=np.array([[60.0]]), elapsed=np.ones(1)).round(9)
    array([-0.2])
    """
    out = np.zeros(len(rows))
    if collateral != "cash":
        for chosen, days, span in scenario_markets(market, rows, later=later, elapsed=elapsed):
            marks = collateral_marks(collateral, days, horizon=span)
            out[chosen] = marks.closeout[:: span + 1, 0] - 1.0
    return out


@dataclass(frozen=True, eq=False)
class PledgedRepricer(Repricer):
    """A repricer whose last columns are collateral, one for each horizon of a close-out.

    Parameters
    ----------
    collateral : posted by all accounts. spans : calendar days of each horizon.
    """

    collateral: Collateral
    spans: Sequence[int]

    def pnl(self, moves: FloatArray) -> FloatArray:
        """(scenarios, instruments + horizons) P&L per 1 USD under `moves` (scenarios, factors)."""
        rows = np.full(len(moves), self.row)
        later = moved_levels(self.market, rows, moves)
        columns = [
            collateral_pnl(
                self.collateral, self.market, rows, later=later, elapsed=np.full(len(rows), days)
            )
            for days in map(float, self.spans)
        ]
        return np.column_stack([super().pnl(moves), *columns])


@dataclass(frozen=True, eq=False)
class Pledged:
    """The positions of a book on one day, and the collateral that all accounts post.

    P&L here, `pnl`, has a column an instrument and, after them, one a horizon of collateral.

    Parameters
    ----------
    held : the positions. collateral : what is posted.
    """

    held: Held
    collateral: Collateral

    @cached_property
    def horizons(self) -> list[int]:
        """Margin days of close-out that accounts have, each once."""
        return [int(days) for days in np.unique(self.held.closeout.by_portfolio)]

    @cached_property
    def column(self) -> RowNumbers:
        """(accounts,) the column of `pnl` with the collateral of each."""
        first = len(self.held.book.instruments)
        return first + np.searchsorted(self.horizons, self.held.closeout.by_portfolio)

    @cached_property
    def repricer(self) -> PledgedRepricer:
        """Instruments and collateral under any moves, over the usual days of a close-out."""
        held, of_book = self.held, self.held.repricer
        spans = [usual_span(held.market, held.row, days) for days in self.horizons]
        return PledgedRepricer(
            of_book.market,
            of_book.row,
            of_book.instruments,
            of_book.elapsed,
            self.collateral,
            spans,
        )

    def historic(self, starts: Dates) -> FloatArray:
        """(starts, instruments + horizons) P&L under the moves that began on each of `starts`."""
        held = self.held
        columns = []
        for days in self.horizons:
            known = HistoricMoves.of(held.market, held.market.factors, days, held.row)
            chosen = known.rows_of(starts)
            rows = np.full(len(chosen), held.row)
            later = moved_levels(held.market, rows, known.moves[chosen])
            columns.append(
                collateral_pnl(
                    self.collateral, held.market, rows, later=later, elapsed=known.elapsed[chosen]
                )
            )
        return np.column_stack([held.historic(starts), *columns])

    def pnl(self, scenarios: Sequence[Scenario]) -> FloatArray:
        """(scenarios, instruments + horizons) P&L per 1 USD; raises as `Held.pnl`."""
        of_book = self.held.pnl(scenarios)
        out = np.zeros((len(scenarios), of_book.shape[1] + len(self.horizons)))
        for i, scenario in enumerate(scenarios):
            if scenario.start is None:
                out[i] = self.repricer.pnl(scenario.vector(self.held.market)[None])[0]
            else:
                out[i] = self.historic(np.array([scenario.start]))[0]
        out[:, : of_book.shape[1]] = of_book
        return out

    def losses(self, pnl: FloatArray) -> FloatArray:
        """(scenarios, accounts, houses) USD lost, > 0 is a loss, the cost of closing out in it."""
        return self.held.losses_by_silo(pnl[:, : len(self.held.book.instruments)])

    def values(self, pnl: FloatArray) -> FloatArray:
        """(scenarios, accounts) value at the end of close-out of 1 USD of collateral."""
        return 1.0 + pnl[:, self.column]

    def legs(self, collateral: FloatArray) -> FloatArray:
        """(accounts, houses, columns of `pnl`) USD held: positions at a house, and collateral.

        collateral : (accounts, houses) USD of value after haircut.
        """
        held = self.held
        accounts, houses = collateral.shape
        out = np.zeros((accounts, houses, len(held.book.instruments) + len(self.horizons)))
        for h, columns in enumerate(held.silo_columns):
            out[:, h, columns] = held.exposure[:, columns]
            out[np.arange(accounts), h, self.column] = collateral[:, h]
        return out
