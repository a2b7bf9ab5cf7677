"""The rolling tails where floats end, and the ways around their fast paths."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal

import backtest as bt
import strategies as st
from backtest.kernels import tails
from backtest.kernels.tail_select import walk_largest
from tests.support import reference

SMALLEST = 5e-324
LARGEST = np.finfo(float).max
# Denormals, both zeros, ties and the orders between; sums of these do not overflow.
WIDE = some.one_of(
    some.sampled_from([0.0, -0.0, SMALLEST, -SMALLEST, 1e-310, 1.0, -1.0, 2.0, 1e290, -1e290]),
    some.floats(-1e290, 1e290),
)
ANY_FINITE = some.one_of(
    some.sampled_from([LARGEST, -LARGEST, 1e308, -1e308, 1e300, -1e300, SMALLEST, 0.0]),
    some.floats(allow_nan=False, allow_infinity=False),
)
ANY = some.one_of(some.sampled_from([np.nan, np.inf, -np.inf, 1.0]), some.floats())


def column(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


@settings(max_examples=300, deadline=None)
@given(some.data())
def test_one_series_of_any_order_of_magnitude_is_exact(data):
    """One product a loss, so that nothing is rounded but the sum of the tail."""
    leading = data.draw(some.integers(0, 3))
    shocks = column([np.nan] * leading + data.draw(some.lists(WIDE, min_size=1, max_size=60)))
    lookback = data.draw(some.integers(1, 70))
    count = data.draw(some.one_of(some.just(1), some.just(lookback), some.integers(1, lookback)))
    world = shocks, np.ones_like(shocks), np.array([[data.draw(some.sampled_from([1.0, -2.0]))]])
    value, mean = tails.tail_losses(*world, lookback=lookback, count=count)
    slow_value, slow_mean = reference.tail_losses(*world, lookback=lookback, count=count)
    assert_array_equal(value, slow_value)
    scale = np.nanmax(np.abs(shocks), initial=0.0)
    assert_allclose(mean, slow_mean, rtol=1e-14, atol=1e-15 * count * scale + 2 * SMALLEST)


@settings(max_examples=300, deadline=None)
@given(some.data())
def test_one_series_whose_weight_drifts_from_denormal_to_huge(data):
    weights = some.sampled_from([0.0, SMALLEST, 1e-310, 1e-300, -1e-5, 1.0, -1.0, 1.1, 1e5, 1e9])
    days = data.draw(some.integers(1, 40))
    exactly = {"min_size": days, "max_size": days}
    shocks = column(data.draw(some.lists(WIDE, **exactly)))
    unit = column(data.draw(some.lists(weights, **exactly)))
    lookback = data.draw(some.integers(1, 20))
    count = data.draw(some.integers(1, lookback))
    world = shocks, unit, np.ones((1, 1))
    value, mean = tails.tail_losses(*world, lookback=lookback, count=count)
    slow_value, slow_mean = reference.tail_losses(*world, lookback=lookback, count=count)
    # A day's rounding is that of the largest loss of its own window.
    scale = np.abs(unit) * np.abs(shocks).max()
    assert (np.abs(value - slow_value)[lookback - 1 :] <= 1e-14 * scale[lookback - 1 :]).all()
    error = np.abs(mean - slow_mean)[lookback - 1 :]
    assert (error <= 1e-14 * scale[lookback - 1 :] + 2 * SMALLEST).all()


@settings(max_examples=200, deadline=None)
@given(
    some.lists(some.tuples(ANY_FINITE, ANY_FINITE), min_size=1, max_size=30),
    some.sampled_from([1.0, 1e-5, 1e200, LARGEST]),
    some.booleans(),
    some.integers(1, 12),
)
def test_what_may_overflow_is_refused_or_finite(rows, amount, drifts, lookback):
    shocks = np.array(rows)
    unit = np.ones_like(shocks)
    unit[::2, 0] = 1.0 + drifts
    count = (lookback + 1) // 2
    try:
        found = tails.tail_losses(
            shocks, unit, np.array([[amount, -amount]]), lookback=lookback, count=count
        )
    except ValueError as refusal:
        assert "too large to add up" in str(refusal)
    else:
        assert np.isfinite(np.array(found)[:, lookback - 1 :]).all()


@settings(max_examples=300, deadline=None)
@given(some.lists(ANY, min_size=1, max_size=20), ANY, some.data())
def test_the_walk_to_the_tail_ends_whatever_it_meets(values, guess, data):
    count = data.draw(some.integers(1, len(values)))
    numbers = sorted((value for value in values if not np.isnan(value)), reverse=True)
    found = walk_largest(np.array(values), len(values), count, guess)
    assert found == (numbers[count - 1] if count <= len(numbers) else -np.inf)


@pytest.mark.parametrize("drift", [0.0, 0.01])
@pytest.mark.parametrize("lookback", [31, 1000])
def test_a_window_longer_than_the_history_leaves_it_unknown(drift, lookback):
    unit = 1.0 + drift * np.arange(30.0)[:, None]
    for tail in tails.tail_losses(
        np.ones((30, 1)), unit, np.ones((2, 1)), lookback=lookback, count=1
    ):
        assert tail.shape == (30, 2) and np.isnan(tail).all()


@pytest.mark.parametrize("span", [1, 7, 40, 41])
def test_the_length_of_a_span_changes_nothing(monkeypatch, span):
    rng = np.random.default_rng(10)
    shocks, exposure = rng.standard_t(4, (300, 3)).round(1), rng.normal(0, 1e6, (19, 3))
    shocks[:5] = np.nan
    world = shocks, np.ones_like(shocks), exposure
    whole = tails.tail_losses(*world, lookback=40, count=3)
    monkeypatch.setattr(tails, "SPAN", span)
    monkeypatch.setattr(tails, "SPANS", 0)
    for pieces, at_once in zip(tails.tail_losses(*world, lookback=40, count=3), whole, strict=True):
        assert_array_equal(pieces, at_once)


@pytest.mark.parametrize(
    ("legs", "unused"),
    [({"BTC": 1e6, "ETH": -2e6}, "moving_tail"), ({"UST10Y": 1e6, "BTC": 1e6}, "steady_tail")],
    ids=["prices", "with a bond"],
)
@pytest.mark.parametrize("scaling", ["overlapping", "sqrt"])
def test_books_of_prices_take_the_buffer_and_bonds_the_spans(
    monkeypatch, small_market, legs, unused, scaling
):
    def never(*_):
        raise AssertionError(f"{unused} was called")

    monkeypatch.setattr(tails, unused, never)
    book = bt.Book.from_frame(pd.DataFrame(legs, index=["book"]))
    model = st.HistoricalVaR(lookback=60, scaling=scaling)
    margin = model.margin(small_market, book, bt.Coverage(confidence=0.95))
    assert (margin[-100:] > 0.0).all()
