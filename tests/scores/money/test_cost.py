"""Equal coverage: the scale as an order statistic, per book and pooled, with its interval."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy import stats

from backtest.scores import checks as score_checks
from backtest.scores import (
    coverage_ratio,
    equal_coverage_margin,
    equal_coverage_scale,
    pooled_equal_coverage,
    pooled_scale,
)
from backtest.scores.money.cost import tail_inflation
from backtest.scores.money.pooled import _largest_ratios
from backtest.scores.overlapping.slow_variance import effective_interval
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
    plain = equal_coverage_margin(loss, required, confidence=CONFIDENCE)
    more = equal_coverage_margin(loss, factor * required, confidence=CONFIDENCE)
    larger = equal_coverage_margin(factor * loss, factor * required, confidence=CONFIDENCE)
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


def plain_inflation(ratio: FloatArray, wider: int) -> float:
    """Clustering of the `wider` largest ratios above 0, cosine by cosine."""
    days = len(ratio)
    marked = (ratio >= np.sort(ratio)[::-1][wider - 1]) & (ratio > 0.0)
    rate = marked.mean()
    if rate in (0.0, 1.0):
        return 1.0
    waves = min(12, max(1, days - 1))
    total = 0.0
    for j in range(1, waves + 1):
        wave = np.cos(np.pi * j * (np.arange(days) + 0.5) / days)
        total += 2.0 / days * float(wave @ marked) ** 2
    allowance = (stats.t.ppf(0.975, waves) / stats.norm.ppf(0.975)) ** 2
    return max(1.0, total / waves / (rate * (1.0 - rate)) * allowance)


@pytest.mark.parametrize("days", [60, 250, 900])
def test_interval_holds_the_scales_whose_counts_are_plausible(days: int) -> None:
    """Scale by scale, with scipy's beta law: which counts of exceedances can a true 5 % leave?"""
    rng = np.random.default_rng(days)
    loss = rng.standard_t(4, days) * np.where(np.arange(days) < days // 4, 2.0, 1.0)
    required = 1.0 + rng.random(days)
    ratio = np.sort(np.maximum(loss / required, 0.0))[::-1]
    wider = 3 * tail_count(days, 0.95, "floor")
    inflation = plain_inflation(np.maximum(loss / required, 0.0), wider)
    plausible = []
    for count in range(days):
        x, n = count / inflation, days / inflation
        low = stats.beta.ppf(0.025, x, n - x + 1.0) if count else 0.0
        high = stats.beta.ppf(0.975, x + 1.0, n - x)
        plausible.append(low <= 0.05 <= high)
    fewest, most = np.flatnonzero(plausible)[[0, -1]]
    _, low, high = equal_coverage_margin(loss[:, None], required[:, None], confidence=0.95)
    assert low[0] == pytest.approx(ratio[most] * required.mean())
    expected = ratio[fewest - 1] * required.mean() if fewest else np.inf
    assert high[0] == pytest.approx(expected)


@given(some.integers(0, 10_000))
def test_the_rate_interval_holds_the_standard_where_the_scale_interval_holds_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss, required = rng.standard_t(4, (500, 3)), np.full((500, 3), rng.uniform(1.5, 6.0))
    _, low, high = (e / required[0] for e in equal_coverage_margin(loss, required, confidence=0.95))
    inflation = tail_inflation(loss, required, confidence=0.95)
    rates = effective_interval((loss > required).sum(axis=0), 500, inflation)
    holds_one = (low <= 1.0) & (1.0 < high)
    assert (holds_one == ((rates[0] <= 0.05) & (0.05 <= rates[1]))).all()


def test_a_book_without_requirement() -> None:
    loss = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 0.0]])
    margin, low, high = equal_coverage_margin(loss, np.zeros((3, 2)))
    assert margin.tolist() == low.tolist() == [np.inf, 0.0]
    assert high.tolist() == [np.inf, np.inf]  # three days exclude no scale


@given(worlds())
def test_pooled_scale_and_interval(world: tuple[FloatArray, FloatArray]) -> None:
    loss, required = world
    pooled = pooled_equal_coverage(loss, required, confidence=CONFIDENCE)
    assert pooled.scale == scale_of(loss, required)
    centre = pooled_scale(loss, required, confidence=CONFIDENCE)
    assert asdict(centre).items() <= asdict(pooled).items()
    assert pooled.scale_low <= pooled.scale <= pooled.scale_high
    assert pooled.mean_margin == pytest.approx(required.mean())
    if np.isfinite(pooled.scale):
        expected = pooled.scale * required.mean()
        assert pooled.equal_coverage_margin == pytest.approx(expected, rel=1e-12)
        assert pooled.worst_rate * len(loss) <= tail_count(loss.size, CONFIDENCE, "floor") + 1e-9


def test_copies_of_a_book_are_no_more_evidence_than_the_book() -> None:
    rng = np.random.default_rng(8)
    loss, required = rng.standard_t(4, (1000, 1)), np.full((1000, 1), 3.0)
    alone = pooled_equal_coverage(loss, required)
    copies = pooled_equal_coverage(np.tile(loss, 40), np.tile(required, 40))
    assert copies.inflation == pytest.approx(40 * alone.inflation, rel=0.05)
    assert copies.scale_low == pytest.approx(alone.scale_low, rel=0.05)
    assert copies.scale_high == pytest.approx(alone.scale_high, rel=0.15)
    apart = pooled_equal_coverage(rng.standard_t(4, (1000, 40)), np.tile(required, 40))
    assert apart.scale_high / apart.scale_low < 1.15


@given(worlds())
def test_pooling_one_book_changes_nothing(world: tuple[FloatArray, FloatArray]) -> None:
    loss, required = (panel[:, :1] for panel in world)
    pooled = pooled_equal_coverage(loss, required, confidence=CONFIDENCE)
    alone = equal_coverage_margin(loss, required, confidence=CONFIDENCE)
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
    pooled = pooled_equal_coverage(loss, required, confidence=0.9)
    assert pooled.scale == pooled.equal_coverage_margin == pooled.equal_coverage_low == np.inf
    assert (pooled.worst_book, pooled.worst_rate) == (0, 1.0)
    assert pooled.tenth_percentile_rate == 1.0  # floor of 10 % of 2 books: none is worse


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    loss, required = rng.standard_t(3, (300, 11)), 1.0 + rng.random((300, 11))
    whole = equal_coverage_margin(loss, required)
    pooled = pooled_equal_coverage(loss, required)
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 700)
    for before, after in zip(whole, equal_coverage_margin(loss, required), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-12)
    assert pooled_equal_coverage(loss, required) == pooled


def test_of_equal_ratios_the_first_days_are_kept() -> None:
    loss = np.ones((50, 4))
    loss[40, 2] = 3.0
    values, day = _largest_ratios(loss, np.ones_like(loss), 6)
    assert values.tolist() == [3.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert day.tolist() == [40, 0, 0, 0, 0, 1]


def test_an_interval_that_reaches_below_the_tail_looks_further_down() -> None:
    # Every exceedance on two days: the plausible counts need cells far below the wider tail.
    loss = np.zeros((200, 30)) + np.linspace(0.1, 1.0, 200)[:, None]
    loss[[50, 150]] = 10.0
    pooled = pooled_equal_coverage(loss, np.ones((200, 30)))
    assert 0.8 < pooled.scale_low < 1.0 < pooled.scale_high == np.inf


def test_bad_input_is_named() -> None:
    good = np.ones((4, 2))
    with pytest.raises(DataError, match=r"required has shape \(4, 1\) and loss \(4, 2\)"):
        equal_coverage_scale(good, np.ones((4, 1)))
    with pytest.raises(DataError, match="required holds NaN; cut the warm-up"):
        equal_coverage_scale(good, np.where(good, np.nan, good))
    with pytest.raises(DataError, match="no scored day"):
        pooled_equal_coverage(np.ones((0, 2)), np.ones((0, 2)))
    with pytest.raises(StudyError, match="confidence is 1"):
        equal_coverage_margin(good, good, confidence=1.0)
