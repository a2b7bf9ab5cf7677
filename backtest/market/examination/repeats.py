"""Runs of equal values, and of equal moves, against the factor's own habit."""

from collections.abc import Iterator

import numpy as np

from backtest.market.examination.column import Column
from backtest.market.examination.finding import Finding, iso
from backtest.types import FloatArray, RowNumbers

FEWEST = 60  # values without which no habit is known
FROZEN, SHORT = 10, 5  # equal values in a row: a frozen feed, and one that may be
UNLIKELY = 1e-6  # expected number of runs as long, below which a run is no habit
AT_ZERO = (
    0.001  # a bill's yield, in steps of a hundredth of a percent, rests there for weeks (2015)
)
OFTEN = 0.2  # share of days that repeat the value before, beyond which a series has the habit
FEW_STEPS = 3.0  # of the last digit: a price that moves by less is rounded too coarsely to tell
EQUAL_OFTEN = 0.1  # share of days that move as far as the one before, as lines over weekends do
ACCRUES = 0.9  # share of days on which a fund rises that accrues interest
EQUAL_MOVES = 5  # moves in a row of one size: values that were interpolated
SAME = 1e-6  # relative


def check_frozen(column: Column) -> Iterator[Finding]:
    """A run of equal values that is much longer than the series' own habit of repeating itself."""
    if column.role in ("rate", "funding") or len(column) < FEWEST:
        return  # an overnight rate is set, and stays for months
    if column.role != "yield" and moves_by_last_digit(column.levels):
        return  # as USDC does where it is written as 1.00: it repeats for months
    values = column.levels
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    lengths = np.diff(np.append(starts, len(values)))
    above = np.abs(values[starts]) > (AT_ZERO if column.role == "yield" else 0.0)
    starts, lengths = starts[above], lengths[above]
    for at in np.argsort(lengths)[::-1][:20]:
        run = int(lengths[at])
        if run < SHORT:
            return
        if not _is_no_habit(np.delete(lengths, at), run, len(values)):
            continue
        first = int(starts[at])
        days = column.days[first : first + run]
        second = int(np.delete(lengths, at).max()) if len(lengths) > 1 else 1
        yield Finding(
            column.factor,
            "frozen",
            iso(days),
            f"{column.name} is {column.shown(values[first])} on {run} days in a row ({days[0]} .. "
            f"{days[-1]}), otherwise on {second} at most",
            "leave out the days on which the feed was frozen",
            impossible=run >= FROZEN,
        )


def _is_no_habit(others: RowNumbers, run: int, days: int) -> bool:
    repeats = (int(np.sum(others - 1)) + 1.0) / max(int(np.sum(others)), 1)
    second = int(others.max()) if len(others) else 1
    # A series that often repeats does so for longer at some times than at others.
    shortest = 2 * second if repeats > OFTEN else 0
    return run >= shortest and bool(days * repeats ** (run - 1) < UNLIKELY)


def moves_by_last_digit(levels: FloatArray) -> bool:
    """Whether most moves are a few steps of the smallest size that the file can write."""
    sizes = np.abs(np.diff(levels))
    sizes = sizes[sizes > 0.0]
    return len(sizes) == 0 or bool(np.median(sizes) < FEW_STEPS * (1.0 - 1e-6) * sizes.min())


def check_interpolated(column: Column) -> Iterator[Finding]:
    """Moves of one size day after day, as lines between known values have them."""
    if column.role in ("rate", "funding") or len(column) < FEWEST:
        return
    if column.role != "yield" and moves_by_last_digit(column.levels):
        return
    moves, gaps = np.diff(column.levels), np.diff(column.days).astype(int)
    if (moves > 0.0).mean() > ACCRUES:
        return
    often = (np.abs(np.diff(moves)) <= SAME * np.abs(moves[1:])) & (moves[1:] != 0.0)
    if column.role != "yield" and often.mean() > EQUAL_OFTEN:
        yield Finding(
            column.factor,
            "interpolated",
            iso(column.days[2:][often]),
            f"{column.name} moves as far as the day before on {often.mean():.0%} of days",
            "leave out what was interpolated",
            impossible=True,
        )
        return
    # Interpolated in days or in rows: moves are equal a day, or a row.
    for size in (moves, moves / gaps):
        scale = np.maximum(np.abs(size[1:]), np.abs(size[:-1]))
        coarse = 2e-5 if column.role == "yield" else 0.0  # a hundredth of a percent is no line
        equal = (np.abs(np.diff(size)) <= SAME * scale) & (scale > coarse) & (size[1:] != 0.0)
        starts = np.flatnonzero(equal & ~np.append(False, equal[:-1]))
        ends = np.flatnonzero(equal & ~np.append(equal[1:], False))
        runs = ends - starts + 2  # moves of one size
        least = EQUAL_MOVES + 3 * (column.role == "yield")
        if (runs >= least).any():
            rows = np.concatenate(
                [
                    np.arange(s + 1, e + 2)
                    for s, e, r in zip(starts, ends, runs, strict=True)
                    if r >= least
                ]
            )
            days = column.days[np.unique(rows)]
            yield Finding(
                column.factor,
                "interpolated",
                iso(days),
                f"{column.name} moves by one size on {runs.max()} days in a row and more "
                f"({days[0]}, say; {len(days):,} days)",
                "leave out what was interpolated",
                impossible=len(days) >= 0.2 * len(column),
            )
            return
