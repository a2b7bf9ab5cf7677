"""What changed between two days: versions, their terms, and the margins of the packaged books."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np

from backtest.parameters.files import load_parameters, rules
from backtest.parameters.in_force import version_on
from backtest.present.numbers import millions, percent
from backtest.present.table import Cell, TextTable
from backtest.studies.rules.effects import PackagedBooks, relative, version_effects

FEW_TERMS = 12  # changed terms that a table names where all rules are asked
FEW_ENTRIES = 6  # changed entries of a list, from which on they are one row


def changed_rules(since: date, until: date) -> list[tuple[str, str, str]]:
    """Rule, version of the first day and version of the last, for rules where they differ."""
    pairs = ((rule, version_on(rule, since), version_on(rule, until)) for rule in rules())
    return [(rule, before, after) for rule, before, after in pairs if before != after]


def changed_terms(before: str, after: str) -> list[tuple[str, str, str]]:
    """Dotted term, its text before and after, for every term that two versions do not share.

    Examples
    --------
    >>> changed_terms("sec_15c3_1/2013", "sec_15c3_1/2013")
    []
    """
    return [(term, _text(old), _text(new)) for term, old, new in _differing(before, after)]


def _differing(before: str, after: str) -> list[tuple[str, Any, Any]]:
    old, new = (dict(terms(load_parameters(version))) for version in (before, after))
    return [
        (term, old.get(term), new.get(term))
        for term in [*old, *(term for term in new if term not in old)]
        if old.get(term) != new.get(term)
    ]


def terms(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted place and value of every number, text and flag in a parameter file.

    Examples
    --------
    >>> list(terms({"price": {"ZT": 0.006}, "credits": [{"rate": 0.75}]}))
    [('price.ZT', 0.006), ('credits.0.rate', 0.75)]
    """
    if isinstance(value, Mapping):
        inner = [(str(key), item) for key, item in value.items() if key not in MARKS]
    elif isinstance(value, list):
        inner = [(str(number), item) for number, item in enumerate(value)]
    else:
        yield place, value
        return
    for key, item in inner:
        yield from terms(item, f"{place}.{key}".lstrip("."))


MARKS = ("source", "verified", "how", "verified_on", "compared")  # of a table, which no margin uses


def changes_tables(
    since: date, until: date, books: PackagedBooks, *, only: str = ""
) -> Iterator[TextTable]:
    """For every rule that changed, or for one: its terms, then margins by model and book."""
    for rule, before, after in changed_rules(since, until):
        if only and rule != only:
            continue
        yield _terms_table(before, after, most=None if only else FEW_TERMS)
        table = _margins_table(books, before, after)
        if table is not None:
            yield table


def changed_rows(before: str, after: str) -> list[tuple[str, str, str, str]]:
    """A row a term that two versions do not share: term, numbers that differ, text before, after.

    Lists and matrices of which `FEW_ENTRIES` or more entries differ are one row, that of the entry
    whose number changes most by its own size: SIMM has hundreds of correlations.

    Examples
    --------
    >>> changed_rows("simm/2.1", "simm/2.2")[0]
    ('between_classes.triangle, most at 5.0', '15', '0.26', '0.14')
    """
    rows: list[tuple[str, str, str, str]] = []
    for term, group in groupby(_differing(before, after), key=lambda row: _list_of(row[0])):
        entries = list(group)
        if len(entries) < FEW_ENTRIES:
            rows += [(place, "1", _text(old), _text(new)) for place, old, new in entries]
            continue
        place, old, new = max(entries, key=lambda entry: _step(*entry[1:]))
        where = place.removeprefix(term).lstrip(".")
        rows.append((f"{term}, most at {where}", f"{len(entries):,}", _text(old), _text(new)))
    return rows


def _list_of(term: str) -> str:
    """The term of a list, or of the matrix, that an entry stands in; of another term itself.

    Examples
    --------
    >>> _list_of("fx.weights.0.1"), _list_of("rates.group.0.vega_threshold")
    ('fx.weights', 'rates.group.0.vega_threshold')
    """
    return re.sub(r"(\.\d+)+$", "", term)


def _step(old: Any, new: Any) -> float:
    """How much a number changes by its own size; other entries count as the smallest change."""
    if not (isinstance(old, (int, float)) and isinstance(new, (int, float))):
        return 0.0
    return abs(new - old) / max(abs(new), abs(old))


def _terms_table(before: str, after: str, *, most: int | None) -> TextTable:
    changed = changed_rows(before, after)
    count = len(_differing(before, after))
    if not changed:
        return TextTable(f"{before} to {after}: dates and marks differ, no term does", (), ())
    rows = tuple((term, (tuple(map(Cell, cells)),)) for term, *cells in changed[:most])
    more = len(changed) - len(rows)
    differ = "1 number or text differs" if count == 1 else f"{count:,} numbers and texts differ"
    notes = (
        "'most at' a place: a list or matrix, and the entry of it that changes most by its own "
        "size; places count from 0." * any(", most at " in term for term, *_ in changed[:most]),
        f"And {more:,} more rows: name the rule to see all." * (more > 0),
    )
    return TextTable(
        f"{before} to {after}: {differ}",
        ("term", "differ", before.rpartition("/")[2], after.rpartition("/")[2]),
        rows,
        note=" ".join(filter(None, notes)),
    )


def _margins_table(books: PackagedBooks, before: str, after: str) -> TextTable | None:
    """Margins on the last day that two versions make unlike; None where no model names the rule."""
    effects = list(version_effects(books, before, after))
    changed = {
        kind: {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        for kind, pairs in effects
    }
    groups = tuple(
        (kind, tuple(_row(name, *pair) for name, pair in pairs.items()))
        for kind, pairs in changed.items()
        if pairs
    )
    if not groups:
        asked = ", ".join(kind for kind, _ in effects)
        words = f"No margin of the packaged books changes, under {asked}."
        return TextTable(words, (), ()) if effects else None
    return TextTable(
        f"Margins of the packaged books on {str(books.market.dates[-1])[:10]}, million USD",
        ("model", "book", before, after, "change"),
        groups,
        note=(
            f"Prices: {books.market.source}. Models with their defaults; books whose margin stays "
            "are left out."
        ),
        nested=True,
    )


def _row(name: str, before: float, after: float) -> tuple[Cell, ...]:
    change = relative(before, after)
    share = "n/a" if np.isnan(change) else percent(change, sign=True)
    return (Cell(name, words=True), Cell(millions(before)), Cell(millions(after)), Cell(share))


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
