"""How a margin model is asked: about copies, on what it knows, with its answer checked."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.book.lending import changed, lent
from backtest.market.market import Market
from backtest.model.episodes import over_books, over_episodes
from backtest.model.guard import contained
from backtest.model.histories import over_histories
from backtest.model.opened_files import watched
from backtest.model.protocol import Forecast, MarginModel, Parts, in_words
from backtest.model.sharing import is_our_question, margin_question, once, sharing
from backtest.types import (
    MOST_MARGIN,
    DaysByPortfolios,
    DaysByPortfoliosBySilos,
    FloatArray,
    StudyError,
)

SILOS = " silos"  # no name of a step
_MARK = "_asked_of"  # attribute of exceptions


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
    """The answer about copies; one of our models needs none, for it changes nothing."""
    if is_our_question(model, book):
        return getattr(model, method)(market, book, coverage)
    own_market, own_book = lent(market), lent(book)
    with asked(model), sharing(None):
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
    if book.dates is not None or not is_our_question(model, book):
        return _asked_margin(model, market, book, coverage)
    question = margin_question(model, book, coverage)
    required = once(market, question, lambda: _asked_margin(model, market, book, coverage))
    return required.copy()  # whoever asked may write into it


def _asked_margin(
    model: MarginModel, market: Market, book: Book, coverage: Coverage
) -> DaysByPortfolios:
    """`required_margin`, asked anew."""
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
