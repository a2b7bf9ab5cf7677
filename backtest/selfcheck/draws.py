"""Random draws and elementary functions that have to be the same on every machine."""

import math

import numpy as np

from backtest.kernels import portable
from backtest.kernels.paths import splitmix
from backtest.scores.resample import day_weights, stationary_indices
from backtest.selfcheck.row import Row

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _ends_and_middle() -> list[float]:
    """Mean number of draws of the first, the middle and the last day over 20,000 resamples."""
    weights = day_weights(stationary_indices(40, resamples=20_000, block=10, seed=3))
    return [float(weights[:, day].mean()) for day in (0, 20, 39)]


def _mean_block() -> float:
    """Days drawn over the number of blocks, in one long resample."""
    drawn = stationary_indices(200_000, resamples=1, block=20, seed=3)[0]
    return len(drawn) / (1 + np.count_nonzero(np.diff(drawn) % 200_000 != 1))


ROWS = (
    Row(
        "logarithms of 10, 2 and 1e-300",
        "math library of the system, which differs by processor",
        lambda: [portable.log(10.0), portable.log(2.0), portable.log(1e-300)],
        right=[2.302585092994046, 0.6931471805599453, -690.7755278982137],
        by="ln 10, ln 2, -300 ln 10 to 17 digits",
        tolerance=2e-16,
    ),
    Row(
        "exponentials of 1, 2 and -20",
        "math library of the system, which differs by processor",
        lambda: [portable.exp(1.0), portable.exp(2.0), portable.exp(-20.0)],
        right=[math.e, 7.38905609893065, 2.061153622438558e-09],
        by="powers of e to 17 digits",
        tolerance=2e-16,
    ),
    Row(
        "a third of a turn",
        "math library of the system, which differs by processor",
        lambda: portable.circle(1.0 / 3.0),
        right=[-0.5, 0.8660254037844386],
        by="-1/2 and the root of 3/4",
        tolerance=5e-16,
    ),
    Row(
        "first number of splitmix64 from the seed 0",
        "Steele, Lea and Flood (2014); the generator's reference output",
        lambda: hex(int(splitmix(GOLDEN))),
        right=hex(0xE220A8397B1DCDAF),
        by="as published",
    ),
    Row(
        "how often the stationary bootstrap draws the first, a middle and the last day",
        "dcelisgarza/PortfolioOptimisers.jl#578",
        _ends_and_middle,
        right=[1.0, 1.0, 1.0],
        by="blocks run over the end into the beginning",
        tolerance=0.05,
    ),
    Row(
        "mean block of the stationary bootstrap",
        "colintbowers/DependentBootstrap.jl#7",
        _mean_block,
        right=20.0,
        by="geometric with mean 20; 10,000 blocks",
        tolerance=0.05,
    ),
    Row(
        "first uniform of numpy's generator of seed 0",
        "numpy, NEP 19",
        lambda: float(np.random.default_rng(0).random()),
        right=0.6369616873214543,
        by="PCG64, as numpy documents it",
        tolerance=0.0,
    ),
)
