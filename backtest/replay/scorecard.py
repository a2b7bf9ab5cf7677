"""From requirements and losses to scores: replay the account of every model, score every book."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backtest.account.account import AccountHistory, AccountTerms, known_account, replay_account
from backtest.account.mix import Marks
from backtest.scores import score_table
from backtest.scores.money.procyclicality import extent
from backtest.scores.table import Column
from backtest.types import Dates, DaysByPortfolios

BLOCK = 256  # portfolios at a time: bounds memory, does not change a number


@dataclass(frozen=True, eq=False)
class Scored:
    """One model: its account, and its score columns, (portfolios,) each."""

    model: str
    account: AccountHistory
    table: dict[str, Column]


def score_models(
    loss: DaysByPortfolios,
    required: Mapping[str, DaysByPortfolios],
    *,
    rows: slice,
    confidence: float,
    horizon: int,
    account: AccountTerms,
    marks: Marks | None = None,
    held: Mapping[str, DaysByPortfolios] | None = None,
    yardstick: str | None,
    dates: Dates | None = None,
) -> Iterator[Scored]:
    """Account and scores of one model after another, over the scored `rows`.

    marks : of the account's collateral; needed unless it is cash.
    held : collateral of the models of which it is known and not replayed.
    yardstick : the model that savings are measured from; None leaves them NaN.
    dates : of all rows; needed where calls do not settle in margin days.
    """
    # Savings are measured from the yardstick's mean margin on the same scored days.
    siloed = None if yardstick is None else extent(required[yardstick][rows]).mean
    for name, margin in required.items():
        if held and name in held:
            history = known_account(margin, loss, held[name])
        else:
            history = replay_account(margin, loss, account, marks=marks, dates=dates)
        table = score_table(
            loss[rows],
            margin[rows],
            history.collateral[rows],
            confidence=confidence,
            horizon=horizon,
            siloed_mean=siloed,
        )
        yield Scored(name, history, table)


def blocks(portfolios: int, width: int) -> Iterator[slice]:
    """Slices of at most `width` portfolios.

    Examples
    --------
    >>> list(blocks(3, 2))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    for start in range(0, portfolios, width):
        yield slice(start, min(start + width, portfolios))
