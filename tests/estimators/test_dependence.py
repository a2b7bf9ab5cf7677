"""The Student copula against scipy: ranks, Kendall's tau, quantiles, the likeliest freedom."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

from backtest.estimators.dependence import FREEDOM, nearest_correlation, t_copula
from backtest.estimators.student_curves import MixedDraws, quantile_curves, student_quantiles
from backtest.kernels.concordance import concordance, tied_ranks
from backtest.kernels.copula import minus_likelihood
from tests.support import copula

WORLDS = {
    "smooth": lambda rng, shape: rng.standard_t(4, shape) @ rng.normal(0, 1, (shape[1],) * 2),
    "ties": lambda rng, shape: rng.integers(-3, 4, shape).astype(float),
    "hundredths": lambda rng, shape: rng.normal(0, 0.05, shape).round(2),
    "one moves": lambda rng, shape: np.where(np.arange(shape[1]) == 0, rng.normal(0, 1, shape), 0),
    "trend": lambda rng, shape: np.cumsum(rng.random(shape), axis=0),
}


def worlds(test):
    """A test of random tables, of every kind."""
    test = given(
        seed=some.integers(0, 2**32 - 1), days=some.integers(2, 300), columns=some.integers(1, 4)
    )(test)
    return pytest.mark.parametrize("world", WORLDS)(settings(max_examples=12, deadline=None)(test))


def ranked(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Order, smaller values, those not larger, and tied pairs of each column."""
    columns = np.ascontiguousarray(values.T)
    order = np.argsort(columns, axis=1)
    first, last, tied = np.empty_like(order), np.empty_like(order), np.empty(len(order), np.int64)
    tied_ranks(columns, order, first, last, tied)
    return order, first, last, tied


@worlds
def test_ranks_are_scipys(world, seed, days, columns):
    values = WORLDS[world](np.random.default_rng(seed), (days, columns))
    _, first, last, tied = ranked(values)
    assert_array_equal((first + last + 1) / 2, stats.rankdata(values, axis=0).T)
    for column, pairs in zip(values.T, tied, strict=True):
        count = np.unique(column, return_counts=True)[1]
        assert pairs == (count * (count - 1) // 2).sum()


@worlds
def test_concordance_counts_all_pairs(world, seed, days, columns):
    values = WORLDS[world](np.random.default_rng(seed), (days, columns))
    order, first, last, _ = ranked(values)
    found = np.zeros((columns, columns), np.int64)
    concordance(order, first, last, found)
    signs = np.sign(values[:, None] - values[None])
    expected = np.einsum("stc,std->cd", signs, signs).astype(int) // 2
    np.fill_diagonal(expected, 0)
    assert_array_equal(found, expected)


@settings(max_examples=30, deadline=None)
@given(freedom=some.floats(*FREEDOM), parts=some.integers(2, 400), seed=some.integers(0, 2**32 - 1))
def test_curves_are_the_functions_that_they_stand_for(freedom, parts, seed):
    levels = np.arange(1, parts) / parts
    expected = special.stdtrit(freedom, levels)
    assert_allclose(student_quantiles(parts, freedom), expected, rtol=1e-12, atol=1e-15)
    uniform = np.clip(np.random.default_rng(seed).random(50), 1e-4, 1.0 - 1e-4)
    for probability, close in ((uniform, 1e-12), (np.array([1e-7, 1.0 - 1e-7]), 1e-9)):
        mixing = np.sqrt(freedom / stats.chi2.ppf(probability, freedom))
        assert_allclose(MixedDraws(probability).at(freedom), mixing, rtol=close)


@worlds
def test_the_copula_is_as_likely_as_by_scipys_search(world, seed, days, columns):
    values = WORLDS[world](np.random.default_rng(seed), (days, columns))
    values = values[:, np.ptp(values, axis=0) > 0]
    if days < 10 or not values.size:
        return
    (correlation, freedom), (expected, theirs) = t_copula(values), copula.t_copula(values)
    assert_allclose(correlation, expected, rtol=1e-12, atol=1e-12)
    if values.shape[1] == 1:  # its likelihood is the same at all degrees of freedom
        assert freedom == theirs
    else:
        found, best = (copula.minus_likelihood(values, correlation, nu) for nu in (freedom, theirs))
        assert found <= best + 1e-9 * days


@worlds
def test_the_likelihood_is_scipys(world, seed, days, columns):
    rng = np.random.default_rng(seed)
    values, nu = WORLDS[world](rng, (days, columns)), float(rng.uniform(*FREEDOM))
    correlation = nearest_correlation(
        stats.random_correlation(np.ones(columns)).rvs(random_state=1) if columns > 1 else np.eye(1)
    )
    _, first, last, _ = ranked(values)
    curves = quantile_curves(2 * (days + 1))
    found = minus_likelihood(
        nu,
        curves,
        np.ascontiguousarray((first + last).T),
        np.linalg.inv(correlation),
        np.empty(2 * days + 1),
    )
    assert found == pytest.approx(
        copula.minus_likelihood(values, correlation, nu), rel=1e-9, abs=1e-8
    )
