"""The footnote text common to all figures of a run, and the portfolios that they show."""

import re
from collections.abc import Iterable

from backtest.replay.study import Study

MOST_SHOWN = 20  # portfolios in one figure; beyond that labels no longer fit a page
DRAWN = re.compile(r"random \d+")  # names that Book.random gives


def shown_portfolios(portfolios: Iterable[str]) -> list[str]:
    """Pick the named portfolios, in order, at most 20; drawn ones where there is no other.

    Examples
    --------
    >>> shown_portfolios(["long both", "random 01"])
    ['long both']
    """
    names = [str(p) for p in portfolios]
    named = [p for p in names if not DRAWN.fullmatch(p)]
    return (named or names)[:MOST_SHOWN]


def footnote(study: Study, *notes: str) -> str:
    """Join a figure's notes with the common text: source, window, standard, models, version."""
    return " ".join([*notes, study.provenance.footnote()])
