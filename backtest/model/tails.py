"""Groups of portfolios that trade on the same days, and estimates from their scenarios.

Scenarios exist on the days on which all instruments of a portfolio trade. A model says how it
estimates from scenarios; this file alone finds those days, and the portfolios that share them.
Between those days an estimate keeps its last value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.delta_gamma import Scaling, Scenarios
from backtest.model.protocol import Forecast
from backtest.model.revaluation import Revaluation, priced_scenarios
from backtest.types import FloatArray, RowNumbers


@dataclass(frozen=True, eq=False)
class Group:
    """Portfolios that are estimated together, on the days on which all their instruments trade.

    Parameters
    ----------
    portfolios : their columns in a margin of the whole book; a slice where they are all, on every
        day of the market. book : these portfolios alone.
    rows : (days of the group,) rows of the market. last : (days of the market,) the last day of
        the group on or before each.
    """

    portfolios: slice | RowNumbers
    book: Book
    rows: RowNumbers
    last: RowNumbers

    @classmethod
    def of(cls, market: Market, book: Book, portfolios: slice | RowNumbers) -> "Group":
        """Group of the portfolios in `book`; `portfolios` are their columns in the whole book."""
        if market.traded is None:
            every_day = np.arange(len(market.dates))
            return cls(portfolios, book, every_day, every_day)
        held_instruments = np.flatnonzero(book.is_held.any(axis=0))
        trades = market.trades([f for i in held_instruments for f in book.instruments[i].factors])
        return cls(portfolios, book, np.flatnonzero(trades), np.cumsum(trades) - 1)

    def on_every_day(self, values: FloatArray) -> FloatArray:
        """Values (days of the group, ...) on every day of the market: the last known on each."""
        return values if len(self.rows) == len(self.last) else values[self.last]


def same_clock(market: Market, book: Book) -> list[Group]:
    """Group portfolios by the days on which all their instruments trade.

    One group where all factors trade on every day. Otherwise an empty portfolio has no trading
    days and is left out: its margin is zero on every day.
    """
    if market.traded is None:
        return [Group.of(market, book, slice(None))]
    # Portfolios with the same trading days share their scenarios, so one estimate serves them all:
    # on two clocks there are two or three groups, however many portfolios there are.
    trades = np.stack([market.trades(i.factors) for i in book.instruments])
    groups: dict[bytes, list[int]] = {}
    for p in np.flatnonzero(book.exposure.any(axis=1)):
        days = trades[book.exposure[p] != 0].all(axis=0)
        groups.setdefault(days.tobytes(), []).append(int(p))
    return [Group.of(market, book.select(rows), np.array(rows)) for rows in groups.values()]


def same_holdings(market: Market, book: Book) -> list[Group]:
    """Group portfolios by the instruments they hold, each group with a book of those alone.

    For models whose estimate for one pair of factors depends on the other factors, such as a
    copula: the margin of a portfolio must not depend on the positions of others. An empty
    portfolio is left out: its margin is zero on every day.

    Examples
    --------
    >>> import pandas as pd
    >>> levels = pd.DataFrame({"BTC": [1.0], "ETH": [3.0]}, index=["2024-01-02"])
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0, 2.0, 1.0], "ETH": [0.0, 1.0, 0.0]}))
    >>> groups = same_holdings(Market.from_frame(levels), book)
    >>> [(group.portfolios.tolist(), len(group.book.instruments)) for group in groups]
    [([0, 2], 1), ([1], 2)]
    """
    groups = []
    holdings, group = np.unique(book.exposure != 0.0, axis=0, return_inverse=True)
    for number, columns in enumerate(holdings):
        if columns.any():
            portfolios = np.flatnonzero(group.ravel() == number)
            group_book = book.select([int(p) for p in portfolios]).holding(
                np.flatnonzero(columns).tolist()
            )
            groups.append(Group.of(market, group_book, portfolios))
    return groups


def by_group(
    market: Market,
    book: Book,
    estimate: Callable[[Group], Sequence[FloatArray] | FloatArray],
    *,
    split: Callable[[Market, Book], list[Group]] = same_clock,
    empty: Sequence[float] = (0.0, 0.0),
) -> Sequence[FloatArray] | FloatArray:
    """(estimates, days, portfolios) estimates of all groups, on every day of the market.

    estimate : group -> one (days of the group, its portfolios) array for each value of `empty`.
    empty : each estimate of an empty portfolio, which belongs to no group.
    """
    groups = split(market, book)
    if len(groups) == 1 and isinstance(groups[0].portfolios, slice):
        return estimate(groups[0])
    out = np.empty((len(empty), len(market.dates), len(book.portfolios)))
    out[:] = np.reshape(empty, (-1, 1, 1))
    for group in groups:
        for all_portfolios, values in zip(out, estimate(group), strict=True):
            all_portfolios[:, group.portfolios] = group.on_every_day(values)
    return out


def scenario_tails(
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    estimate: Callable[[Scenarios | Revaluation], Sequence[FloatArray] | FloatArray],
    scaling: Scaling = "overlapping",
) -> Forecast:
    """VaR and ES of a book, estimated from its scenarios; without a density.

    estimate : scenarios of some portfolios -> VaR and ES, (days of the scenarios, portfolios) USD
        each, loss > 0; NaN while warming up.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).
    """

    def tails(group: Group) -> Sequence[FloatArray] | FloatArray:
        return estimate(priced_scenarios(market, group.book, coverage=coverage, scaling=scaling))

    return Forecast(*by_group(market, book, tails))


def nan_estimates(scenarios: Scenarios | Revaluation, count: int = 2) -> FloatArray:
    """(count, days of the scenarios, portfolios) NaN, to be filled after the warm-up."""
    return np.full((count, len(scenarios.unit), len(scenarios.exposure)), np.nan)
