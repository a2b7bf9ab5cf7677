"""What a model leaves out: rules that the prices do not reach back for, positions it nets not."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, Protocol, runtime_checkable

from backtest.book.book import Book
from backtest.market.market import Market
from backtest.parameters.registry import field_names


@runtime_checkable
class LeavesOut(Protocol):
    """A model that can do without a part of its rules, and says so."""

    def leaves_out(self, market: Market) -> str:
        """One sentence on what the margins do without on this market; empty where nothing."""


@runtime_checkable
class NetsOnlySome(Protocol):
    """A model whose rules keep some positions out of netting, and that says which."""

    def nets_nothing(self, book: Book) -> str:
        """One sentence on the portfolios in which it can net nothing; empty where there is none."""


def omissions(model: Any, market: Market, book: Book | None = None) -> tuple[str, ...]:
    """What a model and all models inside it leave out, a sentence each.

    book : None says nothing of positions.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> omissions(st.Siloed(base=st.FiccVaR()), bt.load_market("sample"))[0]
    'ficc_var leaves out its stressed year, 2008-01-01 to 2008-12-31: prices start on 2015-08-10.'
    """
    return tuple(dict.fromkeys(_sentences(model, market, book)))


def _sentences(value: Any, market: Market, book: Book | None) -> Iterator[str]:
    if isinstance(value, LeavesOut):
        yield from filter(None, [value.leaves_out(market)])
    if book is not None and isinstance(value, NetsOnlySome):
        yield from filter(None, [value.nets_nothing(book)])
    if isinstance(value, (tuple, list)):
        for inner_value in value:
            yield from _sentences(inner_value, market, book)
    elif isinstance(value, Mapping):
        for inner_value in value.values():
            yield from _sentences(inner_value, market, book)
    elif is_dataclass(value):
        for field in field_names(type(value)):
            yield from _sentences(getattr(value, field), market, book)
