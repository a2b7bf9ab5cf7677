"""Past shocks in units of the volatility they met, and the volatilities to bring them to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.estimators.ewma import ewma_variance
from backtest.market.market import Market
from backtest.types import Days

SEED_DAYS = 60  # one-day shocks whose mean square starts the recursion


@dataclass(frozen=True, eq=False)
class Rescaled:
    """Shocks of one factor over some horizon, (days,) each; NaN while unknown.

    Parameters
    ----------
    standard : shock that ends on each day over the one-day volatility known when it began; NaN
        where the factor did not trade.
    now : volatility to bring shocks to, never below its floor.
    highest : the highest volatility so far.
    """

    standard: Days
    now: Days
    highest: Days


def rescaled(
    market: Market, factor: str, *, horizon: int, decay: float, floor: float, lookback: int
) -> Rescaled:
    r"""Standardised shocks of a factor, and volatilities today.

    .. math:: \sigma_t^2 = \lambda \sigma_{t-1}^2 + (1 - \lambda) r_t^2, \qquad
              z_t = R_t / \sigma_{t-H}, \qquad
              R^*_{t \to T} = z_t \max(\sigma_T, f \bar\sigma_T)

    r are one-day shocks and R those over H days, both in the factor's own days; the recursion
    starts from the mean square of the first 60, and :math:`\bar\sigma` is the root mean square of
    the last `lookback`.

    References
    ----------
    Hull, J. & White, A. (1998). Incorporating volatility updating into the historical simulation
    method for value-at-risk. Journal of Risk, 1(1), 5-19.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-02", periods=63)
    >>> level = np.cumprod(1.0 + np.tile([0.01, -0.01, 0.01], 21))
    >>> market = Market.from_frame(pd.DataFrame({"BTC": level}, index=days))
    >>> found = rescaled(market, "BTC", horizon=1, decay=0.97, floor=1.0, lookback=500)
    >>> found.standard[-2:].round(6).tolist(), found.now[-1].round(6).item()
    ([-1.0, 1.0], 0.01)
    """
    own, at = market.own_days([factor])
    column = own.column(factor)
    one, over = own.shocks(1)[:, column], own.shocks(horizon)[:, column]
    known = ewma_variance(one[1:, None], decay=decay, seed_days=SEED_DAYS)[:, 0]
    sigma = np.append(np.nan, np.sqrt(known))
    met = np.full(len(one), np.nan)
    met[horizon:] = sigma[:-horizon]
    # A factor that never moved has no volatility to be measured in, and no shock either.
    standard = np.divide(over, met, out=np.where(np.isnan(met), np.nan, 0.0), where=met > 0)
    mean_square = pd.Series(one**2).rolling(lookback, min_periods=SEED_DAYS).mean().to_numpy()
    on_days = np.full(len(market.dates), np.nan)
    on_days[market.trades([factor])] = standard
    return Rescaled(
        standard=on_days,
        now=np.maximum(sigma, floor * np.sqrt(mean_square))[at],
        highest=pd.Series(sigma).cummax().to_numpy()[at],
    )
