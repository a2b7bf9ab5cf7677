"""Rules in force behind the model, and published numbers that the installation meets."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

import backtest as bt
import strategies as st
from backtest.anchors.anchor import Anchor, AnchorSet
from backtest.anchors.run import Answered, Found
from backtest.studies.dossier.finding import HIGH
from backtest.studies.dossier.findings import automatic_findings
from backtest.studies.dossier.rules import rules_in_force
from backtest.studies.published import published_table, reproduced


@pytest.fixture(scope="module")
def each(small_market, small_book):
    """A study under the rules of a day after which one of its versions was superseded."""
    models = {
        "old": st.HaircutOnly(
            schedules=("haircuts/cme/2014", "haircuts/occ"), haircuts={"BTC": 0.2, "ETH": 0.2}
        ),
        "free": st.HistoricalVaR(lookback=60),
        "assumed": st.SpeedLimit(base=st.HistoricalVaR(lookback=60)),
    }
    study = bt.run(small_market, small_book, models, as_of="2024-01-03")
    return SimpleNamespace(label="small", origin=study.provenance)


def rows_of(table):
    return {name: [cell.text for cell in row] for name, (row,) in table.groups}


def test_each_version_has_its_days_its_standing_and_how_it_is_known(each):
    table = rules_in_force(each, "old")
    assert table.heads[3] == "on 2024-01-03"
    rows = rows_of(table)
    _, days, standing, mark, known = rows["haircuts/cme/2014"]
    assert days == "2014-01-01 to 2021-09-12"
    assert standing == "was superseded by haircuts/cme/2021 on 2021-09-13"
    assert mark == "verified" and known.startswith("text read, 2026-")
    (occ,) = [row for name, row in rows.items() if name.startswith("haircuts/occ/")]
    assert occ[2] == "in force"
    assert rules_in_force(each, "free") is None


def test_an_assumption_is_in_force_on_no_day(each):
    row = rows_of(rules_in_force(each, "assumed"))["overlays_assumed/2026"]
    assert row[2:] == ["an assumption, in force on no day", "NOT VERIFIED", "assumption"]


def test_days_of_their_own_and_days_not_recorded_are_told(each):
    by_day = tuple(replace(source, replayed=True) for source in each.origin.parameters["old"])
    origin = replace(each.origin, as_replayed=True, parameters={"old": by_day})
    replayed = rules_in_force(SimpleNamespace(label="x", origin=origin), "old")
    assert "Every day had the rules of that day" in replayed.note
    assert {row[2] for row in rows_of(replayed).values()} == {"the rule of its own days"}
    unknown = SimpleNamespace(label="x", origin=replace(each.origin, as_of=""))
    table = rules_in_force(unknown, "old")
    assert {row[2] for row in rows_of(table).values()} == {"not known"}
    assert "does not say whose day" in table.note


def test_the_page_has_the_published_numbers(dossier):
    page = json.loads((dossier.folder / "page.json").read_text(encoding="utf-8"))
    (section,) = [s for s in page["sections"] if s["name"] == "implementation"]
    table = section["tables"][1]
    found = reproduced()
    assert table["caption"] == f"Published numbers reproduced: {found.sentence()}"
    assert [group[0] for group in table["groups"]] == [each.of.title for each in found.sets]


def test_a_number_that_is_missed_is_a_finding_of_its_own():
    anchors = (
        Anchor("a half", "a table", "0.5", lambda: 0.5),
        Anchor("a third", "another table", "0.333", lambda: 0.4),
    )
    answers = tuple(anchor.compare() for anchor in anchors)
    found = Found((Answered(AnchorSet("Parts", anchors), answers),), ())
    (row,) = rows_of(published_table(found)).values()
    assert row == ["2", "1", "a table; another table"]
    (finding,) = automatic_findings((), "m", (), {}, found)
    assert (finding.key, finding.severity, finding.where) == ("published-numbers", HIGH, 6)
    assert "1 of 2 published numbers are missed" in finding.sentence
    assert "a third" in finding.sentence
    assert automatic_findings((), "m", (), {}, Found((), ())) == ()
