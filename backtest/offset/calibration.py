"""How often the lower bounds fail, in simulated worlds whose true reduction is known.

`python -m backtest.offset.calibration` (or `make calibration`) repeats the study, prints its tables
and writes the grid that is printed beside every bound. A nominal 5 % lower bound is unsafe in a
history where it is above the truth.
"""

import argparse
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd

from backtest.offset.alternatives import alternative_allowances
from backtest.offset.bounds import bound_reduction
from backtest.offset.families import FAMILIES, HELD_OUT
from backtest.offset.history import Shifts, draw_shifts, silo_shifts
from backtest.offset.worlds import FIXED, LOOKBACK, ROLLING, World, history, margined, truth
from backtest.workers import in_parallel

TRUTH_DAYS = 1_000_000
HISTORIES = 200
RESAMPLES = 250
LONGEST_MPOR = 5
SHIFTS = 40  # of each history, for its diversification
ACCEPTED = 0.08  # largest share of unsafe bounds at the nominal 5 %
CHOSEN = "drift allowance"


class Cell(NamedTuple):
    """What a user knows of a history: base model, scored days, MPOR, confidence, silos."""

    base: str
    days: int
    mpor: int
    confidence: float
    silos: int


DAYS = (500, 750, 1500, 2196)  # 2,196: the joint history of Treasuries, BTC and ETH
CELLS = (
    *(Cell(ROLLING, days, mpor, 0.99, 2) for mpor in (2, 5) for days in DAYS),
    *(
        Cell(ROLLING, days, *design)
        for design in ((1, 0.99, 2), (2, 0.975, 2), (2, 0.95, 2), (2, 0.99, 3), (5, 0.99, 3))
        for days in (750, 2196)
    ),
    Cell(FIXED, 2196, 2, 0.99, 2),
)
# Cells of the held-out worlds, and those in which every method is measured.
COMPARED = (
    Cell(ROLLING, 2196, 2, 0.99, 2),
    Cell(ROLLING, 2196, 2, 0.95, 2),
    Cell(ROLLING, 750, 5, 0.99, 2),
    Cell(ROLLING, 2196, 2, 0.99, 3),
)


def calibrate(
    world: World,
    cells: Sequence[Cell] = CELLS,
    *,
    histories: int = HISTORIES,
    truth_days: int = TRUTH_DAYS,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> pd.DataFrame:
    """One row for each (cell, method): truth, unsafe shares, distance of the bounds.

    `unsafe_total` and `unsafe_dependence` are the shares of histories whose bound is above the
    truth. `distance_*` is the mean of truth - bound: a bound of zero is safe too, but far away.
    A cell draws the same histories whatever other cells are computed.

    Examples
    --------
    >>> cell = Cell(ROLLING, 500, 2, 0.99, 2)
    >>> table = calibrate(FAMILIES[0], [cell], histories=2, truth_days=5000, resamples=20)
    >>> bool(table["unsafe_total"].between(0, 1).all())
    True
    """
    rows = []
    name = zlib.crc32(world.name.encode())
    # One long path for each number of silos serves every MPOR and confidence.
    longest = {cell.silos: truth_days + LOOKBACK - 1 + 2 * LONGEST_MPOR for cell in cells}
    paths = {
        silos: world.pnl(days, _generator(seed, name, silos), silos=silos)
        for silos, days in longest.items()
    }
    truths: dict[tuple[str, int, float, int], tuple[float, float]] = {}
    for cell in cells:
        base, days, mpor, confidence, silos = cell
        law = (base, mpor, confidence, silos)
        if law not in truths:
            truths[law] = truth(
                margined(paths[silos], base, truth_days, mpor=mpor, confidence=confidence)
            )
        total, dependence = truths[law]
        drawn = (name, base == FIXED, days, mpor, round(1000 * confidence), silos)
        rng = _generator(seed, *drawn)
        shifts = _shifts(days, silos)
        bounds = [_one_history(world, cell, shifts, resamples, rng) for _ in range(histories)]
        for method in bounds[0]:
            both = np.array([b[method] for b in bounds])
            rows.append(
                {
                    "world": world.name,
                    "centre": world.centre,
                    "drift": world.deviation,
                    **cell._asdict(),
                    "method": method,
                    "total": total,
                    "dependence": dependence,
                    "unsafe_total": float((both[:, 0] > total).mean()),
                    "unsafe_dependence": float((both[:, 1] > dependence).mean()),
                    "distance_total": total - float(both[:, 0].mean()),
                    "distance_dependence": dependence - float(both[:, 1].mean()),
                }
            )
    return pd.DataFrame(rows)


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _shifts(days: int, silos: int) -> Shifts:
    if silos == 2:
        every = silo_shifts(days, 2)
        return every[:: max(1, len(every) // SHIFTS)]
    return draw_shifts(days, silos, SHIFTS, np.random.default_rng(0))


def _one_history(
    world: World, cell: Cell, shifts: Shifts, resamples: int, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Bounds (s, s_dep) of one history by every method; none of s is taken below zero."""
    base, days, mpor, confidence, silos = cell
    drawn = history(world, base, days, rng, mpor=mpor, confidence=confidence, silos=silos)
    point = drawn.reduction(shifts)
    chosen = bound_reduction(drawn, point, resamples=resamples)
    bounds = {CHOSEN: (chosen.total, chosen.dependence)}
    lowest = min(0.0, chosen.percentile)
    others = {"percentile": point.total - chosen.percentile}
    if cell in COMPARED:
        others |= alternative_allowances(drawn, point, resamples=resamples)
    for method, allowance in others.items():
        total = max(point.total - allowance, lowest)
        bounds[method] = (total, point.dependence - (point.total - total))
    return bounds


def main() -> None:
    """Print how each method fares, and every cell in which the chosen bound fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--truth-days", type=int, default=TRUTH_DAYS)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", default="", help="only worlds whose name holds this")
    parser.add_argument("--held-out", action="store_true", help="the worlds that chose nothing")
    parser.add_argument("--out", default="", help="also write every row to this CSV file")
    options = parser.parse_args()
    worlds, cells = (HELD_OUT, COMPARED) if options.held_out else (FAMILIES, CELLS)
    tables: list[pd.DataFrame] = []
    tasks = (
        joblib.delayed(calibrate)(
            world,
            cells,
            histories=options.histories,
            truth_days=options.truth_days,
            seed=options.seed,
        )
        for world in worlds
        if options.worlds in world.name
    )
    for rows in in_parallel(tasks, n_jobs=options.n_jobs):
        tables.append(rows)
        if options.out:
            path = Path(options.out)
            new = len(tables) == 1
            rows.round(4).to_csv(path, index=False, mode="w" if new else "a", header=new)
    table = pd.concat(tables, ignore_index=True)
    print(f"{options.histories} histories in each cell; shares of unsafe 5 % bounds")
    shares = ["unsafe_total", "unsafe_dependence"]
    table["worst"] = table[shares].max(axis=1)
    distances = ["distance_total", "distance_dependence"]
    print(table.groupby("method")[[*shares, "worst"]].max().round(3).to_string())
    print(table.groupby("method")[distances].mean().round(3).to_string())
    failing = table[(table["method"] == CHOSEN) & (table["worst"] > ACCEPTED)]
    print(
        f"cells in which more than {ACCEPTED:.0%} of the chosen bounds are unsafe: {len(failing)}"
    )
    print(failing[["world", *Cell._fields, *shares]].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
