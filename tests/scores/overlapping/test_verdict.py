"""The one-sided verdict on coverage and the interval of the rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy.special import betaincinv

from backtest.scores import checks as score_checks
from backtest.scores import (
    coverage_p,
    day_weights,
    rate_interval,
    stationary_indices,
    variance_inflation,
)
from backtest.types import BoolArray, DataError, StudyError

DAYS = 1000
WEIGHTS = day_weights(stationary_indices(DAYS, resamples=499, seed=1))


def with_exceedances(*counts: int, days: int = DAYS) -> BoolArray:
    """Evenly spread exceedances, one column a count."""
    panel = np.zeros((days, len(counts)), bool)
    for column, count in enumerate(counts):
        panel[np.linspace(0, days - 1, count).astype(int), column] = True
    return panel


def test_over_coverage_never_rejects() -> None:
    pvalues = coverage_p(with_exceedances(0, 1, 3, 10), confidence=0.99, weights=WEIGHTS)
    assert pvalues[0] == 1.0
    assert (pvalues > 0.3).all()


def test_under_coverage_rejects_the_more_there_is_of_it() -> None:
    pvalues = coverage_p(with_exceedances(10, 15, 20, 30, 60), confidence=0.99, weights=WEIGHTS)
    assert (np.diff(pvalues) <= 0).all()
    assert pvalues[2] < 0.05 and pvalues[-1] == pytest.approx(1 / 500)


def test_a_run_is_weaker_evidence_than_the_same_number_apart() -> None:
    run = np.zeros((DAYS, 1), bool)
    run[400:420] = True
    apart = with_exceedances(20)
    of_run, of_apart = (
        coverage_p(panel, confidence=0.99, weights=WEIGHTS)[0] for panel in (run, apart)
    )
    assert of_run > 0.10 > 0.05 > of_apart


def test_pvalue_by_hand() -> None:
    # Three resamples of four days: counts 2, 1, 4 of an expected 1 and an observed 2
    weights = np.array([[1.0, 1, 1, 1], [0, 1, 2, 1], [2, 2, 0, 0]])
    panel = np.array([[True], [True], [False], [False]])
    # Centred counts 0, -1, 2 against 2 - 1: one of three reaches it
    assert coverage_p(panel, confidence=0.75, weights=weights)[0] == pytest.approx(2 / 4)


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
    whole = coverage_p(panel, weights=WEIGHTS), variance_inflation(panel)
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 2 * DAYS)
    parts = coverage_p(panel, weights=WEIGHTS), variance_inflation(panel)
    for before, after in zip(whole, parts, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-12)


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"weights have shape \(499, 1000\) for 10 scored days"):
        coverage_p(np.zeros((10, 1), bool), weights=WEIGHTS)
    with pytest.raises(DataError, match=r"shape \(10,\); give \(days, portfolios\)"):
        rate_interval(np.zeros(10, bool), horizon=1)
    with pytest.raises(StudyError, match="horizon is 0"):
        rate_interval(np.zeros((10, 1), bool), horizon=0)
    with pytest.raises(StudyError, match="level is 95"):
        rate_interval(np.zeros((10, 1), bool), horizon=1, level=95)
    with pytest.raises(StudyError, match="block is 0"):
        variance_inflation(np.zeros((10, 1), bool), block=0)
