"""Pools whose offset is known without computing: hedges, copies, strangers."""

import numpy as np

from backtest.offset.history import SiloHistory, silo_shifts
from backtest.scores.overlapping.interval import variance_inflation
from backtest.selfcheck.row import Row
from backtest.types import FloatArray

DAYS = 400


def _pool(*losses: FloatArray) -> SiloHistory:
    """Silos with a margin of 1 each."""
    dates = np.arange(DAYS).astype("datetime64[D]")
    names = tuple(f"silo {number}" for number in range(len(losses)))
    loss = np.array(losses)
    return SiloHistory(names, dates, loss, np.ones_like(loss), 0.99, 1)


def _noise(seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=DAYS)


def _parts(*losses: FloatArray) -> list[float]:
    """Total reduction, and what is left of it when the silos are shifted against each other."""
    pool = _pool(*losses)
    reduction = pool.reduction(silo_shifts(DAYS, len(losses)))
    return [reduction.total, reduction.diversification]


def _one_day() -> FloatArray:
    """Losses of 1 to 5 on five days far apart, the last of them on day 320; nothing else."""
    loss = np.zeros(DAYS)
    loss[[0, 80, 160, 240, 320]] = [1.0, 2.0, 3.0, 4.0, 5.0]
    return loss


def _apart() -> float:
    """A pool of two silos that never lose on one day."""
    return _parts(_one_day(), np.roll(_one_day(), 40))[0]


ROWS = (
    Row(
        "scale of a margin of 1 on losses 1 .. 5 among 400 days at 99 %",
        "numpy/numpy#22582",
        lambda: _pool(_one_day()).kappa(),
        right=[1.0],
        by="four of 400 days may exceed",
    ),
    Row(
        "a position and its copy at another house",
        "definition",
        lambda: _parts(_noise(1), _noise(1))[0],
        right=0.0,
        by="twice the loss needs twice the margin",
        tolerance=1e-12,
    ),
    Row(
        "a position and its opposite at another house",
        "definition",
        lambda: _parts(_noise(1), -_noise(1))[0],
        right=1.0,
        by="the pool never loses",
        tolerance=1e-12,
    ),
    Row(
        "a hedge whose days are shifted: no dependence is left in the diversification",
        "definition",
        lambda: _parts(_noise(1), -_noise(1))[1] < 0.5,
        right=True,
        by="two independent risks of one size save about 29 %",
    ),
    Row(
        "two silos that never lose on one day",
        "definition",
        _apart,
        right=1.0 - 3.0 / 2.0,
        by="losses 5 5 4 4 may exceed, so 3 over the margin of 2 x 1 decides",
    ),
    Row(
        "variance of a count whose exceedances come in pairs",
        "Politis and Romano (1994), Lemma 1",
        lambda: variance_inflation(np.arange(1000)[:, None] % 100 < np.array([1, 2])),
        right=[0.6346599281684973, 1.2302973117461353],
        by="loops over lags and days",
    ),
)
