"""Which books of a study a figure shows, where not all of them fit a page."""

from collections.abc import Iterable, Mapping
from typing import Any

MOST_BOOKS = 4  # panels beside each other that a page holds


def ranked_books(tables: Mapping[str, Mapping[str, Any]], books: Iterable[str]) -> list[str]:
    """At most four of `books`: risk-matched ones first, else in the study's order.

    In a book of equal USD one silo outweighs the other, so the pool saves little
    whether or not the risks offset.

    Parameters
    ----------
    tables : name of a book -> its table in the study file.

    Examples
    --------
    >>> tables = {"equal USD": {"usd": {}}, "matched": {"risk": {"BTC": 1.0}}}
    >>> ranked_books(tables, tables)
    ['matched', 'equal USD']
    """
    names = list(dict.fromkeys(books))
    return sorted(names, key=lambda name: not tables.get(name, {}).get("risk"))[:MOST_BOOKS]
