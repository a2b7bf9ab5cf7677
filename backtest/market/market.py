"""A market: the days on which every factor is known, their levels, and the shocks between them.

A simulated path is just another market, so everything downstream takes one of these.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd

from backtest.market.checks import check_dates, check_levels, check_shape, check_traded
from backtest.types import BoolArray, DataError, Dates, DaysByFactors, FloatArray, RowNumbers

Kind = Literal["price", "yield"]

_TENOR = re.compile(r"^(\d+)([MY])$")


def tenor_years(factor: str) -> float | None:
    """Maturity in years of a par-yield factor named like '3M' or '10Y'; None for other names.

    Examples
    --------
    >>> tenor_years("3M"), tenor_years("10Y"), tenor_years("BTC")
    (0.25, 10.0, None)
    """
    match = _TENOR.match(factor)
    if match is None:
        return None
    return int(match[1]) / (12.0 if match[2] == "M" else 1.0)


@dataclass(frozen=True)
class Adjustment:
    """A false move taken out of a factor's history: on `date`, `jump` as a share of the level."""

    factor: str
    date: np.datetime64
    jump: float
    reason: str


@dataclass(frozen=True, eq=False)
class Market:
    """Levels of every factor on every margin day, complete: no NaN, no forged change.

    Parameters
    ----------
    dates : (days,) datetime64[D], ascending, unique.
    factors : names, one a column of `levels`.
    levels : (days, factors). Prices in USD, yields in decimals.
    kinds : 'price' (shock = relative change, level > 0) or 'yield' (shock = absolute change; zero
        is a level), one a factor.
    simulated : True where any level is not real history; shown wherever results are.
    source : what the figures' footnotes and the manifest say.
    dropped : days of the window left out because some factor was unknown, or no session.
    adjusted : false moves that were taken out of the levels, such as the splices of a future; also
        those before the first day, so that traded prices can be had back.
    missing : sessions of the calendar asked for on which there was no data.
    traded : (days, factors), whether a factor traded on a day; None where all always do. A factor
        that did not stands at its last level, which is not a change of zero: its steps, and the
        MPOR of what it prices, are counted in the days on which it trades. All trade on row 0.

    Raises
    ------
    DataError : days that do not ascend, a step of more than 14 calendar days, a level that is not
        finite, a price <= 0, a yield that must be in the wrong unit, a level that moves on a day
        on which its factor did not trade.

    Examples
    --------
    >>> m = Market.from_frame(pd.DataFrame({"10Y": [0.04, 0.041], "BTC": [100.0, 110.0]},
    ...                                    index=pd.to_datetime(["2024-01-02", "2024-01-03"])))
    >>> m.kinds, m.shocks(1)[1].round(6).tolist()
    (('yield', 'price'), [0.001, 0.1])
    """

    dates: Dates
    factors: tuple[str, ...]
    levels: DaysByFactors
    kinds: tuple[Kind, ...]
    simulated: bool = False
    source: str = "given by the caller"
    dropped: Dates = field(default_factory=lambda: np.array([], dtype="datetime64[D]"))
    adjusted: tuple[Adjustment, ...] = ()
    missing: Dates = field(default_factory=lambda: np.array([], dtype="datetime64[D]"))
    traded: BoolArray | None = None

    def __post_init__(self) -> None:
        dates = np.array(self.dates, dtype="datetime64[D]")
        levels = np.array(self.levels, dtype=np.float64, order="C")
        object.__setattr__(self, "dates", dates)
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "factors", tuple(self.factors))
        object.__setattr__(self, "kinds", tuple(self.kinds))
        check_shape(self)
        check_dates(self)
        check_levels(self)
        if self.traded is not None:
            traded = np.array(self.traded, dtype=np.bool_, order="C")
            object.__setattr__(self, "traded", traded)
            check_traded(self, traded)
            traded.flags.writeable = False
        dates.flags.writeable = False
        levels.flags.writeable = False

    def __repr__(self) -> str:
        label = "SIMULATED, " if self.simulated else ""
        return (
            f"<Market {label}{len(self.dates)} days {self.dates[0]}..{self.dates[-1]}, "
            f"factors {' '.join(self.factors)}>"
        )

    def _repr_html_(self) -> str:
        label = "<p><strong>SIMULATED</strong></p>" if self.simulated else ""
        days = len(self.dates)
        ends = self.to_frame().iloc[sorted({*range(min(3, days)), *range(max(0, days - 3), days)})]
        words = f"<p>{len(self.dates):,} days; source: {escape(self.source)}</p>"
        return label + words + str(ends.to_html(float_format="{:,.6g}".format))

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, kinds: dict[str, Kind] | None = None, **labels: Any
    ) -> "Market":
        """Market of a frame: index days, a column a factor, yields in decimals.

        Columns named like a maturity ('3M', '10Y') are yields, all others prices, unless `kinds`
        says otherwise. Rows in which some factor is NaN are dropped and listed in `dropped`.
        labels : other fields of the market; `traded`, a row each of the frame.
        """
        if frame.empty:
            raise DataError("the frame is empty; give at least one day and one factor.")
        index = pd.DatetimeIndex(pd.to_datetime(frame.index))
        if index.tz is not None:
            raise DataError(
                f"the index carries time zone {index.tz}; convert it to plain dates first."
            )
        factors = tuple(str(c) for c in frame.columns)
        given = kinds or {}
        days = index.to_numpy().astype("datetime64[D]")
        levels = frame.to_numpy(dtype=np.float64)
        complete = ~np.isnan(levels).any(axis=1)
        labels["dropped"] = np.union1d(labels.get("dropped", days[:0]), days[~complete])
        if labels.get("traded") is not None:
            labels["traded"] = np.asarray(labels["traded"])[complete]
        return cls(
            dates=days[complete],
            factors=factors,
            levels=levels[complete],
            kinds=tuple(
                given.get(f, "price" if tenor_years(f) is None else "yield") for f in factors
            ),
            **labels,
        )

    def to_frame(self) -> pd.DataFrame:
        """Levels as a frame (days x factors)."""
        return pd.DataFrame(self.levels, index=pd.DatetimeIndex(self.dates), columns=self.factors)

    def column(self, factor: str) -> int:
        """Column of a factor in `levels`; DataError for a name it does not have."""
        if factor not in self.factors:
            raise DataError(
                f"the market has no factor {factor!r}; known: {', '.join(self.factors)}."
            )
        return self.factors.index(factor)

    def level(self, factor: str) -> FloatArray:
        """(days,) levels of one factor."""
        return self.levels[:, self.column(factor)]

    def trades(self, factors: Collection[str]) -> BoolArray:
        """(days,) whether every one of `factors` traded on each day."""
        if self.traded is None:
            return np.ones(len(self.dates), dtype=np.bool_)
        own: BoolArray = self.traded[:, [self.column(f) for f in factors]]
        return np.logical_and.reduce(own, axis=1)

    def own_days(self, factors: Collection[str]) -> "tuple[Market, RowNumbers]":
        """The market on the days on which all of `factors` traded, and where its rows hold.

        Returns
        -------
        market : those days, every factor at its level. at : (days,) for each day of this market
            the row of the last own day on or before it.

        Examples
        --------
        >>> days = pd.to_datetime(["2024-01-05", "2024-01-06", "2024-01-08"])
        >>> levels = pd.DataFrame({"10Y": [0.04, 0.04, 0.05], "BTC": [1.0, 2.0, 4.0]}, index=days)
        >>> traded = np.array([[True, True], [False, True], [True, True]])
        >>> own, at = Market.from_frame(levels, traded=traded).own_days(["10Y"])
        >>> own.dates.astype(str).tolist(), at.tolist()
        (['2024-01-05', '2024-01-08'], [0, 0, 1])
        """
        if self.traded is None:
            return self, np.arange(len(self.dates))
        own = self.trades(factors)
        market = replace(self, dates=self.dates[own], levels=self.levels[own], traded=None)
        return market, np.cumsum(own) - 1

    def shocks(self, horizon: int) -> DaysByFactors:
        """(days, factors) overlapping shocks that end on each day; the first `horizon` rows NaN.

        Prices: level(s) / level(s - horizon) - 1. Yields: y(s) - y(s - horizon). Where factors
        keep days of their own the steps are counted in those, and rows between them are NaN.
        """
        if self.traded is None:
            return self._steps(self.levels, horizon, slice(None))
        out = np.full(self.levels.shape, np.nan)
        for j in range(len(self.factors)):
            own, one = self.traded[:, j], slice(j, j + 1)
            out[own, one] = self._steps(self.levels[own, one], horizon, one)
        return out

    def _steps(self, levels: FloatArray, horizon: int, columns: slice) -> FloatArray:
        """Shocks between rows `horizon` apart of some columns."""
        out = np.full(levels.shape, np.nan)
        if horizon >= len(levels):
            return out
        before, after = levels[:-horizon], levels[horizon:]
        price = np.array([kind == "price" for kind in self.kinds[columns]])
        out[horizon:, price] = after[:, price] / before[:, price] - 1.0
        out[horizon:, ~price] = after[:, ~price] - before[:, ~price]
        return out

    def until(self, day: int | str | np.datetime64) -> "Market":
        """The market as it was known at the close of `day`, that day included.

        day : a row number (negative counts from the end) or a date.
        """
        if isinstance(day, (int, np.integer)):
            stop = range(len(self.dates))[int(day)] + 1
        else:
            stop = int(self.dates.searchsorted(np.datetime64(str(day), "D"), side="right"))
        return self.rows(slice(0, stop))

    def rows(self, rows: slice | BoolArray) -> "Market":
        """The market on some of its days; the first must be one on which every factor trades."""
        return replace(
            self,
            dates=self.dates[rows],
            levels=self.levels[rows],
            traded=None if self.traded is None else self.traded[rows],
        )
