"""The footnote text common to all figures of a run, and the portfolios that they show."""

import re
from collections.abc import Iterable

from backtest.replay.study import Study

MOST_SHOWN = 20  # portfolios in one figure; beyond that labels no longer fit a page
RANDOM_NAME = re.compile(r"random \d+")  # as `Book.random` names its books


def is_random(portfolio: str) -> bool:
    """True of a book that was drawn at random, by its name."""
    return RANDOM_NAME.fullmatch(portfolio) is not None


def shown_portfolios(portfolios: Iterable[str]) -> list[str]:
    """Pick the named portfolios, in order, at most 20; random ones where there is no other.

    Examples
    --------
    >>> shown_portfolios(["long both", "random 01"])
    ['long both']
    """
    names = [str(p) for p in portfolios]
    return ([name for name in names if not is_random(name)] or names)[:MOST_SHOWN]


def footnote(study: Study, note: str) -> str:
    """A figure's note and the common text: source, window, standard, models, version."""
    return f"{note} {study.provenance.footnote()}"
