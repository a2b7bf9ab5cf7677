"""What a simulator draws, from worlds whose law is known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
from backtest import simulate
from backtest.estimators.dependence import fit_multivariate_t, nearest_correlation, t_copula
from backtest.estimators.garch import fit_garch
from backtest.kernels.levels import shocked_levels
from backtest.kernels.recursion import Recursion, devolatilise, revolatilise
from backtest.simulate import SIMULATORS
from backtest.simulate.bootstrap import block_length, block_lengths
from backtest.simulate.garch_t import VolatilityFits
from tests.support.worlds import BLOCKS, correlation, draw, market_of


@settings(max_examples=60, deadline=None)
@given(
    shocks=arrays(np.float64, (12, 3), elements=some.floats(-0.3, 0.3)),
    is_price=arrays(np.bool_, 3),
    low=some.floats(-0.02, 0.0),
)
def test_levels_equal_their_slow_twin(shocks, is_price, low):
    start, high, stopped = np.array([0.01, 0.05, 0.2]), 0.2, set()
    expected = [list(start)]
    for t, row in enumerate(shocks):
        today = []
        for before, shock, price in zip(expected[-1], row, is_price, strict=True):
            level = before * (1.0 + shock) if price else before + shock
            if not price and not low - 1e-12 <= level <= high + 1e-12:
                stopped.add(t)
            today.append(level if price else sorted((low, level, high))[1])
        expected.append(today)
    out = np.empty((13, 3))
    assert shocked_levels(start, shocks, is_price, low, high, out) == len(stopped)
    assert_array_equal(out, expected)


@settings(max_examples=40, deadline=None)
@given(
    z=arrays(np.float64, (15, 2), elements=some.floats(-6, 6)),
    gain=some.floats(0.0, 0.5),
    loss=some.floats(0.0, 0.5),
    memory=some.floats(0.0, 0.9),
    rest=some.floats(1e-8, 1e-2),
)
def test_devolatilise_inverts_revolatilise_and_both_follow_the_recursion(
    z, gain, loss, memory, rest
):
    law = Recursion(np.array([rest, 2 * rest]), *(np.full(2, x) for x in (gain, loss, memory)))
    start = np.array([rest, 3 * rest])
    shocks, again, after, back = np.empty_like(z), np.empty_like(z), start.copy(), start.copy()
    revolatilise(z, after, law, shocks)
    v = start
    for t in range(len(z)):
        assert_allclose(shocks[t], np.sqrt(v) * z[t], rtol=1e-12)
        v = law.rest + np.where(shocks[t] < 0, loss, gain) * shocks[t] ** 2 + memory * v
    assert_allclose(after, v, rtol=1e-12)
    devolatilise(shocks, back, law, again)
    assert_allclose(again, z, rtol=1e-9, atol=1e-12)
    assert_allclose(back, after, rtol=1e-12)


def test_the_stationary_bootstrap_draws_whole_days_in_blocks_of_the_given_mean(small_market):
    shocks = small_market.shocks(1)[1:]
    day = {row.tobytes(): i for i, row in enumerate(shocks)}
    runs = 0
    for stream in range(40):
        drawn = [day[row.tobytes()] for row in draw(BLOCKS, small_market, stream)]
        runs += np.mean((np.diff(drawn) % len(shocks)) == 1) / 40
    # A new block starts with probability 1/10 and then runs on by chance once in 259.
    assert runs == pytest.approx(0.9 + 0.1 / 259, abs=0.012)


def test_the_block_is_arch_s_longest_optimal_one_of_shocks_and_of_sizes():
    from arch.bootstrap import optimal_block_length

    rng = np.random.default_rng(0)
    volatility = np.exp(np.cumsum(rng.normal(0, 0.05, 800)))
    clustered, white = rng.normal(size=800) * volatility, rng.normal(size=800)
    level = np.convolve(white, 0.9 ** np.arange(60))[:800]  # a rate that remembers itself
    for column, row in ((clustered, 1), (level, 0)):
        shocks = np.column_stack([rng.normal(size=800), column])
        lengths = block_lengths(shocks)
        for k, values in enumerate((shocks, np.abs(shocks))):
            assert_allclose(lengths[k], optimal_block_length(values)["stationary"])
        assert np.unravel_index(lengths.argmax(), (2, 2)) == (row, 1)
        assert block_length(shocks) == np.ceil(lengths.max()) > 3 * lengths[:, 0].max()


def garch_world(seed: int, *, days: int = 4000, gain: float = 0.08, loss: float = 0.08):
    """Mean reaction .08, beta .88, t with 8 degrees of freedom, sd 3 %."""
    rng = np.random.default_rng(seed)
    z = rng.standard_t(8, days) * np.sqrt(6 / 8)
    x, v = np.empty(days), 9e-4
    for t in range(days):
        x[t] = np.sqrt(v) * z[t]
        v = 0.04 * 9e-4 + (loss if x[t] < 0 else gain) * x[t] ** 2 + 0.88 * v
    return np.clip(x, -0.5, None)


def volatility_fit(world: np.ndarray, *, leverage: bool) -> VolatilityFits:
    market = market_of(world[:, None], "p")
    return VolatilityFits.of(market, world[:, None], leverage=leverage, max_persistence=0.999)


def test_garch_t_recovers_a_known_garch_world():
    worlds = [garch_world(seed) for seed in (1, 2, 3)]
    fits = [volatility_fit(world, leverage=False) for world in worlds]
    assert all(f.law.gain == f.law.loss for f in fits)
    assert np.mean([f.law.gain for f in fits]) == pytest.approx(0.08, abs=0.02)
    assert np.mean([f.law.gain + f.law.memory for f in fits]) == pytest.approx(0.96, abs=0.015)
    assert np.mean([f.freedom for f in fits]) == pytest.approx(8, abs=1.5)
    market = market_of(worlds[0][:, None], "p")
    sampler = simulate.GarchT().sampler(market)
    paths = [sampler(np.random.default_rng(s))[:, 0] for s in range(20)]
    assert np.mean([p.std() for p in paths]) == pytest.approx(worlds[0].std(), rel=0.06)
    size = [np.corrcoef(np.abs(p[5:]), np.abs(p[:-5]))[0, 1] for p in paths]
    true = np.abs(np.concatenate([garch_world(s) for s in range(10, 20)]))
    assert np.mean(size) == pytest.approx(np.corrcoef(true[5:], true[:-5])[0, 1], abs=0.04)


def test_gjr_t_recovers_which_sign_feeds_volatility_and_draws_it():
    world = garch_world(4, days=8000, gain=0.02, loss=0.14)
    fit = volatility_fit(world, leverage=True)
    assert fit.law.gain[0] == pytest.approx(0.02, abs=0.02)
    assert fit.law.loss[0] == pytest.approx(0.14, abs=0.04)
    assert fit.law.memory[0] == pytest.approx(0.88, abs=0.04)

    def leverage(shocks: np.ndarray) -> float:  # of a shock with the size of the next
        return float(np.corrcoef(shocks[:-1], np.abs(shocks[1:]))[0, 1])

    market = market_of(world[:, None], "p")
    for simulator, asymmetric in ((simulate.GjrT(), True), (simulate.GarchT(), False)):
        sampler = simulator.sampler(market)
        drawn = [leverage(sampler(np.random.default_rng(s))[:, 0]) for s in range(10)]
        if asymmetric:
            assert np.mean(drawn) == pytest.approx(leverage(world), abs=0.04)
            assert np.mean(drawn) < -0.06
        else:
            assert abs(np.mean(drawn)) < 0.03


def test_a_reaction_beyond_the_persistence_that_is_allowed_is_cut_in_proportion():
    world = garch_world(4, gain=0.03, loss=0.13)
    free = fit_garch(world, leverage=True)
    market = market_of(world[:, None], "p")
    held = VolatilityFits.of(market, world[:, None], leverage=True, max_persistence=0.05).law
    assert (held.gain + held.loss) / 2 + held.memory == pytest.approx(0.05, abs=1e-12)
    assert held.memory[0] == pytest.approx(0, abs=1e-12)
    assert held.loss / held.gain == pytest.approx((free.alpha + free.gamma) / free.alpha, rel=0.05)


def test_garch_t_ties_factors_by_the_correlation_of_their_residuals():
    rng = np.random.default_rng(5)
    z = rng.multivariate_normal([0, 0], [[1, -0.7], [-0.7, 1]], 3000)
    shocks = draw(simulate.GarchT(), market_of(z * [0.02, 0.0003], "py"))
    assert correlation(shocks)[0, 1] == pytest.approx(-0.7, abs=0.05)
    assert_allclose(shocks.std(axis=0), [0.02, 0.0003], rtol=0.08)


@pytest.mark.parametrize("name", ["garch_t", "gjr_t", "dcc_t"])
def test_the_typical_history_has_the_correlation_of_the_data(name):
    # Factors of one innovation whose volatilities differ: raw shocks correlate less.
    rng = np.random.default_rng(9)
    common = rng.standard_normal((2500, 1))
    z = 0.95 * common + np.sqrt(1 - 0.95**2) * rng.standard_normal((2500, 3))
    wave = np.exp(0.9 * np.sin(np.arange(2500)[:, None] / 80 + np.array([0.0, 2.1, 4.2])))
    market = market_of(z * wave * 0.005, "ppp")
    data = correlation(market.shocks(1)[1:])
    sampler = SIMULATORS[name]().sampler(market)
    drawn = [correlation(sampler(np.random.default_rng(s))) for s in range(100)]
    assert data[0, 1] < 0.8
    assert_allclose(np.mean(drawn, axis=0), data, atol=0.03)


@pytest.mark.parametrize("name", ["garch_t", "filtered_bootstrap"])
def test_the_typical_history_has_the_sd_of_the_data_even_where_variance_explodes(name):
    rng = np.random.default_rng(8)
    calm, wild = rng.standard_t(3, (900, 2)) * 4e-3, rng.standard_t(3, (300, 2)) * 3e-2
    data = np.clip(np.vstack([calm, wild, calm]), -0.6, 0.6)
    sampler = SIMULATORS[name]().sampler(market_of(data, "pp"))
    sd = [sampler(np.random.default_rng(s)).std(axis=0) for s in range(100)]
    assert_allclose(np.exp(np.mean(np.log(sd), axis=0)), data.std(axis=0), rtol=0.15)


def test_the_filtered_bootstrap_clusters_volatility_and_keeps_dependence():
    rng = np.random.default_rng(2)
    z = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 2500)
    volatility = np.exp(np.cumsum(rng.normal(0, 0.08, 2500)) * 0.4)[:, None] * 0.008
    market = market_of(np.clip(z * volatility, -0.5, 0.5), "pp")
    shocks = draw(simulate.FilteredBootstrap(reaction=0.1, block_size=1), market)
    assert correlation(shocks)[0, 1] == pytest.approx(0.6, abs=0.08)
    independent = draw(simulate.MultivariateT(), market)
    for drawn, clustered in ((shocks, True), (independent, False)):
        acf = np.corrcoef(np.abs(drawn[1:, 0]), np.abs(drawn[:-1, 0]))[0, 1]
        assert (acf > 0.12) == clustered


def test_multivariate_t_recovers_its_degrees_of_freedom_and_scatter():
    rng = np.random.default_rng(3)
    scatter = np.array([[4e-4, 1e-6], [1e-6, 1e-8]])
    normal = rng.multivariate_normal([0, 0], scatter, 6000)
    values = normal * np.sqrt(5 / rng.chisquare(5, 6000))[:, None]
    mean, fitted, freedom = fit_multivariate_t(values)
    assert freedom == pytest.approx(5, abs=0.6)
    assert_allclose(fitted, scatter, rtol=0.1)
    assert_allclose(mean / np.sqrt(np.diag(scatter)), 0, atol=0.04)
    shocks = draw(simulate.MultivariateT(), market_of(np.clip(values, -0.6, None), "py"))
    assert_allclose(fit_multivariate_t(shocks)[1], scatter, rtol=0.2)
    assert fit_multivariate_t(shocks)[2] == pytest.approx(5, abs=0.9)


def test_t_copula_recovers_its_law_and_keeps_the_empirical_margins():
    rng = np.random.default_rng(4)
    normal = rng.multivariate_normal([0, 0], [[1, -0.6], [-0.6, 1]], 3000)
    student = normal * np.sqrt(4 / rng.chisquare(4, 3000))[:, None]
    # Any increasing map keeps the copula.
    values = np.column_stack([np.arctan(student[:, 0]) / 20, np.cbrt(student[:, 1]) / 1e4])
    rho, freedom = t_copula(values)
    assert rho[0, 1] == pytest.approx(-0.6, abs=0.04)
    assert freedom == pytest.approx(4, abs=1.0)
    market = market_of(values, "py")
    shocks, data = draw(simulate.TCopula(), market), market.shocks(1)[1:]
    for j in range(2):
        assert np.isin(shocks[:, j], data[:, j]).all()
        below = np.searchsorted(np.sort(shocks[:, j]), np.sort(data[:, j]), side="right") / 3000
        assert np.abs(below - np.arange(1, 3001) / 3000).max() < 1.63 / np.sqrt(3000)  # KS, 1 %
    assert t_copula(shocks)[0][0, 1] == pytest.approx(-0.6, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(entries=arrays(np.float64, 6, elements=some.floats(-1, 1)))
def test_the_nearest_correlation_is_one_and_leaves_one_alone(entries):
    matrix = np.eye(4)
    matrix[np.triu_indices(4, 1)] = entries
    matrix = matrix + matrix.T - np.eye(4)
    near = nearest_correlation(matrix)
    assert_array_equal(np.diag(near), 1.0)
    assert np.linalg.eigvalsh(near)[0] > 0 and np.abs(near).max() <= 1 + 1e-12
    assert_allclose(nearest_correlation(near), near, atol=1e-7)


def test_garch_t_stays_finite_where_one_shock_moves_the_variance_more_than_persistence_allows():
    rng = np.random.default_rng(11)
    x, v = np.empty(1500), 1e-4
    for t in range(1500):
        x[t] = np.sqrt(v) * rng.normal()
        v = 2e-5 + 0.85 * x[t] ** 2
    market = market_of(np.clip(x, -0.5, 0.5)[:, None], "p")
    held = simulate.GarchT(max_persistence=0.5)
    shocks = np.vstack([draw(held, market, stream) for stream in range(5)])
    assert np.isfinite(shocks).all() and shocks.std() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["garch_t", "gjr_t"])
def test_the_kurtosis_of_the_real_data_is_one_that_histories_of_the_law_often_have(
    name, real_data: Path
):
    # The mean over paths says nothing: with fewer than some five degrees of freedom the fourth
    # moment does not exist, and a few histories rule its mean. The kurtosis of the data is one draw
    # of a wide law, and each factor's must lie inside it.
    market = bt.load_market(real_data)
    sampler = SIMULATORS[name]().sampler(market)
    data = kurtosis(market.shocks(1)[1:])
    drawn = np.array([kurtosis(sampler(np.random.default_rng(s))) for s in range(200)])
    below = dict(zip(market.factors, (drawn <= data).mean(axis=0), strict=True))
    assert all(0.05 < share < 0.95 for share in below.values()), below
    assert np.median(drawn[:, market.factors.index("BTC")]) < 20  # 25 by the likelihood of all days
    assert drawn.mean(axis=0).max() > 1.5 * np.median(drawn, axis=0).max()


def kurtosis(shocks: np.ndarray) -> np.ndarray:
    away = shocks - shocks.mean(axis=0)
    return (away**4).mean(axis=0) / (away**2).mean(axis=0) ** 2 - 3
