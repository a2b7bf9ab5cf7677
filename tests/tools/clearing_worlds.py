"""Firms and their customers in worlds whose truth is known, for the studies of `protect`.

Worlds that no method was made on: news without memory but with hardly a variance, volatility that
jumps into crises, that wanders for weeks and for half a year. `GARCH .99` is that of
`interval_study`. All instruments share the volatility and some of the news; each account has its
own positions, a margin at each of two houses, and a loss over the MPOR of two days.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.signal import lfilter  # noqa: E402

from backtest.types import FloatArray  # noqa: E402
from tests.tools.interval_study import WARM, burn_in, losses, margin_of  # noqa: E402
from tests.tools.interval_study import WORLDS as GARCH  # noqa: E402

INSTRUMENTS, SHARED = 6, 0.3  # three at each house; correlation of any two
HORIZON = 2
YEAR = 252
# Freedom of the Student news, and the constant margin in deviations of a day at volatility 1.
WORLDS = {
    "independent t3": (3, 5.5),
    "crises": (6, 4.5),  # volatility 1 for 500 days on average, then 3 for 40
    "volatility .98": (6, 4.5),  # its logarithm is autoregressive: shocks halve in 34 days
    "volatility .995": (6, 4.5),  # in 138
    "GARCH .99": (5, 3.6),  # in 69
}
MEMORY = {"volatility .98": 0.98, "volatility .995": 0.995}
LOG_SPREAD = 0.5  # standard deviation of the logarithm of wandering volatility
FOLLOWS = 2.6 * HORIZON**0.5  # of an EWMA margin, in volatilities of the day
MARGINS = ("constant", "EWMA .97")


@dataclass(frozen=True)
class Firms:
    """Accounts of firms.

    Parameters
    ----------
    positions : (accounts, INSTRUMENTS). firm : (accounts,) numbers.
    """

    positions: FloatArray
    firm: NDArray[np.int64]

    @classmethod
    def drawn(cls, firms: int, each: int, seed: int = 3) -> "Firms":
        """Long and short in about half of the instruments, of lognormal size."""
        rng = np.random.default_rng(seed)
        shape = (firms * each, INSTRUMENTS)
        positions = rng.standard_normal(shape) * (rng.random(shape) < 0.5)
        positions[:, 0] += ~positions.any(axis=1)
        positions /= np.linalg.norm(positions, axis=1, keepdims=True)
        positions *= np.exp(0.7 * rng.standard_normal((shape[0], 1)))
        return cls(positions, np.repeat(np.arange(firms), each))


def news(world: str, rng: np.random.Generator, days: int, paths: int) -> FloatArray:
    """Moves of (INSTRUMENTS, days, paths)."""
    freedom, _ = WORLDS[world]
    length = days + (burn_in(world) if world in GARCH else 0)
    moves = rng.standard_normal((INSTRUMENTS, length, paths)) * np.sqrt(1.0 - SHARED)
    moves += np.sqrt(SHARED) * rng.standard_normal((length, paths))
    moves /= np.sqrt(rng.chisquare(freedom, (length, paths)) / freedom)
    if world in GARCH:
        return _garch(moves * np.sqrt((freedom - 2) / freedom), *GARCH[world])[:, -days:]
    moves *= _volatility(world, rng, length, paths)
    return moves


def _volatility(world: str, rng: np.random.Generator, days: int, paths: int) -> FloatArray:
    """Volatility of (days, paths), in its stationary law from the first day."""
    if world in MEMORY:
        steps = rng.standard_normal((days, paths)) * np.sqrt(1.0 - MEMORY[world] ** 2)
        steps[0] /= np.sqrt(1.0 - MEMORY[world] ** 2)
        return np.exp(LOG_SPREAD * lfilter([1.0], [1.0, -MEMORY[world]], steps, axis=0))
    if world != "crises":
        return np.ones((days, paths))
    crisis = np.empty((days, paths), dtype=bool)
    now = rng.random(paths) < 40 / 540
    for day in range(days):
        draw = rng.random(paths)
        now = np.where(now, draw > 1 / 40, draw < 1 / 500)
        crisis[day] = now
    return np.where(crisis, 3.0, 1.0)


def _garch(moves: FloatArray, alpha: float, beta: float) -> FloatArray:
    """One variance for all instruments, moved by their mean."""
    variance = np.ones(moves.shape[2])
    unit = SHARED + (1.0 - SHARED) / INSTRUMENTS
    for day in range(moves.shape[1]):
        moves[:, day] *= np.sqrt(variance)
        square = moves[:, day].mean(axis=0) ** 2 / unit
        variance = 1.0 - alpha - beta + alpha * square + beta * variance
    return moves


def at_houses(
    world: str, margin: str, firms: Firms, days: int, paths: int, seed: list[int]
) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    """Firm, loss and margin of every account at either house, (days, paths) each."""
    moves = news(world, np.random.default_rng(seed), WARM + days + HORIZON, paths)
    for positions, firm in zip(firms.positions, firms.firm, strict=True):
        for house in (slice(0, 3), slice(3, 6)):
            held = positions[house]
            if not held.any():
                continue
            gains = np.tensordot(held, moves[house], axes=1)
            size = np.sqrt(SHARED * held.sum() ** 2 + (1.0 - SHARED) * (held**2).sum())
            scale = WORLDS[world][1] * size if margin == "constant" else FOLLOWS
            required = scale * margin_of(margin, gains, HORIZON, 0.99)[WARM:]
            yield int(firm), losses(gains, HORIZON)[WARM:], required


def firm_needs(
    world: str, margin: str, firms: Firms, days: int, paths: int, seed: list[int]
) -> FloatArray:
    """What each firm's accounts lack, all houses, gross: (days, paths, firms)."""
    needs = np.zeros((days, paths, int(firms.firm.max()) + 1))
    for firm, loss, required in at_houses(world, margin, firms, days, paths, seed):
        needs[..., firm] += np.maximum(loss - required, 0.0)
    return needs


# What `path_sums` tells of a path: USD a year, times a year, USD.
SUMS = ("firms", "fellow", "fund", "fund, rarer", "fund times", "margin")


def path_sums(
    world: str, margin: str, firms: Firms, days: int, paths: int, seed: list[int]
) -> FloatArray:
    """(paths, SUMS): a short waterfall. Accounts have half their margin beside it, firms a tenth.

    Fellow customers lose up to six tenths of a firm's margin, the fund bears the rest; 'rarer'
    where accounts have 1.2 times their margin beside it.
    """
    count = int(firms.firm.max()) + 1
    held = np.zeros((count, days, paths))
    owed, less = np.zeros_like(held), np.zeros_like(held)
    for firm, loss, required in at_houses(world, margin, firms, days, paths, seed):
        held[firm] += required
        owed[firm] += np.maximum(loss - 1.5 * required, 0.0)
        less[firm] += np.maximum(loss - 2.2 * required, 0.0)
    by_firms = np.minimum(owed, 0.1 * held)
    fellow = np.minimum(owed - by_firms, 0.6 * held)
    fund = (owed - by_firms - fellow).sum(axis=0)
    rarer = np.maximum(less - 0.7 * held, 0.0).sum(axis=0)
    yearly = YEAR / HORIZON
    columns = (by_firms.sum(axis=0), fellow.sum(axis=0), fund, rarer, fund > 0.0)
    return np.stack(
        [yearly * each.mean(axis=0) for each in columns] + [held.sum(axis=0).mean(axis=0)], axis=1
    )
