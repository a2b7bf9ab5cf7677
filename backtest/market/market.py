"""A market: the days on which every factor is known, their levels, and the shocks between them.

A simulated path is just another market, so everything downstream takes one of these.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd

from backtest.market.checks import (
    check_dates,
    check_levels,
    check_shape,
    check_traded,
)
from backtest.market.earlier import Earlier, check_earlier
from backtest.market.examination import Accepted, Column, Finding, examine, judged, role_of
from backtest.market.tenors import tenor_years as tenor_years
from backtest.types import BoolArray, DataError, Dates, DaysByFactors, FloatArray, RowNumbers

Kind = Literal["price", "yield"]


@dataclass(frozen=True)
class Adjustment:
    """A false move removed from a factor's history: on `date`, `jump` as a share of the level."""

    factor: str
    date: np.datetime64
    jump: float
    reason: str


@dataclass(frozen=True, eq=False)
class Market:
    """Levels of every factor on every margin day, complete: no NaN, no invented change.

    Parameters
    ----------
    dates : (days,) datetime64[D], ascending, unique.
    factors : names, one for each column of `levels`.
    levels : (days, factors). Prices in USD, yields in decimals.
    kinds : 'price' (shock = relative change, level > 0) or 'yield' (shock = absolute change; zero
        is a valid level), one for each factor.
    simulated : True where any level is not real history; stated wherever results are shown.
    source : where the levels come from, for footnotes of figures and for the manifest.
    dropped : days of the window without a session, or on which some factor was unknown.
    adjusted : false moves removed from the levels, such as the splices of a rolled future; moves
        before the first day are listed too, so that traded prices can be recovered.
    missing : sessions of the study's calendar without data.
    traded : (days, factors), whether a factor traded on a day; None where all trade on every day.
        A factor that did not trade keeps its last level, which is no observed change of zero: its
        shocks, and the MPOR of instruments on it, are counted in the days on which it trades. All
        factors trade on row 0.
    findings : what an examination of the prices found doubtful; it is no input to margins.
    before : what is known of single factors before the first day, for look-backs and stressed
        periods of positions that need no other factor (see `earlier`); None for nothing.

    Raises
    ------
    DataError : days that do not ascend, a step of more than 14 calendar days, a level that is not
        finite, a price <= 0, a yield outside any plausible range (wrong unit), a level that moves
        on a day on which its factor did not trade.

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
    findings: tuple[Finding, ...] = ()
    before: Earlier | None = None

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
        if self.before is not None:
            check_earlier(self, self.before)
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
        cls,
        frame: pd.DataFrame,
        *,
        kinds: dict[str, Kind] | None = None,
        accept: Sequence[Accepted] = (),
        since: str | pd.Timestamp | None = None,
        **labels: Any,
    ) -> "Market":
        """Market of a frame: index days, one column per factor, yields in decimals.

        Columns named like a maturity ('3M', '10Y') are yields, all others prices, unless `kinds`
        says otherwise. Rows in which some factor is NaN are dropped and listed in `dropped`.
        labels : other fields of the market; `traded` has the rows of the frame.
        accept : findings that are true, with the reason.
        since : day from which the market begins; what earlier rows know of single factors is kept
            as `before`.

        Prices that are not `simulated` are examined (docs/data.md), unless `findings` are given:
        DataError for what cannot be true, and `findings` lists what is doubtful.
        """
        if frame.empty:
            raise DataError("the frame is empty; give at least one day and one factor.")
        index = pd.DatetimeIndex(pd.to_datetime(frame.index))
        if index.tz is not None:
            raise DataError(
                f"the index carries time zone {index.tz}; convert it to plain dates first."
            )
        clock_times = (index - index.normalize()).unique()
        if len(clock_times) > 1:
            raise DataError(
                f"the index has {len(clock_times)} times of day; whose day they are nobody can "
                "tell. Give plain dates: bars of 20:00 in New York are of the next day in UTC."
            )
        factors = tuple(str(c) for c in frame.columns)
        kind_of = kinds or {}
        days = index.to_numpy().astype("datetime64[D]")
        levels = frame.to_numpy(dtype=np.float64)
        # A price filled in for one factor would be a change of zero beside real changes of the
        # others, and would push their correlation towards zero: such a day is dropped for all.
        complete = ~np.isnan(levels).any(axis=1)
        if since is not None:
            complete &= days >= np.datetime64(pd.Timestamp(since), "D")
            first = int(np.argmax(complete)) if complete.any() else len(days)
            some = ~np.isnan(levels[:first]).all(axis=1)
            labels["before"] = Earlier(days[:first][some], levels[:first][some])
            days, levels, complete = days[first:], levels[first:], complete[first:]
        labels["dropped"] = np.union1d(labels.get("dropped", days[:0]), days[~complete])
        if labels.get("traded") is not None:
            labels["traded"] = np.asarray(labels["traded"])[complete]
        market = cls(
            dates=days[complete],
            factors=factors,
            levels=levels[complete],
            kinds=tuple(
                kind_of.get(f, "price" if tenor_years(f) is None else "yield") for f in factors
            ),
            **labels,
        )
        if market.simulated or "findings" in labels:
            return market
        return replace(market, findings=judged(examine(columns_of(market)), accept))

    def to_frame(self) -> pd.DataFrame:
        """Levels as a frame (days x factors)."""
        return pd.DataFrame(self.levels, index=pd.DatetimeIndex(self.dates), columns=self.factors)

    def column(self, factor: str) -> int:
        """Column of a factor in `levels`; DataError for an unknown name."""
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
        traded: BoolArray = self.traded[:, [self.column(f) for f in factors]]
        return np.logical_and.reduce(traded, axis=1)

    def own_days(self, factors: Collection[str]) -> "tuple[Market, RowNumbers]":
        """The market on the days on which all of `factors` traded, and its row for every day.

        Returns
        -------
        traded_market : the days on which all of `factors` traded. last_row : (days,) for each day
            of this market, the row of `traded_market` for the last such day on or before it.

        Examples
        --------
        >>> days = pd.to_datetime(["2024-01-05", "2024-01-06", "2024-01-08"])
        >>> levels = pd.DataFrame({"10Y": [0.04, 0.04, 0.05], "BTC": [1.0, 2.0, 4.0]}, index=days)
        >>> traded = np.array([[True, True], [False, True], [True, True]])
        >>> traded_market, last_row = Market.from_frame(levels, traded=traded).own_days(["10Y"])
        >>> traded_market.dates.astype(str).tolist(), last_row.tolist()
        (['2024-01-05', '2024-01-08'], [0, 0, 1])
        """
        if self.traded is None:
            return self, np.arange(len(self.dates))
        traded = self.trades(factors)
        dates, levels = self.dates[traded], self.levels[traded]
        traded_market = replace(self, dates=dates, levels=levels, traded=None)
        return traded_market, np.cumsum(traded) - 1

    def shocks(self, horizon: int) -> DaysByFactors:
        """(days, factors) overlapping shocks that end on each day; the first `horizon` rows NaN.

        Prices: level(s) / level(s - horizon) - 1. Yields: y(s) - y(s - horizon). Where factors
        trade on different days, `horizon` counts the days on which a factor trades, and its rows
        between them are NaN.
        """
        if self.traded is None:
            return self._steps(self.levels, horizon, slice(None))
        # Over days on which it does not trade a factor keeps its level. Counting them would make
        # a two-day shock of a bond over a weekend a shock of zero days, and its margin too small.
        out = np.full(self.levels.shape, np.nan)
        for j in range(len(self.factors)):
            traded, column = self.traded[:, j], slice(j, j + 1)
            out[traded, column] = self._steps(self.levels[traded, column], horizon, column)
        return out

    def _steps(self, levels: FloatArray, horizon: int, columns: slice) -> FloatArray:
        """Shocks between rows `horizon` apart; `columns` says which factors `levels` holds."""
        out = np.full(levels.shape, np.nan)
        if horizon >= len(levels):
            return out
        # Neighbours of one kind are a slice: factors picked one by one would be copied twice.
        first = 0
        for kind, neighbours in groupby(self.kinds[columns]):
            alike = slice(first, first := first + len(list(neighbours)))
            before, after, steps = (
                levels[:-horizon, alike],
                levels[horizon:, alike],
                out[horizon:, alike],
            )
            if kind == "price":
                np.divide(after, before, out=steps)
                steps -= 1.0
            else:
                np.subtract(after, before, out=steps)
        return out

    def until(self, day: int | str | np.datetime64) -> "Market":
        """The market as it was known at the close of `day`, that day included.

        day : a row number (negative counts from the end) or a date.
        """
        if isinstance(day, (int, np.integer)):
            stop = range(len(self.dates))[int(day)] + 1
        else:
            stop = int(self.dates.searchsorted(np.datetime64(str(day), "D"), side="right"))
        market = self.rows(slice(0, stop))
        last = market.dates[-1] if stop else None
        if last is None:
            return market
        # Days dropped and moves removed later would tell of the future as well, and what was found
        # was found in all of the history.
        return replace(
            market,
            findings=(),
            dropped=market.dropped[market.dropped <= last],
            missing=market.missing[market.missing <= last],
            adjusted=tuple(a for a in market.adjusted if a.date <= last),
        )

    def rows(self, rows: slice | BoolArray) -> "Market":
        """The market on some of its days; the first must be one on which every factor trades.

        Without its first day it has no earlier history either: there would be a gap between.
        """
        dates = self.dates[rows]
        return replace(
            self,
            dates=dates,
            levels=self.levels[rows],
            traded=None if self.traded is None else self.traded[rows],
            before=self.before if len(dates) and dates[0] == self.dates[0] else None,
        )


def columns_of(market: Market) -> list[Column]:
    """The factors of a market for an examination, each on the days on which it trades."""
    columns = []
    for j, (factor, kind) in enumerate(zip(market.factors, market.kinds, strict=True)):
        rows = slice(None) if market.traded is None else market.traded[:, j]
        days, levels = market.dates[rows], market.levels[rows, j]
        role = role_of(factor, is_yield=kind == "yield")
        if role == "funding":  # an index that accrues it
            days, levels = days[1:], np.diff(np.log(levels))
        columns.append(Column(factor, days, levels, role))
    return columns
