"""Coverage of the intervals of rare amounts: `python -m tests.tools.rare_study`.

Worlds whose truth is known: events of a Poisson number with amounts of a Pareto law, whose mean is
a formula, and what losses exceed a margin by, whose mean comes from long histories. The second are
those of `interval_study`, with margins further out. docs/intervals.md holds the tables, and
tests/scores/money/test_rare_coverage.py repeats some cells with another seed.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402

from backtest.scores.money.rare import (  # noqa: E402
    FEWEST_EVENTS,
    LARGER,
    event_amounts,
    event_rate,
    gamma_ends,
    rare_difference,
    rare_mean,
)
from backtest.scores.resample import day_weights, stationary_indices  # noqa: E402
from backtest.types import FloatArray  # noqa: E402
from tests.tools.interval_study import WARM, burn_in, losses, margin_of, news  # noqa: E402

LENGTHS = (1000, 2196)
FACTORS = (0.8, 1.0, 1.25, 1.6)  # of the 99 % point: 2.2 to 0.1 % of days beyond it
HORIZON = 2
TAILS = (2.5, 1.5)  # Pareto: finite variance, and none


@dataclass(frozen=True)
class Held:
    """How often intervals held the truth, by events in the record; shares in [0, 1].

    few, enough : of means with 1 to 4 events (were they printed) and with 5 or more; `unsafe` the
    share of the latter whose upper end is too low. percentile : of the bootstrap with 5 or more.
    rate : of events a year, whatever their number. difference : paired, with 5 or more.
    width : median upper end, relative to the estimate.
    """

    world: str
    margin: str
    records: int
    few: float
    enough: float
    unsafe: float
    percentile: float
    rate: float
    difference: float
    width: float


def poisson_worlds(records: int, seed: int) -> Iterator[Held]:
    """Events of independent days with Pareto amounts, of which the mean is a formula."""
    rng = np.random.default_rng(seed)
    for tail in TAILS:
        cells = []
        for days in LENGTHS:
            for events in (2.0, 6.0, 15.0):
                happens = rng.random((2, days, records)) < events / days
                amounts = happens * (1.0 + rng.pareto(tail, happens.shape))
                truth = events / days * tail / (tail - 1.0)
                cells.append((amounts[0], amounts[1], truth, 0.0, rate_of(events / days)))
        yield measured(f"Poisson, Pareto {tail:g}", "", cells)


def rate_of(daily: float) -> float:
    """Events a day where days that happen with a probability are joined within 20 days."""
    return daily * (1.0 - daily) ** 20


def margin_worlds(world: str, margin: str, records: int, seed: int) -> Held:
    """Two books that share half of their news: what their losses exceed multiples of margins by."""
    ours, long = (
        _excess(world, margin, days, paths, number)
        for days, paths, number in ((max(LENGTHS), records, seed), (12_000, 120, seed + 1))
    )
    point = float(np.quantile(long[0][0] / long[0][1], 0.99))
    cells = []
    for factor in FACTORS:
        beyond = [np.maximum(loss - factor * point * m, 0.0) / HORIZON for loss, m in long]
        tighter = np.maximum(long[1][0] - 1.3 * factor * point * long[1][1], 0.0) / HORIZON
        gap = float((beyond[0] - tighter).mean())
        counts = [len(event_amounts(column)) for column in beyond[0].T]
        rate = float(np.mean(counts)) / len(beyond[0])
        for days in LENGTHS:
            first, second = (
                np.maximum(loss[:days] - scale * factor * point * m[:days], 0.0) / HORIZON
                for (loss, m), scale in zip(ours, (1.0, 1.3), strict=True)
            )
            cells.append((first, second, float(beyond[0].mean()), gap, rate))
    return measured(world, margin, cells)


Cell = tuple[FloatArray, FloatArray, float, float, float]


def measured(world: str, margin: str, cells: list[Cell]) -> Held:
    """Coverage over the records of all cells: (days, records) twice, mean, difference and rate."""
    few, enough, unsafe, percentile, rates, differences, width = ([] for _ in range(7))
    for first, second, truth, gap, rate in cells:
        weights = day_weights(stationary_indices(len(first), resamples=300, seed=1))
        ends = np.quantile(weights @ first / len(first), [0.025, 0.975], axis=0)
        for number, (one, other) in enumerate(zip(first.T, second.T, strict=True)):
            found, often = rare_mean(one), event_rate(one)
            rates.append(often.low <= rate <= often.high)
            if 0 < found.events < FEWEST_EVENTS:
                padded = _untrusted(one)
                few.append(padded[0] <= truth <= padded[1])
            if found.events >= FEWEST_EVENTS:
                enough.append(found.low <= truth <= found.high)
                unsafe.append(found.high < truth)
                percentile.append(ends[0, number] <= truth <= ends[1, number])
                width.append(found.high / found.mean)
            pair = rare_difference(one, other)
            if pair.events >= FEWEST_EVENTS:
                differences.append(pair.low <= gap <= pair.high)
    return Held(
        world,
        margin,
        sum(first.shape[1] for first, *_ in cells),
        *(float(np.mean(x)) for x in (few, enough, unsafe, percentile, rates, differences)),
        float(np.median(width)),
    )


def _untrusted(amounts: FloatArray) -> tuple[float, float]:
    """The interval that would be printed of fewer events than are asked for."""
    events = event_amounts(amounts)
    low, high = gamma_ends(events, LARGER * float(events.max()), 0.95)
    return low / len(amounts), high / len(amounts)


def _excess(
    world: str, margin: str, days: int, paths: int, seed: int
) -> list[tuple[FloatArray, FloatArray]]:
    """Losses and margins of two books, (days, paths) each."""
    rng = np.random.default_rng(seed)
    length = WARM + days + HORIZON
    common = rng.standard_normal((length + burn_in(world), paths))
    books = []
    for _ in range(2):
        pnl = news(world, rng, length, paths, common)
        required = margin_of(margin, pnl, HORIZON, 0.99)[WARM:]
        books.append((losses(pnl, HORIZON)[WARM:], required))
    return books


def main(records: int = 300, seed: int = 11) -> None:
    """Print the table of docs/intervals.md."""
    print(f"{'world':24}{'margin':10}  5+ (unsafe) bootstrap  1-4  rate  difference  high/mean")
    cells = list(poisson_worlds(records, seed))
    for world in ("independent t4", "GARCH .98", "GARCH .99", "GARCH .998"):
        for margin in ("constant", "EWMA .97", "500 days"):
            cells.append(margin_worlds(world, margin, records, seed))
    for c in cells:
        shares = (c.enough, c.unsafe, c.percentile, c.few, c.rate, c.difference)
        a, b, p, f, r, d = (f"{100 * share:.0f}" for share in shares)
        print(f"{c.world:24}{c.margin:10}{a:>4} ({b}){p:>10}{f:>9}{r:>6}{d:>9}{c.width:>12.1f}")


if __name__ == "__main__":
    main()
