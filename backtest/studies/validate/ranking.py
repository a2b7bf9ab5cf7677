"""Which rows of many accounts are shown: the worst, and how many there are."""

import pandas as pd

from backtest.studies.run.findings_tables import TESTED

MOST_ROWS = 20


def worst_rows(tests: pd.DataFrame, most: int | None = MOST_ROWS) -> pd.MultiIndex:
    """Rows (model, account) by the p-value of coverage, then by rejections; the worst first.

    tests : of `Study.tests`. most : how many; None for all.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["house"], ["A", "B"]], names=["model", "portfolio"])
    >>> tests = pd.DataFrame({"coverage_p": [0.5, 0.01]} | dict.fromkeys(TESTED, "rejected"), index)
    >>> worst_rows(tests).tolist()
    [('house', 'B'), ('house', 'A')]
    """
    rejected = (tests[list(TESTED)] == "rejected").sum(axis=1)
    ranks = pd.DataFrame({"p": tests["coverage_p"], "few": -rejected})
    order = ranks.sort_values(["p", "few"], kind="stable").index
    return order if most is None else order[:most]  # type: ignore[return-value]


def selection(shown: int, rows: int) -> str:
    """How many of the rows are shown, in words.

    Examples
    --------
    >>> selection(20, 300), selection(3, 3)
    ('20 worst of 300', 'all 3')
    """
    return f"{shown:,} worst of {rows:,}" if shown < rows else f"all {rows:,}"
