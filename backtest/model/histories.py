"""Longer histories for portfolios that need no young factor.

A market begins where its youngest factor begins. A portfolio that does not hold that factor is
margined on the market of its own factors alone, which begins earlier (`Market.before`), and the
days of the study are cut out of the answer: so look-backs, stressed periods and fits reach back,
and no other day is ever scored. Legs that a model margins by themselves, such as those of silos,
come through the same door.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backtest.book.book import Book
from backtest.market.earlier import longer
from backtest.market.market import Market, tenor_years
from backtest.types import FloatArray

Arrays = dict[str, FloatArray]  # (days, portfolios, ...) by name


def factors_of(market: Market, book: Book, portfolio: int) -> frozenset[str]:
    """The factors that a portfolio needs: those of what it holds, and the curve with any yield.

    Bonds roll down the whole curve of their market, so all its par yields belong together.

    Examples
    --------
    >>> import pandas as pd
    >>> levels = pd.DataFrame({"2Y": [0.04], "10Y": [0.04], "BTC": [1.0]}, index=["2024-01-02"])
    >>> book = Book.from_frame(pd.DataFrame({"UST10Y": [1.0, 0.0], "BTC": [0.0, 2.0]}))
    >>> market = Market.from_frame(levels)
    >>> [sorted(factors_of(market, book, p)) for p in (0, 1)]
    [['10Y', '2Y'], ['BTC']]
    """
    held = np.flatnonzero(book.is_held[portfolio])
    needed = {name for i in held for name in book.instruments[i].factors}
    curve = {name for name in market.factors if tenor_years(name) is not None}
    return frozenset(needed | curve if needed & curve else needed)


def over_histories(market: Market, book: Book, ask: Callable[[Market, Book], Arrays]) -> Arrays:
    """Arrays (days, portfolios, ...) of a book, each portfolio on the longest history it can have.

    ask : market and book -> arrays by name; a name that not all portfolios have is 0 elsewhere.
    """
    groups: dict[frozenset[str], list[int]] = {}
    for portfolio in range(len(book.portfolios)):
        groups.setdefault(factors_of(market, book, portfolio), []).append(portfolio)
    here: list[int] = []  # whose history is that of the market
    out: Arrays = {}
    for factors, portfolios in groups.items():
        history = longer(market, factors)
        if history is market:
            here += portfolios
            continue
        held = np.flatnonzero(book.exposure[portfolios].any(axis=0)).tolist()
        own = _units_from_then(book.select(portfolios).holding(held), history, market)
        answer = {name: v[-len(market.dates) :] for name, v in ask(history, own).items()}
        _put(out, answer, portfolios, book)
    if here:
        _put(out, ask(market, book.select(sorted(here))), sorted(here), book)
    return out


def _units_from_then(book: Book, history: Market, market: Market) -> Book:
    """The book on its longer history: units bought on the first day of the market, not before."""
    if book.rebalance == "daily":
        return book
    values = book.unit_index(history)[len(history.dates) - len(market.dates)]
    return replace(book, exposure=book.exposure / values)


def _put(out: Arrays, answer: Arrays, portfolios: list[int], book: Book) -> None:
    for name, values in answer.items():
        if name not in out:
            out[name] = np.zeros((len(values), len(book.portfolios), *values.shape[2:]))
        out[name][:, portfolios] = values


def history_days(market: Market, book: Book) -> dict[str, str]:
    """First day that margins of a book may look back to, by the factors that they need.

    Of portfolios, and of their legs at single silos, which many models margin by themselves; empty
    where the market has no earlier history.
    """
    if market.before is None:
        return {}
    needs: dict[frozenset[str], None] = {}
    for part in (book, *(book.in_silo(silo) for silo in book.silos)):
        for portfolio in range(len(part.portfolios)):
            needs.setdefault(factors_of(market, part, portfolio))
    in_order = {
        ", ".join(name for name in market.factors if name in factors): longer(market, factors)
        for factors in needs
        if factors
    }
    return {names: str(history.dates[0]) for names, history in in_order.items()}
