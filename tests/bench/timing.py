"""Arms of a benchmark, timed in turn: nanoseconds a unit of work, their spread, ratios."""

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import numpy as np

from backtest.types import FloatArray

ROUNDS = 9

Arm = Callable[[], object]


@dataclass(frozen=True)
class Goal:
    """What the ratio of an arm to the first one is to be.

    Parameters
    ----------
    arm : its name. least : as many times slower than ours as the reference is to be; where `most`,
        as many times slower than the arm as ours may be. moonshot : what would be more than asked.
    """

    arm: str
    least: float
    moonshot: float | None = None
    most: bool = False


@dataclass(frozen=True)
class Seconds:
    """What a unit of work of the first arm may take, in seconds of processor time.

    Parameters
    ----------
    most : seconds asked. moonshot : what would be more than asked.
    """

    most: float
    moonshot: float | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """Times of the arms, the first of which is ours.

    Parameters
    ----------
    seconds : (rounds, arms) of processor time, or as the table says, a unit of work.
    goals : what is to be reached, as a ratio to an arm or in seconds.
    """

    title: str
    arms: tuple[str, ...]
    seconds: FloatArray
    goals: tuple[Goal | Seconds, ...] = ()

    def ratio(self, arm: str) -> float:
        """Median over the rounds of an arm's time over that of the first."""
        return float(np.median(self.seconds[:, self.arms.index(arm)] / self.seconds[:, 0]))

    def lines(self) -> list[str]:
        """The table as printed."""
        lines = [self.title]
        for name, times in zip(self.arms, self.seconds.T, strict=True):
            middle = float(np.median(times))
            noise = f"{times.min() / middle:.2f}..{times.max() / middle:.2f}"
            lines.append(f"  {name:<40}{_time(middle)}   noise {noise}   x{self.ratio(name):.2f}")
        return lines + [f"  {self._reached(goal)}" for goal in self.goals]

    def _reached(self, goal: Goal | Seconds) -> str:
        beyond = "" if goal.moonshot is None else f", moonshot {goal.moonshot:g}"
        if isinstance(goal, Seconds):
            taken = float(np.median(self.seconds[:, 0]))
            is_reached, found = taken <= goal.most, f"{taken:.2f} s (asked at most {goal.most:g}"
            return f"{'reached' if is_reached else 'NOT reached'}: {found}{beyond})"
        ratio = 1.0 / self.ratio(goal.arm) if goal.most else self.ratio(goal.arm)
        is_reached = ratio <= goal.least if goal.most else ratio >= goal.least
        asked = f"{'at most ' if goal.most else ''}{goal.least:g}"
        return (
            f"{'reached' if is_reached else 'NOT reached'}: {ratio:.2f} against {goal.arm} "
            f"(asked {asked}{beyond})"
        )


def timed(
    title: str,
    arms: dict[str, tuple[Arm, float]],
    *goals: Goal | Seconds,
    rounds: int = ROUNDS,
    clock: Callable[[], float] = process_time,
) -> Table:
    """Run the arms in turn, each once beforehand.

    An arm comes with the units of work it does. clock : `time.perf_counter` where work of other
    processes counts.
    """
    for arm, _ in arms.values():
        arm()
    each = np.empty((rounds, len(arms)))
    for turn in each:
        for i, (arm, units) in enumerate(arms.values()):
            start = clock()
            arm()
            turn[i] = (clock() - start) / units
    return Table(title, tuple(arms), each, goals)


def alike(title: str, unit: float, arms: dict[str, Arm], *goals: Goal | Seconds) -> Table:
    """Time arms that do the same amount of work."""
    return timed(title, {name: (arm, unit) for name, arm in arms.items()}, *goals)


def _time(seconds: float) -> str:
    """A time with the unit in which it is read.

    Examples
    --------
    >>> _time(2.5e-9).split(), _time(0.0125).split()
    (['2.5', 'ns'], ['12.5', 'ms'])
    """
    for size, unit in ((1.0, "s "), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:>9.1f} {unit}"
    return f"{seconds * 1e9:>9.1f} ns"
