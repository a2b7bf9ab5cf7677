"""The protocol of a margin model: frozen parameters and one method; and the audit of causality.

No base class, no state, no fit/predict. `check_causal` cuts off the days after a cut and requires
that margins up to it do not change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, dataclass_transform, overload, runtime_checkable

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.arguments import by_name
from backtest.types import (
    BacktestError,
    DaysByPortfolios,
    DaysByPortfoliosBySilos,
    FloatArray,
    StudyError,
    first_known,
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


class CausalityError(BacktestError):
    """A margin that changes when the days after it are cut off."""


@dataclass(frozen=True)
class CausalityAudit:
    """Result of an audit: the cut days, and the largest relative change of a margin."""

    cut_days: tuple[str, ...]
    largest_change: float


def check_causal(
    model: MarginModel,
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    cuts: Sequence[int] | None = None,
    rtol: float = 1e-9,
) -> CausalityAudit:
    """Cut off all later days at several dates; margins up to each must not change.

    Default cut days: one inside the warm-up, its last day, the first day with a margin, three
    spread over the history, and the last day but one.

    Raises
    ------
    CausalityError
        naming the first day whose margin used later days.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-02", periods=9)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": range(10, 19)}, index=days))
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["long BTC"]))
    >>> @model
    ... class Seer:
    ...     def margin(self, market, book, coverage):
    ...         return np.full((len(market.dates), 1), market.levels[:, 0].max())
    >>> check_causal(Seer(), market, book, coverage=Coverage())
    Traceback (most recent call last):
    ...
    backtest.model.protocol.CausalityError: Seer() is not causal: its margin at 2024-01-02 for \
'long BTC' is 18 with the days after 2024-01-02 and 10 without them.
    """
    margin = required_margin(model, market, book, coverage)
    days = len(market.dates)
    if cuts is None:
        warm = first_known(margin)
        # A cut inside the warm-up catches back-filled margins; the days around its end catch
        # windows that are off by one; the last day but one catches a look at tomorrow alone.
        days_to_cut = {
            warm // 2,
            warm - 1,
            warm,
            (warm + days) // 3,
            (warm + days) // 2,
            2 * (warm + days) // 3,
            days - 2,
        }
        cuts = sorted(c for c in days_to_cut if 0 <= c < days - 1)
    largest = 0.0
    for cut in cuts:
        try:
            known_margin = required_margin(model, market.until(cut), book, coverage)
        except Exception as error:
            error.add_note(f"with the days after {market.dates[cut]} cut off: {cut + 1} days left")
            raise
        full_margin = margin[: cut + 1]
        scale = np.maximum(np.abs(full_margin), np.abs(known_margin))
        change = np.abs(full_margin - known_margin)
        differs = (np.isnan(full_margin) != np.isnan(known_margin)) | (change > rtol * scale)
        if differs.any():
            day, p = np.argwhere(differs)[0]
            raise CausalityError(
                f"{in_words(model)} is not causal: its margin at {market.dates[day]} for "
                f"{book.portfolios[p]!r} is {full_margin[day, p]:.10g} with the days after "
                f"{market.dates[cut]} and {known_margin[day, p]:.10g} without them."
            )
        relative_change = change[scale > 0] / scale[scale > 0]
        largest = max(largest, float(relative_change.max(initial=0.0)))
    return CausalityAudit(tuple(str(market.dates[c]) for c in cuts), largest)


def required_margin(
    model: MarginModel, market: Market, book: Book, coverage: Coverage
) -> DaysByPortfolios:
    """`model.margin`, checked: shape, dtype, sign, NaN in a leading block only.

    Raises
    ------
    StudyError
        naming the model and the fault.
    """
    required = np.asarray(model.margin(market, book, coverage))
    expected = (len(market.dates), len(book.portfolios))
    if required.shape != expected or required.dtype != np.float64:
        raise StudyError(
            f"{in_words(model)} returned {required.dtype} of shape {required.shape}; "
            f"margin must be float64 of shape {expected}, (days, portfolios)."
        )
    # A gap after the warm-up would leave days without a requirement, which every score would skip
    # without a word: a model could hide its worst days in it.
    unknown = np.isnan(required)
    if (unknown[1:] & ~unknown[:-1]).any():
        day, p = np.argwhere(unknown[1:] & ~unknown[:-1])[0]
        raise StudyError(
            f"{in_words(model)} has no margin for {book.portfolios[p]!r} on "
            f"{market.dates[day + 1]} after it had one; NaN is allowed only "
            "while the model warms up."
        )
    if (required < 0).any() or np.isinf(required).any():
        day, p = np.argwhere((required < 0) | np.isinf(required))[0]
        raise StudyError(
            f"{in_words(model)} requires {required[day, p]:g} USD of {book.portfolios[p]!r} on "
            f"{market.dates[day]}; a margin must be finite and not negative."
        )
    return required
