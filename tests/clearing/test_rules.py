"""A structure takes what the dated files say of regimes and houses."""

import re

import numpy as np
import pytest

from backtest.clearing import ARRANGEMENTS, Firm, Member, Structure
from backtest.clearing.rules import Rules
from backtest.clearing.setting import Setting
from backtest.kernels import waterfall
from backtest.parameters.files import load_parameters, moved
from backtest.parameters.ranges import with_term
from backtest.types import StudyError

HOUSES = ("FICC", "CME")
STRUCTURE = Structure(
    (
        Member("fund", "A"),
        Member("swaps", "A", regimes={"CME": "LSOC"}),
        Member("A's own", "A", "house"),
    ),
    {"A": Firm(capital=1e6)},
)
MARGIN = np.array([[100.0, 50.0], [0.0, 30.0], [20.0, 20.0]])


CITED = re.compile(r"CFR|USC|Rule \d|agreement of")  # a paragraph, or the agreement of the houses
STEPS = {
    name: step
    for name, step in vars(waterfall).items()
    if hasattr(step, "py_func") and step.py_func.__module__ == waterfall.__name__
}


def setting(arrangement: str, structure: Structure = STRUCTURE) -> Setting:
    return Setting(structure, HOUSES, ARRANGEMENTS[arrangement], Rules.of(), MARGIN, MARGIN > 0.0)


def takes(arrangement: str) -> dict[str, tuple[bool, bool]]:
    one = setting(arrangement)
    classes = one.kernel_classes()
    flags = zip(classes.takes.tolist(), classes.anywhere.tolist(), strict=True)
    return dict(zip(one.classes, flags, strict=True))


def test_gross_protects_securities_customers_and_not_those_of_futures():
    gross, omnibus = takes("silos"), takes("customers omnibus, segregated")
    assert gross["securities"] == (False, False) and omnibus["securities"] == (True, False)
    assert gross["futures"] == omnibus["futures"] == (True, False)


@pytest.mark.parametrize("arrangement", list(ARRANGEMENTS))
def test_swaps_are_never_taken_and_one_account_stands_for_both_houses(arrangement):
    taken = takes(arrangement)
    assert taken["swaps"] == (False, False) and taken["commingled"] == (True, True)


def test_cross_margined_accounts_in_the_class_of_futures_are_taken_as_futures_are():
    tables = with_term(
        load_parameters("customer_regimes"), "regimes.commingled.account_class", "futures"
    )
    with moved("customer_regimes", tables):
        one = setting("customers gross, commingled")
        assert one.classes == ("futures", "securities", "swaps")
        assert {one.classes[k] for k in one.account_class[0]} == {"futures"}
        assert one.kernel_classes().anywhere.tolist() == [False, False, False]


def test_a_house_s_customers_are_under_its_usual_regime():
    one = setting("silos")
    of = [one.classes[k] for k in one.account_class[0]]
    assert of == ["securities", "futures"] and one.classes[one.account_class[1, 1]] == "swaps"
    together = setting("customers gross, commingled")
    assert {together.classes[k] for k in together.account_class[0]} == {"commingled"}


def test_contributions_are_a_share_of_the_margin_of_a_firm_s_accounts_at_each_house():
    firms = setting("silos").kernel_firms()
    np.testing.assert_allclose(firms.contribution, [[0.0, 0.037 * (50.0 + 30.0 + 20.0)]])
    stated = Structure(STRUCTURE.members, {"A": Firm(contributions={"FICC": 7.0})})
    firms = setting("silos", stated).kernel_firms()
    np.testing.assert_allclose(firms.contribution, [[7.0, 3.7]])


def test_layers_are_those_of_the_house_or_of_any_other():
    houses = setting("silos").kernel_houses()
    layers = Rules.of().waterfall
    assert houses.fund.tolist() == [layers.house("FICC").fund, 7_856_528_818.0]
    assert houses.assessment.tolist() == [0.0, 2.75]
    assert layers.house("of this name only") == layers.houses["other"]


@pytest.mark.parametrize("name", sorted(STEPS.keys() - {"pay", "pay_everywhere"}))
def test_every_step_of_the_waterfall_cites_its_rule(name):
    assert CITED.search(STEPS[name].__doc__)


def test_the_steps_are_those_of_the_waterfall():
    steps = {
        "firm_capital",
        "own_surplus",
        "contributions",
        "fellow_customers",
        "layer",
        "guaranty",
    }
    assert steps < set(STEPS)


def test_an_account_at_one_house_is_not_pooled_and_stays_under_the_regime_there():
    one = setting("customers gross, commingled")  # 'swaps' has a margin at CME alone
    assert one.is_pooled.tolist() == [True, False, True]
    assert [one.classes[k] for k in one.account_class[1]] == ["securities", "swaps"]
    assert one.kernel_accounts().nets.tolist() == [2, 0, 1]


def test_customers_of_one_house_are_netted_apart_from_those_who_are_pooled():
    members = (Member("both", "A"), Member("other", "A"), Member("one", "A"))
    legs = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    arrangement = ARRANGEMENTS["customers omnibus, segregated"]
    one = Setting(Structure(members), HOUSES, arrangement, Rules.of(), legs, legs > 0.0)
    assert list(one.net_groups().values()) == [[0, 1], [2]]


@pytest.mark.parametrize("multiplier", [0.0, -1.0, 110.0, np.inf, np.nan])
def test_a_firm_asks_for_a_multiple_of_margin(multiplier):
    with pytest.raises(StudyError, match=f"a firm has multiplier {multiplier}; give more than 0"):
        Firm(multiplier=multiplier)
