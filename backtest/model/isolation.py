"""A model in a process of its own that holds only the past: what it has not got it cannot look at.

The process is asked for the margin of one day after another, and is told each day as it comes. It
shares no memory with the command; see `isolated_process` for what it is refused besides. What a
model can still do: read prices from a file by itself, which the list of opened files then names.
"""

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.fits import note_fits
from backtest.interrupts import start_shielded
from backtest.market.market import Market
from backtest.model.opened_files import note_opened
from backtest.model.protocol import HasParts, MarginModel, Parts, in_words
from backtest.types import FloatArray, StudyError
from backtest.workers import at_start


@dataclass(frozen=True, eq=False, repr=False)
class Isolated:
    """A model asked day by day in its own process; its margins are the model's where it is causal.

    Days on which the model raises before it has given a margin are its warm-up. All portfolios are
    margined together (`across_books`), so blocks of them cannot be told apart.
    """

    model: MarginModel

    across_books: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"Isolated({in_words(self.model)})"

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin of each day by a process that holds no later day, (days, portfolios) USD."""
        return np.stack(_rows(self.model, "margin", market, book, coverage))

    def seconds(self, market: Market, book: Book, coverage: Coverage) -> float:
        """About how long `margin` takes: one day in the middle, times the number of days."""
        days = len(market.dates)
        with _process(self.model, "margin", market.until(days // 2), book, coverage) as ask:
            ask(market, days // 2)  # the first answer loads what the model needs
            began = time.perf_counter()
            ask(market, days // 2)
            return (time.perf_counter() - began) * days


class IsolatedWithParts(Isolated):
    """The same for a model that splits its requirement."""

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Split of the requirement of each day."""
        rows = _rows(self.model, "parts", market, book, coverage)
        known = next(row for row in rows if isinstance(row, Parts))
        nothing = Parts(
            silos=known.silos,
            by_silo=np.full_like(known.by_silo, np.nan),
            steps={step: np.full_like(values, np.nan) for step, values in known.steps.items()},
        )
        parts = [row if isinstance(row, Parts) else nothing for row in rows]
        return Parts(
            silos=known.silos,
            by_silo=np.stack([part.by_silo for part in parts]),
            steps={step: np.stack([part.steps[step] for part in parts]) for step in known.steps},
        )


def isolated(model: MarginModel) -> Isolated:
    """The model in its own process, with `parts` where it has them.

    Examples
    --------
    >>> from strategies import HistoricalVaR, Siloed
    >>> isolated(Siloed(base=HistoricalVaR())).__class__.__name__
    'IsolatedWithParts'
    """
    return IsolatedWithParts(model) if isinstance(model, HasParts) else Isolated(model)


def is_isolated(model: object) -> bool:
    """Whether a model is one of these; a class derived from them could do as it likes."""
    return type(model) in (Isolated, IsolatedWithParts)


def _rows(
    model: MarginModel, method: str, market: Market, book: Book, coverage: Coverage
) -> list[Any]:
    """What a method gives for each day: the last row of its answer to the market up to that day."""
    rows: list[Any] = []
    refused: Exception | None = None
    known = False
    with _process(model, method, market.until(0), book, coverage) as ask:
        for day in range(len(market.dates)):
            answer = ask(market, day)
            if isinstance(answer, Exception):
                if known:
                    raise answer
                refused, answer = answer, np.full(len(book.portfolios), np.nan)
            else:
                known = known or isinstance(answer, Parts) or not np.isnan(answer).any()
            rows.append(answer)
    if refused is not None and not known:
        raise refused
    return rows


@contextmanager
def _process(
    model: MarginModel, method: str, past: Market, book: Book, coverage: Coverage
) -> Iterator[Any]:
    """A process that holds `past`; the function it gives tells it a day and returns its answer."""
    child = start_shielded("backtest.model.isolated_process")
    questions, answers = child.stdin, child.stdout
    assert questions is not None and answers is not None

    def told(message: Any) -> Any:
        try:
            pickle.dump(message, questions)
            questions.flush()
            return pickle.load(answers)
        except (OSError, EOFError, pickle.UnpicklingError) as error:  # the last of half an answer
            raise StudyError(
                f"the process of {in_words(model)} ended with code {child.wait()}; see what it "
                "printed."
            ) from error

    def ask(market: Market, day: int) -> Any:
        traded = None if market.traded is None else market.traded[day]
        answer = told((market.dates[day], market.levels[day], traded))
        if isinstance(answer, Exception):
            answer.add_note(f"days {market.dates[0]} to {market.dates[day]}, in its own process")
        return answer

    try:
        begun = told((tuple(at_start.items()), pickle.dumps(model), method, past, book, coverage))
        if isinstance(begun, Exception):
            raise begun
        yield ask
        opened, fits = told(None)
        note_opened(opened)
        for law, certificate in fits.items():
            note_fits(law, certificate)
    finally:
        child.kill()
        child.wait()
        for pipe in (questions, answers):
            with suppress(OSError):  # what the process did not read is of no use
                pipe.close()
