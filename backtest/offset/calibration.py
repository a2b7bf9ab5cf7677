"""How often the lower bounds fail, in simulated worlds whose true reduction is known.

`python -m backtest.offset.calibration` (or `make calibration`) repeats the study and prints its
table. A nominal 5 % lower bound is unsafe in a history where it is above the truth.
"""

import argparse
from collections.abc import Sequence

import joblib
import numpy as np
import pandas as pd

from backtest.offset.alternatives import alternative_bounds, nested_bounds
from backtest.offset.bounds import bound_reduction
from backtest.offset.history import silo_shifts
from backtest.offset.worlds import FIXED, ROLLING, WORLDS, World, history, truth

DAYS = 2196  # scored days, as many as the joint history of Treasuries, BTC and ETH has
TRUTH_DAYS = 1_000_000
HISTORIES = 500
RESAMPLES = 400
ACCEPTED = 0.08  # largest share of unsafe bounds at the nominal 5 %


def calibrate(
    worlds: Sequence[World] = WORLDS,
    *,
    histories: int = HISTORIES,
    days: int = DAYS,
    truth_days: int = TRUTH_DAYS,
    resamples: int = RESAMPLES,
    seed: int = 1,
    nested: bool = False,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """One row for each (world, base model, method): truth, unsafe shares, distance of the bounds.

    `unsafe_total` and `unsafe_dependence` are the shares of histories whose bound is above the
    truth. `distance_*` is the mean of truth - bound: a bound of zero is safe too, but far away.

    Examples
    --------
    >>> table = calibrate(WORLDS[:1], histories=2, days=600, truth_days=5000, resamples=20)
    >>> bool(table["unsafe_total"].between(0, 1).all())
    True
    """
    cells = [(world, base) for world in worlds for base in (ROLLING, FIXED)]
    truths = joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(truth)(world, base, days=truth_days, seed=seed) for world, base in cells
    )
    rows = []
    for number, ((world, base), (total, dependence)) in enumerate(zip(cells, truths, strict=True)):
        batches = joblib.Parallel(n_jobs=n_jobs, batch_size=5)(
            joblib.delayed(_one_history)(world, base, days, resamples, nested, (seed, number, h))
            for h in range(histories)
        )
        for method in batches[0]:
            bounds = np.array([b[method] for b in batches])
            rows.append(
                {
                    "world": world.name,
                    "base": base,
                    "method": method,
                    "total": total,
                    "dependence": dependence,
                    "unsafe_total": _share_above(bounds[:, 0], total),
                    "unsafe_dependence": _share_above(bounds[:, 1], dependence),
                    "distance_total": total - float(bounds[:, 0].mean()),
                    "distance_dependence": dependence - float(bounds[:, 1].mean()),
                }
            )
    return pd.DataFrame(rows).set_index(["world", "base", "method"])


def _share_above(bounds: np.ndarray, truth_value: float) -> float:
    return float((bounds > truth_value).mean()) if not np.isnan(bounds).any() else float("nan")


def _one_history(
    world: World, base: str, days: int, resamples: int, nested: bool, key: tuple[int, int, int]
) -> dict[str, tuple[float, float]]:
    """Bounds of one history by every method."""
    stream = np.random.SeedSequence(key[0], spawn_key=key[1:])
    rng = np.random.default_rng(stream)
    silo_history = history(world, base, days, rng)
    seed = int(rng.integers(2**31))
    point = silo_history.reduction(silo_shifts(days, 2))
    lower = bound_reduction(silo_history, resamples=resamples, seed=seed)
    bounds = {"percentile": (lower.total, lower.dependence)}
    bounds |= alternative_bounds(silo_history, point, lower, seed=seed)
    return bounds | nested_bounds(silo_history, point, lower, seed=seed) if nested else bounds


def main() -> None:
    """Print the table; exit with 1 if the percentile fails in a world that is no known limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--truth-days", type=int, default=TRUTH_DAYS)
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", default="", help="only worlds whose name holds this")
    parser.add_argument("--nested", action="store_true", help="studentised and prepivoted too")
    parser.add_argument("--out", default="", help="also write the table as CSV")
    options = parser.parse_args()
    table = calibrate(
        [world for world in WORLDS if options.worlds in world.name],
        histories=options.histories,
        truth_days=options.truth_days,
        resamples=options.resamples,
        seed=options.seed,
        nested=options.nested,
        n_jobs=options.n_jobs,
    )
    print(f"{options.histories} histories of {DAYS} days in each world; share of unsafe 5 % bounds")
    print(table.round(3).to_string())
    if options.out:
        table.to_csv(options.out)
    percentile = table.reset_index().query("method == 'percentile'")
    is_unsafe = percentile[["unsafe_total", "unsafe_dependence"]].to_numpy().max(axis=1) > ACCEPTED
    limit_worlds = {world.name for world in WORLDS if world.limit}
    unsafe = [
        (row.world, f"{row.world} ({row.base})") for row in percentile[is_unsafe].itertuples()
    ]
    failed = [label for world, label in unsafe if world not in limit_worlds]
    limits = [label for world, label in unsafe if world in limit_worlds]
    print(f"percentile bound unsafe in more than {ACCEPTED:.0%}: {', '.join(failed) or 'none'}")
    print(f"known limits, where none of these bounds passes: {', '.join(limits) or 'none'}")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
