"""What is known of single factors before the first day on which a market knows all of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.market.checks import LONGEST_STEP, YIELD_RANGE
from backtest.types import DataError, Dates, DaysByFactors

if TYPE_CHECKING:
    from backtest.market.market import Market


@dataclass(frozen=True, eq=False)
class Earlier:
    """Levels of the days before a market begins; NaN where a factor is not known.

    No day of it is ever scored: margins look back to it, for positions that need none of the
    factors that are not known yet.

    Parameters
    ----------
    dates : (days,) ascending, all before the market. levels : (days, factors of the market).
    left_out : factors of a study that the longer market of other ones does not have.

    Examples
    --------
    >>> Earlier(np.array(["2024-01-02"], "M8[D]"), np.array([[0.04, np.nan]])).levels.shape
    (1, 2)
    """

    dates: Dates
    levels: DaysByFactors
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        dates = np.array(self.dates, dtype="datetime64[D]")
        levels = np.array(self.levels, dtype=np.float64, order="C")
        if levels.ndim != 2 or len(levels) != len(dates) or (np.diff(dates).astype(int) <= 0).any():
            raise DataError("earlier levels need ascending days, and one row for each.")
        dates.flags.writeable = False
        levels.flags.writeable = False
        object.__setattr__(self, "dates", dates)
        object.__setattr__(self, "levels", levels)


def check_earlier(market: "Market", earlier: Earlier) -> None:
    """Days before those of the market, levels of its factors that are as its own may be."""
    if earlier.levels.shape[1] != len(market.factors):
        raise DataError(
            f"earlier levels have {earlier.levels.shape[1]} columns, the market "
            f"{len(market.factors)} factors; give one each."
        )
    if len(earlier.dates) and earlier.dates[-1] >= market.dates[0]:
        raise DataError(
            f"earlier levels end on {earlier.dates[-1]} and the market begins on "
            f"{market.dates[0]}; what is earlier ends before it."
        )
    if market.traded is not None:
        raise DataError(
            "earlier history needs the business clock: on the 24/7 clock every factor begins on "
            "the first day. Leave it out."
        )
    low, high = YIELD_RANGE
    for factor, kind, column in zip(market.factors, market.kinds, earlier.levels.T, strict=True):
        wrong = column <= 0.0 if kind == "price" else (column < low) | (column > high)
        wrong |= np.isinf(column)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise DataError(
                f"{factor} on {earlier.dates[at]} is {column[at]:g}, before the market begins; "
                "mend it, or leave the earlier history out."
            )


def longer(market: "Market", factors: Collection[str]) -> "Market":
    """The market of some factors alone, from the first day since which all of them are known.

    A gap of more than 14 days ends the way back. What is known of fewer of the factors before that
    day stays the earlier history of the longer market. The market itself where none is longer.
    """
    if market.before is None:
        return market
    names = tuple(name for name in market.factors if name in factors)
    columns = [market.column(name) for name in names]
    levels = market.before.levels[:, columns]
    known = np.flatnonzero(~np.isnan(levels).any(axis=1))
    dates = market.before.dates[known]
    gaps = np.diff(np.append(dates, market.dates[0])).astype(int) > LONGEST_STEP
    known = known[np.flatnonzero(gaps)[-1] + 1 if gaps.any() else 0 :]
    if not len(known) or not names:
        return market
    rest = slice(0, known[0])
    return replace(
        market,
        dates=np.concatenate([market.before.dates[known], market.dates]),
        factors=names,
        levels=np.vstack([levels[known], market.levels[:, columns]]),
        kinds=tuple(market.kinds[column] for column in columns),
        adjusted=tuple(a for a in market.adjusted if a.factor in names),
        before=Earlier(
            market.before.dates[rest],
            levels[rest],
            (*market.before.left_out, *(f for f in market.factors if f not in names)),
        ),
    )
