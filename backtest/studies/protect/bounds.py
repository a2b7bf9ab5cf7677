"""Bounds of 95 % on each side: of margins, of losses in few events, of the first less the second.

How often each was measured to hold is in docs/intervals.md. Where the record has too few events no
bound of a loss would hold, and there is none.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from backtest.replay.protection.summary import Losses
from backtest.scores.money.level import Ends, mean_interval
from backtest.scores.money.rare import differs, rare_difference
from backtest.types import Days

# Of an interval, whose ends are one-sided bounds of 95 %. Means of margins are asked for more, as
# they hold less.
LOSSES, MARGINS = 0.90, 0.95
NOTHING: Ends = (0.0, 0.0, 0.0)


def of_margin(amounts: Days) -> Ends:
    """Mean of (days,) margins, or of what is proportional to them, and its bounds.

    Examples
    --------
    >>> of_margin(np.full(40, 2.0))
    (2.0, 2.0, 2.0)
    """
    return mean_interval(amounts, level=MARGINS)


def lost_more(ours: Losses, theirs: Losses) -> tuple[list[Ends], int]:
    """USD a year that is lost more, paired by day, and in how many events it differs.

    Each move of prices counted once of the close-outs that it is in, and in each of them.
    Bounds are NaN where fewer than five events differ; drawn defaults are no evidence. Nothing is
    lost more than the very same.
    """
    if ours is theirs:
        return [NOTHING], 0
    # A cost that no table states, of a firm that fails here or there, of prices or by a draw.
    if np.isnan(ours.yearly).any() or np.isnan(theirs.yearly).any():
        return [(np.nan, np.nan, np.nan)], 0
    seen = differs(ours.base, theirs.base)
    found = [
        rare_difference(one.yearly, other.yearly, seen=seen, level=LOSSES)
        for one, other in ((ours, theirs), (each_time(ours), each_time(theirs)))
    ]
    return [more.ends for more in found], found[0].events


def each_time(losses: Losses) -> Losses:
    """The same losses with a move of prices counted in every close-out that it is in."""
    return replace(losses, once=losses.base)


def widest(estimate: float, several: Iterable[Ends]) -> Ends:
    """An estimate with the widest of several bounds; NaN where one is unknown.

    Examples
    --------
    >>> widest(2.0, [(1.0, 0.5, 2.5), (3.0, 1.0, 4.0)])
    (2.0, 0.5, 4.0)
    """
    _, low, high = zip(*several, strict=True)
    return estimate, float(np.min(low)), float(np.max(high))
