"""Size and power of tests of coverage under overlap: `python -m tests.tools.overlap_study`.

Worlds in which the truth is known: a requirement at the exact quantile of the loss ahead, so that
its true rate is 1 % (size) or 2 % (power). Nothing but overlap, shared dates and, in one world,
volatility that the requirement ignores, makes exceedances dependent.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

# One thread, set before numpy loads: the machine is shared, and the draws do not depend on it.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.special import ndtr  # noqa: E402

from backtest.scores.overlapping.clustered import resampled_pvalues
from backtest.scores.overlapping.hac import effective_pvalues
from backtest.scores.overlapping.overlap import binomial_pvalues, phase_pvalues, thinned_pvalues
from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import FloatArray

CONFIDENCE = 0.99
RATES = (0.01, 0.02)  # true rates: H0, and the alternative that power is measured at
LENGTHS = (2196, 500)  # scored days: the study on real data, and two years
BOOKS, CORRELATION = 50, 0.5
FREEDOM = 4
OMEGA, ALPHA, BETA, NEWS_FREEDOM = 0.01, 0.09, 0.90, 5  # persistence 0.99, as daily returns have
LONG_LAGS = 60  # days: a quarter
QUANTILE_DRAWS = 4_000_000

Counts = NDArray[np.int64]  # (days, histories), books with an exceedance


@dataclass(frozen=True)
class World:
    """Counts of exceedances a day by true rate, each (days, histories)."""

    name: str
    horizon: int
    books: int
    counts: dict[float, Counts]


def over(pnl: FloatArray, horizon: int, days: int) -> FloatArray:
    """Loss over days t+1 .. t+H, (days, ...)."""
    total = np.cumsum(-pnl, axis=0)
    return np.asarray(total[horizon : horizon + days] - total[:days])


def tail_points(losses: FloatArray, rates: Sequence[float] = RATES) -> FloatArray:
    """Points that losses symmetric around 0 exceed at `rates`: both tails of the draws count."""
    return np.quantile(np.abs(losses), 1.0 - 2.0 * np.array(rates))


def marked(losses: FloatArray, points: FloatArray) -> dict[float, Counts]:
    return {
        rate: (losses > points[..., column]).astype(np.int64) for column, rate in enumerate(RATES)
    }


def sums_of_t(rng: np.random.Generator, horizon: int) -> FloatArray:
    """Sums of `horizon` Student t4 draws, for their quantiles."""
    return np.asarray(
        np.sum([rng.standard_t(FREEDOM, QUANTILE_DRAWS) for _ in range(horizon)], axis=0)
    )


def independent_days(rng: np.random.Generator, horizon: int, histories: int) -> World:
    """Losses over H days of Student t4 days."""
    pnl = rng.standard_t(FREEDOM, (max(LENGTHS) + horizon, histories))
    losses = over(pnl, horizon, max(LENGTHS))
    name = "t4 days" if horizon == 1 else "t4 days, overlapping"
    return World(name, horizon, 1, marked(losses, tail_points(sums_of_t(rng, horizon))))


def garch_news(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    return np.asarray(
        rng.standard_t(NEWS_FREEDOM, shape) * np.sqrt((NEWS_FREEDOM - 2) / NEWS_FREEDOM)
    )


def garch(rng: np.random.Generator, days: int, histories: int) -> tuple[FloatArray, FloatArray]:
    """P&L and the variance known before each day, after 500 days of burn-in."""
    pnl = garch_news(rng, (days + 500, histories))
    variance = np.ones_like(pnl)
    pnl[0] *= np.sqrt(variance[0])
    for day in range(1, days + 500):
        variance[day] = OMEGA + ALPHA * pnl[day - 1] ** 2 + BETA * variance[day - 1]
        pnl[day] *= np.sqrt(variance[day])
    return pnl[500:], variance[500:]


def garch_points(
    rng: np.random.Generator, variance: FloatArray, horizon: int, draws: int, rates: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Log variances from the least to the most of `variance`, and by rate the true quantile there.

    Quantiles are of the loss ahead per unit of today's volatility, (rates, log variances).
    """
    news = garch_news(rng, (horizon, draws))
    grid = np.geomspace(variance.min() * 0.999, variance.max() * 1.001, 24)
    points = []
    for start in grid:
        known, total = np.full(news.shape[1], start), np.zeros(news.shape[1])
        for step in news:
            pnl = step * np.sqrt(known)
            total += pnl
            known = OMEGA + ALPHA * pnl**2 + BETA * known
        points.append(tail_points(total, rates) / np.sqrt(start))
    return np.log(grid), np.array(points).T


def garch_requirement(rng: np.random.Generator, variance: FloatArray, horizon: int) -> FloatArray:
    """True quantiles of the loss ahead given today's variance, (days, histories, rates)."""
    grid, points = garch_points(rng, variance, horizon, QUANTILE_DRAWS // 4, RATES)
    place = np.log(variance)
    return np.stack(
        [np.sqrt(variance) * np.interp(place, grid, of_rate) for of_rate in points], axis=-1
    )


def garch_days(rng: np.random.Generator, horizon: int, histories: int) -> Iterator[World]:
    """Requirements at the conditional quantile; for H = 2 also one that ignores volatility."""
    days = max(LENGTHS)
    pnl, variance = garch(rng, days + horizon, histories)
    losses = over(pnl, horizon, days)
    # `over` leaves out the first day's P&L: day t's requirement knows the variance of t + 1.
    required = garch_requirement(rng, variance[1 : days + 1], horizon)
    yield World("GARCH-t, true quantile", horizon, 1, marked(losses, required))
    if horizon == 2:
        long_run, _ = garch(rng, 20_000, 400)
        constant = tail_points(over(long_run, horizon, 19_990))
        yield World("GARCH-t, constant", horizon, 1, marked(losses, constant))


def panels(rng: np.random.Generator, horizon: int, histories: int) -> World:
    """Books whose days are multivariate Student t4: they share dates, and wild days."""
    days = max(LENGTHS)
    points = tail_points(sums_of_t(rng, horizon))
    counts = {rate: np.empty((days, histories), dtype=np.int64) for rate in RATES}
    for history in range(histories):
        common = rng.standard_normal((days + horizon, 1))
        own = rng.standard_normal((days + horizon, BOOKS))
        wild = np.sqrt(rng.chisquare(FREEDOM, (days + horizon, 1)) / FREEDOM)
        pnl = (np.sqrt(CORRELATION) * common + np.sqrt(1.0 - CORRELATION) * own) / wild
        losses = over(pnl, horizon, days)
        for column, rate in enumerate(RATES):
            counts[rate][:, history] = np.count_nonzero(losses > points[column], axis=1)
    return World(f"{BOOKS} books correlated {CORRELATION}", horizon, BOOKS, counts)


def worlds(rng: np.random.Generator, histories: int) -> Iterator[World]:
    for horizon in (1, 2, 5, 10):
        yield independent_days(rng, horizon, histories)
    for horizon in (2, 5):
        yield from garch_days(rng, horizon, histories)
    yield panels(rng, 2, histories // 2)


def all_pvalues(counts: Counts, world: World, weights: FloatArray) -> dict[str, FloatArray]:
    """P-values (histories,) of each test; the last four are variants, for comparison."""
    books, horizon = world.books, world.horizon
    cells = counts.shape[0] * books

    def hac(lags: int | None = None) -> tuple[FloatArray, FloatArray]:
        return effective_pvalues(counts, books, horizon=horizon, confidence=CONFIDENCE, lags=lags)

    found = {
        "naive": binomial_pvalues(counts.sum(axis=0), cells, confidence=CONFIDENCE),
        "HAC": hac()[1],
        "bootstrap": resampled_pvalues(counts, books, confidence=CONFIDENCE, weights=weights),
        "HAC, 60 lags": hac(LONG_LAGS)[1],
        "HAC, normal": ndtr(-hac()[0]),
    }
    if books == 1:
        phases = phase_pvalues(counts > 0, horizon=horizon, confidence=CONFIDENCE)
        found["thinned"] = thinned_pvalues(counts > 0, horizon=horizon, confidence=CONFIDENCE)
        found["harmonic"] = len(phases) / np.sum(1.0 / phases, axis=0)
        found["2 x mean"] = (1.0 if horizon == 1 else 2.0) * phases.mean(axis=0)
    return found


def overlap_size_study(
    *, histories: int = 4000, resamples: int = 499, seed: int = 11
) -> pd.DataFrame:
    """Share of histories that each test rejects.

    Parameters
    ----------
    histories : simulated records a world; half as many panels.
    resamples : of the block bootstrap.
    seed : of everything.

    Returns
    -------
    One row a (world, horizon, days, test); columns true_rate (of the simulated records under H0),
    size_5, size_1 (rejections at a nominal 5 and 1 % at a true 1 %), power_5 (at a true 2 %), and
    histories.
    """
    rng = np.random.default_rng(seed)
    weights = {
        days: day_weights(stationary_indices(days, resamples=resamples, seed=seed))
        for days in LENGTHS
    }
    rows = []
    for world in worlds(rng, histories):
        for days in LENGTHS:
            null, other = (world.counts[rate][:days] for rate in RATES)
            sizes = all_pvalues(null, world, weights[days])
            powers = all_pvalues(other, world, weights[days])
            rows += [
                {
                    "world": world.name,
                    "H": world.horizon,
                    "days": days,
                    "test": test,
                    "true_rate": null.mean() / world.books,
                    "size_5": np.mean(sizes[test] <= 0.05),
                    "size_1": np.mean(sizes[test] <= 0.01),
                    "power_5": np.mean(powers[test] <= 0.05),
                    "histories": null.shape[1],
                }
                for test in sizes
            ]
    return pd.DataFrame(rows)


ORDER = [
    "naive", "thinned", "HAC", "bootstrap", "HAC, 60 lags", "HAC, normal", "harmonic", "2 x mean",
]  # fmt: skip
TITLES = {
    "size_5": "Size: % rejected at a nominal 5 %, true rate 1 %",
    "size_1": "Size: % rejected at a nominal 1 %, true rate 1 %",
    "power_5": "Power: % rejected at a nominal 5 %, true rate 2 %",
}


def tables(study: pd.DataFrame) -> str:
    """Three tables as text, one row a world, one column a test."""
    pages = []
    for column, title in TITLES.items():
        wide = study.pivot_table(
            index=["world", "H", "days"], columns="test", values=column, sort=False
        )
        text = (100.0 * wide[ORDER]).to_string(float_format="{:.1f}".format, na_rep="-")
        pages.append(f"{title}\n{text}")
    return "\n\n".join(pages)


def main(clock: Callable[[], float] = perf_counter) -> None:
    start = clock()
    study = overlap_size_study()
    rates = study.groupby(["world", "H", "days"], sort=False)["true_rate"].first()
    print(tables(study))
    print(f"\nTrue rates of the simulated records: {rates.min():.5f} to {rates.max():.5f}")
    print(f"{clock() - start:.0f} seconds")


if __name__ == "__main__":
    main()
