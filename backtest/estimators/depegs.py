"""Depegs on record: days on which a stablecoin closed well below par, and how they faded."""

import math
from dataclasses import dataclass

import pandas as pd

DEPEGGED = 0.01  # below par, a share of it: from there on it is a depeg and no noise


@dataclass(frozen=True)
class Depeg:
    """A depeg on record: its deepest day, how far below par, and its half-life in days."""

    day: str
    depth: float
    half_life: float


def recorded_depegs(closes: pd.Series) -> list[Depeg]:
    """Runs of daily closes more than 1 % below par, the median; weekends should be among them.

    The half-life is that of the share of the depth that is left on the next close: zero where that
    is at par again, infinite where it is as deep, NaN where there is none yet.

    Parameters
    ----------
    closes : by day, such as the column of `usdc_usd.csv`.

    Examples
    --------
    >>> days = pd.date_range("2023-03-09", periods=5)
    >>> recorded_depegs(pd.Series([1.0, 1.0, 0.9715, 0.9921, 1.0], index=days))
    [Depeg(day='2023-03-11', depth=0.0285, half_life=0.54)]
    """
    below = 1.0 - closes / closes.median()
    run = (below <= DEPEGGED).cumsum()[below > DEPEGGED]
    found = []
    for _, days in below.loc[run.index].groupby(run):
        day, depth = days.idxmax(), float(days.max())
        later = below.loc[day:].iloc[1:2]
        left = max(0.0, float(later.iloc[0])) / depth if len(later) else math.nan
        found.append(Depeg(str(pd.Timestamp(str(day)).date()), round(depth, 4), _half_life(left)))
    return found


def _half_life(left: float) -> float:
    """Days in which half of a distance is made up for, of which `left` is left after one."""
    if left == 0.0:
        return 0.0
    if left == 1.0:
        return math.inf
    return round(-1.0 / math.log2(left), 2)
