"""The prices of one factor as an examination sees them, whatever way they came in."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from backtest.market.tenors import tenor_years
from backtest.types import BoolArray, Dates, FloatArray

Role = Literal["yield", "rate", "volatility", "funding", "price"]
WEEKENDS = 0.5  # of the weekend days of its span: a price with more of them trades on all days
ROBUST = 1.4826  # of a median absolute deviation, to that of a normal law
NEARBY = 31  # moves before and after that are the habit of a day


@dataclass(frozen=True, eq=False)
class Column:
    """One factor, none of its values missing.

    Parameters
    ----------
    factor : its name. days, levels : as they came; yields and volatilities in decimals, funding as
        the rate of a day.
    role : what kind of series it is. where : its file and column, or its name, for messages.
    percent : True where the user wrote percent, so that messages speak of percent.
    tick : smallest step of a price, where it is known.
    """

    factor: str
    days: Dates
    levels: FloatArray
    role: Role
    where: str = ""
    percent: bool = False
    tick: float | None = None
    moves: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        is_log = self.role in ("price", "volatility")
        values = np.log(self.levels) if is_log else self.levels
        object.__setattr__(self, "moves", np.diff(values))

    def __len__(self) -> int:
        return len(self.days)

    @property
    def name(self) -> str:
        """Where the values are, for a sentence."""
        return self.where or self.factor

    def shown(self, level: float) -> str:
        """A value as the user wrote it.

        Examples
        --------
        >>> days = np.array(["2024-01-02"], "M8[D]")
        >>> Column("10Y", days, np.array([0.0425]), "yield", percent=True).shown(0.0425)
        '4.25 percent'
        """
        return f"{100 * level:g} percent" if self.percent else f"{level:g}"

    @property
    def weekend(self) -> BoolArray:
        """(days,) whether a day is a Saturday or Sunday."""
        # The first day of the epoch, 0, is a Thursday.
        return np.isin(self.days.astype(np.int64) % 7, (2, 3))

    @property
    def is_around_the_clock(self) -> bool:
        """Whether the factor has values on most weekend days of its span."""
        if len(self) < 2:
            return False
        span = int((self.days[-1] - self.days[0]).astype(int)) + 1
        return int(self.weekend.sum()) > WEEKENDS * span * 2 / 7

    @cached_property
    def habit(self) -> FloatArray:
        """(moves,) robust deviation of the moves around each one; infinite where there are few."""
        size = pd.Series(np.abs(self.moves))
        middle = size.rolling(2 * NEARBY + 1, center=True, min_periods=NEARBY // 2).median()
        return np.asarray(ROBUST * middle.fillna(np.inf), dtype=np.float64)


def role_of(factor: str, *, is_yield: bool) -> Role:
    """What kind of series a factor is, by its name.

    Examples
    --------
    >>> [role_of(f, is_yield=y) for f, y in (("10Y", True), ("SOFR", True), ("VIX", False))]
    ['yield', 'rate', 'volatility']
    """
    if is_yield:
        return "yield" if tenor_years(factor) is not None else "rate"
    if "-FUNDING" in factor:
        return "funding"
    if factor == "VIX" or factor.endswith(("-VOL", "-REALISED")):
        return "volatility"
    return "price"
