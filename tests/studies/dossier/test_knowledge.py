"""What the file says without a folder is what tests and documents of the package say."""

import re

from backtest.studies.dossier.knowledge import known
from tests.support.contracts import contract_entries
from tests.support.places import ROOT


def document(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_waivers_are_those_of_the_contract_tests():
    waivers = known("laws")["waivers"]
    told = {(kind, law): words for kind, laws in waivers.items() for law, words in laws.items()}
    assert told == contract_entries("WAIVERS")


def test_every_law_is_a_contract_test_and_every_waived_law_is_told():
    tests = re.findall(r"^def test_(\w+)", document("tests/laws/test_contracts.py"), re.M)
    told = {law["name"] for law in known("laws")["laws"]}
    assert {law for _, law in contract_entries("WAIVERS")} <= told
    for name in told - {"shape, sign and warm-up"}:
        words = re.sub(r"\W+", "_", name)
        assert any(test.startswith(words) for test in tests), name
    assert any(test.startswith("shape_sign") for test in tests)


def test_the_detection_rate_of_the_audit_is_that_of_its_document():
    measured = known("measured")["causality"]
    text = document(measured["document"])
    row = re.search(r"\| all \| (\d+) \| (\d+) \| (\d+) \|", text)
    assert row is not None
    counts = [measured[name] for name in ("audits", "caught", "without_effect")]
    assert [int(number) for number in row.groups()] == counts
    assert f"on {measured['cheats']} planted cheats" in text


def test_the_coverage_of_intervals_is_that_of_its_document():
    text = " ".join(document("docs/intervals.md").split())
    one, low, all_books = known("measured")["intervals"]
    assert f"within 35 days ({one['half_life_35_days'][0]} to 100 %)" in text
    assert "a year {} to {} %".format(*one["half_life_year"]) in text
    spans = "{} to {}, 78 to 89 and {} to {} %".format(
        *low["half_life_35_days"], *low["half_life_year"]
    )
    assert spans in text
    pooled = "**Pooled**: {} to {}, 87 to 95 and {} to {} %".format(
        *all_books["half_life_35_days"], *all_books["half_life_year"]
    )
    assert pooled in text


def test_what_the_examination_finds_is_what_its_document_counts():
    measured = known("measured")["examination"]
    words = (
        "| all | {planted} | {found} | {share:.1%} found; at the sizes of reports {one} of {all} |"
    )
    assert words.format(
        **measured, share=measured["found"] / measured["planted"],
        one=measured["reported_found"], all=measured["reported"],
    ) in document(measured["document"])  # fmt: skip


def test_the_size_of_the_verdict_and_the_unsafe_bounds_are_those_of_their_documents():
    verdict, bounds = known("measured")["verdict"], known("measured")["bounds"]
    assert f"rejects a right record in more than {verdict['most']} %" in document("docs/overlap.md")
    words = "{unsafe} of {cells} cells lie above 8 %, all in these three worlds"
    assert words.format(**bounds) in document("docs/offset-calibration.md")
    assert bounds["worlds"] == 3


def test_the_crosswalk_is_dated_not_verified_and_of_every_section_that_has_a_theme():
    tables = known("crosswalk")
    assert tables["verified"] is False and tables["dated"] and tables["sources"]
    assert {n for row in tables["rows"] for n in row["sections"]} == set(range(1, 17)) - {14}
