"""The rows of a study that matter most: one rule for screen, page and figures."""

from collections.abc import Iterable
from difflib import get_close_matches

import pandas as pd

from backtest.types import StudyError

MOST_SHOWN = 20  # rows, or books in one figure; beyond that a reader counts and does not read
EVIDENCE = "evidence"
RULE = "evidence against the coverage"
NOT_BAD = ("observations", "allowed", "coverage_test", "kupiec_p", "christoffersen_p")


def worst_rows(
    scores: pd.DataFrame, most: int | None = MOST_SHOWN, *, by: str = EVIDENCE
) -> pd.MultiIndex:
    """Rows (model, portfolio) of a study's scores, the worst first.

    Parameters
    ----------
    most : how many; None for all.
    by : 'evidence', the smallest p-value of coverage, of equal ones the highest exceedance rate,
        then the largest shortfall; or a column of which the largest is worst. Unknown values come
        last.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["house"], ["A", "B"]], names=["model", "portfolio"])
    >>> scores = pd.DataFrame({"coverage_p": [0.5, 0.01], "exceedance_rate": 0.02,
    ...                        "max_shortfall": [9.0, 1.0]}, index)
    >>> worst_rows(scores).tolist()
    [('house', 'B'), ('house', 'A')]
    >>> worst_rows(scores, 1, by="max_shortfall").tolist()
    [('house', 'A')]
    """
    if by == EVIDENCE:
        keys = {"coverage_p": True, "exceedance_rate": False, "max_shortfall": False}
    else:
        known = [str(c) for c in scores if c not in NOT_BAD and not str(c).endswith("_min")]
        if by not in known:
            close = get_close_matches(str(by), [EVIDENCE, *known], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise StudyError(f"by is {by!r}; give {EVIDENCE!r} or a column of summary(){hint}")
        keys = {by: by == "coverage_p"}
    ranks = scores[list(keys)].reset_index(drop=True)
    # Stable, and by the least key first: ties stay in the order of the study.
    for key, ascending in reversed(keys.items()):
        ranks = ranks.sort_values(key, ascending=ascending, kind="stable", na_position="last")
    order = scores.index[ranks.index]
    return order if most is None else order[:most]  # type: ignore[return-value]


def worst_books(scores: pd.DataFrame, among: Iterable[str] | None = None) -> list[str]:
    """Portfolios by their worst row, the worst first.

    among : those to rank; None for all.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["m", "n"], ["A", "B"]], names=["model", "portfolio"])
    >>> scores = pd.DataFrame({"coverage_p": [0.5, 0.4, 0.01, 0.9], "exceedance_rate": 0.02,
    ...                        "max_shortfall": 1.0}, index)
    >>> worst_books(scores), worst_books(scores, ["B"])
    (['A', 'B'], ['B'])
    """
    kept = None if among is None else set(among)
    names = dict.fromkeys(map(str, worst_rows(scores, None).get_level_values("portfolio")))
    return [name for name in names if kept is None or name in kept]


def selection(shown: int, rows: int, noun: str = "") -> str:
    """How many of the rows are shown, in words.

    Examples
    --------
    >>> selection(20, 300), selection(3, 3), selection(4, 300, "books")
    ('20 worst of 300', 'all 3', '4 worst of 300 books')
    """
    words = f"{shown:,} worst of {rows:,}" if shown < rows else f"all {rows:,}"
    return f"{words} {noun}" if noun else words
