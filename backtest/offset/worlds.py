"""Simulated worlds with two silos and a known true reduction, to calibrate the bounds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.kernels.levels import revolatilise
from backtest.kernels.tails import tail_losses
from backtest.offset.history import SiloHistory
from backtest.types import FloatArray, tail_count

MPOR = 2  # days, as in the default standard
CONFIDENCE = 0.99
LOOKBACK = 500
BURN_IN = 3000  # days left out at the start, until volatility has its long-run law
ROLLING, FIXED = "rolling", "fixed"

Innovations = Callable[[int, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class World:
    """A law of daily P&L at two silos, unit variance.

    Parameters
    ----------
    innovations : (days, 2) unit-variance draws.
    reaction, persistence : parameters of the variance recursion; 0 and 0 for constant volatility.
    common : whether both silos have the same volatility.
    limit : whether no bound passes in this world; printed as a known limit of the method.
    """

    name: str
    innovations: Innovations
    reaction: float = 0.0
    persistence: float = 0.0
    common: bool = False
    limit: bool = False

    def pnl(self, days: int, rng: np.random.Generator) -> FloatArray:
        """(days, 2) daily P&L."""
        if self.persistence == 0.0:
            return self.innovations(days, rng)
        z = np.ascontiguousarray(self.innovations(days + BURN_IN, rng))
        if self.common:
            # Both silos take the volatility of a third series: shocks independent, sizes not.
            driver = _student(6, (len(z), 1), rng)
            out, ones = np.empty_like(driver), np.ones(1)
            reaction, persistence = self.reaction * ones, self.persistence * ones
            revolatilise(driver, ones.copy(), reaction, persistence, ones, out)
            return (z * out / driver)[BURN_IN:]
        out, ones = np.empty_like(z), np.ones(2)
        reaction, persistence = self.reaction * ones, self.persistence * ones
        revolatilise(z, ones.copy(), reaction, persistence, ones, out)
        return out[BURN_IN:]


def history(world: World, base: str, days: int, rng: np.random.Generator) -> SiloHistory:
    """Simulate `days` scored days; the base model is HS over 500 days, or a constant."""
    daily = world.pnl(days + LOOKBACK - 1 + 2 * MPOR, rng)
    level = np.vstack([np.zeros((1, 2)), np.cumsum(daily, axis=0)])
    pnl = np.ascontiguousarray(level[MPOR:] - level[:-MPOR])  # P&L that ends on each day
    loss = -pnl[LOOKBACK - 1 + MPOR :][:days]
    if base == FIXED:
        margin = np.ones((days, 2))
    else:
        tail, _ = tail_losses(
            pnl,
            np.ones_like(pnl),
            np.eye(2),
            lookback=LOOKBACK,
            count=tail_count(LOOKBACK, CONFIDENCE),
        )
        margin = np.maximum(tail[LOOKBACK - 1 :][:days], 0.0)
    return SiloHistory(
        silos=("A", "B"),
        dates=np.datetime64("2000-01-01") + np.arange(days),
        loss=np.ascontiguousarray(loss.T),
        margin=np.ascontiguousarray(margin.T),
        confidence=CONFIDENCE,
    )


def truth(world: World, base: str, *, days: int, seed: int) -> tuple[float, float]:
    """Total reduction and dependence offset in one very long history, by sorting and 50 shifts."""
    long = history(world, base, days, np.random.default_rng(seed))
    rank = tail_count(days, CONFIDENCE, "floor") + 1

    def scale(loss: FloatArray, margin: FloatArray) -> float:
        ratio = np.maximum(loss, 0.0) / margin
        return float(np.partition(ratio, days - rank)[days - rank])

    kappa = [scale(x, m) for x, m in zip(long.loss, long.margin, strict=True)]
    first, second = (k * m for k, m in zip(kappa, long.margin, strict=True))
    theta = scale(long.loss.sum(axis=0), first + second)
    apart = []
    for shift in np.linspace(days // 10, days - days // 10, 50).astype(int):
        moved = np.roll(long.loss[1], shift), np.roll(second, shift)
        apart.append(scale(long.loss[0] + moved[0], first + moved[1]))
    return 1.0 - theta, float(np.mean(apart)) - theta


def _student(freedom: float, shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    return rng.standard_t(freedom, shape) * np.sqrt((freedom - 2.0) / freedom)


def _independent_t(freedom: float) -> Innovations:
    return lambda days, rng: _student(freedom, (days, 2), rng)


def _correlated(rho: float, freedom: float | None = None) -> Innovations:
    """Normal draws, or multivariate t, whose extremes coincide at any correlation."""

    def draw(days: int, rng: np.random.Generator) -> FloatArray:
        z = rng.standard_normal((days, 2))
        z[:, 1] = rho * z[:, 0] + np.sqrt(1.0 - rho * rho) * z[:, 1]
        if freedom is not None:
            z *= np.sqrt((freedom - 2.0) / rng.chisquare(freedom, days))[:, None]
        return z

    return draw


WORLDS = (
    World("independent", _independent_t(4)),
    World("correlated +.5", _correlated(0.5)),
    World("hedged -.6", _correlated(-0.6)),
    World("tail-dependent", _correlated(0.0, 3.0)),
    World("persistent", _independent_t(6), 0.08, 0.99),
    World("persistent, hedged -.6", _correlated(-0.6, 6.0), 0.08, 0.99),
    World("persistent, common volatility", _independent_t(6), 0.08, 0.99, common=True),
    World("very persistent", _independent_t(6), 0.05, 0.998, limit=True),
    World("very persistent, hedged -.6", _correlated(-0.6, 6.0), 0.05, 0.998, limit=True),
)
