"""A stress scenario: a move of every factor, stated, or taken from the market's own history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from backtest.market.market import Market
from backtest.types import FloatArray, RowNumbers, StudyError, shown

HYPOTHETICAL, HISTORIC = "hypothetical", "historic"


@dataclass(frozen=True)
class Scenario:
    """A move of the market over one close-out: relative for prices, absolute for yields.

    Parameters
    ----------
    name : in tables.
    moves : by factor, -0.5 for a price that halves, 0.01 for a yield that rises by 100 bp. Factors
        that are not named stand still. Empty for a historic scenario.
    start : of a historic scenario, the day at whose close its move begins: each instrument then
        moves as its factors did over its own MPOR from that day.

    Raises
    ------
    StudyError : both or neither of `moves` and `start`, or a price that falls by all it is worth.

    Examples
    --------
    >>> Scenario("crypto halves", {"BTC": -0.5}).kind
    'hypothetical'
    >>> Scenario("12 March 2020", start=np.datetime64("2020-03-11")).kind
    'historic'
    """

    name: str
    moves: Mapping[str, float] = field(default_factory=dict)
    start: np.datetime64 | None = None

    def __post_init__(self) -> None:
        if bool(self.moves) == (self.start is not None):
            raise StudyError(
                f"scenario {shown(self.name)} needs either moves or the day on which it began."
            )
        object.__setattr__(self, "moves", MappingProxyType(dict(self.moves)))

    @property
    def kind(self) -> str:
        """Whether its moves are stated or were seen."""
        return HYPOTHETICAL if self.start is None else HISTORIC

    def vector(self, market: Market) -> FloatArray:
        """(factors,) stated moves in the order of the market's factors; 0 where none is stated.

        Raises
        ------
        StudyError : a factor that the market does not have, a price that falls to nothing.
        """
        out = np.zeros(len(market.factors))
        for factor, move in self.moves.items():
            if factor not in market.factors:
                raise StudyError(
                    f"scenario {shown(self.name)} moves {factor!r}, which the market does not "
                    f"have; it has {', '.join(market.factors)}."
                )
            column = market.factors.index(factor)
            if market.kinds[column] == "price" and move <= -1.0:
                raise StudyError(
                    f"scenario {shown(self.name)} moves the price {factor} by {move:g}; a price "
                    "cannot fall by all it is worth: give a move above -1."
                )
            out[column] = move
        return out


def historic_name(day: str) -> str:
    """Name of the move of the market that began at the close of a day (ISO)."""
    return f"as from {day}"


def moved_levels(market: Market, rows: RowNumbers, moves: FloatArray) -> FloatArray:
    """(scenarios, factors) levels of the market's `rows` after `moves` (scenarios, factors).

    rows : (scenarios,) a day of the market each.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"10Y": [0.04], "BTC": [100.0]}, index=["2024-01-02"])
    >>> moves = np.array([[0.01, -0.5]])
    >>> moved_levels(Market.from_frame(frame), np.array([0]), moves).round(4).tolist()
    [[0.05, 50.0]]
    """
    is_price = np.array([kind == "price" for kind in market.kinds])
    today = market.levels[rows]
    return np.where(is_price, today * (1.0 + moves), today + moves)


def checked_days(market: Market, days: tuple[str, ...]) -> tuple[np.datetime64, ...]:
    """Days as the market has them; StudyError, one line, for one that it has not."""
    dates = [np.datetime64(day, "D") for day in days]
    for date in dates:
        if date not in market.dates:
            near = market.dates[np.abs((market.dates - date).astype(int)).argmin()]
            raise StudyError(
                f"stress.days names {date}, which is no margin day of this market; the nearest is "
                f"{near}."
            )
    return tuple(dates)
