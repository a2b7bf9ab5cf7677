"""Size and power of the verdict with its choice of test: `python -m tests.tools.verdict_study`.

Worlds in which the truth is known, over MPOR, length of record and confidence. A cell is rejected
by `coverage_p` at 5 % where `is_clustered` has chosen the test from the same record.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from backtest.scores.overlapping.clusters import is_clustered
from backtest.scores.overlapping.verdict import coverage_p
from backtest.types import FloatArray
from tests.tools.overlap_study import FREEDOM, garch, garch_points, over, tail_points

CONFIDENCES = (0.95, 0.975, 0.99)
MULTIPLES = (1, 2)  # of the promised rate: size, and power
LENGTHS = (250, 500, 750, 1500, 2196)
HORIZONS = (1, 2, 5, 10)
DRAWS = 4_000_000  # of losses, for their quantiles
RATES = tuple(
    sorted({round(multiple * (1.0 - level), 9) for multiple in MULTIPLES for level in CONFIDENCES})
)

World = tuple[str, FloatArray, Callable[[float], FloatArray]]  # name, losses, requirement at a rate


def constant(points: FloatArray) -> Callable[[float], FloatArray]:
    return lambda rate: np.full((1, 1), points[RATES.index(rate)])


def independent(rng: np.random.Generator, horizon: int, histories: int) -> World:
    """Student t4 days, and the true quantile of their sums."""
    pnl = rng.standard_t(FREEDOM, (max(LENGTHS) + horizon, histories))
    points = -stdtrit(FREEDOM, np.array(RATES))
    if horizon > 1:
        points = tail_points(sum(rng.standard_t(FREEDOM, DRAWS) for _ in range(horizon)), RATES)
    return "t4 days", over(pnl, horizon, max(LENGTHS)), constant(points)


def persistent(rng: np.random.Generator, horizon: int, histories: int) -> Iterator[World]:
    """GARCH-t days of persistence .99 under the true quantile, and under a constant requirement."""
    days = max(LENGTHS)
    pnl, variance = garch(rng, days + horizon, histories)
    losses, known = over(pnl, horizon, days), variance[1 : days + 1]
    grid, points = garch_points(rng, known, horizon, DRAWS // 5, RATES)

    def aware(rate: float) -> FloatArray:
        scale = np.interp(np.log(known), grid, points[RATES.index(rate)])
        return np.asarray(np.sqrt(known) * scale)

    yield "GARCH-t, true quantile", losses, aware
    long_run, _ = garch(rng, 20_000, 400)
    yield "GARCH-t, constant", losses, constant(tail_points(over(long_run, horizon, 19_900), RATES))


def verdict_study(
    *,
    histories: int = 4000,
    seed: int = 31,
    horizons: Sequence[int] = HORIZONS,
    lengths: Sequence[int] = LENGTHS,
) -> pd.DataFrame:
    """Share of histories rejected at 5 %, in percent.

    Returns
    -------
    Index (world, H, days); columns (multiple of the promised rate, confidence).
    """
    rng = np.random.default_rng(seed)
    rows: dict[tuple[str, int, int], dict[tuple[int, float], float]] = {}
    for horizon in horizons:
        worlds = [independent(rng, horizon, histories), *persistent(rng, horizon, histories)]
        for name, losses, requirement in worlds:
            for days in lengths:
                rows[name, horizon, days] = rejected(losses, requirement, days, horizon)
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index = pd.MultiIndex.from_tuples(list(rows), names=["world", "H", "days"])
    frame.columns = pd.MultiIndex.from_tuples(list(frame), names=["rate x", "confidence"])
    return frame.sort_index(level=["world", "H"], sort_remaining=False, ascending=[False, True])


def rejected(
    losses: FloatArray, requirement: Callable[[float], FloatArray], days: int, horizon: int
) -> dict[tuple[int, float], float]:
    """Percent of the histories of one world and length that are rejected."""
    shares = {}
    # Ranks are the same at any scale of the requirement: one choice serves all its rates.
    aware = np.broadcast_to(requirement(RATES[0]), losses.shape)[:days]
    clustered = is_clustered(losses[:days], aware, horizon=horizon)
    for multiple in MULTIPLES:
        for confidence in CONFIDENCES:
            margin = requirement(round(multiple * (1.0 - confidence), 9))
            exceeded = losses[:days] > np.broadcast_to(margin, losses.shape)[:days]
            pvalues = coverage_p(
                exceeded, horizon=horizon, confidence=confidence, clustered=clustered
            )
            shares[multiple, confidence] = 100.0 * float(np.mean(pvalues <= 0.05))
    return shares


def main() -> None:
    study = verdict_study()
    print(study.to_string(float_format="{:.1f}".format))


if __name__ == "__main__":
    main()
