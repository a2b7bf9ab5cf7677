"""Rolling GARCH fits against arch."""

from collections.abc import Iterator

import numpy as np

from backtest.estimators.garch import RollingGarch
from backtest.kernels.garch_peaks import STARTS
from tests.bench.timing import Goal, Table, alike

HISTORIES = 6  # some likelihoods are flat and take longer


def garch(lookback: int, rng: np.random.Generator) -> Table:
    """Refits of a GARCH-t every 100 days, against arch from the same starts, windows, backcast."""
    from arch import arch_model

    windows = []
    for _ in range(HISTORIES):
        series, variance = np.empty(lookback + 400), 1.0
        for t, draw in enumerate(rng.standard_t(6, len(series)) * np.sqrt(4 / 6)):
            series[t] = np.sqrt(variance) * draw
            variance = 0.02 + 0.06 * series[t] ** 2 + 0.92 * variance
        ends = range(lookback, len(series), 100)
        windows += [
            series[end - lookback : end] / np.std(series[end - lookback : end]) for end in ends
        ]
    starts = [[1.0 - p, p * share, p * (1.0 - share), nu] for p, share, nu, _ in STARTS]

    def ours() -> list[float]:
        fitted, likelihoods = RollingGarch(1), []
        for window in windows:
            fitted.refit(window[None, :])
            likelihoods.append(float(fitted.outcome[0, 1]))
        return likelihoods

    def arch(starts: list[list[float]] | list[None]) -> list[float]:
        likelihoods = []
        for window in windows:
            model = arch_model(window, mean="Zero", vol="GARCH", dist="t", rescale=False)
            ask = {"disp": "off", "show_warning": False, "backcast": float(np.mean(window**2))}
            fits = (model.fit(starting_values=start, **ask) for start in starts)
            likelihoods.append(max(fit.loglikelihood for fit in fits))
        return likelihoods

    less = np.array(arch(starts)) - np.array(ours())
    print(f"\nLog-likelihood below arch: at most {less.max():.4f}, median {np.median(less):.1e}")
    return alike(
        f"GARCH(1, 1)-t, {len(windows)} windows of {lookback} days, per fit",
        len(windows),
        {
            f"RollingGarch, {len(starts)} starts": ours,
            "arch, the same starts": lambda: arch(starts),
            "arch, one start of its own": lambda: arch([None]),
        },
        Goal("arch, the same starts", {500: 150, 1000: 300}[lookback], 500),
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    for lookback in (500, 1000):
        yield garch(lookback, rng)
