"""Is a haircut enough? How often collateral loses more than its haircut before it is sold."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtest.account.assets import parse_asset, proceeds
from backtest.account.mix import check_priced
from backtest.market.market import Market
from backtest.scores.overlapping.interval import rate_interval
from backtest.types import DataError, StudyError, tail_count

HORIZONS = (1, 2, 5, 10)  # days; ten are the horizon of the BCBS-IOSCO haircuts
COVERED = (0.99, 0.999)  # shares of moves for which the covering haircut is shown
ALL = "all"


def haircut_adequacy(
    source: Market | pd.Series,
    *,
    asset: str,
    haircut: float,
    horizons: Sequence[int] = HORIZONS,
    windows: Mapping[str, tuple[str, str]] | None = None,
    years: bool = True,
) -> pd.DataFrame:
    """How often an asset lost more than its haircut, P(t + H) / P(t) < 1 - h, by period.

    Moves overlap and belong to the period in which they begin. The interval is Clopper and
    Pearson's at the effective number of days, so that several days of one crisis do not count as
    independent evidence (`scores.rate_interval`).

    Parameters
    ----------
    source : a market, with H in margin days; or a series of closing prices, with H in calendar
        days. In a series a move counts only where the prices of both its days are known; missing
        prices are not filled.
    asset : name as in a `Mix`.
    haircut : fraction of value, 0 or more and below 1.
    windows : first and last day (ISO) by name, beside 'all' and the calendar years.
    years : whether to show the calendar years too.

    Returns
    -------
    One row per (horizon, period): observations, uncounted (moves without a price at their end),
    beyond and beyond_rate with low and high (two-sided 95 %), worst (P(t+H)/P(t) - 1) and the day
    it began, cover_99 and cover_99.9, the smallest haircuts that at most 1 % and 0.1 % of the
    period's moves exceeded: the worst move itself where there are fewer than 100, or 1,000.

    Raises
    ------
    StudyError : a haircut outside [0, 1), a horizon below 1, an asset the market cannot price.
    DataError : days that do not ascend, prices that are not positive numbers.

    References
    ----------
    Basel Committee and IOSCO (2020). Margin requirements for non-centrally cleared derivatives,
    d475, App. B. Korn, E. & Graubard, B. (1998). Survey Methodology, 24(2), 193-201.

    Examples
    --------
    >>> days = pd.date_range("2023-03-10", periods=4)
    >>> coin = pd.Series([1.0, 0.97, 0.99, 1.0], index=days)
    >>> row = haircut_adequacy(coin, asset="USDC", haircut=0.02, horizons=[1]).iloc[0]
    >>> int(row["observations"]), int(row["beyond"]), round(float(row["cover_99"]), 6)
    (3, 1, 0.03)
    """
    if not 0 <= haircut < 1:
        raise StudyError(
            f"the haircut of {asset} is {haircut:g}; give a fraction of 0 or more, below 1."
        )
    rows = []
    for horizon in horizons:
        change, uncounted = moves(source, asset=asset, horizon=horizon)
        for period, (first, last) in _periods(change, windows or {}, years).items():
            moves_of_period = change.loc[first:last]
            if moves_of_period.empty:
                continue
            inside = (uncounted >= pd.Timestamp(first)) & (uncounted <= pd.Timestamp(last))
            rows.append(
                {
                    "asset": asset,
                    "haircut": haircut,
                    "days": "margin" if isinstance(source, Market) else "calendar",
                    "horizon": horizon,
                    "period": period,
                    "first": str(moves_of_period.index[0].date()),
                    "last": str(moves_of_period.index[-1].date()),
                    "observations": len(moves_of_period),
                    "uncounted": int(inside.sum()),
                }
                | _counts(moves_of_period, haircut, horizon)
            )
    return pd.DataFrame(rows)


def moves(
    source: Market | pd.Series, *, asset: str, horizon: int
) -> tuple[pd.Series, pd.DatetimeIndex]:
    """P(t + H) / P(t) - 1 by its first day t; and the days t without a price at t + H.

    Examples
    --------
    >>> days = pd.to_datetime(["2022-02-12", "2022-02-13", "2022-05-01", "2022-05-02"])
    >>> change, uncounted = moves(pd.Series([1.0, 1.1, 1.0, 0.9], days), asset="USDC", horizon=1)
    >>> change.round(3).tolist(), [str(day.date()) for day in uncounted]
    ([0.1, -0.1], ['2022-02-13'])
    """
    if horizon < 1:
        raise StudyError(f"horizon is {horizon}; give whole days, 1 or more.")
    if isinstance(source, Market):
        asset_held = parse_asset(asset)
        check_priced(asset_held, source)
        index = pd.DatetimeIndex(source.dates)
        change = pd.Series(proceeds(asset_held, source, horizon) - 1.0, index=index)
        return change.iloc[:-horizon], index[:0]
    _check_prices(source, asset)
    ends = pd.DatetimeIndex(source.index) + pd.Timedelta(days=horizon)
    later_prices = source.reindex(ends).to_numpy()
    change = pd.Series(later_prices / source.to_numpy() - 1.0, index=source.index)
    # Near the end of the series a move is not yet over; only a gap inside it is missing data.
    days_without_end = source.index[change.isna().to_numpy() & (ends <= source.index[-1])]
    return change.dropna(), pd.DatetimeIndex(days_without_end)


def _check_prices(prices: pd.Series, asset: str) -> None:
    if not isinstance(prices.index, pd.DatetimeIndex) or not prices.index.is_monotonic_increasing:
        raise DataError(f"the prices of {asset} need ascending days as their index; sort them.")
    if prices.empty or not prices.index.is_unique:
        raise DataError(f"the prices of {asset} need one row a day, at least one; mend them.")
    values = prices.to_numpy(dtype=np.float64)
    unusable = ~(np.isfinite(values) & (values > 0))
    if unusable.any():
        at = int(np.argmax(unusable))
        raise DataError(
            f"{asset} on {prices.index[at]:%Y-%m-%d} is {values[at]:g}; a price must be above zero."
        )


def _periods(
    change: pd.Series, windows: Mapping[str, tuple[str, str]], years: bool
) -> dict[str, tuple[str, str]]:
    days = pd.DatetimeIndex(change.index)
    if days.empty:
        return {}
    periods = {ALL: (str(days[0].date()), str(days[-1].date())), **windows}
    if years:
        for year in sorted(set(days.year)):
            periods[str(year)] = (f"{year}-01-01", f"{year}-12-31")
    return periods


def _counts(change: pd.Series, haircut: float, horizon: int) -> dict[str, Any]:
    """Moves beyond the haircut, their interval, the worst move, and the covering haircuts."""
    # A loss of exactly the haircut is covered. Overlapping moves make the days of a crisis exceed
    # together, so the interval counts effective days: their plain number would make it too narrow.
    ratio = 1.0 + change.to_numpy()
    beyond = ratio < 1.0 - haircut
    low, high = rate_interval(beyond[:, None], horizon=horizon)
    losses = np.sort(1.0 - ratio)[::-1]
    covering = {
        f"cover_{100 * share:g}": max(0.0, losses[tail_count(len(ratio), share, "floor")])
        for share in COVERED
    }
    return {
        "beyond": int(beyond.sum()),
        "beyond_rate": float(beyond.mean()),
        "low": float(low[0]),
        "high": float(high[0]),
        "worst": float(ratio.min() - 1.0),
        "worst_day": str(change.index[int(ratio.argmin())].date()),
    } | covering
