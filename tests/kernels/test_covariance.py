"""Covariance of windows, netting and slopes of par bonds, each against its slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal

from backtest.estimators.correlation import rolling_covariance
from backtest.instruments.treasury import par_bond_sensitivity
from backtest.kernels.netting import netted_margin
from tests.support import reference

EPSILON = np.finfo(np.float64).eps
COLUMNS = {
    "moves": lambda rng, days: rng.standard_t(4, days),
    "large once": lambda rng, days: (
        np.where(np.arange(days) // 30 == 1, 1e6, 1e-6) * rng.standard_normal(days)
    ),
    "a level": lambda rng, days: 1e3 + rng.standard_normal(days),
    "one value": lambda rng, days: np.full(days, 0.1),
    "no value": lambda rng, days: np.zeros(days),
    "runs": lambda rng, days: np.repeat(rng.standard_normal(days), rng.integers(1, 40, days))[
        :days
    ],
    "ties": lambda rng, days: rng.integers(-1, 2, days) / 100.0,
    "trend": lambda rng, days: np.linspace(0.0, 50.0, days) + rng.standard_normal(days),
}


@settings(max_examples=60, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    kinds=some.lists(some.sampled_from(sorted(COLUMNS)), min_size=1, max_size=5),
    lookback=some.integers(1, 40),
    unknown=some.integers(0, 9),
)
def test_covariance_equals_centring_every_window(seed, kinds, lookback, unknown):
    rng = np.random.default_rng(seed)
    x = np.column_stack([COLUMNS[kind](rng, 120) for kind in kinds])
    x[:unknown, 0] = np.nan
    found, expected = rolling_covariance(x, lookback), reference.rolling_covariance(x, lookback)
    expected[: unknown + lookback - 1] = np.nan
    assert_array_equal(np.isnan(found), np.isnan(expected))
    variance = np.diagonal(expected, axis1=1, axis2=2)
    scale = np.sqrt(variance[:, :, None] * variance[:, None, :])
    error = np.abs(found - expected)
    known = ~np.isnan(error)
    assert (error[known] <= 1e-12 * scale[known]).all()
    assert_array_equal(found, found.transpose(0, 2, 1))


def test_rounding_does_not_grow_over_a_long_history():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20_000, 2)) * np.exp(np.cumsum(rng.normal(0, 0.2, (20_000, 2)), 0))
    found = rolling_covariance(x, 50)
    for day in range(49, len(x), 97):
        window = x[day - 49 : day + 1]
        window = window - window.mean(axis=0)
        scale = np.sqrt(np.outer(*[(window**2).mean(axis=0)] * 2))
        assert (np.abs(found[day] - window.T @ window / 50) <= 1e-12 * scale).all()


def test_columns_of_one_kind_have_correlations_of_exactly_one():
    x = np.random.default_rng(2).standard_normal((400, 1)) @ np.array([[1.0, 1.0, -1.0, 4.0]])
    covariance = rolling_covariance(x, 30)[29:]
    assert_array_equal(covariance[:, 0, 1], covariance[:, 0, 0])
    assert_array_equal(covariance[:, 0, 2], -covariance[:, 0, 0])
    assert_array_equal(covariance[:, 0, 3], 4.0 * covariance[:, 0, 0])


def test_a_column_that_is_unknown_for_a_day_leaves_the_others_alone():
    x = np.random.default_rng(3).standard_normal((200, 3))
    whole = rolling_covariance(x, 25)
    x[100, 1] = np.nan
    found = rolling_covariance(x, 25)
    assert np.isnan(found[100:125, 1]).all() and np.isnan(found[100:125, :, 1]).all()
    others = np.ix_(range(24, 200), [0, 2], [0, 2])
    assert_allclose(found[others], whole[others], rtol=1e-12, atol=1e-13)
    assert_allclose(found[125:], whole[125:], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("credit_below", "floor"), [(np.inf, -1.0), (-0.3, -1.0), (np.inf, -0.2)])
@pytest.mark.parametrize("by_day", [False, True])
def test_netting_equals_matrices_over_all_columns(by_day, credit_below, floor):
    rng = np.random.default_rng(4)
    days, portfolios, groups, columns = 150, 9, 3, 7
    group = np.array([0, 0, 1, 1, 2, 2, 2])
    x = rng.standard_normal((days + 30, columns))
    x[:, 5], x[:, 3] = -x[:, 4], 0.0  # a group that may be hedged, a column that never moves
    covariance = rolling_covariance(x, 31)[30:]
    covariance[0] = np.nan
    unit = rng.normal(size=(days, columns))
    exposure = rng.normal(size=(days if by_day else 1, portfolios, columns))
    exposure *= rng.random((portfolios, columns)) < 0.6
    exposure[:, 0] = 0.0
    exposure[:, 1] = [0.0, 0.0, 0.0, 1e6, 0.0, 0.0, 1.0]
    margin = rng.random((days, portfolios, groups)) * (rng.random((portfolios, groups)) < 0.7)
    margin[:, 3:] *= rng.random((days, portfolios - 3, groups)) < 0.5
    margin[:70, 4, 0], margin[70:, 4, 1:] = 0.0, 0.0
    margin[1, 2] = np.nan
    found = np.empty((days, portfolios))
    netted_margin(margin, covariance, unit, exposure, group, credit_below, floor, found)
    assert np.isnan(found[0]).all() and np.isnan(found[1, 2])
    for t in range(1, days):
        for p in range(portfolios):
            if (t, p) != (1, 2):
                coefficient = exposure[t if by_day else 0, p] * unit[t]
                expected = reference.netted_margin(
                    margin[t, p],
                    covariance[t],
                    coefficient,
                    group,
                    credit_below=credit_below,
                    floor=floor,
                )
                assert found[t, p] == pytest.approx(expected, rel=1e-10)


def test_a_hedged_group_and_a_single_margin_are_netted_against_nothing():
    x = np.random.default_rng(5).standard_normal((60, 1)) @ np.ones((1, 3))
    covariance = rolling_covariance(x, 60)[59:]
    margin = np.array([[[3.0, 4.0], [0.3, 0.0]]])
    exposure = np.array([[[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]])  # the first group hedges itself
    out = np.empty((1, 2))
    group = np.array([0, 0, 1])
    netted_margin(margin, covariance, np.ones((1, 3)), exposure, group, np.inf, -1.0, out)
    assert out.tolist() == [[5.0, 0.3]]


@pytest.mark.parametrize("tenor", [0.5, 2, 7, 30])
def test_slopes_of_par_bonds_equal_their_payments(tenor):
    rng = np.random.default_rng(6)
    level = np.r_[0.0, 1e-300, 1e-12, -0.01, 1.5, rng.normal(0.03, 0.02, 600)]
    found = par_bond_sensitivity(level, tenor)
    expected = [reference.par_bond_slopes(y, int(2 * tenor)) for y in level]
    assert_allclose(found, expected, rtol=1e-13)
    strided = np.column_stack([level, level])[:, 0]
    assert_array_equal(par_bond_sensitivity(strided, tenor), found)
