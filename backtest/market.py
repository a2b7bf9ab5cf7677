"""A market: the days on which every factor is known, their levels, and the shocks between them.

A simulated path is just another market, so everything downstream takes one of these.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from .types import DataError, Dates, DaysByFactors, FloatArray

Kind = Literal["price", "yield"]

LONGEST_STEP = 14  # calendar days between two margin days; a longer hole is missing data
YIELD_RANGE = (-0.05, 0.25)  # decimal; outside it the unit is wrong (percent read as decimal)
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
    """Levels of every factor on every margin day, complete: no NaN, no filled value.

    Parameters
    ----------
    dates : (days,) datetime64[D], ascending, unique.
    factors : names, one a column of `levels`.
    levels : (days, factors). Prices in USD, yields in decimals.
    kinds : 'price' (shock = relative change, level > 0) or 'yield' (shock = absolute change; zero
        is a level), one a factor.
    simulated : True where any level is not real history; shown wherever results are.
    source : what the figures' footnotes and the manifest say.
    dropped : days of the window left out because some factor was unknown.
    adjusted : false moves that were taken out of the levels, such as the splices of a future; also
        those before the first day, so that traded prices can be had back.

    Raises
    ------
    DataError : days that do not ascend, a step of more than 14 calendar days, a level that is not
        finite, a price <= 0, a yield that must be in the wrong unit.

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

    def __post_init__(self) -> None:
        dates = np.array(self.dates, dtype="datetime64[D]")
        levels = np.array(self.levels, dtype=np.float64, order="C")
        object.__setattr__(self, "dates", dates)
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "factors", tuple(self.factors))
        object.__setattr__(self, "kinds", tuple(self.kinds))
        self._check_shape()
        self._check_dates()
        self._check_levels()
        dates.flags.writeable = False
        levels.flags.writeable = False

    def _check_shape(self) -> None:
        if len(set(self.factors)) != len(self.factors):
            raise DataError(f"factors {list(self.factors)} repeat a name; name each once.")
        expected = (len(self.dates), len(self.factors))
        if self.levels.shape != expected or len(self.kinds) != len(self.factors):
            raise DataError(
                f"levels have shape {self.levels.shape} and kinds {len(self.kinds)} entries; "
                f"{expected[0]} days and {expected[1]} factors need {expected}."
            )
        unknown = sorted(set(self.kinds) - {"price", "yield"})
        if unknown:
            raise DataError(f"unknown kind {unknown[0]!r}; known: price, yield.")
        if len(self.dates) == 0:
            raise DataError("the market has no day on which every factor is known; widen it.")

    def _check_dates(self) -> None:
        if np.isnat(self.dates).any():
            raise DataError("a date is missing (NaT); give every row its day.")
        steps = np.diff(self.dates).astype(int)
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0))
            what = "repeats" if steps[at] == 0 else "comes before the day above it"
            raise DataError(f"date {self.dates[at + 1]} {what}; sort the rows, one a day.")
        if (steps > LONGEST_STEP).any():
            at = int(np.argmax(steps > LONGEST_STEP))
            raise DataError(
                f"no complete day between {self.dates[at]} and {self.dates[at + 1]} "
                f"({steps[at]} calendar days, {LONGEST_STEP} allowed); fill the hole in the source "
                "or start the study after it."
            )

    def _check_levels(self) -> None:
        for j, (factor, kind) in enumerate(zip(self.factors, self.kinds, strict=True)):
            column = self.levels[:, j]
            low, high = YIELD_RANGE
            if not np.isfinite(column).all():
                at = int(np.argmin(np.isfinite(column)))
                raise DataError(
                    f"{factor} on {self.dates[at]} is {column[at]}; drop the day or mend the file."
                )
            if kind == "price" and (column <= 0).any():
                at = int(np.argmax(column <= 0))
                raise DataError(
                    f"{factor} on {self.dates[at]} is {column[at]:g}; a price must be above zero."
                )
            if kind == "yield" and ((column < low) | (column > high)).any():
                at = int(np.argmax((column < low) | (column > high)))
                raise DataError(
                    f"{factor} on {self.dates[at]} is {column[at]:g} as a decimal yield "
                    f"({column[at] * 100:g} %); yields must lie in {low:.0%} .. {high:.0%}. "
                    "Check the unit: frames hold decimals, CSV files hold percent."
                )

    def __repr__(self) -> str:
        label = "SIMULATED, " if self.simulated else ""
        return (
            f"<Market {label}{len(self.dates)} days {self.dates[0]}..{self.dates[-1]}, "
            f"factors {' '.join(self.factors)}>"
        )

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, kinds: dict[str, Kind] | None = None, **labels: Any
    ) -> "Market":
        """Market of a frame: index days, a column a factor, yields in decimals.

        Columns named like a maturity ('3M', '10Y') are yields, all others prices, unless `kinds`
        says otherwise. Rows in which some factor is NaN are dropped and listed in `dropped`.
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
        return cls(
            dates=days[complete],
            factors=factors,
            levels=levels[complete],
            kinds=tuple(
                given.get(f, "price" if tenor_years(f) is None else "yield") for f in factors
            ),
            dropped=days[~complete],
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

    def shocks(self, horizon: int) -> DaysByFactors:
        """(days, factors) overlapping shocks that end on each day; the first `horizon` rows NaN.

        Prices: level(s) / level(s - horizon) - 1. Yields: y(s) - y(s - horizon).
        """
        out = np.full(self.levels.shape, np.nan)
        if horizon >= len(self.dates):
            return out
        before, after = self.levels[:-horizon], self.levels[horizon:]
        price = np.array([kind == "price" for kind in self.kinds])
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
        return replace(self, dates=self.dates[:stop], levels=self.levels[:stop])
