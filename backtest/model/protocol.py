"""The protocol of a margin model: frozen parameters and one method; and the audit of causality.

No base class, no state, no fit/predict. That it must not know its future is tested by `causality`.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, dataclass_transform, overload, runtime_checkable

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.book.lending import changed, lent
from backtest.market.market import Market
from backtest.model.arguments import by_name
from backtest.model.episodes import over_books, over_episodes
from backtest.model.guard import contained
from backtest.model.histories import over_histories
from backtest.model.opened_files import watched
from backtest.types import (
    MOST_MARGIN,
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
SILOS = " silos"  # no name of a step
_MARK = "_asked_of"  # attribute of exceptions
KINDS: dict[str, type[Any]] = {}  # classes that study files name, by the `kind` of `model`


@overload
def model(cls: type[Model], /) -> type[Model]: ...
@overload
def model(*, kind: str) -> Callable[[type[Model]], type[Model]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True)
def model(cls: type[Any] | None = None, /, *, kind: str | None = None) -> Any:
    """Make a class a margin model: a frozen, strict, validated dataclass with keyword fields.

    A value of the wrong type or out of its bounds, or an unknown field, is an error; the repr
    round-trips.

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
    fields = ", ".join(f"{f}={in_words(getattr(self, f))}" for f in self.__dataclass_fields__)
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


@contextmanager
def asked(model: Any) -> Iterator[None]:
    """Everything that is asked of a model, in any command, is asked inside this `with`.

    Files that it opens are recorded where anything records (see `opened_files`). What it raises
    goes on with a mark that `asked_of` reads; where models lie inside one another, the outermost
    is named.
    """
    try:
        with contained(), watched():
            yield
    except Exception as error:
        if can_travel(error):
            _marked(error, model)
            raise
        told = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", []):
            told.add_note(note)
        raise _marked(told, model) from error


def asked_of(error: BaseException) -> str | None:
    """The model that was asked when `error` was raised, in words; None where none was."""
    return vars(error).get(_MARK)


def _marked(error: Exception, model: Any) -> Exception:
    vars(error)[_MARK] = in_words(model)
    return error


def can_travel(error: Exception) -> bool:
    """Whether a worker can send an exception to the process that waits for it."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False


def answer_of(model: Any, method: str, market: Market, book: Book, coverage: Coverage) -> Any:
    """What `margin`, `parts` or `forecast` of a model gives for copies of the arguments.

    A model knows constant positions and one history. Of positions by day it is asked episode by
    episode, unless its `takes_days` says that its margins and forecasts know them (see `episodes`).
    Where the market has earlier history, portfolios are asked about on the longest that their
    positions have (see `histories`), but not by a model that looks across them.

    Raises
    ------
    StudyError : it changed the prices or positions in its copies, and so answers for others.
    """
    across = getattr(model, "across_books", False)
    over: Callable[[Market, Book, Callable[[Market, Book], dict[str, FloatArray]]], Any]
    if book.dates is not None and not _takes_at_once(model, method, market, book):
        each = answer_of
        over = partial(over_books if across else over_episodes, ahead=method == "forecast")
    elif market.before is not None and not across:
        each, over = _one_answer, over_histories
    else:
        return _one_answer(model, method, market, book.on(market.dates), coverage)

    def ask(history: Market, own: Book) -> dict[str, FloatArray]:
        answer = each(model, method, history, own, coverage)
        if method == "margin":
            return {method: _checked_margin(model, history, own, np.array(answer))}
        if method == "forecast":
            return {name: a for name, a in vars(answer).items() if a is not None}
        return {SILOS: _in_silos(answer, book.silos), **answer.steps}

    arrays = over(market, book, ask)
    if method == "margin":
        return arrays[method]
    if method == "forecast":
        return Forecast(**arrays)
    return Parts(silos=book.silos, by_silo=arrays.pop(SILOS), steps=arrays)


def _in_silos(parts: Parts, silos: tuple[str, ...]) -> DaysByPortfoliosBySilos:
    """Shares by silo, 0 at silos that the parts do not know."""
    out = np.zeros((*parts.by_silo.shape[:2], len(silos)))
    out[:, :, [silos.index(silo) for silo in parts.silos]] = parts.by_silo
    return out


def _takes_at_once(model: Any, method: str, market: Market, book: Book) -> bool:
    """Whether positions by day are no reason to ask more than once."""
    return method != "parts" and market.before is None and takes_days(model, market, book)


def takes_days(model: Any, market: Market, book: Book) -> bool:
    """Whether a model is asked about positions by day at once: its own method of this name says."""
    says = getattr(model, "takes_days", None)
    return says is not None and bool(says(market, book))


def _one_answer(model: Any, method: str, market: Market, book: Book, coverage: Coverage) -> Any:
    own_market, own_book = lent(market), lent(book)
    with asked(model):
        answer = getattr(model, method)(own_market, own_book, lent(coverage))
        if changed(own_market, market) or changed(own_book, book):
            raise StudyError(
                f"{in_words(model)} changed the prices or positions that it was given; copy them "
                "before changing them."
            )
    return answer


def required_margin(
    model: MarginModel, market: Market, book: Book, coverage: Coverage
) -> DaysByPortfolios:
    """`model.margin`, checked: shape, dtype, sign, NaN in a leading block only.

    Raises
    ------
    StudyError
        naming the model and the fault.
    """
    with asked(model):
        try:
            # A model that gives the same array each time could change what it gave before.
            required = np.array(answer_of(model, "margin", market, book, coverage))
        except Exception as error:
            if not getattr(error, "__notes__", []):  # else a model inside this one says it
                others = len(book.portfolios) - 1
                books = f"{book.portfolios[0]!r}" + (f" and {others} more" if others else "")
                error.add_note(f"for {books}, days {market.dates[0]} to {market.dates[-1]}")
            raise
        return _checked_margin(model, market, book, required)


def _checked_margin(
    model: MarginModel, market: Market, book: Book, required: Any
) -> DaysByPortfolios:
    expected = (len(market.dates), len(book.portfolios))
    if required.shape != expected or required.dtype != np.float64:
        raise StudyError(
            f"{in_words(model)} returned {required.dtype} of shape {required.shape}; "
            f"margin must be float64 of shape {expected}, (days, portfolios)."
        )
    # A gap after the warm-up would leave days without a requirement, which every score would skip
    # without a word: a model could hide its worst days in it.
    unknown = np.isnan(required)
    # A new position may need more history than the one before: scores begin after all such gaps.
    if book.dates is None and (unknown[1:] & ~unknown[:-1]).any():
        day, p = np.argwhere(unknown[1:] & ~unknown[:-1])[0]
        raise StudyError(
            f"{in_words(model)} has no margin for {book.portfolios[p]!r} on "
            f"{market.dates[day + 1]} after it had one; NaN is allowed only "
            "while the model warms up."
        )
    if ((required < 0) | (required > MOST_MARGIN)).any():
        day, p = np.argwhere((required < 0) | (required > MOST_MARGIN))[0]
        raise StudyError(
            f"{in_words(model)} requires {required[day, p]:g} USD of {book.portfolios[p]!r} on "
            f"{market.dates[day]}; a margin must be finite and not negative."
        )
    return required
