"""Defaults that come whatever prices do: their law, against all subsets of names."""

from itertools import product

import numpy as np
import pytest

from backtest.kernels import closed_day, parties, protection
from backtest.kernels.default_draws import (
    default_chances,
    draw_key,
    draw_several,
    several_defaults,
)

DAILY = np.array([0.3, 0.05, 0.2, 0.0, 0.1])


def subsets(daily):
    """Every set of names that fail, with its probability."""
    for fails in product([False, True], repeat=len(daily)):
        drawn = np.array(fails)
        yield drawn, float(np.prod(np.where(drawn, daily, 1.0 - daily)))


def chances(daily):
    alone, least = np.empty(len(daily)), np.empty((3, len(daily) + 1))
    return default_chances(daily, alone, least), alone, least


def test_nobody_one_and_several_have_the_weight_of_their_subsets():
    nobody, alone, least = chances(DAILY)
    by_count = np.zeros(len(DAILY) + 1)
    for drawn, weight in subsets(DAILY):
        by_count[drawn.sum()] += weight
    assert nobody == pytest.approx(by_count[0]) and alone.sum() == pytest.approx(by_count[1])
    assert least[2, 0] == pytest.approx(by_count[2:].sum())
    for n in range(len(DAILY)):
        only = np.arange(len(DAILY)) == n
        assert alone[n] == pytest.approx(
            dict((tuple(d), w) for d, w in subsets(DAILY))[tuple(only)]
        )


def test_tiny_rates_keep_their_digits():
    # One minus the other two would have none: of two names both fail with p squared.
    _, _, least = chances(np.full(2, 1e-12))
    assert least[2, 0] == pytest.approx(1e-24, rel=1e-9)


def test_a_name_that_is_sure_to_fail_does():
    nobody, alone, least = chances(np.array([1.0, 0.25]))
    assert nobody == 0.0 and alone.tolist() == [0.75, 0.0] and least[2, 0] == 0.25


def test_draws_of_several_follow_their_law():
    _, _, least = chances(DAILY)
    draws, drawn = 200_000, np.empty(len(DAILY), dtype=np.bool_)
    seen: dict[tuple[bool, ...], int] = {}
    for d in range(draws):
        key = np.uint64(draw_key(np.uint64(3), np.uint64(0), 7, d))
        draw_several(key, DAILY, least, drawn)
        seen[tuple(drawn.tolist())] = seen.get(tuple(drawn.tolist()), 0) + 1
    for fails, weight in subsets(DAILY):
        expected = weight / least[2, 0] if fails.sum() >= 2 else 0.0
        error = 4.5 * np.sqrt(expected / draws)
        assert seen.get(tuple(fails.tolist()), 0) / draws == pytest.approx(expected, abs=error)


def small_world(days, rng):
    """Losses, collateral and a structure of two firms with three customers and an own account."""
    loss = rng.standard_t(3, (days, 4, 2)) * 10.0
    collateral = rng.uniform(0.0, 15.0, loss.shape)
    accounts = parties.Accounts(
        np.array([0, 0, 1, 1]),
        np.array([False, False, False, True]),
        np.array([parties.POOLED, parties.APART, parties.POOLED, parties.POOLED]),
        np.array([5.0, 2.0, 0.0, 0.0]),
        np.zeros((4, 2), dtype=np.int64),
    )
    return (
        loss,
        collateral,
        collateral.copy(),
        np.full((days, 2, 1, 2), 0.8),
        rng.uniform(0.0, 1.0, (days, 2, 2)),
        rng.uniform(0.0, 1.0, (days, 4)),
        accounts,
        parties.Classes(np.array([True]), np.array([False]), np.array([0.5])),
        parties.Firms(np.array([4.0, 3.0]), np.full((2, 2), 1.0), 0.0, 0.0, 0.5, 2.0),
        parties.Houses(np.full(2, 2.0), np.full(2, 5.0), np.full(2, 0.5)),
    )


def replayed(world, daily, draws, coordination=0.4):
    days, count, houses = world[0].shape
    out = protection.Outcomes(
        np.zeros((days, houses, parties.BEARERS)),
        np.zeros((days, houses, parties.BEARERS)),
        np.zeros((days, 4)),
        np.zeros((days, 4)),
        np.zeros((days, 2)),
        np.zeros((days, 2)),
        np.zeros(count),
        np.zeros(count),
    )
    protection.replay_protection(
        *world, coordination, daily, several_defaults(1, 0, daily, draws), out
    )
    return out


def enumerated(world, daily, coordination=0.4):
    """Expectations over all subsets of names and both ways of closing out, one by one."""
    days, count, houses = world[0].shape
    paid, touched, taken = np.zeros((days, houses, parties.BEARERS)), np.zeros((days, 4)), 0.0
    one, fellow = np.empty((houses, parties.BEARERS)), np.empty(count)
    failed = np.empty(count, dtype=np.bool_)
    for t in range(days):
        day = parties.Day(*(array[t] for array in world[:6]))
        for drawn, chance in subsets(daily[t]):
            for joint, share in ((True, coordination), (False, 1.0 - coordination)):
                fails = closed_day.close_out(day, *world[6:], joint, drawn, failed, one, fellow)
                paid[t] += chance * share * one
                taken = taken + chance * share * fellow
                marks = (one[:, parties.FELLOW].sum(), one[:, parties.FUND].sum(), fails)
                touched[t] += (
                    chance
                    * share
                    * np.array(
                        [
                            *(m > parties.CENT for m in marks),
                            one[:, parties.UNCOVERED].sum() > parties.CENT,
                        ]
                    )
                )
    return paid, touched, taken


def test_expectations_are_those_over_all_subsets_of_names():
    world = small_world(40, np.random.default_rng(5))
    daily = np.random.default_rng(6).uniform(0.0, 2e-3, (40, 6))
    daily[:, 3] = 0.0
    paid, touched, taken = enumerated(world, daily)
    out = replayed(world, daily, draws=200)
    # What is drawn has a weight of some 1e-5 a day; all else is exact.
    several = max(chances(day)[2][2, 0] for day in daily)
    size = float(np.abs(world[0]).sum(axis=(1, 2)).max())
    np.testing.assert_allclose(out.paid, paid, atol=0.5 * several * size)
    np.testing.assert_allclose(out.touched, touched, atol=several)
    np.testing.assert_allclose(out.fellow, taken, rtol=1e-3)
    assert touched[:, 0].sum() > 0.0 and (out.paid != out.base).any()


def test_many_draws_come_to_the_same_where_rates_are_high():
    world = small_world(10, np.random.default_rng(8))
    daily = np.tile([0.2, 0.1, 0.3, 0.0, 0.1, 0.05], (10, 1))
    paid, _, _ = enumerated(world, daily)
    out = replayed(world, daily, draws=20_000)
    np.testing.assert_allclose(out.paid, paid, atol=0.6)
    np.testing.assert_allclose(out.paid.sum(axis=2), world[0].sum(axis=1), atol=1e-9)
