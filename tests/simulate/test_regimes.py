"""Regimes: the filter against all paths, the fit of a known world, a world that is given."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
from backtest import simulate
from backtest.estimators.regimes import fit_regimes
from backtest.kernels.regimes import chain, forward_backward
from backtest.simulate.regimes import long_run
from backtest.types import StudyError
from tests.support.worlds import market_of

CALM, STRESS = np.array([[1.0, 0.5], [0.5, 1.0]]), 9.0 * np.array([[1.0, -0.7], [-0.7, 1.0]])
DEVIATION = np.array([0.01, 0.0004])


def regime_world(seed: int, *, days: int = 4000, freedom: float = 8.0):
    """Calm for 125 days at a time, stress for 25: three times as volatile, and the other way."""
    rng = np.random.default_rng(seed)
    stress = np.empty(days, dtype=bool)
    state = False
    for t in range(days):
        stress[t] = state
        state = rng.random() < 0.96 if state else rng.random() < 1 / 125
    normal = rng.standard_normal((days, 2))
    normal *= np.sqrt((freedom - 2) / rng.chisquare(freedom, days))[:, None]
    roots = np.linalg.cholesky(CALM), np.linalg.cholesky(STRESS)
    x = np.where(stress[:, None], normal @ roots[1].T, normal @ roots[0].T)
    return x * DEVIATION, stress


@settings(max_examples=60, deadline=None)
@given(
    density=arrays(np.float64, (5, 3), elements=some.floats(-40, 3)),
    raw=arrays(np.float64, (4, 3), elements=some.floats(0.01, 1)),
)
def test_the_filter_equals_the_sum_over_all_paths_of_regimes(density, raw):
    law = raw / raw.sum(axis=1, keepdims=True)
    transition, start = np.ascontiguousarray(law[:3]), law[3].copy()
    posterior, pairs = np.zeros((5, 3)), np.zeros((3, 3))
    total = 0.0
    for path in product(range(3), repeat=5):
        moves = list(zip(path[:-1], path[1:], strict=True))
        p = start[path[0]] * np.prod([transition[move] for move in moves])
        p *= np.exp(sum(density[t, k] for t, k in enumerate(path)))
        total += p
        for t, k in enumerate(path):
            posterior[t, k] += p
        for move in moves:
            pairs[move] += p
    got, got_pairs = np.empty((5, 3)), np.empty((3, 3))
    likelihood = forward_backward(density, transition, start, got, got_pairs)
    assert_allclose(likelihood, np.log(total), rtol=1e-10, atol=1e-10)
    assert_allclose(got, posterior / total, atol=1e-10)
    assert_allclose(got_pairs, pairs / total, atol=1e-10)


def test_densities_of_a_wild_day_do_not_underflow():
    posterior, pairs = np.empty((3, 2)), np.empty((2, 2))
    density = np.array([[-1.0, -2.0], [-5000.0, -4990.0], [-1.0, -2.0]])
    even = np.full((2, 2), 0.5)
    assert np.isfinite(forward_backward(density, even, even[0], posterior, pairs))
    assert_allclose(posterior.sum(axis=1), 1.0)
    assert posterior[1, 1] > 0.99


def test_the_chain_equals_its_slow_twin_and_has_its_long_run():
    transition = np.array([[0.95, 0.04, 0.01], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    start = long_run(transition)
    assert_allclose(start @ transition, start, atol=1e-12)
    uniforms = np.random.default_rng(0).random(60_000)
    out = np.empty(60_000, dtype=np.int64)
    chain(uniforms, transition, start, out)
    law = start
    for t in range(500):
        assert out[t] == np.searchsorted(np.cumsum(law)[:-1], uniforms[t])
        law = transition[out[t]]
    assert_allclose(np.bincount(out) / 60_000, start, atol=0.015)
    chain(np.array([1.0]), transition, np.array([0.5, 0.5, 0.0]), out[:1])
    assert out[0] <= 2


def test_a_known_world_is_recovered_regime_by_regime():
    shocks, stress = regime_world(1)
    fit = fit_regimes(shocks)
    assert_allclose(1 / (1 - np.diag(fit.transition)), [125, 25], rtol=0.35)
    assert fit.freedom == pytest.approx(8, abs=2.5)
    scale = np.outer(DEVIATION, DEVIATION)
    assert_allclose(fit.covariance[0] / scale, CALM, atol=0.12)
    assert_allclose(fit.covariance[1] / scale, STRESS, atol=1.2)
    assert ((fit.probability[:, 1] > 0.5) == stress).mean() > 0.97
    assert_allclose(fit.probability.sum(axis=1), 1.0, atol=1e-12)


def test_units_and_order_of_the_factors_do_not_matter():
    shocks, _ = regime_world(2, days=800)
    one, other = fit_regimes(shocks), fit_regimes(shocks[:, ::-1] * [1e4, 10.0])
    assert_allclose(one.transition, other.transition, rtol=1e-3)
    assert one.log_likelihood == pytest.approx(other.log_likelihood + 800 * np.log(1e5), abs=0.1)


def tie_by_size(shocks: np.ndarray) -> tuple[float, float]:
    """Correlation on the ordinary days and on the largest tenth of them."""
    size = (np.abs(shocks) / shocks.std(axis=0)).max(axis=1)
    large = size > np.quantile(size, 0.9)
    return np.corrcoef(shocks[~large].T)[0, 1], np.corrcoef(shocks[large].T)[0, 1]


def test_paths_hedge_on_calm_days_and_not_in_stress_as_the_data_do():
    shocks, _ = regime_world(3)
    market = market_of(shocks, "py")
    sampler = simulate.RegimeSwitching().sampler(market)
    drawn = [sampler(np.random.default_rng(s)) for s in range(10)]
    assert_allclose(np.mean([d.std(axis=0) for d in drawn], axis=0), shocks.std(axis=0), rtol=0.1)
    assert_allclose(np.mean([tie_by_size(d) for d in drawn], axis=0), tie_by_size(shocks), atol=0.1)
    assert tie_by_size(shocks)[0] > 0.1 > -0.3 > tie_by_size(shocks)[1]
    # One correlation for all days is none of the two.
    sampler = simulate.MultivariateT().sampler(market)
    plain = [tie_by_size(sampler(np.random.default_rng(s))) for s in range(10)]
    assert abs(np.diff(np.mean(plain, axis=0))[0]) < 0.15


def test_a_world_can_be_given_regime_by_regime():
    rng = np.random.default_rng(4)
    market = market_of(rng.standard_t(6, (2500, 3)) * [0.02, 0.02, 4e-4], "ppy")
    data = market.shocks(1)[1:].std(axis=0)
    world = simulate.RegimeSwitching(
        cross=(0.5, -0.5), volatility=(0.5, 4.0), lengths=(200.0, 20.0)
    )
    sampler = world.sampler(market)
    drawn = np.concatenate([sampler(np.random.default_rng(s)) for s in range(20)])
    share = 20 / 220
    expected = np.sqrt((1 - share) * 0.5**2 + share * 4.0**2)
    assert_allclose(drawn.std(axis=0) / data, expected, rtol=0.12)
    size = (np.abs(drawn) / data).max(axis=1)
    calm, stress = size < np.quantile(size, 0.7), size > np.quantile(size, 0.96)
    assert correlation(drawn[calm], 0, 2) > 0.3 and correlation(drawn[stress], 0, 2) < -0.4
    assert abs(correlation(drawn[calm], 0, 1)) < 0.15  # among prices it is the data's


def correlation(shocks: np.ndarray, i: int, j: int) -> float:
    return float(np.corrcoef(shocks[:, i], shocks[:, j])[0, 1])


def test_three_regimes_leave_each_other_as_fitted_and_last_as_given():
    shocks, _ = regime_world(5, days=1500)
    fitted = fit_regimes(shocks, 3).transition
    given = simulate.RegimeSwitching(regimes=3, lengths=(50.0, 20.0, 5.0))._transition(fitted)
    assert_allclose(1 - np.diag(given), [1 / 50, 1 / 20, 1 / 5])
    assert_allclose(given.sum(axis=1), 1.0)
    assert_allclose(given[0, 1] / given[0, 2], fitted[0, 1] / fitted[0, 2])
    kept = simulate.RegimeSwitching(regimes=3)._transition(fitted)
    assert_array_equal(kept, fitted)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cross": (0.1, 0.2, 0.3)}, "cross has 3 values and there are 2 regimes"),
        ({"regimes": 3, "lengths": (5.0, 6.0)}, "lengths has 2 values and there are 3 regimes"),
        ({"volatility": (1.0,)}, "volatility has 1 values"),
    ],
)
def test_one_value_a_regime_or_an_error(given, message, small_market):
    with pytest.raises(StudyError, match=message):
        simulate.RegimeSwitching(**given).sampler(small_market)


@pytest.mark.parametrize(
    "given", [{"cross": (1.2, 0.0)}, {"lengths": (1.0, 9.0)}, {"volatility": (0.0, 1.0)}]
)
def test_what_no_regime_can_have_is_refused(given):
    with pytest.raises(StudyError, match=f"{next(iter(given))}.0 is"):
        simulate.RegimeSwitching(**given)


@pytest.mark.slow
def test_the_regimes_of_the_real_data_are_of_yields_against_crypto(real_data):
    market = bt.load_market(real_data)
    shocks = market.shocks(1)[1:]
    size = np.sqrt(np.diagonal(fit_regimes(shocks).covariance, axis1=1, axis2=2)) / shocks.std(
        axis=0
    )
    assert (size[0, :5] < 0.9).all() and (size[0, 5:] > 1.1).all()
    assert (size[1, :5] > 1.0).all() and (size[1, 5:] < 0.8).all()
