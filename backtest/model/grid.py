"""P&L of an instrument on a grid of moves of its price and, for options, of its volatility."""

import numpy as np

from backtest.instruments import Instrument, by_factor, is_option
from backtest.market.market import Market
from backtest.types import Days, FloatArray

NEAREST_EXPIRY = 1.0  # days; volatility moves grow towards expiry, and stop at one day to run


def grid_pnl(
    instrument: Instrument,
    market: Market,
    moves: FloatArray,
    *,
    volatility_scale: Days | None = None,
) -> FloatArray:
    """(days, points) P&L per 1 USD of notional at each close.

    moves : (points, 2) relative moves of the price and of the volatility; only options use the
        second. volatility_scale : (days,) multiplies the move of volatility.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2018-01-10")
    >>> grid_pnl(bt.Spot("BTC"), market, np.array([[-0.15, 0.0], [0.15, 0.5]]))[0].tolist()
    [-0.15, 0.15]
    """
    days = len(market.dates)
    if not is_option(instrument):
        delta, gamma = by_factor(instrument, market)[instrument.factor].T
        price = moves[:, 0]
        return delta[:, None] * price + gamma[:, None] * price**2 / 2.0
    scale = np.ones(days) if volatility_scale is None else volatility_scale
    out = np.empty((days, len(moves)))
    for day in range(days):
        out[day] = instrument.scenarios(market, day, moves * [1.0, scale[day]])
    return out


def days_to_expiry(instrument: Instrument, market: Market) -> Days:
    """(days,) calendar days to expiry of an option, at least one; ones for other instruments.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2018-01-10")
    >>> days_to_expiry(bt.Option("BTC", days=45), market)[:2].tolist()
    [45.0, 45.0]
    """
    if not is_option(instrument):
        return np.full(len(market.dates), NEAREST_EXPIRY)
    return np.maximum(instrument.days_left(market.dates), NEAREST_EXPIRY)
