"""Jumps: found in the data, taken out, and laid over a base as often, as large and as joint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
from backtest import simulate
from backtest.estimators.jumps import jump_days
from backtest.types import StudyError
from tests.support.worlds import draw, market_of

CALM = simulate.MultivariateT()


def jump_world(seed: int, *, days: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Two normal factors and the days on which they jump: together, or one alone."""
    rng = np.random.default_rng(seed)
    jumped = rng.random((days, 1)) < 0.01
    jumped = jumped & np.array([[True, True], [True, False]])[rng.integers(2, size=days)]
    jumped[:60] = False
    size = (
        np.array([0.12, 0.002]) * rng.uniform(1.0, 1.3, (days, 2)) * rng.choice([-1, 1], (days, 1))
    )
    normal = rng.normal(size=(days, 2)) * np.array([0.01, 0.00015])
    return np.where(jumped, size, 0.0) + normal, jumped


def test_the_days_of_a_known_world_are_found():
    for seed in range(5):
        shocks, jumped = jump_world(seed)
        assert_array_equal(jump_days(shocks), jumped)


def test_a_history_of_normal_moves_has_a_jump_as_rarely_as_asked():
    rng = np.random.default_rng(0)
    shocks = rng.normal(size=(1000, 600))
    share = jump_days(shocks, window=250, significance=0.05).any(axis=0).mean()
    assert 0.01 < share < 0.10


@given(
    shocks=arrays(np.float64, (40, 2), elements=some.sampled_from([0.0, 0.01, -0.02, 0.5])),
    significance=some.floats(0.01, 0.9),
)
def test_the_test_equals_its_slow_twin(shocks, significance):
    n, c = 40, np.sqrt(2 / np.pi)
    root = np.sqrt(2 * np.log(n))
    centre = root / c - (np.log(np.pi) + np.log(np.log(n))) / (2 * c * root)
    threshold = centre + -np.log(-np.log(1 - significance)) / (c * root)
    found = jump_days(shocks, window=16, significance=significance)
    for f in range(2):
        x = np.abs(shocks[:, f])
        least = 0.25 * sum(x[j] * x[j - 1] for j in range(1, n)) / n
        for t in range(n):
            if t < 15:
                assert not found[t, f]
                continue
            variance = sum(x[j] * x[j - 1] for j in range(t - 14, t)) / 14
            limit = threshold * np.sqrt(max(variance, least))
            if abs(x[t] - limit) > 1e-12:
                assert found[t, f] == (x[t] > limit)


def test_the_base_is_fitted_without_jumps_and_paths_have_them_as_the_data_do():
    shocks, jumped = jump_world(1)
    market = market_of(shocks, "py")
    sampler = simulate.Jumps(base=CALM).sampler(market)
    drawn = np.concatenate([sampler(np.random.default_rng(s)) for s in range(20)])
    large = np.abs(drawn) > [0.08, 0.0013]
    assert_allclose(large.mean(axis=0), jumped.mean(axis=0), rtol=0.25)
    both = (large[:, 0] & large[:, 1]).mean()
    assert both == pytest.approx((jumped[:, 0] & jumped[:, 1]).mean(), rel=0.25)
    calm = ~large.any(axis=1)
    assert_allclose(drawn[calm].std(axis=0), [0.01, 0.00015], rtol=0.1)
    assert_allclose(drawn.mean(axis=0), shocks.mean(axis=0), atol=5e-4)


def test_frequency_and_scale_can_be_given_and_do_not_move_the_drift():
    shocks, jumped = jump_world(2)
    market = market_of(shocks, "py")
    for per_year, scale in ((0.0, 1.0), (40.0, 1.0), (2.52, 2.0)):
        sampler = simulate.Jumps(base=CALM, per_year=per_year, scale=scale).sampler(market)
        drawn = np.concatenate([sampler(np.random.default_rng(s)) for s in range(20)])
        large = (np.abs(drawn) > np.array([0.08, 0.0013]) * scale).any(axis=1)
        assert large.mean() == pytest.approx(per_year / 252, rel=0.15, abs=1e-3)
        spread = drawn.std(axis=0) / np.sqrt(len(drawn))
        assert (np.abs(drawn.mean(axis=0) - shocks.mean(axis=0)) < 5 * spread).all()
    assert jumped.any()


def test_data_without_jumps_leave_the_base_alone_and_jumps_cannot_be_asked_of_them():
    rng = np.random.default_rng(3)
    market = market_of(rng.uniform(-0.01, 0.01, (400, 1)), "p")
    assert not jump_days(market.shocks(1)[1:]).any()
    same = draw(simulate.Jumps(base=CALM), market), draw(CALM, market)
    assert_array_equal(*same)
    with pytest.raises(StudyError, match="per_year is 5.0 and no factor jumps"):
        simulate.Jumps(per_year=5.0).sampler(market)
    with pytest.raises(StudyError, match="window is 500 and the market has 400"):
        simulate.Jumps(window=500).sampler(market)


@pytest.mark.slow
def test_the_jumps_of_the_real_data_are_days_that_one_remembers(real_data):
    market = bt.load_market(real_data)
    jumped = jump_days(market.shocks(1)[1:])
    by_day = {
        str(d): set(np.array(market.factors)[row])
        for d, row in zip(market.dates[1:], jumped, strict=True)
    }
    assert {"BTC", "ETH"} <= by_day["2020-03-12"] and {"2Y", "BTC"} <= by_day["2023-03-13"]
    assert {"10Y", "30Y"} <= by_day["2016-11-09"] and {"BTC", "ETH", "2Y"} <= by_day["2022-06-13"]
    assert 2 < jumped.any(axis=1).mean() * 252 < 8
