"""From requirements and losses to scores: replay the account of every model, score every book."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from backtest.account.account import AccountHistory, AccountTerms, replay_account
from backtest.account.mix import Marks
from backtest.scores import pooled_equal_coverage, score_table
from backtest.types import Dates, DaysByPortfolios, FloatArray, Progress

BLOCK = 256  # portfolios at a time: bounds memory, does not change a number


@dataclass(frozen=True, eq=False)
class Scored:
    """By model: its account, its score columns (portfolios,), its pooled scale."""

    accounts: dict[str, AccountHistory]
    tables: dict[str, dict[str, FloatArray]]
    pooled: dict[str, dict[str, Any]]


def score_models(
    loss: DaysByPortfolios,
    required: Mapping[str, DaysByPortfolios],
    *,
    rows: slice,
    confidence: float,
    horizon: int,
    account: AccountTerms,
    marks: Marks | None = None,
    yardstick: str | None,
    block: int = BLOCK,
    progress: Progress | None = None,
    dates: Dates | None = None,
) -> Scored:
    """Scores of every model over the scored `rows`.

    marks : of the account's collateral; needed unless it is cash.
    yardstick : the model that savings are measured from; None leaves them NaN.
    dates : of all rows; needed where calls do not settle in margin days.
    """
    portfolios = loss.shape[1]
    # Savings are measured from the yardstick's mean margin on the same scored days.
    siloed = None if yardstick is None else required[yardstick][rows].mean(axis=0)
    accounts, tables, pooled = {}, {}, {}
    for done, (name, margin) in enumerate(required.items(), start=1):
        history = replay_account(margin, loss, account, marks=marks, dates=dates)
        pieces = [
            score_table(
                loss[rows, columns],
                margin[rows, columns],
                history.collateral[rows, columns],
                confidence=confidence,
                horizon=horizon,
                siloed_mean=None if siloed is None else siloed[columns],
            )
            for columns in blocks(portfolios, block)
        ]
        accounts[name] = history
        tables[name] = {key: np.concatenate([p[key] for p in pieces]) for key in pieces[0]}
        pooled[name] = asdict(
            pooled_equal_coverage(loss[rows], margin[rows], confidence=confidence)
        )
        if progress is not None:
            progress("account and scores", done / len(required))
    return Scored(accounts, tables, pooled)


def blocks(portfolios: int, width: int) -> Iterator[slice]:
    """Slices of at most `width` portfolios.

    Examples
    --------
    >>> list(blocks(3, 2))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    for start in range(0, portfolios, width):
        yield slice(start, min(start + width, portfolios))
