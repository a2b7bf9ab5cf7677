"""How often the verdict errs: size, power and interval coverage on simulated histories.

Daily losses follow a GARCH(1,1) with Student t(5) news and persistence 0.99. 'Sound' is a
requirement at the conditional quantile of the H-day loss, whose exceedances cluster by overlap
alone; 'constant' is one at the unconditional quantile, whose exceedances cluster with volatility
for months, longer than the 20 days of a block.
"""

import numpy as np
import pytest

from backtest.scores import bootstrap_pvalues, day_weights, rate_interval, stationary_indices
from backtest.types import BoolArray, FloatArray

pytestmark = pytest.mark.slow

DAYS, HISTORIES = 2196, 1500
OMEGA, ALPHA, BETA, FREEDOM = 0.01, 0.09, 0.90, 5
HORIZONS = (1, 2, 5)
RATES = (0.01, 0.02)
WEIGHTS = day_weights(stationary_indices(DAYS, resamples=499, seed=3))


def news(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    return np.asarray(rng.standard_t(FREEDOM, shape) * np.sqrt((FREEDOM - 2) / FREEDOM))


def garch(rng: np.random.Generator, days: int, paths: int) -> tuple[FloatArray, FloatArray]:
    """P&L and the variance known before each day, (days, paths), after 300 days of burn-in."""
    pnl, variance = news(rng, (days + 300, paths)), np.ones((days + 300, paths))
    for day in range(1, days + 300):
        variance[day] = OMEGA + ALPHA * pnl[day - 1] ** 2 + BETA * variance[day - 1]
        pnl[day] *= np.sqrt(variance[day])
    return pnl[300:], variance[300:]


def over(pnl: FloatArray, horizon: int, days: int) -> FloatArray:
    """Loss over days t+1 .. t+H."""
    return -np.asarray(np.sum([pnl[k : k + days] for k in range(1, horizon + 1)], axis=0))


def conditional_quantiles(rng: np.random.Generator, horizon: int) -> tuple[FloatArray, FloatArray]:
    """Quantiles of the H-day loss per unit of today's volatility, on a grid of log variance."""
    grid, draws = np.geomspace(0.02, 200.0, 40), news(rng, (horizon, 300_000))
    quantiles = []
    for start in grid:
        variance, total = np.full(draws.shape[1], start), np.zeros(draws.shape[1])
        for step in draws:
            pnl = step * np.sqrt(variance)
            total += pnl
            variance = OMEGA + ALPHA * pnl**2 + BETA * variance
        quantiles.append(np.quantile(-total, 1.0 - np.array(RATES)) / np.sqrt(start))
    return np.log(grid), np.array(quantiles)


Histories = dict[tuple[str, int, float], BoolArray]


@pytest.fixture(scope="module")
def histories() -> Histories:
    """Exceedances, (days, histories), by requirement, horizon and true rate."""
    rng = np.random.default_rng(20)
    pnl, variance = garch(rng, DAYS + max(HORIZONS) + 1, HISTORIES)
    long_run, _ = garch(rng, 20_000, 300)
    found: Histories = {}
    for horizon in HORIZONS:
        loss = over(pnl, horizon, DAYS)
        known = variance[1 : DAYS + 1]
        grid, quantiles = conditional_quantiles(rng, horizon)
        constant = np.quantile(over(long_run, horizon, 19_990), 1.0 - np.array(RATES))
        for column, rate in enumerate(RATES):
            required = np.sqrt(known) * np.interp(np.log(known), grid, quantiles[:, column])
            found["sound", horizon, rate] = loss > required
            found["constant", horizon, rate] = loss > constant[column]
    for rate in RATES:
        found["independent", 1, rate] = rng.random((DAYS, HISTORIES)) < rate
    return found


def rejections(exceedances: BoolArray, level: float) -> float:
    pvalues = bootstrap_pvalues(exceedances, confidence=0.99, weights=WEIGHTS)
    return float(np.mean(pvalues <= level))


# The bands are the measured shares of 4,000 histories, four standard errors of 1,500 around them.
@pytest.mark.parametrize(
    ("requirement", "horizon", "measured"),
    [
        ("independent", 1, 0.043),
        ("sound", 1, 0.031),
        ("sound", 2, 0.025),
        ("sound", 5, 0.021),
    ],
)
def test_size_of_a_sound_requirement(
    histories: Histories, requirement: str, horizon: int, measured: float
) -> None:
    exceedances = histories[requirement, horizon, 0.01]
    assert exceedances.mean() == pytest.approx(0.01, abs=0.0003)
    share = rejections(exceedances, 0.05)
    assert share == pytest.approx(measured, abs=4 * np.sqrt(measured / HISTORIES))
    assert share < 0.065
    assert rejections(exceedances, 0.01) < 0.015


@pytest.mark.parametrize("horizon", HORIZONS)
def test_size_where_exceedances_cluster_for_months(histories: Histories, horizon: int) -> None:
    exceedances = histories["constant", horizon, 0.01]
    assert 0.04 < rejections(exceedances, 0.05) < 0.13
    assert rejections(exceedances, 0.01) < 0.04


@pytest.mark.parametrize(("horizon", "power"), [(1, 0.98), (2, 0.92), (5, 0.65)])
def test_power_against_twice_the_rate(histories: Histories, horizon: int, power: float) -> None:
    assert rejections(histories["sound", horizon, 0.02], 0.05) == pytest.approx(power, abs=0.05)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("horizon", HORIZONS)
def test_interval_holds_the_true_rate(histories: Histories, horizon: int, rate: float) -> None:
    low, high = rate_interval(histories["sound", horizon, rate], horizon=horizon)
    held = np.mean((low <= rate) & (rate <= high))
    assert 0.93 < held < 0.99
    assert np.mean(rate < low) < 0.04 and np.mean(rate > high) < 0.05
