"""Degrees of freedom by the largest innovations, and Student values from normals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr, stdtr, stdtrit

from backtest.estimators.garch import fit_garch
from backtest.estimators.student import FREEDOM, student_of, tail_freedom


@pytest.mark.parametrize(("freedom", "near"), [(3.0, 0.35), (5.0, 0.7), (9.0, 2.2)])
def test_the_freedom_of_a_student_law_is_found_whatever_the_scale(freedom, near):
    draws = np.random.default_rng(1).standard_t(freedom, (40, 2700))
    fitted = [tail_freedom(row) for row in draws]
    assert np.median(fitted) == pytest.approx(freedom, abs=near)
    assert tail_freedom(draws[0] * 1e-4) == pytest.approx(fitted[0], rel=1e-3)


def test_normal_draws_end_near_the_upper_limit():
    draws = np.random.default_rng(2).standard_normal((20, 2700))
    assert np.median([tail_freedom(row) for row in draws]) > 20


def test_many_quiet_days_make_the_likelihood_of_all_days_heavy_but_not_that_of_the_largest():
    # Seven days in ten at a quarter of the size of the others: a peak at zero, tails of 6.
    rng = np.random.default_rng(3)
    draws = rng.standard_t(6, 20_000) * np.where(rng.random(20_000) < 0.7, 0.25, 1.0)
    assert fit_garch(draws).freedom < 2.6
    assert 3.2 < tail_freedom(draws) < 6


@given(
    freedom=some.floats(*FREEDOM),
    copula=some.one_of(some.just(np.inf), some.floats(2.2, 60)),
    rank=some.floats(-8.9, 8.9),
)
def test_the_table_of_quantiles_is_that_of_its_slow_twin(freedom, copula, rank):
    x = rank if np.isinf(copula) else -np.sign(rank) * stdtrit(copula, ndtr(-abs(rank)))
    tail = ndtr(-abs(x)) if np.isinf(copula) else stdtr(copula, -abs(x))
    exact = -np.sign(x) * stdtrit(freedom, tail) * np.sqrt((freedom - 2) / freedom)
    got = student_of(np.array([freedom]), copula)(np.array([[x]]))[0, 0]
    assert_allclose(got, exact, rtol=3e-5, atol=1e-6)


def test_each_column_has_its_own_freedom_and_unit_variance():
    x = np.random.default_rng(4).standard_normal((200_000, 2))
    values = student_of(np.array([5.0, 30.0]))(x)
    assert_allclose(values.std(axis=0), 1.0, rtol=0.01)
    assert np.abs(values[:, 0]).max() > 1.5 * np.abs(values[:, 1]).max()
    assert_array_equal(np.argsort(values[:, 0]), np.argsort(x[:, 0]))
