"""The simulated worlds are what they are called; their truth is a closed form where one exists."""

import numpy as np
import pytest

from backtest.offset.worlds import FIXED, LOOKBACK, World, margined, truth


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.5])
def test_truth_of_normal_losses_with_constant_margins(rho):
    """Two equal normal silos: the pool needs sqrt((1 + rho) / 2) of their margins."""
    world = World("normal", rho, freedom=np.inf)
    daily = world.pnl(300_000 + LOOKBACK + 10, np.random.default_rng(0))
    total, dependence = truth(margined(daily, FIXED, 300_000, mpor=2, confidence=0.95))
    assert total == pytest.approx(1 - np.sqrt((1 + rho) / 2), abs=0.01)
    assert dependence == pytest.approx(np.sqrt(0.5) - np.sqrt((1 + rho) / 2), abs=0.01)


@pytest.mark.parametrize(
    ("kind", "centre", "drift", "expected"),
    [("regimes", -0.3, 0.3, 0.3), ("signs", 0.0, 0.6, 0.6), ("smooth", 0.0, 0.3, 0.29)],
)
def test_correlations_drift_as_said(kind, centre, drift, expected):
    """Correlations of windows of 100 days over 200,000: their mean, spread and memory."""
    world = World("w", centre, drift, 1000.0, kind=kind, freedom=np.inf)
    daily = world.pnl(400_000, np.random.default_rng(0)).reshape(4000, 100, 2)
    rho = np.array([np.corrcoef(window.T)[0, 1] for window in daily])
    assert rho.mean() == pytest.approx(centre, abs=0.06)
    noise = ((1 - rho**2) ** 2).mean() / 100
    assert np.sqrt(rho.var() - noise) == pytest.approx(expected, rel=0.1)
    gap = rho - rho.mean()
    memory = (gap[10:] * gap[:-10]).mean() / (rho.var() - noise)
    assert memory == pytest.approx(np.exp(-1), abs=0.08)


def test_correlation_rises_with_volatility():
    world = World("v", 0.0, 0.6, kind="volatility", common=True, freedom=np.inf, reaction=0.08,
                  persistence=0.99)  # fmt: skip
    daily = world.pnl(300_000, np.random.default_rng(0)).reshape(3000, 100, 2)
    size = (daily**2).mean(axis=(1, 2))
    rho = np.array([np.corrcoef(window.T)[0, 1] for window in daily])
    calm, wild = rho[size < np.quantile(size, 0.2)], rho[size > np.quantile(size, 0.8)]
    assert calm.mean() < -0.25 and wild.mean() > 0.25 and abs(rho.mean()) < 0.06


def test_three_silos_drift_on_their_own():
    world = World("w", 0.0, 0.6, 500.0, kind="signs", freedom=np.inf)
    daily = world.pnl(200_000, np.random.default_rng(0), silos=3).reshape(1000, 200, 3)
    pairs = np.array([np.corrcoef(window.T)[0, 1:] for window in daily])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.15 and (pairs.std(axis=0) > 0.5).all()
