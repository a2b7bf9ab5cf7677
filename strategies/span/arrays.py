"""Risk arrays: the loss of one USD of a contract in each of SPAN's sixteen scenarios."""

from dataclasses import dataclass

import numpy as np

from backtest.instruments import Instrument, by_factor, is_option
from backtest.market.market import Market
from backtest.types import Days, FloatArray

SCENARIOS = 16
THIRD = 1.0 / 3.0
# Price moves in scan ranges and direction of volatility, in the published order: unchanged, a
# third up and down, two thirds, the whole range; then the extreme moves.
MOVES = np.repeat([0.0, THIRD, -THIRD, 2 * THIRD, -2 * THIRD, 1.0, -1.0], 2)
VOLATILITY = np.tile([1.0, -1.0], 7)
# For each scenario the one of the same price move and the opposite volatility; an extreme scenario
# has no such partner and is its own.
PAIRED = np.array([1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 14, 15])


@dataclass(frozen=True)
class Grid:
    """The sixteen scenarios in multiples of the scan ranges, and the counted share of each loss.

    Parameters
    ----------
    extreme : scan ranges of the two extreme moves. cover : share of their loss that counts.

    Examples
    --------
    >>> Grid(extreme=3.0, cover=0.33).moves[-2:].tolist(), Grid(3.0, 0.33).counted[-2:].tolist()
    ([3.0, -3.0], [0.33, 0.33])
    """

    extreme: float
    cover: float

    @property
    def moves(self) -> FloatArray:
        """(16,) price moves in scan ranges."""
        return np.append(MOVES, [self.extreme, -self.extreme])

    @property
    def volatility(self) -> FloatArray:
        """(16,) volatility moves in volatility scan ranges; zero with an extreme price move."""
        return np.append(VOLATILITY, [0.0, 0.0])

    @property
    def counted(self) -> FloatArray:
        """(16,) share of the loss that counts."""
        return np.append(np.ones(SCENARIOS - 2), [self.cover, self.cover])


def risk_array(
    instrument: Instrument,
    market: Market,
    *,
    scan: Days,
    volatility: float,
    grid: Grid,
    elapsed: float,
) -> FloatArray:
    """(days, 16) loss of 1 USD of a long contract in each scenario; > 0 is a loss.

    An option is revalued in each scenario; any other contract moves with its scan range.

    scan : (days,) price scan range as a share of notional, NaN while unknown.
    volatility : scan range of the implied volatility, relative. elapsed : calendar days that pass.

    References
    ----------
    McMillan, L. (2002). Options as a Strategic Investment, 4th ed., ch. 34 (SPAN margin).

    Examples
    --------
    >>> import pandas as pd
    >>> from backtest.instruments import Spot
    >>> market = Market.from_frame(pd.DataFrame({"BTC": [1e5]}, index=["2024-01-02"]))
    >>> grid = Grid(extreme=2.0, cover=0.35)
    >>> array = risk_array(Spot("BTC"), market, scan=np.array([0.5]), volatility=0.3, grid=grid,
    ...                    elapsed=1.0)
    >>> array[0, 10:].round(3).tolist()
    [-0.5, -0.5, 0.5, 0.5, -0.35, 0.35]
    """
    moves = scan[:, None] * grid.moves
    if not is_option(instrument):
        return 0.0 - moves * grid.counted
    out = np.full(moves.shape, np.nan)
    for day in np.flatnonzero(~np.isnan(scan)):
        joint = np.column_stack([moves[day], volatility * grid.volatility])
        gain = instrument.scenarios(market, int(day), joint, elapsed=elapsed)
        out[day] = 0.0 - gain * grid.counted
    return out


def delta(instrument: Instrument, market: Market) -> Days:
    """(days,) delta of 1 USD of a contract: USD of the underlying price."""
    if is_option(instrument):
        return by_factor(instrument, market)[instrument.factor][:, 0]
    return np.ones(len(market.dates))
