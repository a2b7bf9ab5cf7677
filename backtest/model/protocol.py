"""What a margin model is: a frozen bag of parameters with one method, and the law it must keep.

No base class, no state, no fit/predict. `check_causal` cuts the future off and requires that the
past does not change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, dataclass_transform, runtime_checkable

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
    """Where a requirement comes from; both views add up to `margin`.

    Parameters
    ----------
    silos : names of the last axis of `by_silo`.
    by_silo : (days, portfolios, silos) USD, the share of the requirement held at each silo.
    steps : from gross to required, in order; each (days, portfolios) USD, signed, so that their
        sum is the requirement.
    """

    silos: tuple[str, ...]
    by_silo: DaysByPortfoliosBySilos
    steps: Mapping[str, DaysByPortfolios]


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a model says of the loss over the MPOR, before any floor.

    Parameters
    ----------
    value_at_risk, expected_shortfall : (days, portfolios) USD, loss > 0; NaN while warming up.
    pit : (days, portfolios) probability that the model gave to a P&L no higher than the one that
        came; uniform if it is right. NaN where either is not known. None without a density.
    """

    value_at_risk: DaysByPortfolios
    expected_shortfall: DaysByPortfolios
    pit: DaysByPortfolios | None = None


@runtime_checkable
class HasForecast(Protocol):
    """A model that forecasts the tail, and perhaps the density, that its margin rests on."""

    def forecast(self, market: Market, book: Book, coverage: Coverage) -> Forecast:
        """VaR and ES of the loss over the MPOR, and the PIT of the P&L that came."""


@runtime_checkable
class HasParts(Protocol):
    """A model that can also say where its requirement comes from."""

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Split of the requirement by silo and by step."""


Model = TypeVar("Model")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def model(cls: type[Model]) -> type[Model]:
    """Make a class a margin model: a frozen, strict, validated dataclass with keyword fields.

    A value of the wrong type or out of its bounds, or an unknown field, is an error; the repr
    round-trips.

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
    config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)
    decorate: Callable[[type[Model]], Any] = pydantic_dataclass(
        frozen=True, kw_only=True, config=config
    )
    made: type[Model] = decorate(cls)
    made.__init__ = by_name(made.__init__)  # type: ignore[method-assign]
    made.__repr__ = _short_repr  # type: ignore[method-assign]
    return made


def _short_repr(self: Any) -> str:
    """`Siloed(base=HistoricalVaR(lookback=500))`, without the place where it was defined."""
    fields = ", ".join(f"{f}={in_words(getattr(self, f))}" for f in self.__dataclass_fields__)
    return f"{type(self).__name__}({fields})"


def in_words(model: Any) -> str:
    """The repr of a model, or the name of its class where that would tell where it lies in memory.

    Examples
    --------
    >>> class Mine: ...
    >>> in_words(Mine()).endswith("Mine")
    True
    """
    cls: Any = type(model)
    plain = cls.__repr__ is object.__repr__
    return f"{cls.__module__}.{cls.__qualname__}" if plain else repr(model)


class CausalityError(BacktestError):
    """A margin that changes when the days after it are cut off."""


@dataclass(frozen=True)
class CausalityAudit:
    """What was checked: the days at which the future was cut off, and the largest change seen."""

    cut_days: tuple[str, ...]
    largest_change: float

    def to_dict(self) -> dict[str, Any]:
        """What the manifest keeps."""
        return {"cut_days": list(self.cut_days), "largest_change": self.largest_change}


def check_causal(
    model: MarginModel,
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    cuts: Sequence[int] | None = None,
    rtol: float = 1e-9,
) -> CausalityAudit:
    """Cut the future off at several days; the margins up to each must stay what they were.

    Cut days default to one inside the warm-up (or a back-filled warm-up would pass), its last day,
    the first known day, three spread over the history, the last day but one.

    Raises
    ------
    CausalityError
        naming the first day on which the margin knew its future.

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
    full = required_margin(model, market, book, coverage)
    days = len(market.dates)
    if cuts is None:
        warm = first_known(full)
        wanted = {
            warm // 2,
            warm - 1,
            warm,
            (warm + days) // 3,
            (warm + days) // 2,
            2 * (warm + days) // 3,
            days - 2,
        }
        cuts = sorted(c for c in wanted if 0 <= c < days - 1)
    largest = 0.0
    for cut in cuts:
        try:
            known = required_margin(model, market.until(cut), book, coverage)
        except Exception as error:
            error.add_note(f"with the days after {market.dates[cut]} cut off: {cut + 1} days stay")
            raise
        before = full[: cut + 1]
        scale = np.maximum(np.abs(before), np.abs(known))
        change = np.abs(before - known)
        wrong = (np.isnan(before) != np.isnan(known)) | (change > rtol * scale)
        if wrong.any():
            day, p = np.argwhere(wrong)[0]
            raise CausalityError(
                f"{in_words(model)} is not causal: its margin at {market.dates[day]} for "
                f"{book.portfolios[p]!r} is {before[day, p]:.10g} with the days after "
                f"{market.dates[cut]} and {known[day, p]:.10g} without them."
            )
        moved = change[scale > 0] / scale[scale > 0]
        largest = max(largest, float(moved.max(initial=0.0)))
    return CausalityAudit(tuple(str(market.dates[c]) for c in cuts), largest)


def required_margin(
    model: MarginModel, market: Market, book: Book, coverage: Coverage
) -> DaysByPortfolios:
    """`model.margin`, held to its contract: shape, dtype, sign, NaN as a leading block only.

    Raises
    ------
    StudyError
        naming the model and what it returned.
    """
    required = np.asarray(model.margin(market, book, coverage))
    expected = (len(market.dates), len(book.portfolios))
    if required.shape != expected or required.dtype != np.float64:
        raise StudyError(
            f"{in_words(model)} returned {required.dtype} of shape {required.shape}; "
            f"margin must be float64 of shape {expected}, (days, portfolios)."
        )
    unknown = np.isnan(required)
    if (unknown[1:] & ~unknown[:-1]).any():
        day, p = np.argwhere(unknown[1:] & ~unknown[:-1])[0]
        raise StudyError(
            f"{in_words(model)} has no margin for {book.portfolios[p]!r} on "
            f"{market.dates[day + 1]} after it had one; NaN may stand only "
            "while the model warms up."
        )
    if (required < 0).any() or np.isinf(required).any():
        day, p = np.argwhere((required < 0) | np.isinf(required))[0]
        raise StudyError(
            f"{in_words(model)} requires {required[day, p]:g} USD of {book.portfolios[p]!r} on "
            f"{market.dates[day]}; a margin must be finite and not negative."
        )
    return required
