"""Which books of a command its tables and figures show, where not all of them fit, and by what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtest.instruments import parse_instrument
from backtest.replay.worst import MOST_SHOWN, selection

MOST_PANELS = 4  # panels beside each other that a page holds
Tables = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Ranked:
    """The books of a command, the worst first.

    Parameters
    ----------
    names : of all books. by : what makes one worse than another, in words.

    Examples
    --------
    >>> ranked = Ranked.of(pd.Series({f"book {n}": n for n in range(22)}), by="its number")
    >>> ranked.shown[:2], ranked.note("all.csv")
    (('book 21', 'book 20'), '20 worst of 22 books, by its number; all: all.csv. ')
    """

    names: tuple[str, ...]
    by: str

    @classmethod
    def of(cls, badness: "pd.Series[float]", *, by: str) -> "Ranked":
        """Books by a number of which the largest is worst; unknown ones last, ties as they come."""
        order = badness.sort_values(ascending=False, kind="stable", na_position="last")
        return cls(tuple(map(str, order.index)), by)

    @property
    def shown(self) -> tuple[str, ...]:
        """The books of a table: at most the 20 worst."""
        return self.names[:MOST_SHOWN]

    @property
    def is_selection(self) -> bool:
        """Whether a table leaves books out."""
        return len(self.names) > MOST_SHOWN

    def rows(self, table: pd.DataFrame, level: str) -> pd.DataFrame:
        """The rows of the books shown, the worst book first; a table of twenty books as it is.

        level : of the index, or the column, that names the book.
        """
        named = table[level] if level in table else table.index.get_level_values(level)
        if len(set(named)) <= MOST_SHOWN:
            return table
        place = {name: number for number, name in enumerate(self.shown)}
        places = np.array([place.get(str(name), MOST_SHOWN) for name in named])
        order = np.argsort(places, kind="stable")
        return table.iloc[order[places[order] < MOST_SHOWN]]

    def note(self, file: str) -> str:
        """What a table says of the books that it leaves out; `file` has them all."""
        if not self.is_selection:
            return ""
        words = selection(len(self.shown), len(self.names), "books")
        return f"{words}, by {self.by}; all: {file}. "

    def panels(self, tables: Tables, books: Iterable[str]) -> list[str]:
        """At most four of `books`: risk-matched ones first, of more than twenty books the worst.

        In a book of equal USD one silo outweighs the other, so the pool saves little
        whether or not the risks offset. Of more risk-matched books than four, one of each kind
        comes before a second: a control of Treasuries alone is not crowded out by pools with
        crypto.

        tables : name of a book -> its table in the study file.

        Examples
        --------
        >>> tables = {"equal USD": {"usd": {}}, "matched": {"risk": {"BTC": 1.0}}}
        >>> Ranked(("equal USD", "matched"), "").panels(tables, tables)
        ['matched', 'equal USD']
        """
        names = list(dict.fromkeys(books))
        if self.is_selection:
            return [name for name in self.names if name in set(names)][:MOST_PANELS]
        matched = [name for name in names if tables.get(name, {}).get("risk")]
        kinds = [_kind(tables[name]["risk"]) for name in matched]
        turns = [kinds[:place].count(kind) for place, kind in enumerate(kinds)]
        chosen = sorted(range(len(matched)), key=lambda place: turns[place])[:MOST_PANELS]
        others = [name for name in names if name not in matched]
        return [*(matched[place] for place in sorted(chosen)), *others][:MOST_PANELS]

    def panels_note(self, drawn: Iterable[str], books: Iterable[str]) -> str:
        """What a figure says of the books that it leaves out; empty where it draws all."""
        number, count = len(set(drawn)), len(set(books))
        if number == count:
            return ""
        if self.is_selection:
            return f"{selection(number, count, 'books')}, by {self.by}. "
        return f"{number} of {count} books are drawn, risk-matched ones first. "


def drawn_words(drawn: Iterable[str], books: Iterable[str]) -> str:
    """Behind the line that says what is drawn: how many of the books that the title counts.

    Examples
    --------
    >>> drawn_words(["a"], ["a", "b"]), drawn_words(["a"], ["a"])
    (' (1 of 2 books drawn; title: all)', '')
    """
    number, count = len(set(drawn)), len(set(books))
    return "" if number == count else f" ({number} of {count} books drawn; title: all)"


def _kind(positions: Mapping[str, Any]) -> frozenset[str]:
    """The asset classes that a book holds."""
    return frozenset(parse_instrument(name).asset_class for name in positions)
