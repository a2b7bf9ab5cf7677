"""Coverage and width of the printed intervals: `python -m tests.tools.interval_study`.

Worlds whose truth is known by simulation. A cell is a kind of interval in a world, on as many
histories as its standard error of 1.3 % at 95 % needs; docs/intervals.md holds the tables, and
tests/scores/overlapping/test_intervals.py repeats some cells with another seed. Five minutes on one
core.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

# One thread, set before numpy loads: the machine is shared, and the draws do not depend on it.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.signal import lfilter  # noqa: E402

from backtest.scores.models.paired import paired_difference
from backtest.scores.money.coordination import (
    break_even,
    break_even_coordination,
    separate_rate,
)
from backtest.scores.money.cost import equal_coverage_margin, tail_inflation
from backtest.scores.money.pooled import pooled_equal_coverage
from backtest.scores.overlapping.slow_variance import effective_interval
from backtest.studies.clocks.correlation import correlation_interval, day_draws
from backtest.types import FloatArray

# (alpha, beta) of GARCH(1,1) with Student t5 news; None is independent Student t4 days.
WORLDS = {
    "independent t4": None,
    "GARCH .90": (0.10, 0.80),
    "GARCH .98": (0.09, 0.89),
    "GARCH .99": (0.09, 0.90),
    "GARCH .998": (0.06, 0.938),
}
LENGTHS = (500, 750, 1500, 2196)
WARM = 510  # days before the first scored one
PATHS = 300
BOOKS, SHARED = 20, 0.5  # of the pooled worlds: books, and the correlation of any two


@dataclass(frozen=True)
class Share:
    """What a kind of interval did in a world: how often it held the truth, and how wide it was."""

    kind: str
    world: str
    margin: str
    horizon: int
    confidence: float
    days: int
    held: float
    too_low: float  # share of histories whose whole interval is below the truth
    width: float  # median, relative to the truth or to the spread of the estimate
    unbounded: float


def burn_in(world: str) -> int:
    """Days until the volatility of a world has forgotten where it began."""
    pair = WORLDS[world]
    return 0 if pair is None else round(5 / (1.0 - sum(pair)))


def news(
    world: str, rng: np.random.Generator, days: int, paths: int, common: FloatArray | None = None
) -> FloatArray:
    """P&L of (days, paths); `common`, of (days, 1 or paths), is mixed into the news."""
    pair = WORLDS[world]
    freedom = 4 if pair is None else 5
    burn = burn_in(world)
    z = rng.standard_normal((days + burn, paths))
    if common is not None:
        z = np.sqrt(SHARED) * common[: days + burn] + np.sqrt(1.0 - SHARED) * z
    z /= np.sqrt(rng.chisquare(freedom, (days + burn, paths)) / freedom)
    if pair is None:
        return z
    alpha, beta = pair
    z *= np.sqrt((freedom - 2) / freedom)
    variance = np.ones(paths)
    for day in range(days + burn):
        z[day] *= np.sqrt(variance)
        variance = 1.0 - alpha - beta + alpha * z[day] ** 2 + beta * variance
    return z[burn:]


def losses(pnl: FloatArray, horizon: int) -> FloatArray:
    """Loss over the `horizon` days after each close, (days - horizon, ...)."""
    total = np.concatenate([np.zeros((1, *pnl.shape[1:])), np.cumsum(-pnl, axis=0)])
    return total[1 + horizon :] - total[1:-horizon]


def margin_of(kind: str, pnl: FloatArray, horizon: int, confidence: float) -> FloatArray:
    """Requirement known at each close, up to a constant, (days - horizon, paths)."""
    days = len(pnl) - horizon
    if kind == "constant":
        return np.ones((days, pnl.shape[1]))
    if kind.startswith("EWMA"):
        return np.sqrt(lfilter([0.03], [1.0, -0.97], pnl**2, axis=0)[:days]) + 1e-9
    lookback = int(kind.split()[0])
    past = pd.DataFrame(losses(pnl, horizon)).shift(horizon)  # what has ended by each close
    tail = past.rolling(lookback).quantile(confidence, interpolation="higher")
    return np.maximum(tail.to_numpy(), 1e-9)


def scales(
    world: str, margin: str, horizon: int, confidence: float, paths: int, seed: int
) -> Iterator[Share]:
    """Equal coverage of one book, and its exceedance rate at a true rate of 1 - confidence."""
    rng = np.random.default_rng(seed)
    pnl = news(world, rng, WARM + max(LENGTHS) + horizon, paths)
    loss = losses(pnl, horizon)[WARM:]
    required = margin_of(margin, pnl, horizon, confidence)[WARM:]
    truth = float(np.quantile(loss / required, confidence))
    for days in LENGTHS:
        x, m = loss[:days], required[:days]
        point, low, high = (e / m.mean(axis=0) for e in equal_coverage_margin(
            x, m, confidence=confidence))  # fmt: skip
        named = (world, margin, horizon, confidence, days)
        yield Share(
            "scale",
            *named,
            float(np.mean((low <= truth) & (truth <= high))),
            float(np.mean(high < truth)),
            float(np.median(np.minimum(high, 1e9) - low) / truth),
            float(np.isinf(high).mean()),
        )
        inflation = tail_inflation(x, truth * m, confidence=confidence)
        low, high = effective_interval((x > truth * m).sum(axis=0), days, inflation)
        rate = 1.0 - confidence
        yield Share(
            "rate",
            *named,
            float(np.mean((low <= rate) & (rate <= high))),
            float(np.mean(high < rate)),
            float(np.median(high - low) / rate),
            0.0,
        )


def pooled(world: str, horizon: int, paths: int, seed: int) -> Iterator[Share]:
    """One scale for 20 books that share half of their news, under a constant requirement."""
    rng = np.random.default_rng(seed)
    days = max(LENGTHS) + horizon
    histories = []
    for _ in range(paths):
        common = rng.standard_normal((days + burn_in(world), 1))
        histories.append(losses(news(world, rng, days, BOOKS, common), horizon))
    truth = float(np.quantile(np.array(histories), 0.99))
    for length in (750, 2196):
        found = [pooled_equal_coverage(h[:length], np.ones((length, BOOKS))) for h in histories]
        low, high = (np.array([getattr(p, f"scale_{e}") for p in found]) for e in ("low", "high"))
        yield Share(
            "pooled scale",
            world,
            "constant",
            horizon,
            0.99,
            length,
            float(np.mean((low <= truth) & (truth <= high))),
            float(np.mean(high < truth)),
            float(np.median(np.minimum(high, 1e9) - low) / truth),
            float(np.isinf(high).mean()),
        )


def coordination(world: str, horizon: int, paths: int, seed: int) -> Iterator[Share]:
    """Break-even coordination of two silos that share half of their news."""
    rng = np.random.default_rng(seed)
    days = max(LENGTHS) + horizon
    common = rng.standard_normal((days + burn_in(world), paths))
    loss = np.stack(
        [losses(news(world, rng, days, paths, common), horizon) for _ in range(2)], axis=2
    )
    # Allocated so that some silo is short on 2 % of days: c* is then a probability.
    point = float(np.quantile(loss.max(axis=2), 0.98))
    short = (loss > point).any(axis=2).mean()
    pool = (loss.sum(axis=2) > 2.0 * point).mean()
    truth = float(break_even(short, pool, 0.01))
    # Held against separate silos, whose rate is estimated from the same days, and which are
    # allocated so that some silo is short on 5 % of days.
    alone = float((loss > np.quantile(loss, 0.99)).any(axis=2).mean())
    less = float(np.quantile(loss.max(axis=2), 0.95))
    separate = float(
        break_even((loss > less).any(axis=2).mean(), (loss.sum(axis=2) > 2.0 * less).mean(), alone)
    )
    for length in (750, 2196):
        ones = np.ones((length, paths, 2))
        found = break_even_coordination(loss[:length], point * ones)
        against = break_even_coordination(
            loss[:length], less * ones, allowed=separate_rate(loss[:length], ones)
        )
        for kind, estimate, name, value in (
            ("any short", found, "any_short", short),
            ("pooled short", found, "pooled_short", pool),
            ("break even", found, "break_even", truth),
            ("break even, against separate silos", against, "break_even", separate),
        ):
            low, high = getattr(estimate, f"{name}_low"), getattr(estimate, f"{name}_high")
            known = np.isfinite(low) | np.isinf(low)
            yield Share(
                kind,
                world,
                "constant",
                horizon,
                0.99,
                length,
                float(np.mean((low <= value) & (value <= high) | ~known)),
                float(np.mean(high < value)),
                float(np.nanmedian(np.minimum(high, 1e9) - low) / value),
                float(np.isinf(high).mean()),
            )


def pairs(world: str, memory: str, length: int, paths: int, seed: int) -> Iterator[Share]:
    """Two exchangeable models: the same rule on two noisy copies of what the losses come from."""
    rng = np.random.default_rng(seed)
    days = WARM + length + 2
    common = rng.standard_normal((days + burn_in(world), paths))
    loss = losses(news(world, rng, days, paths, common), 2)[WARM:]
    first, second = (
        margin_of(memory, news(world, rng, days, paths, common), 2, 0.99)[WARM:] for _ in range(2)
    )
    scale = float(np.quantile(loss / first, 0.99))
    held, ends, centre = [], [], []
    for path in range(paths):
        x, a, b = (panel[:, path : path + 1] for panel in (loss, scale * first, scale * second))
        pair = paired_difference(x, a, b)
        held.append([*((pair.low <= 0.0) & (0.0 <= pair.high)), pair.region.holds(np.zeros(2))])
        ends.append(pair.high - pair.low)
        centre.append(pair.difference)
    shares = np.mean(held, axis=0)
    widths = [*(np.median(ends, axis=0) / np.std(centre, axis=0)), np.nan]
    for kind, share, width in zip(
        ("paired rate", "paired margin", "joint region"), shares, widths, strict=True
    ):
        yield Share(kind, world, memory, 2, 0.99, length, float(share), np.nan, float(width), 0.0)


def correlations(world: str, horizon: int, paths: int, seed: int) -> Iterator[Share]:
    """Correlation of two series of P&L that share half of their news, over `horizon` days."""
    rng = np.random.default_rng(seed)
    days = 2196 + horizon
    # Both have one volatility, so that their correlation is that of the news on every day.
    first = news(world, rng, days, paths)
    signs = rng.standard_normal((2, *first.shape))
    signs[1] = SHARED * signs[0] + np.sqrt(1.0 - SHARED**2) * signs[1]
    one, other = (losses(np.abs(first) * sign, horizon) for sign in signs)
    truth = SHARED
    for length in (600, 2196):
        weights = day_draws(length, horizon, 400, seed)
        rows = [
            correlation_interval(one[:length, path], other[:length, path], weights)
            for path in range(paths)
        ]
        low, high = (np.array([row[end] for row in rows]) for end in ("low", "high"))
        yield Share(
            "correlation",
            world,
            "none",
            horizon,
            0.95,
            length,
            float(np.mean((low <= truth) & (truth <= high))),
            float(np.mean(high < truth)),
            float(np.median(high - low)),
            0.0,
        )


def every_cell(seed: int) -> Iterator[Share]:
    """All cells of the page, one kind after the other."""
    settings = [
        *(("constant", horizon, 0.99) for horizon in (1, 2, 5)),
        ("constant", 2, 0.95),
        ("EWMA .97", 2, 0.99),
        ("500 days", 2, 0.99),
    ]
    for world in WORLDS:
        for margin, horizon, confidence in settings:
            yield from scales(world, margin, horizon, confidence, PATHS, seed)
    for world in WORLDS:
        yield from coordination(world, 2, PATHS, seed)
    for world in WORLDS:
        for horizon in (1, 2, 10):
            yield from correlations(world, horizon, PATHS // 2, seed)
    for world in ("independent t4", "GARCH .99"):
        for memory in ("EWMA .97", "250 days", "500 days"):
            for length in (500, 750, 2196):
                yield from pairs(world, memory, length, PATHS, seed)
    for world in WORLDS:
        yield from pooled(world, 2, PATHS // 3, seed)


def tables(cells: pd.DataFrame) -> Iterator[str]:
    """One table a kind of interval: % held, and the median width, by days."""
    for kind, of_kind in cells.groupby("kind", sort=False):
        of_kind = of_kind.assign(
            cell=[
                f"{100 * c.held:.0f} ({c.width:.2f})" if c.width < 1e6 and c.width == c.width
                else f"{100 * c.held:.0f} (inf)" if c.width > 1e6 else f"{100 * c.held:.0f}"
                for c in of_kind.itertuples()
            ]
        )  # fmt: skip
        rows = ["confidence", "world", "margin", "horizon"]
        wide = of_kind.pivot_table(
            index=rows, columns="days", values="cell", aggfunc="first", sort=False
        )
        yield f"{kind}\n{wide.to_string()}\n"


def main() -> None:
    began = perf_counter()
    shares = []
    for share in every_cell(seed=11):
        shares.append(vars(share))
        print(*shares[-1].values(), file=sys.stderr, flush=True)
    cells = pd.DataFrame(shares)
    cells.to_csv("intervals.csv", index=False)
    for text in tables(cells):
        print(text)
    print(f"{perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
