"""Tails found for spans of days, against twins that sort every window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal

from backtest.kernels.moving_tail import moving_tail
from backtest.kernels.tails import tail_losses
from tests.support import reference
from tests.support.scenarios import DRIFTS, WORLDS, books


def sorted_windows(shocks, unit, exposure, lookback, count):
    """Every window sorted; losses and tails are added in the order in which the kernels do."""
    tails = np.full((2, len(shocks), exposure.shape[-2]), np.nan)
    for t in range(lookback - 1, len(shocks)):
        window = shocks[t - lookback + 1 : t + 1]
        for p, book in enumerate(exposure if exposure.ndim == 2 else exposure[t]):
            losses = np.zeros(lookback)
            for c in np.flatnonzero(book):
                losses = losses + -book[c] * unit[t, c] * window[:, c]
            largest = np.sort(losses)[::-1][:count]
            tails[:, t, p] = largest[-1] + 0.0, np.cumsum(largest)[-1] / count + 0.0
    return tails


@pytest.mark.parametrize("by_day", [False, True], ids=["positions stay", "positions change"])
@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=6, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    columns=some.integers(1, 9),
    lookback=some.integers(1, 90),
    share=some.sampled_from([0.0, 0.02, 0.3, 1.0]),
    scale=some.sampled_from([1e-300, 1e-12, 1.0, 1e150]),
)
def test_spans_equal_sorted_windows_to_the_bit(
    world, drift, by_day, seed, columns, lookback, share, scale
):
    """A scenario wrongly left out, by a rounding alone, would move a bit."""
    rng = np.random.default_rng(seed)
    days, count = lookback + 60, 1 + int(share * (lookback - 1))
    shocks = WORLDS[world](rng, (days, columns))
    unit = np.array(DRIFTS[drift](rng, shocks.shape)) * scale
    exposure = books(rng, 4, columns)
    if by_day:
        exposure = exposure * np.exp(np.cumsum(rng.normal(0, 0.05, (days, 4, columns)), axis=0))
    spans = np.full((2, days, 4), np.nan)
    first = lookback - 1
    positions = exposure[first:] if by_day else exposure[None]
    moving_tail(shocks, unit[first:], positions, lookback, count, *spans)
    expected = sorted_windows(shocks, unit, exposure, lookback, count)
    for mine, twin in zip(spans, expected, strict=True):
        assert_array_equal(mine, twin)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("count", [1, 3, 60, 100])
def test_spans_equal_the_buffer_to_the_bit_where_nothing_moves(world, count):
    """The wrapper never sends constant sensitivities to the spans, so they are called here."""
    rng = np.random.default_rng(8)
    shocks, exposure = WORLDS[world](rng, (600, 3)), books(rng, 20, 3)
    unit = np.array(DRIFTS["none"](rng, shocks.shape))
    spans = np.full((2, 600, 20), np.nan)
    moving_tail(shocks, unit[99:], exposure[None], 100, count, *spans)
    for one, other in zip(
        spans, tail_losses(shocks, unit, exposure, lookback=100, count=count), strict=True
    ):
        assert_array_equal(one, other)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("by_day", [False, True], ids=["positions stay", "positions change"])
def test_where_a_span_begins_changes_no_bit(world, drift, by_day):
    rng = np.random.default_rng(11)
    shocks, exposure = WORLDS[world](rng, (460, 3)), books(rng, 4, 3)
    unit = np.array(DRIFTS[drift](rng, shocks.shape))
    if by_day:
        exposure = exposure * np.exp(np.cumsum(rng.normal(0, 0.02, (460, 4, 3)), axis=0))
    whole = tail_losses(shocks, unit, exposure, lookback=130, count=3)
    for cut in (1, 17, 100):
        later = exposure[cut:] if by_day else exposure
        part = tail_losses(shocks[cut:], unit[cut:], later, lookback=130, count=3)
        for one, other in zip(part, whole, strict=True):
            assert_array_equal(one[129:], other[cut + 129 :])


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=20, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    scenarios=some.integers(1, 90),
    columns=some.integers(1, 9),
    share=some.sampled_from([0.0, 0.02, 0.3, 1.0]),
)
def test_positions_by_day_match_the_twin_of_each_day(world, seed, scenarios, columns, share):
    rng = np.random.default_rng(seed)
    days, portfolios = scenarios + 12, 18
    shocks, unit = WORLDS[world](rng, (days, columns)), rng.normal(0, 1, (days, columns))
    exposure = np.stack([books(rng, portfolios, columns) for _ in range(days)])
    exposure[5:] = np.where(rng.random((days - 5, 1, 1)) < 0.5, exposure[5:], exposure[5])
    count = max(1, int(share * scenarios))
    found = tail_losses(shocks, unit, exposure, lookback=scenarios, count=count)
    scale = np.abs(shocks).max() * np.abs(exposure).sum(axis=2).max() * np.abs(unit).max() + 1e-300
    for day in range(days):
        twin = reference.tail_losses(shocks, unit, exposure[day], lookback=scenarios, count=count)
        for mine, other in zip(found, twin, strict=True):
            assert_allclose(mine[day] / scale, other[day] / scale, rtol=0, atol=1e-13)
