"""The kernels of a close-out against a twin that follows every single debt."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.testing import assert_allclose

from backtest.clearing.ledger import BEARERS
from tests.support.close_outs import drawn_world
from tests.support.waterfall_twin import twin


@settings(max_examples=400, deadline=None)
@given(seed=some.integers(0, 2**32 - 1))
def test_a_close_out_is_that_of_single_debts(seed):
    rng = np.random.default_rng(seed)
    world = drawn_world(rng)
    joint = bool(rng.random() < 0.5)
    drawn = rng.random(world.names) < rng.choice([0.0, 0.2])
    drawn[: len(world.accounts.own)][world.accounts.own] = False  # its firm's default is its own
    found = world.close_out(0, joint=joint, drawn=drawn)
    expected = twin(world, 0, joint=joint, drawn=set(np.flatnonzero(drawn).tolist()))
    size = np.abs(world.loss).sum() + world.collateral.sum() + 1.0
    for h in range(world.loss.shape[2]):
        by_name = [expected.paid[h, name] for name in BEARERS]
        assert_allclose(found.paid[h], by_name, rtol=0, atol=1e-12 * size)
    fellow = [expected.fellow[a] for a in range(world.loss.shape[1])]
    assert_allclose(found.fellow, fellow, rtol=0, atol=1e-12 * size)
    customers = ~world.accounts.own
    failed = np.isin(np.arange(len(customers)), list(expected.failed))
    assert (found.failed == failed)[customers].all()
    assert found.firms == len(expected.firms)


@settings(max_examples=60, deadline=None)
@given(seed=some.integers(0, 2**32 - 1))
def test_days_are_the_close_outs_of_their_draws(seed):
    # At most one name can fail, so every close-out of the day can be written down.
    rng = np.random.default_rng(seed)
    world = drawn_world(rng, days=3)
    coordination = float(rng.choice([0.0, 0.3, 1.0]))
    name, chance = int(rng.integers(world.names)), 0.25
    if name < len(world.accounts.own) and world.accounts.own[name]:
        name, chance = 0, 0.0
    daily = np.zeros((3, world.names))
    daily[:, name] = chance
    out = world.replayed(daily, coordination=coordination)
    size = np.abs(world.loss).sum() + world.collateral.sum() + 1.0
    fellow = np.zeros(world.loss.shape[1])
    for t in range(3):
        paid, stuck = np.zeros(out.paid[t].shape), np.zeros(2)
        for joint, share in ((True, coordination), (False, 1.0 - coordination)):
            for drawn, probability in ((set(), 1.0 - chance), ({name}, chance)):
                weight = share * probability
                ledger = twin(world, t, joint=joint, drawn=drawn)
                for h, bearer in np.ndindex(paid.shape):
                    paid[h, bearer] += weight * ledger.paid[h, BEARERS[bearer]]
                stuck += weight * np.array([ledger.porting_cost, ledger.frozen])
                for a, lost in ledger.fellow.items():
                    fellow[a] += weight * lost
        assert_allclose(out.paid[t], paid, rtol=0, atol=1e-12 * size)
        assert_allclose(out.stuck[t], stuck, rtol=1e-9, atol=1e-12 * size)
    assert_allclose(out.fellow, fellow, rtol=0, atol=1e-12 * size)
