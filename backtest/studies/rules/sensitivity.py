"""What each unverified term, moved to the ends of its range, does to the packaged books."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from backtest.parameters.files import header, load_parameters, moved, rules
from backtest.parameters.header import Uncertain
from backtest.parameters.in_force import version_on
from backtest.parameters.ranges import term_value, with_term
from backtest.studies.rules.effects import PackagedBooks, relative
from backtest.studies.rules.measures import Measure, all_measures
from backtest.types import Progress, StudyError, unheard


@dataclass(frozen=True)
class Effect:
    """A measure of a book with a term as it is, at the low and at the high end; USD."""

    measure: str
    book: str
    value: float
    low: float
    high: float

    @property
    def changes(self) -> tuple[float, float]:
        """Relative changes at the two ends; infinite from nothing to something."""
        return (self._change(self.low), self._change(self.high))

    def _change(self, end: float) -> float:
        from_nothing = self.value == 0.0 and end > 0.0
        return np.inf if from_nothing else relative(self.value, end)


@dataclass(frozen=True)
class MovedTerm:
    """A term of a version that is not verified, and what moving it does.

    read_by : measures that read the file, whether or not the term moves them.
    refused : why those of them that give no book a number refuse the first one.
    """

    version: str
    entry: Uncertain
    value: Any
    read_by: tuple[str, ...]
    refused: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def name(self) -> str:
        """Version and place."""
        return f"{self.version}: {self.entry.term}"

    def joined(self, other: "MovedTerm") -> "MovedTerm":
        """The same term with what it does to other books too."""
        return replace(self, effects=self.effects + other.effects)

    def extreme(self, side: int) -> tuple[float, Effect] | None:
        """The largest fall (side -1) or rise (+1) of any measure of any book; None for none."""
        ranked = [
            (change, effect)
            for effect in self.effects
            for change in effect.changes
            if change * side > 0
        ]
        return max(ranked, key=lambda pair: pair[0] * side, default=None)

    @property
    def size(self) -> float:
        """Largest relative change, of either sign; 0 where it moves nothing."""
        found = [extreme for extreme in (self.extreme(-1), self.extreme(1)) if extreme is not None]
        return max((abs(change) for change, _ in found), default=0.0)


def sensitivity(
    every: Iterable[PackagedBooks], day: date, *, only: str = "", progress: Progress = unheard
) -> list[MovedTerm]:
    """Every term of the versions of a day, or of one rule's, with what it moves; largest first.

    every : the packaged books; those after the first are asked about terms that moved none so far.

    Raises
    ------
    StudyError : a rule that is none, or an end of a range that a model refuses.
    """
    versions = [version_on(rule, day) for rule in ([only] if only else rules())]
    terms: dict[str, MovedTerm] = {}
    for books in every:
        settled = {name for name, term in terms.items() if term.size or not term.entry.moves}
        for term in _of_books(books, day, versions, settled, progress):
            known = terms.get(term.name)
            terms[term.name] = term if known is None else known.joined(term)
    return sorted(terms.values(), key=lambda term: -term.size)


def _of_books(
    books: PackagedBooks,
    day: date,
    versions: Iterable[str],
    settled: Collection[str],
    progress: Progress,
) -> Iterator[MovedTerm]:
    """The terms that are not settled, with what they do to these books."""
    measures = list(all_measures(books, day))
    before: dict[str, dict[str, float]] = {}
    for version in versions:
        entries = [
            entry
            for entry in header(version).uncertain
            if f"{version}: {entry.term}" not in settled
        ]
        if not entries:
            continue
        stage = f"moving terms of {version}{f' ({books.study})' if books.study else ''}"
        progress(stage, 0.0)
        readers = [measure for measure in measures if version in measure.reads]
        for measure in readers:
            if measure.name not in before:
                before[measure.name] = measure.of(None)
        refused = tuple(_refusal(m, books) for m in readers if not before[m.name])
        yield from _moved_terms(version, entries, readers, before, refused, books.study)
        progress(stage, 1.0)


def _moved_terms(
    version: str,
    entries: Iterable[Uncertain],
    readers: list[Measure],
    before: dict[str, dict[str, float]],
    refused: tuple[str, ...],
    study: str,
) -> Iterator[MovedTerm]:
    tables = load_parameters(version)
    names = tuple(measure.name for measure in readers)
    movable = [measure for measure in readers if before[measure.name]]
    for entry in entries:
        value = term_value(tables, entry.term)
        effects: list[Effect] = []
        for measure in movable if entry.moves else ():
            held = before[measure.name]
            low, high = (
                held if end == value else _at(version, tables, entry, end, measure, held)
                for end in (entry.low, entry.high)
            )
            effects += [
                Effect(measure.name, f"{b} ({study})" if study else b, held[b], low[b], high[b])
                for b in held
            ]
        yield MovedTerm(version, entry, value, names, refused, tuple(effects))


def _refusal(measure: Measure, books: PackagedBooks) -> str:
    """Why a measure has no number for any book."""
    try:
        measure.of(books.book.portfolios[:1])
    except StudyError as error:
        return f"{measure.name}: {error}"
    return f"{measure.name} is about nothing that is posted"


def _at(
    version: str,
    tables: dict[str, Any],
    entry: Uncertain,
    end: Any,
    measure: Measure,
    held: Iterable[str],
) -> dict[str, float]:
    """A measure with a term at one end of its range."""
    try:
        with moved(version, with_term(tables, entry.term, end)):
            return measure.of(tuple(held))
    except StudyError as error:
        raise StudyError(
            f"{version}: {entry.term} = {end!r}, an end of its range, is refused: {error}"
        ) from error


def as_frame(terms: Iterable[MovedTerm]) -> pd.DataFrame:
    """A row a (term, measure, book), USD; a term that nothing reads has one row without them."""
    columns = ("version", "term", "value", "low", "high", "why")
    numbers = ("measure", "book", "usd", "usd_at_low", "usd_at_high")
    rows = [
        (t.version, t.entry.term, str(t.value), str(t.entry.low), str(t.entry.high), t.entry.why)
        + (e.measure, e.book, e.value, e.low, e.high)
        for t in terms
        for e in t.effects or (Effect("", "", np.nan, np.nan, np.nan),)
    ]
    return pd.DataFrame(rows, columns=[*columns, *numbers])
