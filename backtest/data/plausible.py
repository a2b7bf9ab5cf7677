"""Prices that say something false although each value could be true: refused before they are used.

Each check compares a column with what such a series does everywhere else: with its own habit, with
its neighbours, or with the largest moves on record. The limits hold for all US par yields since
1990 and for the crypto and equity prices that the tests read.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from backtest.data.columns import FactorColumn, factor_column
from backtest.market.market import tenor_years
from backtest.types import DataError, FloatArray

WEEKLY = 3  # calendar days of the median step beyond which rows are no days
SPIKE = 5.0  # factor of a move that the next day takes back
RESCALED = 10.0  # factor of a move that stays
LONG_TENOR, LONG_RESCALED = 5.0, 20.0  # years; factor by which no long yield moved in a day
FEWEST_EQUAL = 10  # equal values in a row that may say a feed was frozen
UNLIKELY = 1e-6  # expected number of runs as long, below which a run is no habit
AT_ZERO = 0.1  # percent; a bill's yield, in steps of a hundredth, rests there for weeks (2015)
OFTEN = 0.2  # share of days that repeat the value before, beyond which a series has the habit
FEW_STEPS = 3.0  # of the last digit: a price that moves by less is rounded too coarsely to tell
VOLATILITY_FLOOR = 3.0  # percent; no index of implied volatility has its median below
FUNDING_CEILING = 0.005  # a day, fraction: a median of 180 % a year
FEWEST = 60  # values without which no habit is known
THIRTY_SECONDS = 0.325  # a file of 32nds written behind a point has no larger fraction
OFF_TICK, SHARE_OFF = 0.01, 0.01  # of a tick, for files of few digits; share of days off it
A_DAY_APART, TOGETHER = 0.3, 250  # correlation gained by a shift of a day; days to tell
NOISE = 3.0  # standard errors of a correlation, 1 / sqrt(days), that a gain must exceed besides


def refuse_implausible(column: pd.Series, factor: str, place: FactorColumn) -> None:
    """Refuse a column whose days, units or values cannot be those of its factor.

    Parameters
    ----------
    column : (days,) values in the unit of the file, none missing.

    Raises
    ------
    DataError : one line with the day, the size and what to do.
    """
    where = f"{place.file}: {column.name}"
    _check_days(column, where, is_yield=tenor_years(factor) is not None)
    _check_unit(column, where, place)
    if place.form == "funding":
        return
    if place.kind == "price":
        _check_scale(column, where)
        if _moves_by_last_digit(column):
            return  # as USDC does where it is written as 1.00: it repeats for months
    elif tenor_years(factor) is None:
        return  # an overnight rate is set, and stays for months
    elif (tenor_years(factor) or 0.0) >= LONG_TENOR:
        _check_long_yield(column, where)
    _check_frozen(column, where, floor=AT_ZERO if place.kind == "yield" else 0.0)


def _check_days(column: pd.Series, where: str, *, is_yield: bool) -> None:
    days = pd.DatetimeIndex(column.index)
    if len(days) > 2:
        step = float(np.median(np.diff(days.to_numpy()).astype("timedelta64[D]").astype(int)))
        if step > WEEKLY:
            raise DataError(
                f"{where} has a value every {step:g} days; margins count days: give daily values."
            )
    weekend = days[days.day_of_week >= 5]
    if is_yield and len(weekend):
        raise DataError(
            f"{where} has values on {len(weekend)} days of weekends ({weekend[0]:%Y-%m-%d}, say), "
            "when no yield is published: leave out what was filled forward."
        )


def _check_unit(column: pd.Series, where: str, place: FactorColumn) -> None:
    size = float(column.abs().median())
    if place.kind == "price" and place.unit == "percent" and size < VOLATILITY_FLOOR:
        raise DataError(
            f"{where} has a median of {size:g} percent: volatilities look like decimals; write "
            "percent (18 means 18 %)."
        )
    if place.form == "funding" and place.payments * size > FUNDING_CEILING:
        raise DataError(
            f"{where} has a median of {size:g}, {place.payments * size:.2%} a day: rates look like "
            "percent; write fractions (0.0001 means 0.01 %)."
        )
    if place.tick is not None:
        ticks = column / place.tick
        off = (ticks - ticks.round()).abs() > OFF_TICK
        if off.mean() > SHARE_OFF:
            raise DataError(
                f"{where}: {off.mean():.0%} of prices are no whole ticks of {place.tick:g} "
                f"({column[off].iloc[0]:g} on {column[off].index[0]:%Y-%m-%d}): they are adjusted "
                "or in another unit; give prices as traded, or leave tick out."
            )
    if place.unit == "points" and len(column) >= FEWEST:
        largest = float((column % 1.0).max())
        # From one whole point to the next, decimals pass through every fraction.
        crosses = np.unique(np.floor(column)).size > 1
        if crosses and 0.0 < largest < THIRTY_SECONDS:
            raise DataError(
                f"{where} has no fraction above {largest:g} in {len(column):,} days: prices look "
                "like 32nds behind a point; write decimals (110-16 is 110.5)."
            )


def _check_scale(column: pd.Series, where: str) -> None:
    """A move that is taken back the next day, or a price that goes on in another unit."""
    moves = np.diff(np.log(column.to_numpy(dtype=np.float64)))
    taken_back = np.append(np.abs(moves[1:] + moves[:-1]) < np.log(2.0), False)
    spike = (np.abs(moves) > np.log(SPIKE)) & taken_back
    wrong = spike | (np.abs(moves) > np.log(RESCALED))
    if wrong.any():
        at = int(np.argmax(wrong))
        before, after = column.iloc[at], column.iloc[at + 1]
        how = "and back the next day" if spike[at] else "and stays there"
        raise DataError(
            f"{where} goes from {before:g} to {after:g} on {column.index[at + 1]:%Y-%m-%d} {how}; "
            "mend that value, or the unit from that day on. Where it is true, end the study before."
        )


def _moves_by_last_digit(column: pd.Series) -> bool:
    """Whether most moves are a few steps of the smallest size that the file can write."""
    sizes = column.diff().abs()
    sizes = sizes[sizes > 0.0]
    return len(sizes) == 0 or bool(sizes.median() < FEW_STEPS * (1.0 - 1e-6) * sizes.min())


def _check_long_yield(column: pd.Series, where: str) -> None:
    before, after = column.to_numpy()[:-1], column.to_numpy()[1:]
    small, large = np.minimum(before, after), np.maximum(before, after)
    wrong = (small > 0.0) & (large > LONG_RESCALED * small)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"{where} goes from {before[at]:g} to {after[at]:g} percent on "
            f"{column.index[at + 1]:%Y-%m-%d}; write percent on every day (4.25 means 4.25 %)."
        )


def _check_frozen(column: pd.Series, where: str, *, floor: float) -> None:
    """A run of values above a floor, much longer than the series' own habit of repeating itself."""
    if len(column) < FEWEST:
        return
    values = column.to_numpy()
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    lengths = np.diff(np.append(starts, len(values)))
    above = np.abs(values[starts]) > floor
    starts, lengths = starts[above], lengths[above]
    if not len(lengths):
        return
    longest = int(np.argmax(lengths))
    run = int(lengths[longest])
    others = np.delete(lengths, longest)
    repeats = (np.sum(others - 1) + 1.0) / max(np.sum(others), 1)
    second = int(others.max()) if len(others) else 1
    # A series that often repeats does so for longer at some times than at others.
    shortest = max(FEWEST_EQUAL, 2 * second if repeats > OFTEN else 0)
    if run >= shortest and len(values) * repeats ** (run - 1) < UNLIKELY:
        first, last = starts[longest], starts[longest] + run - 1
        raise DataError(
            f"{where} is {values[first]:g} on {run} days in a row ({column.index[first]:%Y-%m-%d} "
            f".. {column.index[last]:%Y-%m-%d}), otherwise on {second} at most: leave out the days "
            "on which the feed was frozen."
        )


def refuse_shifted(columns: dict[str, pd.Series]) -> None:
    """Refuse two series that move together a day apart and not on the same day.

    columns : levels by factor; yields move by differences, prices by logarithms.

    Raises
    ------
    DataError : the pair with its correlations.
    """
    moves = {
        name: (column if factor_column(name).kind == "yield" else np.log(column)).diff()
        for name, column in columns.items()
    }
    for one, two in combinations(columns, 2):
        both = pd.concat([moves[one], moves[two]], axis=1, join="inner").dropna().to_numpy()
        if len(both) < TOGETHER:
            continue
        same, later, sooner = (
            _correlation(both[: len(both) - 1, 0], both[: len(both) - 1, 1]),
            _correlation(both[:-1, 0], both[1:, 1]),
            _correlation(both[1:, 0], both[:-1, 1]),
        )
        apart = max(later, sooner, key=abs)
        if abs(apart) > abs(same) + A_DAY_APART + NOISE / np.sqrt(len(both)):
            late = two if apart == later else one
            raise DataError(
                f"{one} and {two} move together a day apart (correlation {apart:.2f}) and not on "
                f"the same day ({same:.2f}): {late} is dated a day late; mend its dates."
            )


def _correlation(one: FloatArray, two: FloatArray) -> float:
    """Pearson's; zero where either does not move."""
    deviation = one.std() * two.std()
    centred = (one - one.mean()) @ (two - two.mean())
    return float(centred / len(one) / deviation) if deviation > 0.0 else 0.0
