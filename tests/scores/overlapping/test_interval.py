"""The interval of the rate of exceedances, and the inflation it rests on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy.special import betaincinv

from backtest.scores import checks as score_checks
from backtest.scores import day_weights, rate_interval, stationary_indices, variance_inflation
from backtest.types import BoolArray, DataError, StudyError
from tests.support.records import with_exceedances

DAYS = 1000


def test_inflation_is_the_variance_of_the_bootstrap() -> None:
    rng = np.random.default_rng(8)
    panel = np.repeat(rng.random((250, 3)) < 0.05, 3, axis=0)[:600]
    counts = day_weights(stationary_indices(600, resamples=20_000, seed=2)) @ panel
    rate = panel.mean(axis=0)
    measured = counts.var(axis=0) / (600 * rate * (1.0 - rate))
    np.testing.assert_allclose(variance_inflation(panel), measured, rtol=0.05)


@given(arrays.arrays(np.bool_, (17, 2)), some.floats(1.0, 30.0))
def test_inflation_by_its_definition(panel: BoolArray, block: float) -> None:
    for column, inflation in zip(panel.T, variance_inflation(panel, block=block), strict=True):
        if column.all() or not column.any():
            assert np.isnan(inflation)
            continue
        centred = column - column.mean()
        expected = 1.0
        for lag in range(1, 17):
            correlation = np.mean(centred * np.roll(centred, -lag)) / np.mean(centred**2)
            expected += 2.0 * (1.0 - lag / 17) * (1.0 - 1.0 / block) ** lag * correlation
        assert inflation == pytest.approx(expected, abs=1e-9)


def test_independent_days_get_the_interval_of_clopper_and_pearson() -> None:
    # 20 of 1,000 days spread apart: the inflation is below 1 and does not narrow the interval
    low, high = rate_interval(with_exceedances(20), horizon=1)
    assert low[0] == pytest.approx(betaincinv(20, 981, 0.025))
    assert high[0] == pytest.approx(betaincinv(21, 980, 0.975))
    assert (low[0], high[0]) == pytest.approx((0.012258, 0.030718), abs=5e-6)


def test_no_exceedance_still_bounds_the_rate() -> None:
    # Clopper-Pearson without a success: 1 - 0.025^(1/n), n divided by the horizon
    low, high = rate_interval(with_exceedances(0), horizon=2)
    assert low[0] == 0.0
    assert high[0] == pytest.approx(1.0 - 0.025 ** (2 / DAYS))
    low, high = rate_interval(np.ones((50, 1), bool), horizon=2)
    assert (low[0], high[0]) == (pytest.approx(0.025 ** (2 / 50)), 1.0)


@given(arrays.arrays(np.bool_, (40, 3)), some.integers(1, 5))
def test_the_interval_holds_the_observed_rate(panel: BoolArray, horizon: int) -> None:
    low, high = rate_interval(panel, horizon=horizon)
    rate = panel.mean(axis=0)
    assert (0 <= low).all() and (low <= rate).all() and (rate <= high).all() and (high <= 1).all()
    wider_low, wider_high = rate_interval(panel, horizon=horizon, level=0.99)
    assert (wider_low <= low).all() and (wider_high >= high).all()


def test_runs_widen_the_interval() -> None:
    spread = with_exceedances(30)
    runs = np.zeros((DAYS, 1), bool)
    for start in range(50, DAYS, 100):
        runs[start : start + 3] = True
    (low, high), (run_low, run_high) = (rate_interval(p, horizon=2) for p in (spread, runs))
    assert run_low[0] < low[0] and run_high[0] > high[0]


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = np.random.default_rng(0).random((DAYS, 7)) < 0.02
    whole = variance_inflation(panel)
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 2 * DAYS)
    np.testing.assert_allclose(variance_inflation(panel), whole, rtol=1e-12)


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"shape \(10,\); give \(days, portfolios\)"):
        rate_interval(np.zeros(10, bool), horizon=1)
    with pytest.raises(StudyError, match="horizon is 0"):
        rate_interval(np.zeros((10, 1), bool), horizon=0)
    with pytest.raises(StudyError, match="level is 95"):
        rate_interval(np.zeros((10, 1), bool), horizon=1, level=95)
    with pytest.raises(StudyError, match="block is 0"):
        variance_inflation(np.zeros((10, 1), bool), block=0)
