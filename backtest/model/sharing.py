"""What several models ask of one market alike is computed once, within one block of margins.

The stand-alone margins of the silos are wanted by the sum of silos and by their netting; every
model wants the shocks and the sensitivities of the same instruments. Only code of this package
shares: it gives the same answer to the same question and changes nothing that it is given. A
user's own model or instrument may do neither, so it is asked anew each time, about copies.
"""

import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, counting_fits, note_fits
from backtest.market.market import Market

Value = TypeVar("Value")

_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True, eq=False)
class _Block:
    """A market, the answers about it, and by id, what was found to be ours."""

    market: Market
    answers: dict[Hashable, tuple[Any, Certificates]] = field(default_factory=dict)
    ours: dict[int, object] = field(default_factory=dict)


_BLOCK: ContextVar[_Block | None] = ContextVar("block", default=None)


@contextmanager
def sharing(market: Market | None) -> Iterator[None]:
    """Keep what `once` computes of this very market until the end of the `with`.

    Another market, if only a shorter one with the same prices, shares nothing with it. None keeps
    nothing.
    """
    token = _BLOCK.set(None if market is None else _Block(market))
    try:
        yield
    finally:
        _BLOCK.reset(token)


def once(market: Market, question: Hashable, answer: Callable[[], Value]) -> Value:
    """The answer to a question about a market; the first one, where the market is being shared.

    Nobody may change what it gives. A question that cannot be hashed is answered each time. Fits
    are counted for every model that rests on them.

    Examples
    --------
    >>> import pandas as pd
    >>> market, asked = Market.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["2024-01-02"])), []
    >>> with sharing(market):
    ...     for _ in range(2):
    ...         once(market, "how many days", lambda: asked.append(len(market.dates)))
    >>> once(market, "how many days", lambda: asked.append("anew"))
    >>> asked
    [1, 'anew']
    """
    block = _BLOCK.get()
    if block is None or block.market is not market:
        return answer()
    try:
        known = block.answers.get(question)
    except TypeError:
        return answer()
    if known is None:
        with counting_fits() as fits:
            value = answer()
        block.answers[question] = value, fits
        return value
    value, fits = known
    for law, certificate in fits.items():
        note_fits(law, certificate)
    return value


def are_ours(*things: object) -> bool:
    """Whether all of this is code of the package, down to what is in its fields.

    Examples
    --------
    >>> from backtest.instruments import Spot
    >>> class Mine(Spot): ...
    >>> are_ours(Spot("BTC"), 0.5), are_ours(Mine("BTC"))
    (True, False)
    """
    block = _BLOCK.get()
    found = {} if block is None else block.ours
    for thing in things:
        if id(thing) not in found:
            if not _is_ours(thing):
                return False
            found[id(thing)] = thing  # kept, so that no other thing can have its id
    return True


def _is_ours(thing: Any) -> bool:
    cls: Any = type(thing)
    if cls in _PLAIN:
        return True
    if cls in (tuple, list, frozenset):
        return all(map(_is_ours, thing))
    if cls is dict:
        return all(map(_is_ours, thing.values()))
    return _of_the_package(cls) and all(map(_is_ours, vars(thing).values()))


@cache
def _of_the_package(cls: type) -> bool:
    """Whether a class is found under its name in a module of the package."""
    in_package = cls.__module__.partition(".")[0] in ("backtest", "strategies")
    return in_package and getattr(sys.modules[cls.__module__], cls.__qualname__, None) is cls


def is_our_question(model: Any, book: Book) -> bool:
    """Whether no code but the package's answers when a model is asked about a book."""
    return type(book) is Book and are_ours(model, *book.instruments, book.liquidation)


def margin_question(model: Any, book: Book, coverage: Coverage) -> Hashable:
    """All that one of our models knows of constant positions and their standard."""
    return (
        "margin",
        model,
        book.portfolios,
        book.instruments,
        book.exposure.tobytes(),
        book.rebalance,
        book.liquidation,
        book.units,
        coverage.confidence,
        str(coverage.mpor),
    )
