"""The day that docs/protect.md works out by hand, computed by the package to the cent."""

import re
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from backtest.clearing import ARRANGEMENTS, Rules, Structure
from backtest.clearing.calls import Holdings
from backtest.clearing.ledger import BEARERS
from backtest.clearing.setting import Setting
from backtest.config.structure import StructureTable, build_structure
from backtest.kernels import closed_day, parties, protection
from backtest.kernels.default_draws import several_defaults
from backtest.parameters.files import header, load_parameters, rules
from tests.docs.test_pages import DOCS

PAGE = (DOCS / "protect.md").read_text(encoding="utf-8")
HOUSES = ("CME", "FICC")
CENT = 0.005


def table(name: str) -> list[list[str]]:
    """Rows of a table between its comments, without its head."""
    part = PAGE.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def usd(cell: str) -> float:
    """An amount of the page; nothing where a cell is empty."""
    return float(cell.replace(",", "")) if cell not in ("", "-") else 0.0


ACCOUNTS = table("accounts")
NAMES = tuple(dict.fromkeys(row[0] for row in ACCOUNTS))
ARRANGEMENT = ARRANGEMENTS["customers omnibus, segregated"]


def structure() -> Structure:
    """The structure of the page, as a study file is read."""
    text = PAGE.split("```toml\n")[1].split("```")[0]
    built = build_structure(StructureTable(**tomllib.loads(text)["structure"]), {})
    assert tuple(one.account for one in built.members) == NAMES
    return built


def setting() -> Setting:
    """The structure under the arrangement, with nothing assumed that the page does not say."""
    in_force = Rules.of()
    assumed = in_force.assumptions.model_copy(update={"recovery": 0.0, "set_off": 0.0})
    in_force = replace(in_force, assumptions=assumed)
    return Setting(structure(), HOUSES, ARRANGEMENT, in_force, np.zeros((7, 2)), amounts(2) > 0.0)


def amounts(column: int) -> np.ndarray:
    """(accounts, houses) USD of a column of the table of accounts."""
    out = np.zeros((len(NAMES), len(HOUSES)))
    for row in ACCOUNTS:
        out[NAMES.index(row[0]), HOUSES.index(row[1])] = usd(row[column])
    return out


def holdings() -> Holdings:
    """Where customers' collateral is."""
    classes = setting().classes
    asked = np.zeros((1, 2, len(classes), 2))
    posted = np.zeros_like(asked)
    for firm, house, account_class, required, held, *_ in table("holdings"):
        place = (0, "AB".index(firm), classes.index(account_class), HOUSES.index(house))
        asked[place], posted[place] = usd(required), usd(held)
    return Holdings.of(asked, posted, np.maximum(asked - posted, 0.0), np.array([True, True]))


def close(*, joint: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """The ledger (houses, bearers), what each account loses, who failed, how many firms."""
    here, held = setting(), holdings()
    count = len(NAMES)
    day = parties.Day(
        amounts(3), amounts(2), amounts(2), held.at_house[0], held.advanced[0], np.zeros(count)
    )
    failed, fellow = np.zeros(count, dtype=np.bool_), np.zeros(count)
    paid = np.zeros((len(HOUSES), len(BEARERS)))
    firms = closed_day.close_out(
        day, here.kernel_accounts(), here.kernel_classes(), here.kernel_firms(),
        here.kernel_houses(), joint, np.zeros(count + 2, dtype=np.bool_), failed, paid, fellow,
    )  # fmt: skip
    return paid, fellow, failed, firms


@pytest.fixture(scope="module")
def closed() -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """The day on which the houses do not close out together."""
    return close(joint=False)


def test_what_the_accounts_lack_and_the_holdings_are_arithmetic():
    for row in ACCOUNTS:
        assert usd(row[3]) - usd(row[2]) == usd(row[4]), row
    assert holdings().at_house[0, 0].min() == 0.6
    for firm, house, account_class, _, _, share, advanced in table("holdings"):
        place = (0, "AB".index(firm), setting().classes.index(account_class), HOUSES.index(house))
        assert f"{holdings().at_house[place]:.0%}" == share.replace(" ", "")
        assert holdings().advanced[0, place[1], place[3]] == usd(advanced)


def test_each_step_lowers_what_is_lacking_by_what_is_paid():
    first, *steps = table("waterfall")
    before = [usd(cell) for cell in first[4:]]
    for step in steps:
        after = [usd(cell) for cell in step[4:]]
        assert before[0] - after[0] == usd(step[2]), step
        assert sum(before[1:]) - sum(after[1:]) == usd(step[3]), step
        before = after
    assert before == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("name", "joint"), [("ledger", False), ("joint", True)])
def test_the_ledger_is_the_packages_to_the_cent(name: str, joint: bool):
    paid = close(joint=joint)[0]
    ledger = {row[0]: [usd(cell) for cell in row[1:]] for row in table(name)}
    assert list(ledger) == [*BEARERS, "sum"]
    for bearer, expected in list(ledger.items())[:-1]:
        assert paid[:, BEARERS.index(bearer)] == pytest.approx(expected, abs=CENT), bearer
    total = amounts(3).sum(axis=0).tolist()
    assert ledger["sum"] == total == pytest.approx(paid.sum(axis=1).tolist(), abs=CENT)


def test_the_steps_of_the_waterfall_are_those_of_the_ledger():
    ledger = {row[0]: [usd(cell) for cell in row[1:]] for row in table("ledger")}
    of_step = {
        "what the firm has advanced": "advanced by firms",
        "guaranty of the other house": "surplus at the other house",
        "contribution": "firms' contributions",
        "fellow customers": "fellow customers",
        "the house's own capital": "houses' capital",
        "mutual fund": "mutual fund",
        "assessments": "assessments",
        "uncovered": "uncovered",
    }
    steps = {row[0]: [usd(cell) for cell in row[2:4]] for row in table("waterfall")}
    # What is taken of fellow customers is what they lose and what SIPC gives back.
    ledger["fellow customers"] = np.add(
        ledger["fellow customers"], ledger["advanced by SIPC"]
    ).tolist()
    for step, bearer in of_step.items():
        assert steps[step] == ledger[bearer], step
    # Beside A, firm B has paid what Fir left.
    own = np.add(steps["capital"], steps["surplus of its own account"])
    assert (own + [900_000, 0]).tolist() == ledger["firms"]


def test_fellow_customers_share_by_net_equity_and_get_the_advance(closed):
    _, fellow, failed, firms = closed
    assert firms == 1
    assert [name for name, is_failed in zip(NAMES, failed, strict=True) if is_failed] == [
        "Amber",
        "Dune",
        "A's own",
        "Fir",
    ]
    lost_of = dict(zip(NAMES, fellow.tolist(), strict=True))
    advance = setting().rules.regimes.protection("15c3-3").advance
    for name, equity, cme, ficc, taken_of, advanced, lost in table("fellows"):
        surplus = -sum(usd(row[4]) for row in ACCOUNTS if row[0] == name)
        assert usd(equity) == surplus
        assert usd(cme) + usd(ficc) == usd(taken_of)
        assert lost_of.pop(name) == pytest.approx(usd(lost), abs=CENT), name
        assert usd(advanced) == min(advance, usd(ficc))
        assert usd(lost) == usd(taken_of) - usd(advanced)
    assert set(lost_of.values()) == {0.0}


def test_accounts_that_did_nothing_are_ported_or_cost_their_close_out():
    """Expected cost, and dollar-days until they can be used, beside the ledger."""
    words = " ".join(PAGE.split("Beside it stand")[1].split("**6.")[0].split())
    cost, porting, expected, equity, days, frozen = (
        usd(re.search(pattern, words)[1])
        for pattern in (
            r"assumed ([\d,]+) each", r"probability of ([\d.]+) that", r"cost is ([\d,]+)\.",
            r"The ([\d,]+) of", r"they are, (\d+) days", r": ([\d,]+) dollar-days",
        )
    )  # fmt: skip
    here, held = setting(), holdings()
    firms = here.kernel_firms()
    assert (firms.porting, firms.porting_days) == (porting, days)
    assert equity == sum(usd(row[1]) for row in table("fellows"))
    of_day = (amounts(3), amounts(2), amounts(2), held.at_house[0], held.advanced[0])
    shapes = ((1, 2, len(BEARERS)),) * 2 + ((1, 4),) * 2 + ((1, 2),) * 2 + ((7,),) * 2
    out = protection.Outcomes(*(np.zeros(shape) for shape in shapes))
    protection.replay_protection(
        *(part[None] for part in of_day), np.full((1, 7), cost), here.kernel_accounts(),
        here.kernel_classes(), firms, here.kernel_houses(), 0.0, np.zeros((1, 9)),
        several_defaults(0, 0, np.zeros((1, 9)), 1), out,
    )  # fmt: skip
    assert out.base_stuck[0].tolist() == pytest.approx([expected, frozen], abs=CENT)
    assert out.base_touched[0].tolist() == [1.0, 1.0, 1.0, 1.0]


def test_the_table_of_assumptions_is_the_file_in_force():
    version = rules()["protection_assumed"][-1]
    ranges = {entry.term: entry for entry in header(version).uncertain}
    terms = load_parameters(version)
    for term, value, span, _ in table("assumed"):
        entry = ranges.pop(term.strip("`"))
        assert value == str(terms[entry.term]), term
        assert span == f"{entry.low} to {entry.high}", term
    assert ranges == {}
