"""One-day reversals and lasting breaks of level, against the habit of the weeks around them."""

from collections.abc import Iterator, Sequence

import numpy as np

from backtest.market.examination.column import Column
from backtest.market.examination.finding import Finding, iso
from backtest.market.tenors import tenor_years
from backtest.types import BoolArray, FloatArray

SPIKE, RESCALED = 5.0, 10.0  # factor of a price that the next day takes back; of one that stays
STEP, STEP_FLOOR = (
    5.0,
    0.0025,
)  # factor by which no yield above a quarter of a percent moved in a day
LONG_TENOR, LONG_RESCALED = 5.0, 20.0  # years; factor by which no long yield moved in a day
REVERSAL, TAKEN_BACK = 7.0, 0.4  # deviations of a move both ways; share that may stay
BREAK = 12.0  # deviations of a move that stays
LEAST = {"price": 0.05, "volatility": 0.5, "yield": 0.002}  # smaller moves are no fault to speak of
LEAST_BREAK = {"price": 0.25, "volatility": 1.0, "yield": 0.01}
# Coins are not split as shares are: of them half, less a usual move or two, is the least.
LEAST_COIN_BREAK = 0.6
SHARED = 0.25  # share of a move, in deviations, that a sibling has too where the move is true
AFTER = 5  # days for which a break must last


def check_breaks(columns: Sequence[Column]) -> Iterator[Finding]:
    """Every column with its siblings: curves with curves, coins with coins."""
    for column in columns:
        if column.role == "funding" or len(column) < 3:
            continue
        refused = list(_impossible(column))
        yield from refused
        if column.role == "rate":
            continue  # it is set, so it moves seldom and far
        # The day after a value that is wrong moves as far back.
        rows = [np.searchsorted(column.days, finding.dates) for finding in refused]
        after = [column.days[np.minimum(row + 1, len(column) - 1)] for row in rows]
        touched = {d for f in refused for d in f.days} | {d for days in after for d in iso(days)}
        others = [c for c in columns if c is not column and _are_siblings(c, column)]
        for finding in _doubtful(column, others):
            if not touched & set(finding.days):
                yield finding


def _are_siblings(one: Column, two: Column) -> bool:
    return one.role == two.role and one.is_around_the_clock == two.is_around_the_clock


def _impossible(column: Column) -> Iterator[Finding]:
    """A size that no such series had."""
    if column.role in ("yield", "rate"):
        yield from _impossible_yield(column)
        return
    moves = column.moves
    taken_back = np.append(np.abs(moves[1:] + moves[:-1]) < np.log(2.0), False)
    spike = (np.abs(moves) > np.log(SPIKE)) & taken_back
    wrong = np.flatnonzero(spike | (np.abs(moves) > np.log(RESCALED)))
    if len(wrong):
        at = int(wrong[0])
        how = "and back the next day" if spike[at] else "and stays there"
        yield Finding(
            column.factor,
            "reversal" if spike[at] else "break",
            iso(column.days[at + 1 : at + 2]),
            f"{_goes(column, at)} {how}",
            "mend that value, or the unit from that day on. Where it is true, end the study before "
            "that day, or accept it with a reason in [data] accept",
            impossible=True,
        )


def _impossible_yield(column: Column) -> Iterator[Finding]:
    """A change of unit: no par yield since 1990 moved as far."""
    before, after = column.levels[:-1], column.levels[1:]
    small, large = np.minimum(before, after), np.maximum(before, after)
    other_unit = (small >= STEP_FLOOR) & (large > STEP * small)
    if (tenor_years(column.factor) or 0.0) >= LONG_TENOR:
        other_unit |= (small > 0.0) & (large > LONG_RESCALED * small)
    wrong = np.flatnonzero(other_unit)
    if len(wrong):
        at = int(wrong[0])
        yield Finding(
            column.factor,
            "break",
            iso(column.days[at + 1 : at + 2]),
            _goes(column, at),
            "write one unit on every day (in files, percent: 4.25 means 4.25 %)",
            impossible=True,
        )


def _doubtful(column: Column, siblings: Sequence[Column]) -> Iterator[Finding]:
    """Moves far outside the habit of their weeks, which no sibling has."""
    moves, habit = column.moves, np.maximum(column.habit, _least_habit(column))
    score = moves / habit
    role = column.role
    there, back = score[:-1], score[1:]
    both = np.minimum(np.abs(there), np.abs(back))
    size = np.minimum(np.abs(moves[:-1]), np.abs(moves[1:]))
    reversal = np.append(
        (both > REVERSAL)
        & (size > LEAST[role])
        & (np.abs(moves[:-1] + moves[1:]) < TAKEN_BACK * np.maximum(np.abs(moves[:-1]), size)),
        False,
    )
    is_way_back = np.append(False, reversal[:-1])
    is_coin = role == "price" and column.is_around_the_clock
    least = LEAST_COIN_BREAK if is_coin else LEAST_BREAK[role]
    broken = (np.abs(score) > BREAK) & (np.abs(moves) > least) & _lasting(column)
    broken &= ~reversal & ~is_way_back
    for at in np.flatnonzero(reversal | broken):
        if not _is_shared(column, int(at), float(score[at]), siblings):
            how = "and back the next day" if reversal[at] else "and stays there"
            yield Finding(
                column.factor,
                "reversal" if reversal[at] else "break",
                iso(column.days[at + 1 : at + 2]),
                f"{_goes(column, int(at))} {how}, {abs(score[at]):.0f} times its usual move",
                "mend it, or accept it with a reason in [data] accept",
            )


def _least_habit(column: Column) -> float:
    """A quarter of the habit of all days: in a quiet month a usual move is no fault."""
    sizes = np.abs(column.moves[column.moves != 0.0])
    return max(0.25 * 1.4826 * float(np.median(sizes)) if len(sizes) else 0.0, 1e-12)


def _lasting(column: Column) -> BoolArray:
    """(moves,) whether most of a move is still there some days later."""
    is_log = column.role in ("price", "volatility")
    values: FloatArray = np.log(column.levels) if is_log else column.levels
    later = values[np.minimum(np.arange(1, len(values)) + AFTER, len(values) - 1)]
    return np.asarray((later - values[:-1]) * np.sign(column.moves) > 0.5 * np.abs(column.moves))


def _is_shared(column: Column, at: int, score: float, siblings: Sequence[Column]) -> bool:
    """Whether a sibling moved the same way on the same day."""
    day = column.days[at + 1]
    for other in siblings:
        row = int(np.searchsorted(other.days, day))
        if row == 0 or row >= len(other) or other.days[row] != day:
            continue
        habit = max(float(other.habit[row - 1]), _least_habit(other))
        if other.moves[row - 1] / habit * np.sign(score) > SHARED * abs(score):
            return True
    return False


def _goes(column: Column, at: int) -> str:
    before, after = column.shown(column.levels[at]), column.shown(column.levels[at + 1])
    before = before.removesuffix(" percent")
    return f"{column.name} goes from {before} to {after} on {column.days[at + 1]}"
