"""The footnote text common to all figures of a run, and the portfolios that they show."""

import re
from collections.abc import Iterable

import pandas as pd

from backtest.replay.study import Study

MOST_SHOWN = 20  # portfolios in one figure; beyond that labels no longer fit a page
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


def shown_portfolios(badness: pd.Series) -> list[str]:
    """The eligible portfolios that are worst, at most 20, in their own order.

    Parameters
    ----------
    badness : (portfolios,) larger is worse; NaN is worst, equal ones count in their order.

    Examples
    --------
    >>> shown_portfolios(pd.Series({f"book {n}": n for n in range(22)}))[:2]
    ['book 2', 'book 3']
    """
    eligible = badness.loc[eligible_portfolios(badness.index)]
    worst = eligible.sort_values(ascending=False, kind="stable", na_position="first")[:MOST_SHOWN]
    return [str(p) for p in eligible.index if p in worst.index]


def selection_note(number: int, portfolios: Iterable[str], by: str) -> str:
    """What a figure says of the portfolios that it leaves out; empty where it shows all.

    number : of the portfolios in the figure. by : what makes one worse than another.

    Examples
    --------
    >>> selection_note(20, [f"book {n}" for n in range(300)], "exceedances of all models")
    '20 worst of 300 books are shown, by exceedances of all models. '
    """
    count = len(eligible_portfolios(portfolios))
    return f"{number} worst of {count} books are shown, by {by}. " if number < count else ""


def footnote(study: Study, note: str) -> str:
    """A figure's note and the common text: source, window, standard, models, version."""
    return f"{note} {study.provenance.footnote()}"
