"""The tables that a protection answers with, computed once."""

from dataclasses import dataclass

import pandas as pd

from backtest.replay.protection import Protection
from backtest.replay.protection.concentration import concentration
from backtest.replay.protection.cover import cover
from backtest.replay.protection.frontier import Frontier
from backtest.replay.protection.liquidity import largest_payer, liquidity
from backtest.replay.protection.posted import posted_margin
from backtest.replay.protection.summary import differences, summary
from backtest.types import Progress


@dataclass(frozen=True, eq=False)
class Answers:
    """Tables by model and arrangement, as the functions of the same names give them.

    Parameters
    ----------
    curve, even, price : of the frontier. payer : what a house needs if its largest payer fails.
    """

    summary: pd.DataFrame
    differences: pd.DataFrame
    curve: pd.DataFrame
    even: pd.DataFrame
    price: pd.DataFrame
    cover: pd.DataFrame
    posted: pd.DataFrame
    liquidity: pd.DataFrame
    payer: pd.DataFrame
    concentration: pd.DataFrame

    @classmethod
    def of(cls, done: Protection, progress: Progress) -> "Answers":
        """All tables of a protection."""
        frontier = Frontier.of(done, progress=progress)
        return cls(
            summary(done),
            differences(done),
            frontier.curve(),
            frontier.even(),
            frontier.price,
            cover(done),
            posted_margin(done),
            liquidity(done),
            largest_payer(done),
            concentration(done),
        )
