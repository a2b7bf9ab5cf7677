"""What changed between two days: versions, their terms, and the margins of the packaged books."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np

from backtest.parameters.files import load_parameters, rules
from backtest.parameters.in_force import version_on
from backtest.present.numbers import millions, percent
from backtest.present.table import Cell, TextTable
from backtest.studies.rules.effects import PackagedBooks, relative, version_effects

FEW_TERMS = 12  # changed terms that a table names where all rules are asked


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
    old, new = (dict(terms(load_parameters(version))) for version in (before, after))
    return [
        (term, _text(old.get(term)), _text(new.get(term)))
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


def _terms_table(before: str, after: str, *, most: int | None) -> TextTable:
    changed = changed_terms(before, after)
    rows = tuple((term, ((Cell(old), Cell(new)),)) for term, old, new in changed[:most])
    more = len(changed) - len(rows)
    differ = "1 term differs" if len(changed) == 1 else f"{len(changed):,} terms differ"
    return TextTable(
        f"{before} to {after}: {differ}",
        ("term", before.rpartition("/")[2], after.rpartition("/")[2]),
        rows,
        note=f"and {more:,} more: name the rule to see all" if more > 0 else "",
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
