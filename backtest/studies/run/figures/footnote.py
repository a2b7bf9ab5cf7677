"""The footnote text common to all figures of a run, and the portfolios that they show."""

import re
from collections.abc import Iterable

from backtest.replay.study import Study
from backtest.replay.worst import MOST_SHOWN, RULE, selection, worst_books

RANDOM_NAME = re.compile(r"random \d+")  # as `Book.random` names its books


def is_random(portfolio: str) -> bool:
    """True of a book that was drawn at random, by its name.

    Examples
    --------
    >>> is_random("random 01"), is_random("long both")
    (True, False)
    """
    return RANDOM_NAME.fullmatch(portfolio) is not None


def eligible_portfolios(portfolios: Iterable[str]) -> list[str]:
    """Named portfolios in their order; random ones where there is no other.

    Examples
    --------
    >>> eligible_portfolios(["long both", "random 01"])
    ['long both']
    """
    names = [str(p) for p in portfolios]
    return [name for name in names if not is_random(name)] or names


def shown_portfolios(study: Study, among: Iterable[str] | None = None) -> list[str]:
    """The eligible portfolios with most evidence against them, at most 20, in the study's order.

    among : those of which to choose; None for all.
    """
    names = eligible_portfolios(study.loss.columns if among is None else among)
    worst = set(worst_books(study.scores, names)[:MOST_SHOWN])
    return [name for name in names if name in worst]


def selection_note(number: int, portfolios: Iterable[str]) -> str:
    """What a figure says of the portfolios that it leaves out; empty where it shows all.

    number : of the portfolios in the figure.

    Examples
    --------
    >>> selection_note(20, [f"book {n}" for n in range(300)])
    '20 worst of 300 books, by evidence against the coverage. '
    """
    count = len(eligible_portfolios(portfolios))
    return f"{selection(number, count, 'books')}, by {RULE}. " if number < count else ""


def footnote(study: Study, note: str) -> str:
    """A figure's note and the common text: source, window, standard, models, version."""
    return f"{note} {study.provenance.footnote()}"
