"""Coverage of the bounds of dollars a year: `python -m tests.tools.dollar_study`.

Two legs that hedge each other, margined apart and as a pool in worlds whose truth comes from long
histories: what margin the pool frees, what more it leaves unpaid, and the first less the second.
Bounds are of 95 % on each side, so one truth in twenty may lie above and one below.
docs/intervals.md holds the table, tests/scores/money/test_dollar_coverage.py repeats some cells
with another seed.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402

from backtest.scores.money.level import (  # noqa: E402
    difference_ends,
    mean_interval,
    ratio_interval,
)
from backtest.scores.money.rare import FEWEST_EVENTS, rare_difference  # noqa: E402
from backtest.scores.overlapping.slow_variance import (  # noqa: E402
    slow_transforms,
    student_point,
)
from backtest.scores.resample import day_weights, stationary_indices  # noqa: E402
from backtest.types import FloatArray  # noqa: E402
from tests.tools.interval_study import WARM, burn_in, losses, margin_of, news  # noqa: E402

LENGTHS = (1000, 2196)
FACTORS = (0.8, 1.0, 1.25, 1.6)  # of the 99 % point: margin and resources of a customer
POOLED = (0.7, 1.0)  # of the pool's own: a pool that is asked for less than its standard, and not
WORTH = (0.3, 1.0, 3.0)  # what is freed, relative to all that is left unpaid
HORIZON = 2
LEVEL = 0.90  # two-sided, of bounds of 95 % on each side
MARGINS_LEVEL = 0.95  # asked of means of margins, so that they hold more nearly that
TURMOIL = "two regimes"  # 60 days of three times the volatility, every third year
WORLDS = ("independent t4", "GARCH .98", "GARCH .99", "GARCH .998", TURMOIL)
MARGINS = ("constant", "EWMA .97", "500 days")
Books = tuple[FloatArray, FloatArray]  # (days, paths, 3) losses and margins: two legs, the pool


@dataclass
class Missed:
    """Records whose bounds miss the truth: below the lower one, above the upper one."""

    below: list[bool] = field(default_factory=list)
    above: list[bool] = field(default_factory=list)

    def add(self, truth: float | FloatArray, ends: Sequence[float] | FloatArray) -> None:
        """One more record."""
        self.below.append(bool(truth < ends[0]))
        self.above.append(bool(truth > ends[1]))

    def __str__(self) -> str:
        if not self.below:
            return "-"
        return f"{100 * np.mean(self.below):.0f} {100 * np.mean(self.above):.0f}"


KINDS = (
    "freed", "4 cosines", "blocks", "share", "lost", "lost, blocks", "net", "net, MOVER",
)  # fmt: skip


def measured(
    world: str, margin: str, records: int, seed: int, long: int = 300
) -> dict[int, tuple[dict[str, Missed], float]]:
    """By length of the record: misses of each kind of bound, and in what share losses have one."""
    ours = books(world, margin, max(LENGTHS), records, seed)
    theirs = books(world, margin, 12_000, long, seed + 1)
    points = np.quantile(theirs[0] / theirs[1], 0.99, axis=(0, 1))
    done = {}
    for days in LENGTHS:
        missed, bounded = {kind: Missed() for kind in KINDS}, []
        for less in POOLED:
            for factor in FACTORS:
                scale = factor * points * [1.0, 1.0, less]
                truth = Amounts.of(*theirs, scale).means()
                record = Amounts.of(*(one[:days] for one in ours), scale)
                bounded.append(_losses(missed, record, truth))
                if factor == 1.0 and margin != "constant":  # else margins are known, or the same
                    _margins(missed, record, truth)
        done[days] = missed, float(np.mean(bounded))
    return done


def books(world: str, margin: str, days: int, paths: int, seed: int) -> Books:
    """Losses and margins of two legs that hedge each other, and of both together."""
    rng = np.random.default_rng(seed)
    length = WARM + days + HORIZON
    first, second = _legs(world, rng, length, paths)
    pnl = (first, -second, first - second)
    return (
        np.stack([losses(one, HORIZON)[WARM:] for one in pnl], axis=2),
        np.stack([margin_of(margin, one, HORIZON, 0.99)[WARM:] for one in pnl], axis=2),
    )


def _legs(
    world: str, rng: np.random.Generator, length: int, paths: int
) -> tuple[FloatArray, FloatArray]:
    """P&L of two legs that share half of their news, (length, paths) each."""
    if world != TURMOIL:
        common = rng.standard_normal((length + burn_in(world), paths))
        one, other = (news(world, rng, length, paths, common) for _ in range(2))
        return one, other
    begins, ends = 1.0 / 750.0, 1.0 / 60.0
    wild = rng.random(paths) < begins / (begins + ends)
    volatility = np.empty((length, paths))
    for day in range(length):
        volatility[day] = np.where(wild, 3.0, 1.0)
        wild = np.where(wild, rng.random(paths) >= ends, rng.random(paths) < begins)
    common = rng.standard_normal((length, paths))
    one, other = (volatility * news("independent t4", rng, length, paths, common) for _ in range(2))
    return one, other


@dataclass(frozen=True)
class Amounts:
    """(days, paths) a day, or the mean of it.

    Parameters
    ----------
    apart, pooled : margin of the legs, and of the pool. lost : what the pool leaves unpaid more.
    unpaid : by the legs and by the pool, added up.
    """

    apart: FloatArray
    pooled: FloatArray
    lost: FloatArray
    unpaid: FloatArray

    @classmethod
    def of(cls, loss: FloatArray, margin: FloatArray, scale: FloatArray) -> "Amounts":
        """Amounts of books whose margins are scaled, (3,)."""
        required = scale * margin
        unpaid = np.maximum(loss - required, 0.0) / HORIZON
        legs, pool = unpaid[:, :, :2].sum(axis=2), unpaid[:, :, 2]
        return cls(required[:, :, :2].sum(axis=2), required[:, :, 2], pool - legs, pool + legs)

    @property
    def freed(self) -> FloatArray:
        """Margin that the pool is not asked for."""
        return self.apart - self.pooled

    def means(self) -> "Amounts":
        """Over all days and paths."""
        return Amounts(*(np.array(one.mean()) for one in vars(self).values()))


def _margins(missed: dict[str, Missed], record: Amounts, truth: Amounts) -> None:
    """Add the bounds of margins of all records of a cell."""
    of_blocks = _of_blocks(record.freed)
    for k, freed in enumerate(record.freed.T):
        missed["freed"].add(truth.freed, mean_interval(freed, level=MARGINS_LEVEL)[1:])
        missed["4 cosines"].add(truth.freed, _four(freed))
        missed["blocks"].add(truth.freed, of_blocks[:, k])
        _, low, high = ratio_interval(record.pooled[:, k], record.apart[:, k])
        missed["share"].add(truth.pooled / truth.apart, (low, high))


def _losses(missed: dict[str, Missed], record: Amounts, truth: Amounts) -> float:
    """Add the bounds of losses and nets; the share of records in which losses have one."""
    of_blocks, nothing = _of_blocks(record.lost), np.zeros(len(record.lost))
    spreads = [float(worth * truth.unpaid / truth.freed) for worth in WORTH]
    bounded = 0
    for k, lost in enumerate(record.lost.T):
        more = rare_difference(lost, nothing, level=LEVEL)
        if more.events < FEWEST_EVENTS:
            continue
        bounded += 1
        missed["lost"].add(truth.lost, (more.low, more.high))
        missed["lost, blocks"].add(truth.lost, of_blocks[:, k])
        for spread in spreads:
            freed = mean_interval(spread * record.freed[:, k], level=MARGINS_LEVEL)
            net = spread * truth.freed - truth.lost
            found, low, high = difference_ends(freed, more.ends)
            missed["net"].add(net, (low, high))
            below = np.hypot(freed[0] - freed[1], more.high - more.mean)
            above = np.hypot(freed[2] - freed[0], more.mean - more.low)
            missed["net, MOVER"].add(net, (found - below, found + above))
    return bounded / len(record.lost.T)


def _of_blocks(amounts: FloatArray) -> FloatArray:
    """(2, paths) percentiles of means of the stationary bootstrap in blocks of up to a year."""
    block = max(1, min(250, len(amounts) // 8))
    drawn = stationary_indices(len(amounts), resamples=500, block=block)
    tails = [0.5 * (1.0 - LEVEL), 0.5 * (1.0 + LEVEL)]
    return np.quantile(day_weights(drawn) @ amounts / len(amounts), tails, axis=0)


def _four(freed: FloatArray) -> tuple[float, float]:
    """Ends of a mean by Student's law with four slow cosines."""
    spread = np.sqrt(np.mean(slow_transforms(freed, 4) ** 2) / len(freed))
    half = student_point(4, LEVEL) * spread
    return freed.mean() - half, freed.mean() + half


def cells(records: int, seed: int) -> Iterator[tuple[str, str, int, dict[str, Missed], float]]:
    """Every world under every margin."""
    for world in WORLDS:
        for margin in MARGINS:
            for days, (missed, bounded) in measured(world, margin, records, seed).items():
                yield world, margin, days, missed, bounded


def main(records: int = 200, seed: int = 11) -> None:
    """Print the table of docs/intervals.md."""
    print(f"{'world':16}{'margin':10}days" + "".join(f"{kind:>14}" for kind in KINDS) + "  bound")
    for world, margin, days, missed, bounded in cells(records, seed):
        row = "".join(f"{missed[kind]!s:>14}" for kind in KINDS)
        print(f"{world:16}{margin:10}{days}{row}{100 * bounded:7.0f}", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
