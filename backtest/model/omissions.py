"""What a model leaves out on a market that does not reach as far as its rules ask."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, Protocol, runtime_checkable

from backtest.market.market import Market
from backtest.parameters.registry import field_names


@runtime_checkable
class LeavesOut(Protocol):
    """A model that can do without a part of its rules, and says so."""

    def leaves_out(self, market: Market) -> str:
        """One sentence on what the margins do without on this market; empty where nothing."""


def omissions(model: Any, market: Market) -> tuple[str, ...]:
    """What a model and all models inside it leave out, a sentence each.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> omissions(st.Siloed(base=st.FiccVaR()), bt.load_market("sample"))[0]
    'ficc_var leaves out its stressed year, 2008-01-01 to 2008-12-31: prices start on 2015-08-10.'
    """
    return tuple(dict.fromkeys(_sentences(model, market)))


def _sentences(value: Any, market: Market) -> Iterator[str]:
    if isinstance(value, LeavesOut):
        yield from filter(None, [value.leaves_out(market)])
    if isinstance(value, (tuple, list)):
        for inner_value in value:
            yield from _sentences(inner_value, market)
    elif isinstance(value, Mapping):
        for inner_value in value.values():
            yield from _sentences(inner_value, market)
    elif is_dataclass(value):
        for field in field_names(type(value)):
            yield from _sentences(getattr(value, field), market)
