"""Where a model meets the days of its market: estimates on the days on which a book trades.

Scenarios exist on the days on which everything a portfolio holds trades. A model says what it
estimates from them; this file alone knows on which days that is, and which portfolios share them.
Between those days an estimate stays what it was.
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
    """Portfolios that are estimated together, on the days on which all that they hold trades.

    Parameters
    ----------
    portfolios : their columns in a margin of the whole book. book : of these alone.
    rows : (days of the group,) rows of the market. last : (days of the market,) the last day of
        the group on or before each.
    """

    portfolios: slice | RowNumbers
    book: Book
    rows: RowNumbers
    last: RowNumbers

    @classmethod
    def of(cls, market: Market, book: Book, portfolios: slice | RowNumbers) -> "Group":
        """Portfolios of a market, with their `book`."""
        held = np.flatnonzero(book.exposure.any(axis=0))
        trades = market.trades([f for i in held for f in book.instruments[i].factors])
        return cls(portfolios, book, np.flatnonzero(trades), np.cumsum(trades) - 1)

    def on_every_day(self, values: FloatArray) -> FloatArray:
        """Carry (days of the group, ...) values to every day of the market: the last known."""
        return values if len(self.rows) == len(self.last) else values[self.last]


def same_clock(market: Market, book: Book) -> list[Group]:
    """Group portfolios by the days on which all their instruments trade.

    One group where all factors always trade. Elsewhere a portfolio that holds nothing has no days
    and is left out: its margin is zero, on every day.
    """
    if market.traded is None:
        return [Group.of(market, book, slice(None))]
    trades = np.stack([market.trades(i.factors) for i in book.instruments])
    groups: dict[bytes, list[int]] = {}
    for p in np.flatnonzero(book.exposure.any(axis=1)):
        days = trades[book.exposure[p] != 0].all(axis=0)
        groups.setdefault(days.tobytes(), []).append(int(p))
    return [Group.of(market, book.select(rows), np.array(rows)) for rows in groups.values()]


def same_holdings(market: Market, book: Book) -> list[Group]:
    """Group portfolios by what they hold, each group with a book of those instruments alone.

    For models whose estimate for one pair of factors depends on the others beside it: a portfolio
    then stands alone, whatever its neighbours hold. One that holds nothing is left out: its margin
    is zero, on every day.

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
    held, group = np.unique(book.exposure != 0.0, axis=0, return_inverse=True)
    for number, columns in enumerate(held):
        if columns.any():
            rows = np.flatnonzero(group.ravel() == number)
            part = book.select([int(p) for p in rows]).holding(np.flatnonzero(columns).tolist())
            groups.append(Group.of(market, part, rows))
    return groups


def by_group(
    market: Market,
    book: Book,
    estimate: Callable[[Group], Sequence[FloatArray] | FloatArray],
    *,
    split: Callable[[Market, Book], list[Group]] = same_clock,
    empty: Sequence[float] = (0.0, 0.0),
) -> FloatArray:
    """(estimates, days, portfolios) what `estimate` says of each group, on every day of the market.

    estimate : gives as many (days of the group, its portfolios) as `empty` has values.
    empty : each estimate of a portfolio that holds nothing, where the groups leave it out.
    """
    out = np.empty((len(empty), len(market.dates), len(book.portfolios)))
    out[:] = np.reshape(empty, (-1, 1, 1))
    for group in split(market, book):
        for whole, values in zip(out, estimate(group), strict=True):
            whole[:, group.portfolios] = group.on_every_day(values)
    return out


def scenario_tails(
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    estimate: Callable[[Scenarios | Revaluation], Sequence[FloatArray] | FloatArray],
    scaling: Scaling = "overlapping",
) -> Forecast:
    """VaR and ES of a book as `estimate` takes them from its scenarios; they have no density.

    estimate : scenarios of some portfolios -> VaR and ES, (days of the scenarios, portfolios) USD
        each, loss > 0; NaN while warming up.
    scaling : 'overlapping' MPOR-day shocks, or 'sqrt': one-day shocks times sqrt(MPOR).
    """

    def tails(group: Group) -> Sequence[FloatArray] | FloatArray:
        return estimate(priced_scenarios(market, group.book, coverage=coverage, scaling=scaling))

    return Forecast(*by_group(market, book, tails))


def unknown(past: Scenarios | Revaluation, count: int = 2) -> FloatArray:
    """(count, days of the scenarios, portfolios) NaN, for an estimate that warms up."""
    return np.full((count, len(past.unit), len(past.exposure)), np.nan)
