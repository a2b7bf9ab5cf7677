"""Correlation of crypto with Treasury P&L by horizon; their daily closes are hours apart.

Crypto closes at midnight UTC, 19:00 or 20:00 in New York, three to four hours after bonds. News of
those hours is in today's crypto close and tomorrow's bond close, so one-day correlations on the
same date are drawn towards zero (Epps) and those over longer horizons less so.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtest.instruments import Instrument, Spot, Treasury
from backtest.market.market import Market, tenor_years
from backtest.scores import day_weights, stationary_indices
from backtest.types import FloatArray, Progress, counted, unheard

HORIZONS = (1, 2, 5, 10)  # margin days
RESAMPLES = 1000
BLOCK = 20  # mean days of a block; at least four horizons
LEVEL = 0.95  # of the intervals, two-sided


def correlation_by_horizon(
    market: Market,
    *,
    prices: Sequence[str],
    tenors: Iterable[float],
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress = unheard,
) -> pd.DataFrame:
    r"""Correlation of the P&L of each price with that of each Treasury, long both, with intervals.

    P&Ls over `horizon` margin days overlap. 'same days' correlates those struck on the same day.
    'Hayashi-Yoshida' (one day) adds the covariance of crypto's day with the bond's next, whose
    intervals overlap by the hours between the closes:

    .. math:: \hat\rho = \sum_t c_t (b_t + b_{t+1}) / \sqrt{\sum_t c_t^2 \sum_t b_t^2}

    (deviations from means). Intervals are percentiles of a stationary bootstrap of days.

    market : days on which every factor trades. prices : price factors. tenors : years.

    Returns
    -------
    One row a (price, treasury, horizon, estimator): correlation, low, high, days.

    References
    ----------
    Epps, T. (1979). Comovements in stock prices in the very short run. Journal of the American
    Statistical Association, 74(366), 291-298.
    Hayashi, T. & Yoshida, N. (2005). On covariance estimation of non-synchronously observed
    diffusion processes. Bernoulli, 11(2), 359-379.

    Examples
    --------
    >>> import backtest as bt
    >>> table = correlation_by_horizon(
    ...     bt.load_market("sample", end="2017-12-31"), prices=["BTC"], tenors=[10], resamples=20)
    >>> table.loc[("BTC", "UST10Y"), "days"].tolist()
    [600, 599, 599, 596, 591]
    """
    rows: list[dict[str, Any]] = []
    coins = [Spot(name) for name in prices]
    bonds = [Treasury(tenor) for tenor in tenors]
    instruments: list[Instrument] = [*coins, *bonds]
    for horizon in counted(progress, "correlations", HORIZONS, len(HORIZONS)):
        # The P&Ls of the last `horizon` days are not known: their days end after the market.
        pnl = {i.name: i.pnl(market, horizon)[:-horizon] for i in instruments}
        # The same resamples serve every pair, so that intervals differ by the pair, not the draw.
        weights = day_draws(len(market.dates) - horizon, horizon, resamples, seed)
        shorter = weights[:, :-1] if horizon == 1 else weights
        for coin in coins:
            for bond in bonds:
                c, b = pnl[coin.name], pnl[bond.name]
                key = {"price": coin.name, "treasury": bond.name, "horizon": horizon}
                rows.append(
                    {**key, "estimator": "same days", **correlation_interval(c, b, weights)}
                )
                if horizon == 1:
                    over = correlation_interval(c[:-1], b[:-1], shorter, after=b[1:])
                    rows.append({**key, "estimator": "Hayashi-Yoshida", **over})
    table = pd.DataFrame(rows).set_index(["price", "treasury", "horizon", "estimator"])
    return table.sort_index(level=["price", "treasury", "horizon"], sort_remaining=False)


def treasuries_of(market: Market, tenors: Iterable[float]) -> list[float]:
    """Those of `tenors` that the market has a par yield for."""
    market_tenors = {tenor_years(factor) for factor in market.factors}
    return [tenor for tenor in tenors if tenor in market_tenors]


def day_draws(days: int, horizon: int, resamples: int, seed: int) -> FloatArray:
    """(1 + resamples, days) weights: ones for the data, then how often each resample has a day."""
    block = max(BLOCK, 4 * horizon)
    indices = stationary_indices(days, resamples=resamples, block=block, seed=seed)
    return np.vstack([np.ones(days), day_weights(indices)])


def correlation_interval(
    c: FloatArray, b: FloatArray, weights: FloatArray, *, after: FloatArray | None = None
) -> dict[str, float]:
    """Estimate from the first row of `weights`, its interval from the other rows."""
    # A resample is a weighting of the days, so one matrix product gives the moments of all.
    share = weights / weights.sum(axis=1, keepdims=True)
    overlapping = b if after is None else b + after

    def covariance(x: FloatArray, y: FloatArray) -> FloatArray:
        return share @ (x * y) - (share @ x) * (share @ y)

    rho = covariance(c, overlapping) / np.sqrt(covariance(c, c) * covariance(b, b))
    low, high = np.quantile(rho[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {
        "correlation": float(rho[0]), "low": float(low), "high": float(high), "days": len(c)
    }  # fmt: skip
