"""Arms of a benchmark, timed in turn: nanoseconds a unit of work, their spread, ratios."""

from collections.abc import Callable
from time import process_time

import numpy as np

ROUNDS = 9

Arm = Callable[[], object]


def table(title: str, unit: int, arms: dict[str, Arm]) -> None:
    """Time arms that do the same amount of work; see `uneven_table`."""
    uneven_table(title, {name: (arm, unit) for name, arm in arms.items()})


def uneven_table(title: str, arms: dict[str, tuple[Arm, int]]) -> None:
    """Time the arms in turn and print nanoseconds a unit of work, spread, and ratios to the first.

    An arm comes with the units of work it does; a ratio is the median of the ratios of the rounds.
    """
    for arm, _ in arms.values():
        arm()
    each = np.empty((ROUNDS, len(arms)))
    for turn in each:
        for i, (arm, units) in enumerate(arms.values()):
            start = process_time()
            arm()
            turn[i] = (process_time() - start) / units
    print(f"\n{title}")
    for name, times in zip(arms, each.T, strict=True):
        middle = np.median(times)
        noise = f"{times.min() / middle:.2f}..{times.max() / middle:.2f}"
        ratio = np.median(times / each[:, 0])
        print(f"  {name:<34}{middle * 1e9:>9.1f} ns   noise {noise}   x{ratio:.2f}")
