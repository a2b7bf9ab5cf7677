"""Tails of scenarios that stay while sensitivities drift, against one day after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_array_equal

from backtest.kernels.drawn_tail import drawn_tails
from backtest.kernels.window_tail import window_tail
from tests.support.scenarios import DRIFTS, WORLDS, books


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=15, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    days=some.integers(1, 30),
    scenarios=some.integers(1, 300),
    columns=some.integers(1, 4),
    share=some.sampled_from([0.0, 0.01, 0.05, 0.5, 1.0]),
)
def test_tails_of_many_days_are_those_of_each_to_the_last_bit(
    world, drift, seed, days, scenarios, columns, share
):
    rng = np.random.default_rng(seed)
    values = np.ascontiguousarray(WORLDS[world](rng, (scenarios, columns)).T)
    unit = np.array(DRIFTS[drift](rng, (days, columns)))
    exposure, count = books(rng, 5, columns), max(1, int(share * scenarios))
    found, expected = np.empty((2, 2, days, len(exposure)))
    drawn_tails(values, unit, exposure, count, *found)
    for day in range(days):
        window_tail(values, unit[day], exposure, count, *expected[:, day])
    assert_array_equal(found, expected)


def test_a_scenario_that_was_mild_is_found_once_its_factor_matters():
    mild = np.zeros((2, 1000))
    mild[0, :100], mild[1, 500] = -1.0, -50.0
    unit = np.array([[1.0, 0.0], [1.0, 0.001], [1.0, 1.0]])
    found = np.empty((2, 3, 1))
    drawn_tails(mild, unit, np.ones((1, 2)), 1, *found)
    assert found[:, :, 0].tolist() == [[1.0, 1.0, 50.0], [1.0, 1.0, 50.0]]
