"""Two models on the same days: what is certain is found certain, and regions hold their share."""

import numpy as np
import pytest

from backtest.scores import day_weights, stationary_indices
from backtest.scores.models.paired import distances, paired_difference
from backtest.types import DataError, StudyError

DAYS = 400
WEIGHTS = day_weights(stationary_indices(DAYS, resamples=300, seed=1))


def world(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_t(4, (DAYS, 3)), np.abs(2 + 0.3 * rng.standard_normal((DAYS, 3)))


def test_a_model_with_less_margin_and_fewer_exceedances_dominates():
    loss, margin = world(0)
    wise = np.maximum(loss, 0.0)  # knows every loss: never exceeded, and cheap
    found = paired_difference(loss, wise, margin, weights=WEIGHTS)
    assert found.dominates == 1.0 and found.dominated == 0.0
    back = paired_difference(loss, margin, wise, weights=WEIGHTS)
    assert back.dominated == 1.0
    np.testing.assert_allclose(back.difference, -found.difference)
    assert not found.region.holds(np.zeros(2))


def test_a_model_against_itself_is_alike_and_neither_dominates():
    loss, margin = world(1)
    found = paired_difference(loss, margin, margin.copy(), weights=WEIGHTS)
    assert found.difference.tolist() == [0.0, 0.0]
    assert found.dominates == found.dominated == 0.0
    assert found.region.holds(np.zeros(2))


def test_scaling_up_is_a_trade_off_and_never_dominance():
    loss, margin = world(2)
    found = paired_difference(loss, 1.2 * margin, margin, weights=WEIGHTS)
    assert found.difference[0] < 0 < found.difference[1]
    assert found.dominates == found.dominated == 0.0


def test_difference_and_draws_by_a_loop():
    loss, margin = world(3)
    other = margin[:, ::-1] * 1.05
    found = paired_difference(loss, margin, other, weights=WEIGHTS, level=0.9)
    rate, cost = [], []
    for weight in WEIGHTS:
        days = np.repeat(np.arange(DAYS), weight.astype(int))
        rate.append((loss[days] > margin[days]).mean() - (loss[days] > other[days]).mean())
        cost.append(margin[days].mean() - other[days].mean())
    draws = np.column_stack([rate, cost])
    np.testing.assert_allclose(found.region.covariance, np.cov(draws.T), rtol=1e-6)
    np.testing.assert_allclose(
        found.low, np.quantile(draws, 0.05, axis=0, method="inverted_cdf"), atol=1e-9
    )
    assert 0.9 <= found.region.inside < 0.91


@pytest.mark.slow
def test_the_joint_region_holds_the_truth_about_as_often_as_it_says():
    """Two noisy constants for independent t4 losses; 250 histories, nominal 95 %."""
    rng, held = np.random.default_rng(7), 0
    draws = np.random.default_rng(8).standard_t(4, 4_000_000)
    truth = np.array([(draws > 2.0).mean() - (draws > 2.2).mean(), -0.2])
    for _ in range(250):
        loss = rng.standard_t(4, (DAYS, 3))
        noise = 0.05 * rng.standard_normal((DAYS, 3))
        found = paired_difference(loss, 2.0 + noise, np.full((DAYS, 3), 2.2), weights=WEIGHTS)
        held += found.region.holds(truth)
    assert 0.85 < held / 250 < 0.99


def test_distances_do_not_depend_on_units_and_skip_what_never_varies():
    rng = np.random.default_rng(2)
    gaps = rng.standard_normal((50, 2))
    units = np.array([1e-12, 1e6])
    covariance = np.cov(gaps.T)
    expected = np.einsum("ij,jk,ik->i", gaps, np.linalg.inv(covariance), gaps)
    np.testing.assert_allclose(distances(gaps, covariance), expected)
    np.testing.assert_allclose(
        distances(gaps * units, covariance * np.outer(units, units)), expected, rtol=1e-9
    )


def test_what_cannot_be_compared_is_refused():
    loss, margin = world(4)
    with pytest.raises(StudyError):
        paired_difference(loss, margin, margin, weights=WEIGHTS, level=1.0)
    with pytest.raises(DataError):
        paired_difference(loss, margin, margin[:5], weights=WEIGHTS)
    with pytest.raises(DataError, match="3 or more"):
        paired_difference(loss, margin, margin, weights=WEIGHTS[:2])


def test_two_constant_requirements_are_not_alike():
    """Their difference is known exactly, so its covariance says nothing of its size."""
    loss, _ = world(5)
    low, high = np.full_like(loss, 5e6), np.full_like(loss, 6e6)
    found = paired_difference(loss, low, high, weights=WEIGHTS)
    assert found.difference.tolist() == [0.0, -1e6] and found.region.covariance[1, 1] == 0.0
    assert not found.region.holds(np.zeros(2))
    assert found.region.holds(np.array([0.0, -1e6]))
