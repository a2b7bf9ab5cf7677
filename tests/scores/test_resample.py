"""The stationary bootstrap: its weights, its blocks, and arch's as the other witness."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from backtest.scores import day_weights, stationary_indices
from backtest.types import StudyError


@given(some.integers(1, 60), some.integers(1, 8), some.floats(1.0, 30.0), some.integers(0, 99))
def test_weights_count_the_draws(days: int, resamples: int, block: float, seed: int) -> None:
    indices = stationary_indices(days, resamples=resamples, block=block, seed=seed)
    weights = day_weights(indices)
    assert indices.shape == weights.shape == (resamples, days)
    assert indices.min() >= 0 and indices.max() < days
    values = np.arange(days) ** 2.0
    np.testing.assert_allclose(weights @ values, values[indices].sum(axis=1), rtol=1e-12)


def test_equal_seeds_draw_equal_days() -> None:
    first, again = (stationary_indices(50, resamples=3, seed=4) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, stationary_indices(50, resamples=3, seed=5))


def test_a_block_of_one_day_draws_single_days() -> None:
    indices = stationary_indices(400, resamples=50, block=1, seed=2)
    follows = np.diff(indices, axis=1) % 400 == 1
    assert follows.mean() == pytest.approx(1 / 400, abs=0.002)


def test_blocks_are_geometric_with_the_mean_asked_for() -> None:
    # 2,000,000 places at which a block may end: the standard error of the rate is 0.0002
    indices = stationary_indices(2000, resamples=1000, block=20, seed=7)
    continues = np.diff(indices, axis=1) % 2000 == 1
    assert 1.0 - continues.mean() == pytest.approx((1 / 20) * (1 - 1 / 2000), abs=8e-4)
    again = continues[:, 1:][continues[:, :-1]]
    assert again.mean() == pytest.approx(continues.mean(), abs=8e-4)  # no memory
    assert day_weights(indices).mean(axis=0).std() < 3 * np.sqrt(1 / 1000)  # no day is favoured


def test_arch_draws_from_the_same_law() -> None:
    bootstrap = pytest.importorskip("arch.bootstrap").StationaryBootstrap
    record = np.cumsum(np.random.default_rng(3).standard_normal(300)) / 10.0
    theirs = bootstrap(20, record, seed=11)
    their_means = np.array([data[0][0].mean() for data in theirs.bootstrap(4000)])
    our_means = day_weights(stationary_indices(300, resamples=4000, seed=12)) @ record / 300
    # Standard errors of a mean and of a ratio of standard deviations over 4,000 draws
    error = np.hypot(their_means.std(), our_means.std()) / np.sqrt(4000)
    assert our_means.mean() == pytest.approx(their_means.mean(), abs=4 * error)
    assert our_means.std() / their_means.std() == pytest.approx(1.0, abs=4 / np.sqrt(4000))
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    gaps = np.quantile(our_means, levels) - np.quantile(their_means, levels)
    assert np.abs(gaps).max() < 0.15 * our_means.std()


@pytest.mark.parametrize("asked", [{"resamples": 0}, {"block": 0.5}, {"block": float("nan")}])
def test_nothing_to_draw_is_named(asked: dict[str, Any]) -> None:
    with pytest.raises(
        StudyError, match="resamples of .* days in blocks of .*; give 1 or more of each"
    ):
        stationary_indices(10, **asked)


@pytest.mark.parametrize(("days", "block"), [(1, 20), (2, 1), (37, 3.5), (400, 20), (50, 1e9)])
def test_draws_and_weights_are_those_of_whole_arrays(days: int, block: float) -> None:
    generator = np.random.default_rng(8)
    begins = generator.random((60, days)) < 1.0 / block
    begins[:, 0] = True
    place = np.arange(days)
    origin = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    starts = np.take_along_axis(generator.integers(0, days, (60, days)), origin, axis=1)
    rows = (starts + place - origin) % days
    drawn = stationary_indices(days, resamples=60, block=block, seed=8)
    assert drawn.dtype == np.int64 and np.array_equal(drawn, rows)
    counted = [np.bincount(row, minlength=days) for row in rows]
    weights = day_weights(drawn.astype(np.int32))
    assert weights.dtype == np.float64 and np.array_equal(weights, counted)


@pytest.mark.parametrize("day", [-1, 3])
def test_a_number_that_is_no_day_is_refused(day: int) -> None:
    with pytest.raises(StudyError, match="have days 0 to 2"):
        day_weights(np.array([[0, 1, day]]))
