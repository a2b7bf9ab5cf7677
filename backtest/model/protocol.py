"""The protocol of a margin model: frozen parameters and one method.

No base class, no state, no fit/predict. That it must not know its future is tested by `causality`;
how it is asked, and what its answer must be, is in `asking`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, dataclass_transform, overload, runtime_checkable

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.arguments import by_name
from backtest.parameters.files import known_parameters
from backtest.parameters.registry import field_names
from backtest.types import (
    DaysByPortfolios,
    DaysByPortfoliosBySilos,
    FloatArray,
    StudyError,
)


@runtime_checkable
class MarginModel(Protocol):
    """Anything with this method can be replayed, audited and compared."""

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Split of a requirement by silo and by step; each split adds up to `margin`.

    Parameters
    ----------
    silos : names of the last axis of `by_silo`.
    by_silo : (days, portfolios, silos) USD, the share of the requirement held at each silo.
    steps : from gross to required, in order; each (days, portfolios) USD, signed; their sum is the
        requirement.
    """

    silos: tuple[str, ...]
    by_silo: DaysByPortfoliosBySilos
    steps: Mapping[str, DaysByPortfolios]


@dataclass(frozen=True, eq=False)
class Forecast:
    """A model's forecast of the loss over the MPOR, before any floor.

    Parameters
    ----------
    value_at_risk, expected_shortfall : (days, portfolios) USD, loss > 0; NaN while warming up.
    pit : (days, portfolios) forecast probability of a P&L no higher than the realised one; uniform
        if the model is right. NaN where either is not known. None without a density.
    """

    value_at_risk: DaysByPortfolios
    expected_shortfall: DaysByPortfolios
    pit: DaysByPortfolios | None = None


@runtime_checkable
class HasForecast(Protocol):
    """A model that also forecasts the tail behind its margin, and perhaps the whole density."""

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the loss over the MPOR, and the PIT of the realised P&L."""


@runtime_checkable
class HasParts(Protocol):
    """A model that can also split its requirement."""

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Split of the requirement by silo and by step."""


Model = TypeVar("Model")
KINDS: dict[str, type[Any]] = {}  # classes that study files name, by the `kind` of `model`


@overload
def model(cls: type[Model], /) -> type[Model]: ...
@overload
def model(*, kind: str) -> Callable[[type[Model]], type[Model]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True)
def model(cls: type[Any] | None = None, /, *, kind: str | None = None) -> Any:
    """Make a class a margin model: a frozen, strict, validated dataclass with keyword fields.

    A value of the wrong type or out of its bounds, or an unknown field, is an error; the repr
    makes the same model again, with the numbers of a pinned version written out.

    Parameters
    ----------
    kind : name of a model of `strategies` in study files. Your own class needs none: a study file
        names it 'module:Class', which says where to import it from.

    Raises
    ------
    StudyError : another class has this kind.

    Examples
    --------
    >>> @model
    ... class TwoPercent:
    ...     rate: float = 0.02
    ...     def margin(self, market, book, coverage):
    ...         gross = self.rate * abs(book.exposure).sum(axis=1)
    ...         return np.tile(gross, (len(market.dates), 1))
    >>> TwoPercent()
    TwoPercent(rate=0.02)
    """

    def decorated(cls: type[Any]) -> type[Any]:
        config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)
        decorate: Callable[[type[Any]], Any] = pydantic_dataclass(
            frozen=True, kw_only=True, config=config
        )
        model_class = decorate(cls)
        model_class.__init__ = by_name(model_class.__init__)
        model_class.__repr__ = _short_repr
        return _registered(model_class, kind) if kind else model_class

    return decorated if cls is None else decorated(cls)


def _registered(cls: type[Model], kind: str) -> type[Model]:
    """Enter `cls` under `kind`; a class whose module is loaded again takes its old place."""
    known = KINDS.setdefault(kind, cls)
    if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise StudyError(
            f"kind {kind!r} of {cls.__module__}.{cls.__qualname__} is taken by "
            f"{known.__module__}.{known.__qualname__}; give another."
        )
    KINDS[kind] = cls
    return cls


def _short_repr(self: Any) -> str:
    """`Siloed(base=HistoricalVaR(lookback=500))`, without the function that defined the class."""
    names = field_names(type(self))
    published = None
    if getattr(self, "parameters", None) in known_parameters():
        with suppress(StudyError):  # a file that does not fit is told of where margin is asked
            published = getattr(self, "terms", None)
    own = {name: getattr(self, name) for name in names}
    # What a pinned version says in place of None: a page that quotes the model has its numbers.
    values = {n: getattr(published, n, None) if own[n] is None else own[n] for n in names}
    fields = ", ".join(f"{name}={in_words(value)}" for name, value in values.items())
    return f"{type(self).__name__}({fields})"


def in_words(model: Any) -> str:
    """The repr of a model, or the name of its class where the repr is a memory address.

    Examples
    --------
    >>> class Mine: ...
    >>> in_words(Mine()).endswith("Mine")
    True
    """
    cls: Any = type(model)
    has_default_repr = cls.__repr__ is object.__repr__
    return f"{cls.__module__}.{cls.__qualname__}" if has_default_repr else repr(model)
