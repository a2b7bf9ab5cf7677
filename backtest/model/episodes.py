"""Positions that change, asked of models that know constant ones: one episode at a time.

The margin of a day is that of the positions at its close, as if they had always been held: what
was held on other days has no part in it. So an account is a row of constant portfolios, one for
each spell without a trade, and its margin on a day is that of the portfolio of the day. Every model
works on positions by day this way, a user's own too, and none can see a later trade.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backtest.book.book import Book
from backtest.market.market import Market
from backtest.types import FloatArray, RowNumbers

AT_ONCE = 512  # constant portfolios that a model is asked about together

Arrays = dict[str, FloatArray]  # (days, portfolios, ...) by name


@dataclass(frozen=True, eq=False)
class Episodes:
    """Spells of days on which an account does not trade.

    Parameters
    ----------
    book : one constant portfolio for each, in the order of their last days.
    last : (episodes,) row of its last day.
    number : (days, accounts) the episode of each account on each day.
    """

    book: Book
    last: RowNumbers
    number: RowNumbers

    @classmethod
    def of(cls, book: Book) -> "Episodes":
        """Episodes of a book with positions by day.

        Examples
        --------
        >>> from backtest.instruments import parse_instrument
        >>> days = np.arange("2024-01-02", "2024-01-05", dtype="datetime64[D]")
        >>> amounts = np.array([1.0, 1.0, -1.0]).reshape(3, 1, 1)
        >>> book = Book(("a",), (parse_instrument("BTC"),), amounts, dates=days)
        >>> episodes = Episodes.of(book)
        >>> episodes.book.portfolios, episodes.number.ravel().tolist()
        (('a from 2024-01-02', 'a from 2024-01-04'), [0, 0, 1])
        """
        assert book.dates is not None
        amounts = book.exposure
        begins = np.ones(amounts.shape[:2], dtype=np.bool_)
        begins[1:] = (amounts[1:] != amounts[:-1]).any(axis=2)
        # Numbered account by account, then renumbered by last day: episodes that end together need
        # no day after it, so each is asked for no longer a history than it needs.
        order = np.cumsum(begins.T.ravel()) - 1
        first_day = np.tile(np.arange(len(amounts)), amounts.shape[1])[begins.T.ravel()]
        account = np.repeat(np.arange(amounts.shape[1]), begins.sum(axis=0))
        ends = np.append(first_day[1:], 0) - 1
        last = np.where(ends < first_day, len(amounts) - 1, ends)
        by_last = np.argsort(last, kind="stable")
        place = np.empty_like(by_last)
        place[by_last] = np.arange(len(by_last))
        first_day, account = first_day[by_last], account[by_last]
        held_by, since = np.array(book.portfolios, dtype=object)[account], book.dates[first_day]
        names = [f"{name} from {day}" for name, day in zip(held_by, since, strict=True)]
        constant = replace(
            book, portfolios=tuple(names), exposure=amounts[first_day, account], dates=None
        )
        number = place[order].reshape(amounts.shape[1], len(amounts)).T
        return cls(constant, last[by_last], np.ascontiguousarray(number))

    def some(self, episodes: RowNumbers) -> "Episodes":
        """Some of the episodes, renumbered; -1 on days of others."""
        place = np.full(len(self.last), -1)
        place[episodes] = np.arange(len(episodes))
        book = self.book.select(episodes.tolist())
        return Episodes(book, self.last[episodes], place[self.number])


def over_episodes(
    market: Market, book: Book, ask: Callable[[Market, Book], Arrays], *, ahead: bool = False
) -> Arrays:
    """Arrays (days, portfolios, ...) of a book by day, from those of its constant episodes.

    ask : market and constant book -> arrays by name.
    ahead : ask for the whole history, since the answer of a day needs what came of it.
    """
    episodes = Episodes.of(book.on(market.dates))
    out: Arrays = {}
    for begin in range(0, len(episodes.last), AT_ONCE):
        end = min(begin + AT_ONCE, len(episodes.last))
        past = market if ahead else market.until(int(episodes.last[end - 1]))
        answer = ask(past, episodes.book.select(slice(begin, end)))
        days, accounts = np.nonzero((episodes.number >= begin) & (episodes.number < end))
        place = episodes.number[days, accounts] - begin
        for name, values in answer.items():
            if name not in out:
                out[name] = np.full((*episodes.number.shape, *values.shape[2:]), np.nan)
            out[name][days, accounts] = values[days, place]
    return out


def over_books(
    market: Market, book: Book, ask: Callable[[Market, Book], Arrays], *, ahead: bool = False
) -> Arrays:
    """The same for a model that looks across portfolios: one book for each day with a trade."""
    book = book.on(market.dates)
    amounts = book.exposure
    trades = 1 + np.flatnonzero((amounts[1:] != amounts[:-1]).any(axis=(1, 2)))
    out: Arrays = {}
    for days in np.split(np.arange(len(amounts)), trades):
        constant = replace(book, exposure=amounts[days[0]], dates=None)
        answer = ask(market if ahead else market.until(int(days[-1])), constant)
        for name, values in answer.items():
            if name not in out:
                out[name] = np.full((len(amounts), *values.shape[1:]), np.nan)
            out[name][days] = values[days]
    return out
