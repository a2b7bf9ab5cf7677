"""Two models on the same days: what is certain is found certain, and regions hold their share."""

import numpy as np
import pytest
from scipy import integrate, stats

from backtest.scores.models.paired import (
    distances,
    hotelling_radius,
    joint_pvalue,
    not_above,
    paired_difference,
)
from backtest.types import DataError, StudyError

DAYS = 400


def world(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_t(4, (DAYS, 3)), np.abs(2 + 0.3 * rng.standard_normal((DAYS, 3)))


def test_a_model_with_less_margin_and_fewer_exceedances_dominates():
    loss, margin = world(0)
    wise = np.maximum(loss, 0.0)  # knows every loss: never exceeded, and cheap
    found = paired_difference(loss, wise, margin)
    assert found.dominates > 0.99 and found.dominated < 0.01
    back = paired_difference(loss, margin, wise)
    assert back.dominated == pytest.approx(found.dominates, rel=1e-9)
    np.testing.assert_allclose(back.difference, -found.difference)
    assert not found.region.holds(np.zeros(2))


def test_a_model_against_itself_is_alike_and_neither_dominates():
    loss, margin = world(1)
    found = paired_difference(loss, margin, margin.copy())
    assert found.difference.tolist() == [0.0, 0.0]
    assert found.dominates == found.dominated == 0.0
    assert found.region.holds(np.zeros(2))


def test_scaling_up_is_a_trade_off_and_never_dominance():
    loss, margin = world(2)
    found = paired_difference(loss, 1.2 * margin, margin)
    assert found.difference[0] < 0 < found.difference[1]
    assert found.dominates < 0.001 and found.dominated < 0.05


def test_difference_and_ends_by_a_loop():
    loss, margin = world(3)
    other = margin[:, ::-1] * 1.05
    found = paired_difference(loss, margin, other, level=0.9)
    rate = (loss > margin).mean(axis=1) - (loss > other).mean(axis=1)
    cost = margin.mean(axis=1) - other.mean(axis=1)
    covariance = np.zeros((2, 2))
    for j in range(1, 5):
        wave = np.cos(np.pi * j * (np.arange(DAYS) + 0.5) / DAYS)
        sums = np.array([wave @ rate, wave @ cost])
        covariance += np.outer(sums, sums) * 2.0 / DAYS**2 / 4.0
    np.testing.assert_allclose(found.region.covariance, covariance, rtol=1e-9)
    center = np.array([rate.mean(), cost.mean()])
    half = stats.t.ppf(0.95, 4) * np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(found.low, center - half, atol=1e-12)
    np.testing.assert_allclose(found.high, center + half, atol=1e-12)
    assert found.region.radius**2 == pytest.approx(4 * 2 / 3 * stats.f.ppf(0.9, 2, 3))


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.4, 0.999])
@pytest.mark.parametrize("gain", [(0.3, -1.2), (2.0, 5.0), (-30.0, 40.0)])
def test_probability_of_dominance_by_integration(correlation, gain):
    """Student's law as a normal over a chi-squared scale: another integral of the same law."""
    normal = stats.multivariate_normal([0.0, 0.0], [[1.0, correlation], [correlation, 1.0]])

    def at(scale):
        return normal.cdf(np.array(gain) * np.sqrt(scale / 4)) * stats.chi2.pdf(scale, 4)

    expected, _ = integrate.quad(at, 0.0, 60.0, limit=200)
    spread = np.array([1e-6, 1e5])  # a rate beside USD
    covariance = np.outer(spread, spread) * [[1.0, correlation], [correlation, 1.0]]
    assert not_above(np.array(gain) * spread, covariance, 4) == pytest.approx(expected, abs=2e-5)


def test_one_measure_has_the_point_of_student():
    assert hotelling_radius(1, 7, 0.99) == pytest.approx(stats.t.ppf(0.995, 7))


@pytest.mark.slow
def test_two_models_that_do_not_differ_are_found_alike():
    """Margins that remember 250 of 750 days: blocks of 20 days held zero in 44 %."""
    rng, held = np.random.default_rng(9), []
    for _ in range(200):
        loss = rng.standard_t(4, (750, 1))
        noise = rng.standard_normal((2, 1000)).cumsum(axis=1)
        margins = 3.0 + 0.05 * (noise[:, 250:] - noise[:, :-250])[:, :, None]
        pair = paired_difference(loss, margins[0], margins[1])
        held.append([*((pair.low <= 0.0) & (0.0 <= pair.high)), pair.region.holds(np.zeros(2))])
    rate, margin, both = np.mean(held, axis=0)
    assert 0.92 < rate < 0.995 and 0.83 < margin < 0.95 and 0.88 < both < 0.98


@pytest.mark.slow
def test_the_joint_region_holds_the_truth_about_as_often_as_it_says():
    """Two noisy constants for independent t4 losses; 250 histories, nominal 95 %."""
    rng, held = np.random.default_rng(7), 0
    draws = np.random.default_rng(8).standard_t(4, 4_000_000)
    truth = np.array([(draws > 2.0).mean() - (draws > 2.2).mean(), -0.2])
    for _ in range(250):
        loss = rng.standard_t(4, (DAYS, 3))
        noise = 0.05 * rng.standard_normal((DAYS, 3))
        found = paired_difference(loss, 2.0 + noise, np.full((DAYS, 3), 2.2))
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
        paired_difference(loss, margin, margin, level=1.0)
    with pytest.raises(DataError):
        paired_difference(loss, margin, margin[:5])


def test_two_constant_requirements_are_not_alike():
    """Their difference is known exactly, so its covariance says nothing of its size."""
    loss, _ = world(5)
    low, high = np.full_like(loss, 5e6), np.full_like(loss, 6e6)
    found = paired_difference(loss, low, high)
    assert found.difference.tolist() == [0.0, -1e6] and found.region.covariance[1, 1] == 0.0
    assert not found.region.holds(np.zeros(2))
    assert found.region.holds(np.array([0.0, -1e6]))


def test_margins_that_are_never_exceeded_are_tested_by_student_alone():
    """The rate is the same on every day: Hotelling's law of two had a size of 0.5 % at 5 %."""
    rng = np.random.default_rng(6)
    margins = 10.0 + rng.standard_normal((2, DAYS, 1))
    found = paired_difference(np.zeros((DAYS, 1)), *margins, level=0.95)
    t = found.difference[1] / np.sqrt(found.region.covariance[1, 1])
    assert joint_pvalue(found.region) == pytest.approx(2.0 * stats.t.sf(abs(t), 4), rel=1e-9)
    assert found.region.radius == pytest.approx(stats.t.ppf(0.975, 4))
    alike = paired_difference(np.zeros((DAYS, 1)), margins[0], margins[0])
    assert joint_pvalue(alike.region) == 1.0 and alike.region.holds(np.zeros(2))
    dearer = paired_difference(np.zeros((DAYS, 1)), margins[0] + 1.0, margins[0])
    assert joint_pvalue(dearer.region) == 0.0 and not dearer.region.holds(np.zeros(2))


@pytest.mark.slow
def test_margins_that_do_not_differ_are_told_apart_as_often_as_p_says():
    """2,000 histories of 500 days, none with an exceedance."""
    rng, loss = np.random.default_rng(0), np.zeros((500, 1))
    pairs = [paired_difference(loss, *rng.normal(10.0, 0.1, (2, 500, 1))) for _ in range(2000)]
    pvalues = np.array([joint_pvalue(pair.region) for pair in pairs])
    assert 0.035 < np.mean(pvalues <= 0.05) < 0.065
    assert 0.935 < np.mean([pair.region.holds(np.zeros(2)) for pair in pairs]) < 0.965
