"""[structure] of a study file: inline or from a table it is the same, and every key counts."""

import io
import re
import tomllib
from datetime import date

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.clearing import ARRANGEMENTS, Rules
from backtest.clearing.setting import Setting
from backtest.config.structure import StructureTable, build_structure
from backtest.parameters.in_force import version_on
from tests.support.places import ROOT

ROWS = pd.DataFrame(
    [
        ("fund", "A", "customer", "CME", "LSOC", "5000000", "0.02"),
        ("fund", "A", "customer", "FICC", "15c3-3", "5000000", "0.02"),
        ("hedger", "A", "customer", "", "4d", "", ""),
        ("plain", "B", "customer", "", "", "0", ""),
        ("own of A", "A", "house", "", "", "", ""),
    ],
    columns=["account", "firm", "kind", "house", "regime", "resources", "default_rate"],
)
BY_HAND = bt.Structure(
    (
        bt.Member("fund", "A", "customer", {"CME": "LSOC", "FICC": "15c3-3"}, 5e6, 0.02),
        bt.Member("hedger", "A", regimes={"": "4d"}),
        bt.Member("plain", "B", resources=0.0),
        bt.Member("own of A", "A", "house"),
    )
)
HOUSES = ("FICC", "CME")
MARGIN = np.array([[4e6, 1e6], [0.0, 2e6], [1e6, 0.0], [3e6, 3e6]])


def inline():
    """The rows as entries of `accounts`."""
    numbers = {"resources", "default_rate"}
    return [
        {k: float(v) if k in numbers else v for k, v in row.items() if v}
        for row in ROWS.to_dict("records")
    ]


def content(form):
    """The rows as a file."""
    file = io.BytesIO()
    if form == "csv":
        return ROWS.to_csv(index=False).encode()
    if form == "parquet":
        amounts = ROWS[["resources", "default_rate"]].apply(pd.to_numeric)
        ROWS.assign(**amounts).to_parquet(file)
    else:
        ROWS.to_excel(file, index=False)
    return file.getvalue()


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_a_table_says_what_the_file_says(form):
    name = f"structure.{form}"
    assert build_structure(StructureTable(file=name), {name: content(form)}) == BY_HAND


def test_entries_of_the_file_are_members():
    assert build_structure(StructureTable(accounts=inline()), {}) == BY_HAND


def setting(**keys):
    """The structure of a study with these keys, under the last arrangement, as numbers."""
    table = StructureTable(accounts=inline(), **keys)
    rules = Rules.of(pinned=table.parameters, stated=table.assumptions)
    structure, silos = build_structure(table, {}), ARRANGEMENTS["silos"]
    return Setting(structure, HOUSES, silos, rules, MARGIN, MARGIN > 0.0)


def test_what_a_study_states_is_taken_and_the_rest_is_assumed():
    assumed = Rules.of().assumptions
    firms = {
        "A": {
            "capital": 5e7,
            "contributions": {"CME": 5e6},
            "multiplier": 1.25,
            "posts": "as paid",
            "default_rate": 0.1,
        }
    }
    houses = {"CME": {"capital": 1e8, "fund": 2.5e9, "assessment": 5.5}}
    stated = setting(firms=firms, houses=houses)
    taken, accounts = stated.kernel_firms(), stated.kernel_accounts()
    assert taken.capital.tolist() == [5e7, pytest.approx(assumed.firm_capital * 1e6)]
    assert taken.contribution[0, 1] == 5e6
    other = Rules.of().waterfall.house("CME")
    layers, default = stated.kernel_houses(), setting().kernel_houses()
    assert (layers.capital[1], layers.fund[1], layers.assessment[1]) == (1e8, 2.5e9, 5.5)
    assert (default.capital[1], default.fund[1], default.assessment[1]) == (
        other.capital, other.fund, other.assessment,
    )  # fmt: skip
    assert stated.multiplier.tolist() == [1.25, 1.25, assumed.multiplier, 1.0]
    assert stated.posts_intraday.tolist() == [False, assumed.posts == "intraday"]
    assert accounts.resources.tolist() == [5e6, pytest.approx(assumed.resources * 2e6), 0.0, 0.0]
    # A year of margin days without a default is a year without one.
    alive = (1 - stated.daily_default) ** assumed.margin_days
    rate, firm_rate = assumed.customer_default_rate, assumed.firm_default_rate
    assert alive == pytest.approx([0.98, 1 - rate, 1 - rate, 1.0, 0.9, 1 - firm_rate])
    assert stated.regimes == [["15c3-3", "LSOC"], ["4d", "4d"], ["15c3-3", "4d"], ["", ""]]


def test_terms_that_a_study_states_stand_in_for_ours():
    stated = setting(assumptions={"firm_capital": 0.5, "posts": "as paid", "multiplier": 1.5})
    assert stated.kernel_firms().capital.tolist() == [6.5e6, 5e5]
    assert not stated.posts_intraday.any()
    assert stated.multiplier.tolist() == [1.5, 1.5, 1.5, 1.0]
    assert stated.rules.stated == ("firm_capital", "posts", "multiplier")


def test_the_versions_are_those_of_the_day_unless_one_is_pinned():
    for day in (date(2020, 1, 2), date(2026, 6, 30)):
        rules = Rules.of(day)
        assert rules.versions == tuple(
            version_on(rule, day)
            for rule in ("protection_assumed", "customer_regimes", "waterfall")
        )
    pinned = Rules.of(date(2020, 1, 2), pinned=["waterfall/2026"])
    assert pinned.versions[2] == "waterfall/2026"
    with pytest.raises(bt.StudyError, match="names waterfall twice"):
        Rules.of(pinned=["waterfall/2026", "waterfall"])


def test_the_examples_of_the_page_are_structures():
    text = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    keys = tomllib.loads(text.split("```toml\n")[1].split("```")[0])["structure"]
    table = StructureTable(**keys)
    shown = build_structure(table, {})
    assert [m.account for m in shown.members] == ["basis fund", "hedger", "A's own"]
    assert shown.firm("A").contributions == {"CME": 5e6} and len(table.compared()) == 2
    rows = text.split("```\naccount,firm")[1].split("```")[0]
    file = build_structure(StructureTable(file="s.csv"), {"s.csv": f"account,firm{rows}".encode()})
    assert file.members[1].regimes == {"CME": "LSOC", "FICC": "15c3-3"}
    assert file.members[0].resources == 5e6 and file.members[2].kind == "house"
    stated = re.findall(r"`assumptions = ({.*?})`", text)
    assert stated and all(
        Rules.of(stated=tomllib.loads(f"terms = {terms}")["terms"]).stated for terms in stated
    )
