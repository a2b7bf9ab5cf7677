"""Accounts and firms as they stand at a close, against the close-out in plain Python."""

import numpy as np
import pytest

from backtest.clearing.ledger import CENT
from backtest.replay.protection.standing import Standing
from tests.support.close_outs import drawn_world
from tests.support.waterfall_twin import twin


@pytest.mark.parametrize("joint", [True, False])
def test_firms_that_lack_more_than_they_have_are_those_that_fail(joint):
    """Of random structures, by the close-out in plain Python."""
    rng, seen = np.random.default_rng(17), 0
    for _ in range(150):
        world = drawn_world(rng)
        standing = Standing(
            None, world.collateral[0], world.required[0], world.at_house[0], world.advanced[0],
            float(joint),
        )  # fmt: skip
        vars(standing)["parties"] = world.accounts, world.classes, world.firms, world.houses
        unpaid = standing.unpaid(world.loss, np.ones(world.loss.shape[:2]))[0]
        ledger = twin(world, 0, joint=joint, drawn=set())
        assert set(np.flatnonzero(standing.firms_lack(unpaid) > CENT)) == ledger.firms
        seen += len(ledger.firms)
    assert seen > 50
