"""The tables of `backtest rules --sensitivity`: terms by size; those that move nothing, and why."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np

from backtest.present.numbers import money, percent
from backtest.present.table import Cell, TextTable
from backtest.studies.rules.effects import PackagedBooks
from backtest.studies.rules.sensitivity import Effect, MovedTerm
from backtest.types import shown

FEW = 3  # measures that are named in a cell
LEAST = 0.0005  # a smaller change would be printed as 0.0 %


def sensitivity_tables(
    terms: Sequence[MovedTerm], books: PackagedBooks, day: date
) -> Iterator[TextTable]:
    """What the terms move, largest first; then those that move nothing, then those without ends."""
    moving = [term for term in terms if term.size >= LEAST]
    idle = [term for term in terms if term.entry.moves and term.size < LEAST]
    fixed = [term for term in terms if not term.entry.moves]
    yield TextTable(
        f"{len(moving)} of {len(terms)} terms that are not verified move a number, rules of {day}",
        ("term", "value", "range", "largest fall", "largest rise") if moving else (),
        tuple((term.name, (_moving(term),)) for term in moving),
        note=(
            "Each term alone, at the two ends of its range: margins of the packaged books on "
            f"{str(books.market.dates[-1])[:10]} by every model that reads the file, with its "
            "defaults; the cost of closing them out; what 100m USD of an asset counts after "
            "haircut; who bears what accounts of customers-and-houses lose in a year. What moves "
            "none of these is asked of the books of the other packaged "
            f"studies that the prices allow. Prices: {books.market.source}."
        ),
    )
    if idle:
        yield _by_reason("Terms that move none of these numbers", idle, _why_idle)
    if fixed:
        yield _by_reason("Terms without a range", fixed, lambda term: term.entry.why)


def _moving(term: MovedTerm) -> tuple[Cell, ...]:
    return (
        Cell(_text(term.value)),
        Cell(f"{_text(term.entry.low)} to {_text(term.entry.high)}"),
        _change(term.extreme(-1)),
        _change(term.extreme(1)),
    )


def _change(extreme: tuple[float, Effect] | None) -> Cell:
    if extreme is None:
        return Cell("none", words=True)
    change, effect = extreme
    size = (
        percent(change, sign=True)
        if np.isfinite(change)
        else f"from 0 to {money(max(effect.low, effect.high))} USD"
    )
    return Cell(f"{size}: {effect.measure}, {effect.book}", words=True)


def _by_reason(
    caption: str, terms: Sequence[MovedTerm], why: Callable[[MovedTerm], str]
) -> TextTable:
    """Terms with their values, those of a version that have one reason together."""
    rows: dict[str, dict[str, list[str]]] = {}
    for term in terms:
        alike = rows.setdefault(term.version, {}).setdefault(why(term), [])
        alike.append(f"{term.entry.term} {_text(term.value)}")
    groups = tuple(
        (
            version,
            tuple(
                (Cell(", ".join(alike), words=True), Cell(reason, words=True))
                for reason, alike in by_reason.items()
            ),
        )
        for version, by_reason in rows.items()
    )
    return TextTable(caption, ("version", "terms and values", "reason"), groups)


def _why_idle(term: MovedTerm) -> str:
    """Why a term with a range moves nothing."""
    if not term.read_by:
        return "no packaged model reads this rule by default"
    if not term.effects:
        return "; ".join(term.refused)
    if term.size:
        return f"no change reaches {percent(LEAST, digits=2)}"
    if all(np.isnan([effect.low, effect.high]).any() for effect in term.effects):
        return "the prices are too short for a margin at one end of the range"
    shown_names = ", ".join(term.read_by[:FEW]) + (" and others" if term.read_by[FEW:] else "")
    return f"{shown_names}: no packaged book holds what it is about, or another term decides"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, (str, int)) else shown(value)
