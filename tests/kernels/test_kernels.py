"""The kernels against their slow twins, and the laws of the collateral account."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose, assert_array_equal

from backtest.kernels.replay import replay
from backtest.kernels.tails import tail_losses
from backtest.kernels.window_tail import window_tail
from tests.support import reference
from tests.support.scenarios import DRIFTS, WORLDS, books


def assert_same_tail(shocks, unit, exposure, lookback, count):
    found = tail_losses(shocks, unit, exposure, lookback=lookback, count=count)
    expected = reference.tail_losses(shocks, unit, exposure, lookback=lookback, count=count)
    # Sums in another order differ by the rounding of their largest term, not of the sum.
    scale = np.nanmax(np.abs(shocks)) * np.abs(exposure).sum() * np.nanmax(np.abs(unit)) + 1e-300
    for mine, twin in zip(found, expected, strict=True):
        assert_array_equal(np.isnan(mine), np.isnan(twin))
        assert_allclose(mine / scale, twin / scale, rtol=0, atol=1e-13)


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=20, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    scenarios=some.integers(1, 60),
    columns=some.integers(1, 4),
    data=some.data(),
)
def test_the_tail_of_one_window_equals_sorting_it(world, seed, scenarios, columns, data):
    rng = np.random.default_rng(seed)
    count = data.draw(some.integers(1, scenarios))
    values, exposure = WORLDS[world](rng, (scenarios, columns)), books(rng, 5, columns)
    unit = np.broadcast_to(rng.normal(0, 1, columns), values.shape)
    expected = reference.tail_losses(values, unit, exposure, lookback=scenarios, count=count)
    found = np.empty((2, len(exposure)))
    window_tail(np.ascontiguousarray(values.T), unit[0].copy(), exposure, count, *found)
    scale = np.abs(values).max() * np.abs(exposure).sum() * np.abs(unit).max() + 1e-300
    for mine, twin in zip(found, expected, strict=True):
        assert_allclose(mine / scale, twin[-1] / scale, rtol=0, atol=1e-13)


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=8, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    days=some.integers(1, 160),
    columns=some.integers(1, 4),
    lookback=some.integers(1, 60),
    share=some.floats(0, 1),
    start=some.integers(0, 5),
)
def test_tail_equals_sorting_every_window(
    world, drift, seed, days, columns, lookback, share, start
):
    rng = np.random.default_rng(seed)
    shocks = WORLDS[world](rng, (days, columns))
    unit = np.array(DRIFTS[drift](rng, (days, columns)))
    shocks[:start] = np.nan
    unit[:start] = np.nan
    if start < days:
        count = 1 + int(share * (lookback - 1))
        assert_same_tail(shocks, unit, books(rng, 5, columns), lookback, count)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("count", [1, 5, 199, 200])
def test_tail_of_a_long_window(world, drift, count):
    rng = np.random.default_rng(3)
    shocks = WORLDS[world](rng, (700, 3))
    assert_same_tail(shocks, DRIFTS[drift](rng, shocks.shape), books(rng, 4, 3), 200, count)


def test_tail_of_known_numbers():
    shocks = np.array([[np.nan], [0.03], [-0.01], [-0.04], [0.02]])
    value, shortfall = tail_losses(
        shocks, np.ones((5, 1)), np.array([[100.0], [-100.0], [0.0]]), lookback=3, count=2
    )
    nan = [np.nan] * 3
    assert_allclose(value, [nan, nan, nan, [1.0, -1.0, 0.0], [1.0, -1.0, 0.0]])
    assert_allclose(shortfall, [nan, nan, nan, [2.5, 1.0, 0.0], [2.5, 0.5, 0.0]])


def test_an_empty_book_needs_positive_zero():
    tails = tail_losses(
        np.zeros((3, 1)), np.ones((3, 1)), np.array([[0.0], [5.0]]), lookback=2, count=1
    )
    for tail in tails:
        assert not np.signbit(tail[1:]).any()


@pytest.mark.parametrize("drift", ["none", "slow"])
def test_each_portfolio_stands_alone(drift):
    rng = np.random.default_rng(5)
    shocks, exposure = rng.standard_t(4, (300, 4)), books(rng, 40, 4)
    unit = np.array(DRIFTS[drift](rng, shocks.shape))
    together = tail_losses(shocks, unit, exposure, lookback=100, count=2)
    for p in (0, 17, 39):
        alone = tail_losses(shocks, unit, exposure[p : p + 1], lookback=100, count=2)
        for all_books, one_book in zip(together, alone, strict=True):
            assert_array_equal(all_books[:, p], one_book[:, 0])


def test_more_columns_and_books_than_are_written_together():
    rng = np.random.default_rng(9)
    shocks = rng.standard_t(4, (90, 37))
    single = np.diag(rng.normal(0, 1e6, 37))
    assert_same_tail(shocks, np.ones_like(shocks), single, 40, 2)
    assert_same_tail(shocks, np.ones_like(shocks), books(rng, 37, 37), 40, 2)


@settings(max_examples=30, deadline=None)
@given(some.integers(0, 2**32 - 1), some.integers(1, 3))
def test_a_threshold_that_falls_within_a_chunk_is_noticed(seed, count):
    """Losses die away, so that every window must be read again many times."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(4, (400, 2)) * np.exp(-0.02 * np.arange(400))[:, None]
    assert_same_tail(shocks, np.ones_like(shocks), books(rng, 4, 2), 30, count)


def test_sensitivities_repeated_by_broadcasting_are_constant():
    rng = np.random.default_rng(4)
    shocks, exposure = rng.standard_t(4, (60, 3)), books(rng, 5, 3)
    unit = np.broadcast_to(np.array([2.0, -1.0, 0.0]), shocks.shape)
    for view, copy in zip(
        tail_losses(shocks, unit, exposure, lookback=20, count=2),
        tail_losses(shocks, unit.copy(), exposure, lookback=20, count=2),
        strict=True,
    ):
        assert_array_equal(view, copy)


def test_what_nobody_holds_may_be_unknown():
    rng = np.random.default_rng(6)
    shocks, unit = rng.standard_t(4, (50, 3)), np.ones((50, 3))
    shocks[30:, 1], unit[:, 1] = np.inf, np.nan
    exposure = np.array([[1.0, 0.0, -2.0], [0.0, 0.0, 1.0]])
    for all_columns, held in zip(
        tail_losses(shocks, unit, exposure, lookback=20, count=2),
        tail_losses(
            np.delete(shocks, 1, 1), unit[:, ::2], np.delete(exposure, 1, 1), lookback=20, count=2
        ),
        strict=True,
    ):
        assert_array_equal(all_columns, held)


@pytest.mark.parametrize("drift", ["none", "slow"])
@pytest.mark.parametrize("amount", [1e308, 1e300])
def test_losses_too_large_to_add_up_are_refused(drift, amount):
    rng = np.random.default_rng(7)
    shocks = 10 * rng.standard_t(4, (80, 2))
    unit = np.array(DRIFTS[drift](rng, shocks.shape))
    unit[:, 0] += 3.0
    with pytest.raises(ValueError, match="too large to add up"):
        tail_losses(shocks, unit, np.array([[amount, -amount]]), lookback=20, count=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "count is 0"),
        ({"count": 4}, "count is 4"),
        ({"exposure": np.ones((1, 3))}, "3 columns"),
        ({"unit": np.ones((5, 1))}, "must both be"),
        ({"unit": np.full((5, 2), np.nan)}, "unit holds NaN"),
        ({"unit": np.full((5, 2), np.inf)}, "unit holds NaN or infinity"),
        ({"exposure": np.array([[1.0, np.nan]])}, "exposure holds NaN"),
        ({"shocks": np.array([[0, 0], [0, 0], [np.nan, 0], [0, 0], [np.inf, 0]])}, "shocks holds"),
    ],
)
def test_tail_refuses(change, message):
    given_ = {
        "shocks": np.zeros((5, 2)),
        "unit": np.ones((5, 2)),
        "exposure": np.ones((1, 2)),
        "lookback": 2,
        "count": 1,
    } | change
    if change.get("count") == 4:
        given_["lookback"] = 3
    with pytest.raises(ValueError, match=message):
        tail_losses(given_.pop("shocks"), given_.pop("unit"), given_.pop("exposure"), **given_)


def play(required, loss, *, growth, closeout, arrival, minimum, returned):
    held, call, shortfall = (np.empty_like(required) for _ in range(3))
    replay(required, loss, growth, closeout, arrival, minimum, returned, held, call, shortfall)
    return held, call, shortfall


@some.composite
def accounts(draw, cash=False, gaps=True, **fixed):
    """Required margin with its warm-up, the loss it meets, and the terms of the account.

    gaps : days without a requirement in between too, as where new positions warm up.
    """
    rng = np.random.default_rng(draw(some.integers(0, 2**32 - 1)))
    days, portfolios = draw(some.integers(3, 40)), draw(some.integers(1, 3))
    rounded = draw(some.booleans())
    required = np.abs(rng.normal(100, 60, (days, portfolios)))
    loss = rng.normal(0, 150, (days, portfolios))
    if rounded:
        required, loss = required.round(-1), loss.round(-1)
    loss[-draw(some.integers(1, 2)) :] = np.nan
    for p in range(portfolios):
        required[: draw(some.integers(0, days)), p] = np.nan
        if gaps and draw(some.booleans()):
            first = draw(some.integers(0, days))
            required[first : first + draw(some.integers(1, 5)), p] = np.nan
    wide = (days, draw(some.sampled_from([1, portfolios])))
    terms = {
        "growth": np.ones(days) if cash else np.exp(rng.normal(0, 0.05, days)),
        "closeout": np.ones(wide) if cash else 0.9 * np.exp(rng.normal(0, 0.05, wide)),
        "arrival": np.arange(days) + draw(some.integers(0, 4)),
        "minimum": draw(some.sampled_from([0.0, 10.0, 50.0])),
        "returned": draw(some.booleans()),
    }
    if draw(some.booleans()):  # days on which nothing settles: calls wait and arrive together
        terms["arrival"] = opened(terms["arrival"], rng.random(days) < 0.6)
    if fixed.pop("at_once", False):
        terms["arrival"] = np.arange(days)
    return required, loss, terms | fixed


def opened(arrival, is_open):
    """The first open day on or after each arrival; the end where there is none."""
    open_days = np.append(np.flatnonzero(is_open), len(arrival) + arrival.max(initial=0))
    return open_days[np.searchsorted(open_days, arrival)]


@settings(deadline=None)
@given(accounts())
def test_replay_equals_its_ledger(account):
    required, loss, terms = account
    for mine, twin in zip(
        play(required, loss, **terms), reference.replay(required, loss, **terms), strict=True
    ):
        assert_allclose(mine, twin, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(accounts())
def test_shortfall_and_calls_are_never_negative(account):
    required, loss, terms = account
    held, call, shortfall = play(required, loss, **terms)
    known = ~np.isnan(required)
    assert_array_equal(np.isnan(held), ~known)
    assert_array_equal(np.isnan(call), ~known)
    assert_array_equal(np.isnan(shortfall), ~known | np.isnan(loss))
    assert (call[known] >= 0).all() and (shortfall[~np.isnan(shortfall)] >= 0).all()


@settings(deadline=None)
@given(accounts(cash=True, at_once=True, minimum=0.0, returned=True))
def test_without_frictions_the_requirement_is_held(account):
    required, loss, terms = account
    assert_array_equal(play(required, loss, **terms)[0], required)


@settings(deadline=None)
@given(accounts(cash=True, minimum=0.0, returned=True))
def test_returned_cash_never_exceeds_the_requirement(account):
    required, loss, terms = account
    held = play(required, loss, **terms)[0]
    known = ~np.isnan(required)
    assert (held[known] <= required[known]).all()


@settings(deadline=None)
@given(accounts())
def test_amounts_twice_as_large_give_twice_the_account(account):
    required, loss, terms = account
    twice = play(2 * required, 2 * loss, **terms | {"minimum": 2 * terms["minimum"]})
    for double, single in zip(twice, play(required, loss, **terms), strict=True):
        assert_array_equal(double, 2 * single)


@settings(deadline=None)
@given(accounts(cash=True))
def test_a_constant_requirement_is_never_called(account):
    required, loss, terms = account
    required = np.where(np.isnan(required), np.nan, 123.4)
    held, call, _ = play(required, loss, **terms)
    assert_array_equal(held, required)
    assert_array_equal(call, 0 * required)


@settings(deadline=None)
@given(accounts(cash=True, gaps=False, minimum=0.0, returned=False))
def test_every_call_arrives_when_it_settles(account):
    required, loss, terms = account
    held, call, _ = play(required, loss, **terms)
    days = np.arange(len(required))
    for p in range(required.shape[1]):
        known = ~np.isnan(required[:, p])
        calls = np.nan_to_num(call[:, p])
        arrived = np.array([calls[(terms["arrival"] <= t) & (days <= t)].sum() for t in days])
        assert_allclose(held[known, p], (required[known, p][:1] + arrived[known]))


def test_a_pending_call_is_not_there_for_the_breach():
    required = np.array([[100.0], [150.0], [150.0], [90.0]])
    loss = np.array([[100.0], [140.0], [140.0], [np.nan]])
    ones = np.ones(4)
    held, call, shortfall = play(
        required,
        loss,
        growth=ones,
        closeout=ones[:, None],
        arrival=np.arange(1, 5),
        minimum=0.0,
        returned=True,
    )
    assert held.ravel().tolist() == [100.0, 100.0, 150.0, 90.0]
    assert call.ravel().tolist() == [0.0, 50.0, 0.0, 0.0]
    assert_array_equal(shortfall.ravel(), [0.0, 40.0, 0.0, np.nan])
