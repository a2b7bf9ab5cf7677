"""Equal coverage: the scale as an order statistic, per book and pooled, with its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from backtest.kernels.exceedances import weighted_tail
from backtest.scores import checks as score_checks
from backtest.scores import (
    coverage_ratio,
    day_weights,
    equal_coverage_margin,
    equal_coverage_scale,
    pooled_equal_coverage,
    stationary_indices,
)
from backtest.types import DataError, FloatArray, StudyError, tail_count

amounts = some.one_of(some.just(0.0), some.floats(0.01, 100.0))  # zeros and ties are the traps
CONFIDENCE = 0.8


@some.composite
def worlds(draw: some.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Loss and requirement, (days, portfolios), with ties, zeros and days without a requirement."""
    shape = (draw(some.integers(1, 15)), draw(some.integers(1, 4)))
    loss = draw(arrays.arrays(np.float64, shape, elements=amounts))
    sign = draw(arrays.arrays(np.float64, shape, elements=some.sampled_from([-1.0, 1.0])))
    return loss * sign, draw(arrays.arrays(np.float64, shape, elements=amounts))


def scale_of(loss: FloatArray, required: FloatArray) -> float:
    """The (allowed + 1)-th largest ratio of the cells given, one by one."""
    ratios = []
    for one, margin in zip(loss.ravel(), required.ravel(), strict=True):
        if margin == 0.0:
            ratios.append(np.inf if one > 0 else 0.0)
        else:
            ratios.append(max(0.0, one / margin))
    allowed = tail_count(len(ratios), CONFIDENCE, "floor")
    return sorted(ratios, reverse=True)[allowed]


@given(worlds())
def test_scale_is_the_order_statistic(world: tuple[FloatArray, FloatArray]) -> None:
    loss, required = world
    scales = equal_coverage_scale(loss, required, confidence=CONFIDENCE)
    assert scales.tolist() == [scale_of(x, m) for x, m in zip(loss.T, required.T, strict=True)]


@given(worlds())
def test_scaled_requirement_is_exceeded_no_more_than_allowed(
    world: tuple[FloatArray, FloatArray],
) -> None:
    loss, required = world
    scale = equal_coverage_scale(loss, required, confidence=CONFIDENCE)
    allowed = tail_count(len(loss), CONFIDENCE, "floor")
    reached = np.isfinite(scale)
    ratio = coverage_ratio(loss, required)[:, reached]
    assert ((ratio > scale[reached]).sum(axis=0) <= allowed).all()
    positive = scale[reached] > 0
    assert ((ratio >= scale[reached]).sum(axis=0)[positive] > allowed).all()


@given(worlds(), some.sampled_from([0.25, 4.0]))
def test_scale_invariance(world: tuple[FloatArray, FloatArray], factor: float) -> None:
    loss, required = world
    weights = day_weights(stationary_indices(len(loss), resamples=20, block=3, seed=1))
    plain = equal_coverage_margin(loss, required, confidence=CONFIDENCE, weights=weights)
    more = equal_coverage_margin(loss, factor * required, confidence=CONFIDENCE, weights=weights)
    larger = equal_coverage_margin(
        factor * loss, factor * required, confidence=CONFIDENCE, weights=weights
    )
    for one, other, scaled in zip(plain, more, larger, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)
        np.testing.assert_allclose(scaled, factor * one, rtol=1e-12)


@given(worlds(), some.floats(0.0, 50.0))
def test_larger_losses_never_need_a_smaller_scale(
    world: tuple[FloatArray, FloatArray], more: float
) -> None:
    loss, required = world
    before = equal_coverage_scale(loss, required, confidence=CONFIDENCE)
    after = equal_coverage_scale(loss + more, required, confidence=CONFIDENCE)
    assert (after >= before).all()


@given(worlds(), some.integers(0, 1000))
def test_resampled_scale_is_that_of_the_repeated_days(
    world: tuple[FloatArray, FloatArray], seed: int
) -> None:
    loss, required = world
    weights = day_weights(stationary_indices(len(loss), resamples=7, block=3, seed=seed))
    allowed = tail_count(len(loss), CONFIDENCE, "floor")
    ratio = coverage_ratio(loss, required)[:, 0]
    order = np.argsort(-ratio)
    drawn = np.empty(7)
    weighted_tail(ratio[order], order, weights, float(allowed), drawn)
    for weight, scale in zip(weights.astype(int), drawn, strict=True):
        assert scale == np.sort(np.repeat(ratio, weight))[::-1][allowed]


def test_the_tail_runs_out_of_cells() -> None:
    drawn = np.empty(2)
    weights = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    weighted_tail(np.array([5.0, 4.0]), np.array([2, 0]), weights, 1.0, drawn)
    assert drawn[0] == 5.0 and np.isnan(drawn[1])


@given(worlds(), some.integers(0, 100))
def test_interval_is_that_of_resampled_records(
    world: tuple[FloatArray, FloatArray], seed: int
) -> None:
    loss, required = world
    indices = stationary_indices(len(loss), resamples=40, block=3, seed=seed)
    _, low, high = equal_coverage_margin(
        loss, required, confidence=CONFIDENCE, weights=day_weights(indices)
    )
    draws = np.array(
        [equal_coverage_margin(loss[d], required[d], confidence=CONFIDENCE)[0] for d in indices]
    )
    ranked = np.sort(draws, axis=0)
    # 0.025 and 0.975 of the way along 40 ranked draws: 0.975 and 38.025, taken outwards
    np.testing.assert_allclose(low, ranked[0], rtol=1e-12)
    np.testing.assert_allclose(high, ranked[39], rtol=1e-12)


def test_a_book_without_requirement() -> None:
    loss = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 0.0]])
    margin, low, high = equal_coverage_margin(
        loss, np.zeros((3, 2)), weights=day_weights(stationary_indices(3, resamples=9))
    )
    assert margin.tolist() == low.tolist() == high.tolist() == [np.inf, 0.0]


@given(worlds(), some.integers(0, 100))
def test_pooled_scale_and_interval(world: tuple[FloatArray, FloatArray], seed: int) -> None:
    loss, required = world
    indices = stationary_indices(len(loss), resamples=40, block=3, seed=seed)
    pooled = pooled_equal_coverage(
        loss, required, confidence=CONFIDENCE, weights=day_weights(indices)
    )
    assert pooled.scale == scale_of(loss, required)
    draws = sorted(scale_of(loss[d], required[d]) for d in indices)
    assert (pooled.scale_low, pooled.scale_high) == (draws[0], draws[39])
    assert pooled.mean_margin == pytest.approx(required.mean())
    if np.isfinite(pooled.scale):
        expected = pooled.scale * required.mean()
        assert pooled.equal_coverage_margin == pytest.approx(expected, rel=1e-12)
        assert pooled.worst_rate * len(loss) <= tail_count(loss.size, CONFIDENCE, "floor") + 1e-9


@given(worlds())
def test_pooling_one_book_changes_nothing(world: tuple[FloatArray, FloatArray]) -> None:
    loss, required = (panel[:, :1] for panel in world)
    weights = day_weights(stationary_indices(len(loss), resamples=30, block=3, seed=5))
    pooled = pooled_equal_coverage(loss, required, confidence=CONFIDENCE, weights=weights)
    alone = equal_coverage_margin(loss, required, confidence=CONFIDENCE, weights=weights)
    together = (pooled.equal_coverage_margin, pooled.equal_coverage_low, pooled.equal_coverage_high)
    assert together == pytest.approx([float(part[0]) for part in alone], rel=1e-12)
    assert pooled.worst_book == pooled.tenth_percentile_book == 0


def test_pooling_shows_the_book_a_scale_of_its_own_would_hide() -> None:
    rng = np.random.default_rng(2)
    risk = np.r_[np.ones(18), 4.0, 5.0]  # two books as risky as four and five others
    loss = rng.standard_normal((1000, 20)) * risk
    constant = np.ones((1000, 20))
    pooled = pooled_equal_coverage(loss, constant, confidence=0.99)
    assert pooled.worst_book == 19
    assert pooled.worst_rate > 0.05
    # 10 % of 20 books, the two risky ones, are worse than this one
    assert pooled.tenth_percentile_book < 18
    assert pooled.tenth_percentile_rate < 0.01
    fitted = pooled_equal_coverage(loss, constant * risk, confidence=0.99)
    assert fitted.worst_rate < 0.02


def test_no_scale_covers_what_has_no_requirement() -> None:
    loss = np.ones((10, 2))
    required = np.c_[np.zeros(10), np.full(10, 2.0)]
    pooled = pooled_equal_coverage(
        loss, required, confidence=0.9, weights=day_weights(stationary_indices(10, resamples=9))
    )
    assert pooled.scale == pooled.equal_coverage_margin == pooled.equal_coverage_low == np.inf
    assert (pooled.worst_book, pooled.worst_rate) == (0, 1.0)
    assert pooled.tenth_percentile_rate == 1.0  # floor of 10 % of 2 books: none is worse


def test_without_weights_the_interval_is_unknown() -> None:
    pooled = pooled_equal_coverage(np.ones((5, 1)), np.ones((5, 1)))
    assert np.isnan([pooled.scale_low, pooled.scale_high, pooled.equal_coverage_low]).all()
    assert pooled.equal_coverage_margin == 1.0


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    loss, required = rng.standard_t(3, (300, 11)), 1.0 + rng.random((300, 11))
    weights = day_weights(stationary_indices(300, resamples=50))
    whole = equal_coverage_margin(loss, required, weights=weights)
    pooled = pooled_equal_coverage(loss, required, weights=weights)
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 700)
    for before, after in zip(
        whole, equal_coverage_margin(loss, required, weights=weights), strict=True
    ):
        np.testing.assert_allclose(after, before, rtol=1e-12)
    assert pooled_equal_coverage(loss, required, weights=weights) == pooled


def test_a_resample_without_the_worst_days_looks_further_down() -> None:
    # Every exceedance on two days: a resample that misses both needs cells far below the first
    # candidates
    loss = np.zeros((200, 30)) + np.linspace(0.1, 1.0, 200)[:, None]
    loss[[50, 150]] = 10.0
    weights = day_weights(stationary_indices(200, resamples=100, block=5, seed=3))
    missed = np.flatnonzero(weights[:, [50, 150]].sum(axis=1) == 0)
    assert missed.size > 0
    pooled = pooled_equal_coverage(loss, np.ones((200, 30)), weights=weights)
    assert 0.8 < pooled.scale_low <= 1.0 < pooled.scale_high == 10.0


def test_bad_input_is_named() -> None:
    good = np.ones((4, 2))
    with pytest.raises(DataError, match=r"required has shape \(4, 1\) and loss \(4, 2\)"):
        equal_coverage_scale(good, np.ones((4, 1)))
    with pytest.raises(DataError, match="required holds NaN; cut the warm-up"):
        equal_coverage_scale(good, np.where(good, np.nan, good))
    with pytest.raises(DataError, match="no scored day"):
        pooled_equal_coverage(np.ones((0, 2)), np.ones((0, 2)))
    with pytest.raises(DataError, match="weights have shape"):
        pooled_equal_coverage(good, good, weights=np.ones((3, 5)))
    with pytest.raises(StudyError, match="confidence is 1"):
        equal_coverage_margin(good, good, confidence=1.0)
