"""Money is conserved to the cent, and nobody pays more than there is, over random structures."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backtest.clearing.ledger import BEARERS, CENT, unbalanced
from backtest.kernels import parties
from tests.support.close_outs import World, drawn_world

STRUCTURES, DAYS = 1500, 4
SEEDS = some.integers(0, 2**32 - 1)


def drawn_names(world: World, rng: np.random.Generator) -> np.ndarray:
    """Who is drawn to default; a firm's own account is not drawn by itself."""
    drawn = rng.random(world.names) < rng.choice([0.0, 0.1, 0.5])
    drawn[: len(world.accounts.own)][world.accounts.own] = False
    return drawn


@pytest.mark.parametrize("part", range(5))
def test_every_ledger_closes_to_the_cent(part, capsys):
    asked: Counter[str] = Counter()
    worst = 0.0
    for seed in range(part * STRUCTURES // 5, (part + 1) * STRUCTURES // 5):
        rng = np.random.default_rng([20, seed])
        world = drawn_world(rng, days=DAYS)
        daily = rng.choice([0.0, 1e-4, 0.05, 0.5], (DAYS, world.names))
        daily[:, : len(world.accounts.own)][:, world.accounts.own] = 0.0
        out = world.replayed(daily, coordination=float(rng.choice([0.0, 0.4, 1.0])))
        ledgers = [(world.loss, out.paid), (world.loss, out.base)]
        for t in range(DAYS):
            for joint in (False, True):
                ended = world.close_out(t, joint=joint, drawn=drawn_names(world, rng))
                ledgers.append((world.loss[t : t + 1], ended.paid[None]))
                asked += Counter(BEARERS[b] for b in np.flatnonzero(ended.paid.any(axis=0)))
        for loss, paid in ledgers:
            by_house = np.abs(unbalanced(paid, loss))
            in_total = np.abs(paid.sum(axis=(1, 2)) - loss.sum(axis=(1, 2)))
            worst = max(worst, float(by_house.max()), float(in_total.max()))
            asked["ledgers"] += len(paid)
        # What customers lose one by one is the column of the ledger.
        fellow = out.paid[:, :, parties.FELLOW].sum()
        assert out.fellow.sum() == pytest.approx(fellow, abs=CENT)
        assert out.base_fellow.sum() == pytest.approx(
            out.base[:, :, parties.FELLOW].sum(), abs=CENT
        )
        asked["structures"] += 1
    with capsys.disabled():
        told = ", ".join(f"{count:,} {what}" for what, count in sorted(asked.items()))
        print(f"\nconservation, part {part + 1} of 5: {told}; worst {worst:.1e} USD")
    assert worst < CENT
    # A law of layers that nobody ever pays would prove nothing.
    assert min(asked[bearer] for bearer in BEARERS) > 20


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS)
def test_no_layer_pays_less_than_nothing_or_more_than_there_is(seed):
    rng = np.random.default_rng(seed)
    world = drawn_world(rng)
    ended = world.close_out(0, joint=bool(rng.random() < 0.5), drawn=drawn_names(world, rng))
    paid = dict(zip(BEARERS, ended.paid.T, strict=True))
    most = {
        "advanced by firms": world.advanced[0].sum(axis=0),
        "firms' contributions": world.firms.contribution.sum(axis=0),
        "houses' capital": world.houses.capital,
        "mutual fund": world.houses.fund + world.firms.contribution.sum(axis=0),
        "assessments": world.houses.assessment
        * (world.houses.fund + world.firms.contribution.sum(axis=0)),
    }
    for bearer, by_house in paid.items():
        if bearer != "accounts":  # which may gain
            assert (by_house >= -1e-6).all(), bearer
        if bearer in most:
            assert (by_house <= most[bearer] + 1e-6).all(), bearer
    own = world.accounts.own
    surplus = np.maximum(world.collateral[0] - world.loss[0], 0.0)[own].sum()
    assert paid["firms"].sum() <= world.firms.capital.sum() + surplus + 1e-6
    # Each customer who did nothing loses at most what it has, and gets at most its advances back.
    has = np.maximum(world.collateral[0] - world.loss[0], 0.0).sum(axis=1)
    assert (ended.fellow <= has + 1e-6).all() and (ended.fellow >= 0.0).all()
    assert ended.fellow[ended.failed | own].sum() == 0.0
    advances = world.classes.advance.sum() * (~own).sum()
    assert paid["advanced by SIPC"].sum() <= advances + 1e-6


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
def test_customers_whom_their_regime_protects_lose_nothing_to_others(seed):
    rng = np.random.default_rng(seed)
    world = drawn_world(rng)
    protected = ~world.classes.takes
    ended = world.close_out(0, joint=False, drawn=drawn_names(world, rng))
    alone = protected[world.accounts.account_class].all(axis=1)
    assert ended.fellow[alone].sum() == 0.0


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
def test_customers_money_never_pays_for_the_firms_own_account(seed):
    rng = np.random.default_rng(seed)
    world = drawn_world(rng)
    own = world.accounts.own
    # Customers lose nothing and have plenty, at every house; own accounts lose enormously.
    loss = np.where(own[None, :, None], np.abs(world.loss) * 1e3, 0.0)
    world = replace(world, loss=loss)
    drawn = drawn_names(world, rng)
    drawn[: len(own)] = False
    ended = world.close_out(0, joint=bool(rng.random() < 0.5), drawn=drawn)
    assert ended.paid[:, [parties.FELLOW, parties.RETURNED]].sum() == 0.0
    customers = np.where(own[None, :, None], world.collateral, 0.0)
    without = replace(world, collateral=customers)
    same = without.close_out(0, joint=False, drawn=drawn).paid
    together = world.close_out(0, joint=False, drawn=drawn).paid
    np.testing.assert_allclose(same, together, atol=1e-6 * max(1.0, np.abs(loss).max() * 1e-6))


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS)
def test_more_capital_or_margin_of_a_firm_never_costs_those_behind_it(seed):
    rng = np.random.default_rng(seed)
    world = drawn_world(rng)
    f = int(rng.integers(len(world.firms.capital)))
    joint, drawn = bool(rng.random() < 0.5), drawn_names(world, rng)
    # A firm that stands leaves its contribution in the fund, which others may then use up: what
    # falls is what mutual funds, assessments and nobody pay together.
    behind = [parties.FUND, parties.ASSESSED, parties.UNCOVERED]

    def rest(one: World) -> float:
        return float(one.close_out(0, joint=joint, drawn=drawn).paid[:, behind].sum())

    capital = world.firms.capital.copy()
    capital[f] += rng.exponential(1e6)
    richer = replace(world, firms=world.firms._replace(capital=capital))
    of_firm = world.accounts.firm == f
    more = 1.0 + rng.exponential(0.5)
    collateral = np.where(of_firm[None, :, None], world.collateral * more, world.collateral)
    safer = replace(world, collateral=collateral)
    assert rest(richer) <= rest(world) + 1e-6
    assert rest(safer) <= rest(world) + 1e-6
