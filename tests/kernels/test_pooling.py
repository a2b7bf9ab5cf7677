"""Scales of pooled silos against plain sorting: shifts, draws and windows; ties, zeros, no loss."""

import numpy as np
import pytest

from backtest.kernels.pooling import shifted_scales, tail_scale
from backtest.kernels.reductions import weighted_reductions, window_reductions
from backtest.offset.history import by_ratio

WORLDS = {
    "smooth": lambda rng, shape: (rng.standard_t(3, shape), np.full(shape, 2.0)),
    "margins that move": lambda rng, shape: (
        rng.standard_t(3, shape),
        np.exp(np.cumsum(rng.normal(0, 0.1, shape), axis=1)),
    ),
    "ties": lambda rng, shape: (
        rng.integers(-3, 4, shape).astype(float),
        rng.integers(1, 3, shape).astype(float),
    ),
    "margins of zero": lambda rng, shape: (
        rng.integers(-3, 4, shape).astype(float),
        rng.integers(0, 3, shape).astype(float),
    ),
    "no loss": lambda rng, shape: (-np.abs(rng.normal(size=shape)), np.ones(shape)),
    "few losses": lambda rng, shape: (
        np.where(rng.random(shape) < 0.03, 1.0, -1.0) * rng.random(shape),
        np.ones(shape),
    ),
    "one silo calm": lambda rng, shape: (
        rng.normal(size=shape) * np.array([1.0, *([1e-9] * (shape[0] - 1))])[:, None],
        np.ones(shape),
    ),
}


def slow_scale(loss: np.ndarray, margin: np.ndarray, count: int) -> float:
    """The count-th largest of max(0, loss / margin), by sorting."""
    ratio = np.where(loss > 0.0, np.inf, 0.0)
    np.divide(loss, margin, out=ratio, where=margin > 0.0)
    return max(0.0, float(np.sort(ratio)[-count]))


def slow_reduction(loss: np.ndarray, margin: np.ndarray, count: int) -> float:
    """1 - the scale of the pool with each silo at its own; NaN where a silo has none."""
    kappa = np.array([slow_scale(x, m, count) for x, m in zip(loss, margin, strict=True)])
    if (kappa <= 0.0).any():
        return float("nan")
    return 1.0 - slow_scale(loss.sum(axis=0), (kappa[:, None] * margin).sum(axis=0), count)


@pytest.fixture(params=[(name, silos) for name in WORLDS for silos in (1, 2, 3)])
def world(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    name, silos = request.param
    return WORLDS[name](np.random.default_rng(3), (silos, 240))


World = tuple[np.ndarray, np.ndarray]


@pytest.mark.parametrize("count", [1, 3, 40])
def test_scale_of_one_series(world: World, count: int) -> None:
    for loss, margin in zip(*world, strict=True):
        assert tail_scale(loss, margin, np.empty(count)) == slow_scale(loss, margin, count)


@pytest.mark.parametrize("count", [1, 3, 40])
def test_scales_after_shifts(world: World, count: int) -> None:
    loss, margin = world
    silos, days = loss.shape
    shifts = np.random.default_rng(4).integers(0, days, (60, silos))
    shifts[0], shifts[1] = 0, days - 1
    out = np.empty(len(shifts))
    shifted_scales(by_ratio(loss, margin), shifts, count, out)
    for shift, scale in zip(shifts, out, strict=True):
        moved = [
            np.sum([np.roll(x, k) for x, k in zip(series, shift, strict=True)], axis=0)
            for series in world
        ]
        assert scale == pytest.approx(slow_scale(moved[0], moved[1], count), rel=1e-14)


@pytest.mark.parametrize(("window", "count"), [(240, 3), (100, 1), (60, 2), (7, 7)])
def test_reductions_of_windows(world: World, window: int, count: int) -> None:
    loss, margin = world
    out = np.empty(loss.shape[1] - window + 1)
    # A margin of zero makes the scale of a silo infinite, of which no pool has a multiple.
    margin = np.maximum(margin, 0.5)
    window_reductions(by_ratio(loss, margin), window, count, out)
    slow = [
        slow_reduction(loss[:, t : t + window], margin[:, t : t + window], count)
        for t in range(len(out))
    ]
    np.testing.assert_allclose(out, slow, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("count", [1, 3, 12])
def test_reductions_of_draws(world: World, count: int) -> None:
    loss, margin = world
    margin = np.maximum(margin, 0.5)
    days = loss.shape[1]
    weights = np.random.default_rng(5).multinomial(days, np.full(days, 1 / days), 50)
    kappa = np.array([slow_scale(x, m, count) for x, m in zip(loss, margin, strict=True)])
    pooled = loss.sum(axis=0) / np.maximum((kappa[:, None] * margin).sum(axis=0), 1e-300)
    out = np.empty(len(weights))
    weighted_reductions(
        by_ratio(loss, margin), kappa, pooled, np.argsort(-pooled),
        weights.astype(np.uint8), count, out,
    )  # fmt: skip
    slow = [
        slow_reduction(np.repeat(loss, w, axis=1), np.repeat(margin, w, axis=1), count)
        for w in weights
    ]
    np.testing.assert_allclose(out, slow, rtol=1e-13, atol=1e-14)
