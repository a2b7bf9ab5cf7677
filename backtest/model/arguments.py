"""What is said where something else is passed than a market, a book and models by name."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import pandas as pd
from pydantic import ValidationError

from backtest.book.book import Book
from backtest.market.market import Market
from backtest.parameters.registry import ParameterError, field_names, first_mistake
from backtest.types import StudyError


def check_arguments(market: object, book: object, models: object = None) -> None:
    """Refuse what is no market, book or mapping of models, with what to pass in its place.

    Raises
    ------
    StudyError : one sentence.

    Examples
    --------
    >>> check_arguments("prices/", None)
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: market is a str; pass a Market: bt.load_market('prices/').
    """
    if not isinstance(market, Market):
        how = (
            "bt.Market.from_frame(frame)"
            if isinstance(market, pd.DataFrame)
            else (
                f"bt.load_market({market!r})"
                if isinstance(market, str)
                else "bt.load_market(folder)"
            )
        )
        raise StudyError(f"market is a {type(market).__name__}; pass a Market: {how}.")
    if not isinstance(book, Book):
        raise StudyError(
            f"book is a {type(book).__name__}; pass a Book: bt.Book.from_frame(frame, market), "
            "index portfolios, columns instruments, values USD."
        )
    if models is not None:
        check_models(models)


def check_models(models: object) -> None:
    """Refuse anything but models by name: a single model, a list, a class that was not called.

    Raises
    ------
    StudyError : one sentence.

    Examples
    --------
    >>> check_models({"mine": 3})
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: model 'mine' is of type int; pass an object with a method \
`margin`, such as st.HistoricalVaR(lookback=500).
    """
    if not isinstance(models, Mapping):
        one = models[0] if isinstance(models, (list, tuple)) and models else models
        is_model = hasattr(one, "margin") and not isinstance(one, type)
        name = type(one).__name__ if is_model else "HistoricalVaR"
        raise StudyError(
            f"models is a {type(models).__name__}; pass models by the names they carry in tables: "
            f"{{'{name.lower()}': {name}(...)}}."
        )
    for name, model in models.items():
        if isinstance(model, type):
            raise StudyError(f"model {name!r} is a class; call it: {model.__name__}(...).")
        if not hasattr(model, "margin"):
            raise StudyError(
                f"model {name!r} is of type {type(model).__name__}; pass an object with a method "
                "`margin`, such as st.HistoricalVaR(lookback=500)."
            )


def by_name(init: Callable[..., None]) -> Callable[..., None]:
    """`__init__` of a model: parameters by name alone, and one line for one that is wrong."""

    @wraps(init)
    def checked(self: Any, *values: Any, **parameters: Any) -> None:
        cls = type(self).__name__
        if values:
            fields = field_names(type(self))
            first = fields[0] if fields else "..."
            raise StudyError(
                f"{cls} takes its parameters by name: {cls}({first}={values[0]!r})."
                if fields
                else f"{cls} has no parameters; write {cls}()."
            )
        try:
            init(self, **parameters)
        except ValidationError as error:
            # Without a cause: a traceback would end its first half with pydantic's web address.
            raise ParameterError(first_mistake(cls, error)) from None

    return checked
