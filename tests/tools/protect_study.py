"""Coverage of what `protect` prints of funds and of paths: `python -m tests.tools.protect_study`.

Three promises, in the worlds of `clearing_worlds`: the lower end of cover-1 and cover-2, means over
simulated paths, and how often happens what a record has not seen. docs/intervals.md holds the
tables, and tests/replay/protection/test_coverage.py repeats some cells with another seed. Some
twenty minutes on one core.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.replay.protection.cover import CONFIDENCE, largest
from backtest.scores.money.over_paths import mean_over_paths, student_mean
from backtest.scores.money.rare import RareMean, event_amounts, never_seen
from backtest.scores.money.seldom import seldom
from backtest.types import FloatArray
from tests.tools.clearing_worlds import MARGINS, SUMS, WORLDS, Firms, firm_needs, path_sums

FEW, MANY = Firms.drawn(3, 3), Firms.drawn(12, 10)
LENGTHS = (1000, 2196)
LONG, CHUNK = 20_000, 20  # days of a history that gives the truth, and histories at a time
CROWDS = (20, 100)  # paths whose mean is taken
FEWEST_GIVEN = 0.1  # share of crowds with an interval, of which a table tells how many hold


@dataclass(frozen=True)
class Sized:
    """Of records of `days`: shares in [0, 1], medians.

    held : lower ends at or below the truth; 97.5 % are claimed. short : sizes below the truth.
    low : median lower end over the truth. beyond : days in a thousand that exceed the size in the
    long run, median and mean. days : median effective days.
    """

    world: str
    margin: str
    firms: str
    count: int
    length: int
    held: float
    short: float
    low: float
    beyond: float
    beyond_mean: float
    days: float

    @property
    def named(self) -> tuple[str, str, str]:
        """Of which world, margin and firms."""
        return self.world, self.margin, self.firms


def sizes(
    world: str, margin: str, firms: Firms, records: int, seed: int, histories: int = 60
) -> Iterator[Sized]:
    """Cover-1 and cover-2 on records of either length; truth from long histories."""
    needs = firm_needs(world, margin, firms, max(LENGTHS), records, [seed, 0])
    parts = [
        firm_needs(world, margin, firms, LONG, CHUNK, [seed, 1 + number])
        for number in range(histories // CHUNK)
    ]
    for count in (1, 2):
        long = np.sort(np.concatenate([largest(part, count).ravel() for part in parts]))
        truth = float(np.quantile(long, CONFIDENCE))
        for length in LENGTHS:
            found = [
                seldom(one[None], np.ones(1), confidence=CONFIDENCE)
                for one in largest(needs[:length], count).T
            ]
            size, low, days = np.array([(f.size, f.low, f.days) for f in found]).T
            beyond = 1000.0 * (1.0 - np.searchsorted(long, size, side="right") / len(long))
            yield Sized(
                world, margin, f"{needs.shape[2]}", count, length,
                held=float(np.mean(low <= truth)),
                short=float(np.mean(size < truth)),
                low=float(np.median(low) / truth),
                beyond=float(np.median(beyond)),
                beyond_mean=float(beyond.mean()),
                days=float(np.median(days)),
            )  # fmt: skip


@dataclass(frozen=True)
class Mean:
    """Of crowds of `paths`: share with an interval, of these that hold the truth and that lie below
    it, median ends over the truth. some : share of paths that have any; spread : of a path's
    amount, over the truth."""

    world: str
    margin: str
    what: str
    some: float
    spread: float
    paths: int
    given: float
    held: float
    too_low: float
    low: float
    high: float


def means(world: str, margin: str, histories: int, seed: int) -> Iterator[Mean]:
    """Means over crowds of paths; truth is the mean of all `histories`."""
    sums = np.concatenate([
        path_sums(world, margin, FEW, max(LENGTHS), 200, [seed, number])
        for number in range(histories // 200)
    ])  # fmt: skip
    for column, what in enumerate(SUMS):
        amounts = sums[:, column]
        truth = float(amounts.mean())
        for paths in CROWDS:
            crowds = amounts[: len(amounts) // paths * paths].reshape(-1, paths)
            found = [_found(what, crowd) for crowd in crowds]
            given = [(f.low, f.high) for f in found if np.isfinite(f.low)]
            ends = np.array(given).reshape(-1, 2) / truth
            held = (ends[:, 0] <= 1.0) & (ends[:, 1] >= 1.0)
            low, high = np.median(ends, axis=0) if len(ends) else (np.nan, np.nan)
            yield Mean(
                world, margin, what, float(np.mean(amounts > 0.0)), float(amounts.std() / truth),
                paths, len(ends) / len(crowds),
                held=float(held.mean()) if len(ends) else np.nan,
                too_low=float(np.mean(ends[:, 1] < 1.0)) if len(ends) else np.nan,
                low=float(low), high=float(high),
            )  # fmt: skip


def _found(what: str, crowd: FloatArray) -> RareMean:
    return student_mean(crowd) if what == "margin" else mean_over_paths(crowd, crowd)


def unseen(
    world: str, margin: str, records: int, seed: int, histories: int = 60
) -> dict[int, float]:
    """Share of records without an event at a true rate just above the bound, by length.

    5 % are claimed at most: at that rate the bound of a record without events is below the truth.
    An event is a day on which the two largest firms lack more than a level, that is set so.
    """
    needs = largest(firm_needs(world, margin, FEW, max(LENGTHS), records, [seed, 0]), 2)
    long = np.concatenate([
        largest(firm_needs(world, margin, FEW, LONG, CHUNK, [seed, 1 + number]), 2)
        for number in range(histories // CHUNK)
    ], axis=1)  # fmt: skip
    shares = {}
    for length in LENGTHS:
        level = _level(long, never_seen(length))
        shares[length] = float(np.mean(needs[:length].max(axis=0) <= level))
    return shares


def _level(long: FloatArray, rate: float) -> float:
    """The level beyond which (days, histories) have `rate` events a day."""
    low, high = 0.0, float(long.max())
    for _ in range(40):
        middle = 0.5 * (low + high)
        count = sum(len(event_amounts(np.where(one > middle, one, 0.0))) for one in long.T)
        low, high = (middle, high) if count > rate * long.size else (low, middle)
    return low


def size_table(found: list[Sized]) -> Iterator[str]:
    """A row a (world, margin, firms): cover-2 on records of either length."""
    yield f"{'':29}" + "".join(f"{f'{n:,} days':^35}" for n in LENGTHS).rstrip()
    head = "  held   low  too small  beyond  days"
    yield f"{'world':17}{'margin':9}firms" + head * len(LENGTHS)
    for few in (s for s in found if s.count == 2 and s.length == LENGTHS[0]):
        same = [s for s in found if s.count == 2 and (s.world, s.margin, s.firms) == few.named]
        yield f"{few.world:17}{few.margin:9}{few.firms:>5}" + "".join(
            f"{100 * s.held:>6.1f}{s.low:>6.2f}{100 * s.short:>11.0f}{s.beyond:>8.1f}{s.days:>6.0f}"
            for s in same
        )


def mean_table(found: list[Mean]) -> Iterator[str]:
    """A row a (world, margin): % of intervals of 20 and of 100 paths that hold the truth."""
    yield f"{'world':17}{'margin':9}" + "".join(f"{what:>13}" for what in SUMS)
    for world, margin in dict.fromkeys((m.world, m.margin) for m in found):
        row = f"{world:17}{margin:9}"
        for what in SUMS:
            cells = [m for m in found if (m.world, m.margin, m.what) == (world, margin, what)]
            given = any(m.given >= FEWEST_GIVEN for m in cells) and cells[0].spread > 1e-9
            words = " ".join(
                f"{100 * m.held:.0f}" if m.given >= FEWEST_GIVEN else "-" for m in cells
            )
            row += f"{words if given else '-':>13}"
        yield row


def main(records: int = 300, histories: int = 10_000, seed: int = 11) -> None:
    """Print the tables of docs/intervals.md."""
    cells = [(world, margin) for world in WORLDS for margin in MARGINS]
    sized = []
    for cell in cells:
        sized += sizes(*cell, FEW, 3 * records, seed, histories=400)
        sized += sizes(*cell, MANY, records, seed)
    print(*size_table(sized), sep="\n", end="\n\n")
    print(*mean_table([one for cell in cells for one in means(*cell, histories, seed)]), sep="\n")
    print(f"\n{'world':17}{'margin':9}" + "".join(f"{f'{n:,} days':>12}" for n in LENGTHS))
    for world, margin in cells:
        shares = unseen(world, margin, records, seed)
        print(f"{world:17}{margin:9}" + "".join(f"{100 * x:>12.0f}" for x in shares.values()))


if __name__ == "__main__":
    main()
