"""Section on how far the answers move with what is assumed, one term at a time."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backtest.present.exhibit import Section
from backtest.present.numbers import money, percent
from backtest.present.table import Cell, TextTable
from backtest.replay.protection.sweep import MEASURES, SAME, Swept

WORDS = {
    "fellow_usd": "fellow customers, a year",
    "fund_usd": "mutual fund, a year",
    "cover_2": "cover-2",
    "margin": "margin",
}
Found = Mapping[str, Mapping[str, Mapping[str, Any]]]  # rows of terms, by measure
ONE = 0.01  # a change below it has a decimal
MANY = 10  # times as much, from which on a percentage is no longer read
FEW = 2  # pairs of arrangements that are named in a cell


def sweep_section(swept: Swept) -> Section:
    """Terms by how far they move fellow-customer loss; sweep.csv has every arrangement."""
    found: Found = {
        measure: {str(term): dict(row) for term, row in swept.by_term(measure).iterrows()}
        for measure in MEASURES
    }
    moving = [term for term in found["fellow_usd"] if _moves(found, term)]
    idle = [term for term in found["fellow_usd"] if term not in moving]
    reordering = [term for term in moving if found["fellow_usd"][term]["order"]]
    tables = [
        TextTable(
            f"{len(moving)} of {len(moving) + len(idle)} terms move an answer; in "
            f"{len(reordering)} the arrangements change places",
            ("term", "value", "range", *WORDS.values(), "change places") if moving else (),
            tuple((term_words(term), (_cells(found, term),)) for term in moving),
            note=(
                "Largest fall and largest rise of any arrangement, at the two ends of the term's "
                "range. The last column names pairs of which the first loses less of fellow "
                "customers as assumed, and more at an end."
            ),
        )
    ]
    if idle:
        names = ", ".join(map(term_words, idle))
        sentence = f"No change reaches {percent(SAME, digits=1)} of any answer by: {names}."
    return Section(
        name="sweep",
        heading="How far the answers move with what is assumed",
        text=(
            f"Model '{swept.model}'. Each term alone at the two ends of its range, all else as it "
            "is: the same days, accounts and margins. Terms move together in the world, and none "
            "of these ranges has a probability."
        ),
        table=swept.table(),
        tables=tuple(tables),
        sentences=(sentence,) if idle else (),
    )


def term_words(term: str) -> str:
    """A term as it is read; sweep.csv has the file and the place of each.

    Examples
    --------
    >>> term_words("waterfall/2026: houses.CME.contribution"), term_words("coordination")
    ('CME: contribution', 'coordination')
    """
    place = term.rpartition(": ")[2].split(".")[-2:]
    return ": ".join(place).replace("_", " ")


def _moves(found: Found, term: str) -> bool:
    return any(rows[term]["lowest"] < 0.0 or rows[term]["highest"] > 0.0 for rows in found.values())


def _cells(found: Found, term: str) -> tuple[Cell, ...]:
    row = found["fellow_usd"][term]
    ends = " / ".join(_value(row[end]) for end in ("low", "high") if row[end])
    places = list(row["order"])
    named = "; ".join(places[:FEW]) + (f" and {len(places) - FEW} more" if places[FEW:] else "")
    return (
        Cell(_value(row["held"])),
        Cell(ends),
        *(Cell(_span(found[measure][term])) for measure in WORDS),
        Cell(named or "none", words=True),
    )


def _span(row: Mapping[str, Any]) -> str:
    """The largest fall and the largest rise."""
    if row["lowest"] == row["highest"] == 0.0:
        return "0 %"
    return ", ".join(change_words(end) for end in (row["lowest"], row["highest"]) if end != 0.0)


def change_words(change: float) -> str:
    """A relative change as it is read.

    Examples
    --------
    >>> change_words(-0.25), change_words(0.004), change_words(62_955.0), change_words(np.inf)
    ('-25 %', '+0.4 %', 'x 62,956', 'from nothing')
    """
    if np.isinf(change):
        return "from nothing"
    if 1.0 + change >= MANY:
        return f"x {1.0 + change:,.0f}"
    return percent(change, digits=int(abs(change) < ONE), sign=True)


def _value(text: str) -> str:
    """A value as it is read: large amounts as money."""
    try:
        number = float(text)
    except ValueError:
        return text
    return money(number) if number >= 1e5 else f"{number:g}"
