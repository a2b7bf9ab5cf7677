"""A market with other shocks: what a base is fitted to where a layer models a part of the data."""

from dataclasses import replace

import numpy as np

from backtest.market.market import Kind, Market
from backtest.types import DaysByFactors

MIDDLE_YIELD = 0.10  # decimal; of the range of shifted yields, the middle of what a market takes


def recast(market: Market, shocks: DaysByFactors, kinds: tuple[Kind, ...] | None = None) -> Market:
    """The days and factors of `market`, with these one-day shocks.

    A base looks at shocks alone, and without a part of them yields could leave what a market takes:
    each yield is shifted, so that the middle of its range is 10 %.

    Parameters
    ----------
    shocks : (days - 1, factors) of the new levels.
    kinds : of the new factors; those of the market where None.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2016-12-31")
    >>> halved = recast(market, market.shocks(1)[1:] / 2)
    >>> bool(np.allclose(halved.shocks(1)[1:], market.shocks(1)[1:] / 2))
    True
    """
    kinds = kinds or market.kinds
    price = np.array([kind == "price" for kind in kinds])
    levels = np.empty((len(shocks) + 1, len(kinds)))
    # A yield that is a price here may begin at zero or below.
    was_price = np.array([kind == "price" for kind in market.kinds])
    levels[0] = np.where(price, np.where(was_price, market.levels[0], 1.0), 0.0)
    levels[1:, price] = levels[0, price] * np.cumprod(1.0 + shocks[:, price], axis=0)
    levels[1:, ~price] = np.cumsum(shocks[:, ~price], axis=0)
    yields = levels[:, ~price]
    levels[:, ~price] += MIDDLE_YIELD - (yields.min(axis=0) + yields.max(axis=0)) / 2.0
    return replace(market, levels=levels, kinds=kinds, adjusted=(), findings=(), before=None)
