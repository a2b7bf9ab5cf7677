"""A Student copula whose correlation moves: its kernels, its fit, its draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from backtest import simulate
from backtest.estimators.dcc import fit_dcc
from backtest.kernels.dcc import dcc_likelihood, dcc_path
from tests.support.worlds import market_of


def dcc_world(seed: int, *, days: int = 6000, reaction=0.06, persistence=0.97, freedom=6.0):
    """Unit-variance Student pairs around a correlation of .3, and the correlation of each day."""
    rng = np.random.default_rng(seed)
    target = q = np.array([[1.0, 0.3], [0.3, 1.0]])
    w, rho = np.empty((days, 2)), np.empty(days)
    for t in range(days):
        scale = np.sqrt(np.diag(q))
        r = q / np.outer(scale, scale)
        rho[t] = r[0, 1]
        mixing = np.sqrt((freedom - 2) / rng.chisquare(freedom))
        w[t] = mixing * np.linalg.cholesky(r) @ rng.standard_normal(2)
        news = reaction * np.outer(w[t], w[t])
        q = (1 - persistence) * target + news + (persistence - reaction) * q
    return w, rho


@settings(max_examples=40, deadline=None)
@given(
    normal=arrays(np.float64, (12, 3), elements=some.floats(-4, 4)),
    mixing=arrays(np.float64, 12, elements=some.floats(0.3, 5)),
    reaction=some.floats(0.0, 0.3),
    rest=some.floats(0.0, 0.69),
    freedom=some.floats(2.5, 40),
)
def test_the_kernels_equal_their_slow_twins(normal, mixing, reaction, rest, freedom):
    persistence = reaction + rest
    target = np.array([[1.0, 0.6, -0.2], [0.6, 1.0, 0.1], [-0.2, 0.1, 1.0]])
    w = np.empty_like(normal)
    dcc_path(normal, mixing, target, reaction, persistence, w)
    q, likelihood = target, 0.0
    for t in range(12):
        scale = np.sqrt(np.diag(q))
        r = q / np.outer(scale, scale)
        assert_allclose(w[t], mixing[t] * np.linalg.cholesky(r) @ normal[t], rtol=1e-9, atol=1e-12)
        distance = w[t] @ np.linalg.inv(r) @ w[t]
        likelihood -= np.linalg.slogdet(r)[1] / 2
        likelihood -= (freedom + 3) / 2 * np.log1p(distance / (freedom - 2))
        q = (1 - persistence) * target + reaction * np.outer(w[t], w[t]) + rest * q
    got = dcc_likelihood(w, freedom, target, reaction, persistence)
    assert_allclose(got, likelihood, rtol=1e-8, atol=1e-8)


def test_a_known_world_is_recovered_whatever_the_margins():
    w, _ = dcc_world(1)
    for values in (w, np.sinh(w) * 1e-3):  # an increasing map keeps ranks
        fit = fit_dcc(values)
        assert fit.reaction == pytest.approx(0.06, abs=0.02)
        assert fit.persistence == pytest.approx(0.97, abs=0.02)
        assert fit.freedom == pytest.approx(6, abs=1.5)
        assert fit.target[0, 1] == pytest.approx(0.3, abs=0.08)


def test_a_constant_correlation_is_found_not_to_move():
    rng = np.random.default_rng(2)
    z = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 4000)
    fit = fit_dcc(z)
    assert fit.reaction**2 / (1 - fit.persistence**2) < 2e-3  # in the world above .06
    assert fit.target[0, 1] == pytest.approx(0.5, abs=0.03)


def drawn(simulator, market, paths: int) -> list[np.ndarray]:
    sampler = simulator.sampler(market)
    return [sampler(np.random.default_rng(stream)) for stream in range(paths)]


def moving(shocks: np.ndarray) -> float:
    """Standard deviation of the correlation over spans of 50 days."""
    spans = shocks[: len(shocks) // 50 * 50].reshape(-1, 50, 2)
    return float(np.std([np.corrcoef(span.T)[0, 1] for span in spans]))


def coincidences(shocks: np.ndarray) -> float:
    """Share of the largest 2 % of one factor that meet those of the other."""
    large = np.abs(shocks) > np.quantile(np.abs(shocks), 0.98, axis=0)
    return float(large.all(axis=1).mean() / 0.02)


def test_paths_have_correlations_that_move_and_extremes_that_coincide():
    w, _ = dcc_world(3, reaction=0.10, persistence=0.98, freedom=4.0)
    market = market_of(np.clip(w * [0.02, 0.0004], -0.6, 0.6), "py")
    data = market.shocks(1)[1:]
    paths, fixed = (drawn(kind, market, 10) for kind in (simulate.DccT(), simulate.GarchT()))
    assert np.mean([moving(p) for p in paths]) == pytest.approx(moving(data), abs=0.06)
    assert np.mean([moving(p) for p in fixed]) < moving(data) - 0.08
    assert np.mean([coincidences(p) for p in paths]) == pytest.approx(coincidences(data), abs=0.07)
    assert np.mean([coincidences(p) for p in fixed]) < coincidences(data) - 0.05
    assert_allclose(np.mean([p.std(axis=0) for p in paths], axis=0), data.std(axis=0), rtol=0.15)


def test_each_factor_keeps_its_own_tails():
    rng = np.random.default_rng(4)
    z = np.column_stack([rng.standard_t(3.5, 5000) * 0.02, rng.standard_normal(5000) * 4e-4])
    market = market_of(np.clip(z, -0.8, 0.8), "py")
    paths = np.concatenate(drawn(simulate.DccT(), market, 5))
    farthest = np.quantile(np.abs(paths), 0.999, axis=0) / paths.std(axis=0)
    data = np.quantile(np.abs(z), 0.999, axis=0) / z.std(axis=0)
    assert_allclose(farthest, data, rtol=0.2)
    assert farthest[0] > 1.5 * farthest[1]


def test_leverage_feeds_volatility_by_sign(small_market):
    plain = simulate.DccT().sampler(small_market)
    by_sign = simulate.DccT(leverage=True).sampler(small_market)
    rng = np.random.default_rng
    assert not np.allclose(plain(rng(1)), by_sign(rng(1)))


def test_columns_that_often_stand_still_are_not_taken_to_move_together():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(8):
        z = rng.standard_normal((2500, 2))
        z[rng.random(z.shape) < 0.6] = 0.0
        found.append(fit_dcc(z).target[0, 1])
    # In the order of days the mean was .06, four standard errors of one history.
    assert abs(np.mean(found)) < 0.02
