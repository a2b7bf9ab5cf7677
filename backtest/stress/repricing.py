"""Full repricing: what each instrument gains when the market moves from one day's levels to others.

An instrument knows its exact P&L between two days of a market. A scenario is therefore made a
market of its own: a day with today's levels, and a later day with the moved ones. Options, whose
expiry may be a date, are revalued by their own `scenarios` instead, which are exact as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.instruments import Instrument, Revalued, is_option
from backtest.market import LONGEST_STEP
from backtest.market.market import Market
from backtest.stress.scenario import moved_levels
from backtest.types import FloatArray, RowNumbers

ONE_DAY = np.timedelta64(1, "D")


def repriced_pnl(
    instruments: Sequence[Instrument],
    market: Market,
    rows: RowNumbers,
    *,
    later: FloatArray,
    elapsed: FloatArray,
) -> FloatArray:
    """(scenarios, instruments) exact P&L per 1 USD from the levels of `rows` to `later`.

    Carry is in it. rows : (scenarios,) the day of the market on which each scenario begins.
    later : (scenarios, factors) levels at its end.
    elapsed : (scenarios,) calendar days to it, 1 or more.

    Examples
    --------
    >>> import pandas as pd
    >>> from backtest.instruments import parse_instrument
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [100.0]}, index=["2024-01-02"]))
    >>> coin, today, day = parse_instrument("BTC"), np.array([0]), np.array([1.0])
    >>> repriced_pnl([coin], market, today, later=np.array([[60.0]]), elapsed=day).tolist()
    [[-0.4]]
    """
    out = np.empty((len(rows), len(instruments)))
    priced = [i for i, instrument in enumerate(instruments) if not is_option(instrument)]
    if priced:
        for chosen, days, span in scenario_markets(market, rows, later=later, elapsed=elapsed):
            for i in priced:
                out[chosen, i] = instruments[i].pnl(days, span)[:: span + 1]
    for i, instrument in enumerate(instruments):
        if is_option(instrument):
            out[:, i] = _revalued(instrument, market, rows, later, elapsed)
    return out


def scenario_markets(
    market: Market, rows: RowNumbers, *, later: FloatArray, elapsed: FloatArray
) -> Iterator[tuple[RowNumbers, Market, int]]:
    """Markets in which scenarios are days: places of theirs, the market, and its rows a close-out.

    Each scenario has as many rows and one: its first level, then its last ones. A market has no gap
    longer than two weeks, so a longer close-out has a day or more between. Arguments as of
    `repriced_pnl`.
    """
    spans = np.maximum(1, -(-elapsed.astype(np.int64) // LONGEST_STEP))
    for span in sorted(set(spans.tolist())):
        chosen = np.flatnonzero(spans == span)
        yield chosen, _market(market, rows[chosen], later[chosen], elapsed[chosen], span), span


def _market(
    market: Market, rows: RowNumbers, later: FloatArray, elapsed: FloatArray, span: int
) -> Market:
    count = len(rows)
    levels = np.repeat(later[:, None, :], span + 1, axis=1)
    levels[:, 0] = market.levels[rows]
    steps = np.ones((count, span + 1), dtype=np.int64)  # from each row to the next, the last to
    steps[:, :span] = np.diff(  # the scenario after it
        np.linspace(0.0, elapsed, span + 1).round().astype(np.int64), axis=0
    ).T
    passed = np.concatenate([[0], steps.ravel()[:-1].cumsum()])
    return Market(
        dates=market.dates[rows[0]] + passed * ONE_DAY,
        factors=market.factors,
        levels=levels.reshape(-1, levels.shape[2]),
        kinds=market.kinds,
        simulated=True,
        source="stress scenarios",
    )


def _revalued(
    option: Revalued, market: Market, rows: RowNumbers, later: FloatArray, elapsed: FloatArray
) -> FloatArray:
    columns = [market.column(factor) for factor in option.moved_by]
    shocks = later[:, columns] / market.levels[rows][:, columns] - 1.0
    out = np.empty(len(rows))
    for row in np.unique(rows):
        chosen = rows == row
        out[chosen] = option.scenarios(market, int(row), shocks[chosen], elapsed=elapsed[chosen])
    return out


@dataclass(frozen=True, eq=False)
class Repricer:
    """The instruments of a book on one day, repriced under any moves of the factors.

    Parameters
    ----------
    market : prices. row : the day on which positions are held.
    instruments : of the book. elapsed : calendar days that each one's close-out takes.
    """

    market: Market
    row: int
    instruments: Sequence[Instrument]
    elapsed: Sequence[int]

    def pnl(self, moves: FloatArray) -> FloatArray:
        """(scenarios, instruments) exact P&L per 1 USD under `moves` (scenarios, factors)."""
        rows = np.full(len(moves), self.row)
        later = moved_levels(self.market, rows, moves)
        out = np.empty((len(moves), len(self.instruments)))
        for days in set(self.elapsed):
            columns = [i for i, span in enumerate(self.elapsed) if span == days]
            out[:, columns] = repriced_pnl(
                [self.instruments[i] for i in columns],
                self.market,
                rows,
                later=later,
                elapsed=np.full(len(moves), float(days)),
            )
        return out
