"""What is said where something else is passed than a market, a book and models by name."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import pandas as pd
from pydantic import ValidationError

from backtest.book.book import Book
from backtest.market.market import Market
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
    if models is not None and not isinstance(models, Mapping):
        one = models[0] if isinstance(models, (list, tuple)) and models else models
        name = type(one).__name__
        raise StudyError(
            f"models is a {type(models).__name__}; pass models by the names they carry in tables: "
            f"{{'{name.lower()}': {name}(...)}}."
        )


def by_name(init: Callable[..., None]) -> Callable[..., None]:
    """`__init__` of a model: parameters by name alone, and one line for one that is wrong."""

    @wraps(init)
    def checked(self: Any, *values: Any, **parameters: Any) -> None:
        cls = type(self).__name__
        if values:
            fields = list(type(self).__dataclass_fields__)
            first = fields[0] if fields else "..."
            raise StudyError(
                f"{cls} takes its parameters by name: {cls}({first}={values[0]!r})."
                if fields
                else f"{cls} has no parameters; write {cls}()."
            )
        try:
            init(self, **parameters)
        except ValidationError as error:
            raise StudyError(f"{cls}: {first_mistake(error)}") from error

    return checked


def first_mistake(error: ValidationError) -> str:
    """The first thing that is wrong, without the address pydantic adds to it."""
    mistake = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in mistake["loc"])
    value = mistake.get("input")
    return f"{where} is {value!r}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}."
