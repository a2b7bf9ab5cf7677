"""Checks of a market's levels. Every error is one line: what is wrong, which value, what to do."""

from typing import TYPE_CHECKING

import numpy as np

from backtest.types import BoolArray, DataError

if TYPE_CHECKING:
    from backtest.market.market import Market

LONGEST_STEP = 14  # calendar days between two margin days; a longer gap is missing data
SMALLEST_PRICE, LARGEST_PRICE = np.nextafter(0.0, 1.0), np.finfo(np.float64).max
YIELD_RANGE = (-0.05, 0.25)  # decimal; outside it the unit is wrong (percent read as decimal)


def check_shape(market: "Market") -> None:
    """Each factor named once, one row per day, one column per factor, only known kinds."""
    if len(set(market.factors)) != len(market.factors):
        raise DataError(f"factors {list(market.factors)} repeat a name; name each once.")
    expected = (len(market.dates), len(market.factors))
    if market.levels.shape != expected or len(market.kinds) != len(market.factors):
        raise DataError(
            f"levels have shape {market.levels.shape} and kinds {len(market.kinds)} entries; "
            f"{expected[0]} days and {expected[1]} factors need {expected}."
        )
    unknown = sorted(set(market.kinds) - {"price", "yield"})
    if unknown:
        raise DataError(f"unknown kind {unknown[0]!r}; known: price, yield.")
    if len(market.dates) == 0:
        raise DataError("the market has no day on which every factor is known; widen it.")


def check_dates(market: "Market") -> None:
    """Ascending days, each once, without a long gap."""
    if np.isnat(market.dates).any():
        raise DataError("a date is missing (NaT); give every row its day.")
    steps = np.diff(market.dates).astype(int)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        what = "repeats" if steps[at] == 0 else "comes before the day above it"
        raise DataError(f"date {market.dates[at + 1]} {what}; sort the rows, one a day.")
    if (steps > LONGEST_STEP).any():
        at = int(np.argmax(steps > LONGEST_STEP))
        raise DataError(
            f"no complete day between {market.dates[at]} and {market.dates[at + 1]} "
            f"({steps[at]} calendar days, {LONGEST_STEP} allowed); fill the gap in the source "
            "or start the study after it."
        )


def check_levels(market: "Market") -> None:
    """Finite levels, prices above zero, yields in the right unit."""
    low, high = YIELD_RANGE
    limits = {"price": (SMALLEST_PRICE, LARGEST_PRICE), "yield": YIELD_RANGE}
    least, most = np.array([limits[kind] for kind in market.kinds]).T
    if ((market.levels >= least) & (market.levels <= most)).all():
        return  # as thousands of simulated paths do
    for j, (factor, kind) in enumerate(zip(market.factors, market.kinds, strict=True)):
        column = market.levels[:, j]
        if not np.isfinite(column).all():
            at = int(np.argmin(np.isfinite(column)))
            raise DataError(
                f"{factor} on {market.dates[at]} is {column[at]}; drop the day or mend the file."
            )
        if kind == "price" and (column <= 0).any():
            at = int(np.argmax(column <= 0))
            raise DataError(
                f"{factor} on {market.dates[at]} is {column[at]:g}; a price must be above zero."
            )
        if kind == "yield" and ((column < low) | (column > high)).any():
            at = int(np.argmax((column < low) | (column > high)))
            raise DataError(
                f"{factor} on {market.dates[at]} is {column[at]:g} as a decimal yield "
                f"({column[at] * 100:g} %); yields must lie in {low:.0%} .. {high:.0%}. "
                "Check the unit: frames hold decimals, CSV files hold percent."
            )


def check_traded(market: "Market", traded: BoolArray) -> None:
    """Flags of the levels' shape; a factor that does not trade keeps its last level."""
    if traded.shape != market.levels.shape:
        raise DataError(
            f"traded has shape {traded.shape}, levels {market.levels.shape}; give one each."
        )
    if not traded[0].all():
        still = market.factors[int(np.argmin(traded[0]))]
        raise DataError(
            f"{still} did not trade on {market.dates[0]}, the first day; start the market on a "
            "day on which every factor does."
        )
    # A level that moves without trading would be a loss that nobody could have traded on, and
    # its step would be counted neither in the factor's days nor in its MPOR.
    moved_untraded = ~traded[1:] & (market.levels[1:] != market.levels[:-1])
    if moved_untraded.any():
        row, j = np.argwhere(moved_untraded)[0]
        raise DataError(
            f"{market.factors[j]} moves on {market.dates[row + 1]}, when it did not trade; carry "
            "its last level or mark the day as traded."
        )
