"""Sweeps: each unverified term is asked, alone, and what moves is what closing out again gives."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.clearing.ledger import FELLOW
from backtest.parameters.files import header, load_parameters
from backtest.parameters.ranges import term_value
from backtest.replay.protection import close_out
from backtest.replay.protection.posted import Posted
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.sweep import MEASURES, changes_of_order, sweep
from backtest.replay.protection.variations import variations
from tests.support.protected import protection


@pytest.fixture(scope="module")
def swept():
    return sweep(protection(), model="var")


def test_every_unverified_term_of_the_three_rules_is_asked_at_both_ends():
    done = protection()
    rules = done.settings["silos"].rules
    assert {name.partition("/")[0] for name in rules.versions} == {
        "protection_assumed", "customer_regimes", "waterfall",
    }  # fmt: skip
    found = {(v.term, v.end): v for v in variations(done)}
    for version in rules.versions:
        for entry in header(version).uncertain:
            elsewhere = entry.term.startswith(("houses.OCC", "houses.other", "by_house"))
            for end, value in (("low", entry.low), ("high", entry.high)):
                own = term_value(load_parameters(version), entry.term)
                asked = entry.moves and value != own and not elsewhere
                assert ((f"{version}: {entry.term}", end) in found) == asked
    assert {"stated resources", "stated capital of firms", "coordination"} <= {t for t, _ in found}


def test_one_term_moves_at_a_time():
    done = protection()
    ours = done.settings["silos"].rules
    for variation in variations(done):
        rules = variation.rules
        pairs = (
            (rules.assumptions.model_dump(), ours.assumptions.model_dump()),
            (rules.regimes.model_dump(), ours.regimes.model_dump()),
            (rules.waterfall.model_dump(), ours.waterfall.model_dump()),
        )
        differ = sum(leaf_differences(one, other) for one, other in pairs)
        differ += variation.coordination != done.coordination
        differ += variation.structure is not done.structure
        assert differ == 1, variation.term


def leaf_differences(one, other):
    if isinstance(one, dict):
        return sum(leaf_differences(one[key], other[key]) for key in one)
    return int(one != other)


def test_a_term_that_the_study_states_is_no_assumption_of_ours():
    done = protection()
    rules = replace(done.settings["silos"].rules, stated=("recovery",))
    own = close_out(done.margined, done.structure, rules=rules)
    assert not any("recovery" in v.term for v in variations(own))
    assert any("recovery" in v.term for v in variations(done))


def test_what_moves_is_what_closing_out_again_gives(swept):
    done = protection()
    (variation,) = (
        v for v in variations(done) if "customer_default_rate" in v.term and v.end == "high"
    )
    again = variation.close_out(done, "var")
    table = swept.table().xs((variation.term, "high"), level=("term", "end"))
    for name in done.settings:
        fellow = Losses.of(again, "var", name, FELLOW).yearly.mean()
        assert table.loc[name, "fellow_usd_there"] == pytest.approx(fellow, abs=0.1)
        held = Losses.of(done, "var", name, FELLOW).yearly.mean()
        assert table.loc[name, "fellow_usd"] == pytest.approx(held, abs=0.1)
        assert table.loc[name, "margin"] == Posted.of(done, "var", name).total.mean()
    # Fewer are left who did nothing: a customer that fails itself is no fellow any more.
    assert (table["fellow_usd_there"] < table["fellow_usd"]).all()


def test_terms_are_ranked_by_what_they_move(swept):
    by_term = swept.by_term()
    sizes = np.maximum(-by_term["lowest"], by_term["highest"]).to_numpy()
    assert (np.diff(sizes) <= 0).all() and sizes[0] > 0.0
    # Customers who post more, or whose resources are taken away, say which way.
    assert by_term.loc["protection_assumed/2026: multiplier", "highest"] == 0.0
    assert (
        by_term.loc["stated resources", "lowest"]
        <= 0.0
        <= by_term.loc["stated resources", "highest"]
    )
    margin = swept.by_term("margin")
    assert margin.index[0] == "protection_assumed/2026: multiplier"
    assert swept.held.shape == (len(swept.arrangements), len(MEASURES))


def test_an_order_changes_where_two_change_places_and_not_where_they_are_alike():
    before, after = np.array([1.0, 2.0, 2.0]), np.array([3.0, 2.0, 2.0000001])
    assert changes_of_order(before, after) == [(0, 1), (0, 2)]
    assert changes_of_order(before, np.array([1.0, 2.01, 2.0])) == []
    assert changes_of_order(np.zeros(2), np.zeros(2)) == []
