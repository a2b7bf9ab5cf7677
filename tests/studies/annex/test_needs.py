"""What packaged topics ask for is there: a renamed column would silently empty a page."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from backtest.parameters.files import rules
from backtest.present.document import Heading, Listing, Paragraph, Picture, Tabular
from backtest.present.record import read_record
from backtest.present.store import write_exhibit
from backtest.studies import COMMANDS
from backtest.studies.annex.document import _entry, annex_document
from backtest.studies.annex.needs import columns_of, filled, only_simulated
from backtest.studies.annex.page import annex_exhibit
from backtest.studies.annex.results import chapter
from backtest.studies.annex.rules import RuleOnDay, superseded_in
from backtest.studies.annex.sources import read_sources
from backtest.studies.annex.study import annex_of
from backtest.studies.annex.topics import Rule, Say, read_topics
from backtest.types import StudyError
from tests.studies.annex.conftest import made_up
from tests.support.commands import quiet
from tests.support.pages import exhibit_of

KINDS = ("closeout", "collateral", "clocks", "power", "protect", "validate", "compare")


@pytest.fixture(scope="module")
def folders(run: Path, offset: Path, tmp_path_factory) -> dict[str, Path]:
    """A results folder of every kind that a packaged topic names and a command writes."""
    out = tmp_path_factory.mktemp("kinds")
    written = {
        kind: write_exhibit(
            replace(exhibit_of(kind), answer=exhibit_of(kind).answer or ("It is so.",)),
            out / kind,
            command=f"backtest {kind}",
        )
        for kind in KINDS
    }
    return written | {"run": run, "offset": offset}


def needs() -> list[tuple[str, Say]]:
    return [(topic.name, say) for topic in read_topics() for say in topic.say]


@pytest.mark.parametrize(("topic", "say"), needs(), ids=lambda value: str(value)[:40])
def test_the_first_kind_that_a_need_names_fills_it(topic: str, say: Say, folders):
    commands = {command.name for command in COMMANDS}
    assert say.kinds, "a need without a kind takes any folder: name those that have it"
    assert set(say.kinds) <= commands
    sources = read_sources([folders[say.kinds[0]]])
    found = filled(say, sources)
    if only_simulated(say, sources):
        found = filled(say.model_copy(update={"simulated_counts": True}), sources)
    assert found, (topic, say.what)
    assert found[0].quoted or not (say.section or say.columns)
    assert found[0].money is not None or not say.file
    given = read_sources([folders[kind] for kind in say.kinds if kind in folders])
    figures = {figure.name for one in given for figure in one.record.figures}
    assert set(say.figures) <= figures


def test_of_one_study_the_kind_named_first_speaks(run: Path, offset: Path):
    say = next(say for _, say in needs() if say.kinds[:2] == ["offset", "run"] and say.columns)
    both = filled(say, read_sources([run, offset]))
    assert [one.source.record.kind for one in both] == ["offset"]
    alone = filled(say, read_sources([run]))
    assert [one.source.record.kind for one in alone] == ["run"]


def test_two_results_of_one_kind_both_speak(tmp_path: Path):
    one = made_up(tmp_path / "one", kind="waterfall")
    two = made_up(tmp_path / "two", kind="waterfall", study="other")
    three = made_up(tmp_path / "three", kind="waterfall", sha256="cd" * 32)
    say = Say(what="who", kinds=["waterfall"], fills="x")
    found = filled(say, read_sources([one, two, three]))
    assert [one.source.letter for one in found] == ["A", "B", "C"]


def test_quoted_columns_are_the_cells_of_the_whole_table(run: Path):
    say = next(say for _, say in needs() if "equal-coverage margin" in say.columns)
    (source,) = read_sources([run])
    (found,) = filled(say, [source])
    (quoted,) = found.quoted
    whole = next(
        table
        for place, table in enumerate(quoted.section.tables)
        if source.table(quoted.section, place) == quoted.name
    )
    head = next(h for h in quoted.table.heads if h.startswith("equal-coverage margin"))
    there, here = whole.heads.index(head) - 1, quoted.table.heads.index(head) - 1
    assert [(name, rows[0][there].text) for name, rows in whole.groups] == [
        (name, rows[0][here].text) for name, rows in quoted.table.groups
    ]


def test_a_quoted_table_says_which_it_is_part_of_and_in_which_unit(run: Path, offset: Path):
    annex = annex_of(
        [run, offset], texts=None, citations=None, funding_rate=None, funding_source="",
        out=run.parent / "none", progress=quiet,
    )  # fmt: skip
    blocks = annex_document(annex).blocks
    quoted = [b for b in blocks if isinstance(b, Tabular) and "quoted in part" in b.caption]
    assert quoted
    captions = {t.caption for s in annex.sources for x in s.record.sections for t in x.tables}
    for block in quoted:
        assert any(f"From: {caption}." in block.note for caption in captions)
    (pooled,) = [b for b in quoted if "Models scaled to one coverage" in b.caption]
    assert "USD m" in pooled.note


def test_a_nested_table_keeps_the_names_of_its_rows(run: Path):
    (source,) = read_sources([run])
    section = source.record.section("scores")
    part = columns_of(section.tables[0], ["breaches"])
    assert part.heads == ("book", "model", "breaches") and part.nested
    for (name, rows), (whole_name, whole) in zip(
        part.groups, section.tables[0].groups, strict=True
    ):
        assert name == whole_name
        place = section.tables[0].heads.index("breaches") - 1
        assert [(r[0].text, r[1].text) for r in rows] == [(r[0].text, r[place].text) for r in whole]


def test_a_manifest_of_another_run_is_refused(tmp_path: Path):
    from backtest.types import ResultsError

    folder = made_up(tmp_path, kind="waterfall")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"sha256": "00"}))
    with pytest.raises(ResultsError, match="manifest.json"):
        read_sources([folder])


DAY = date(2026, 6, 2)


def test_a_rule_of_a_parameter_file_has_the_mark_of_the_file_and_no_other():
    rules_named = [rule for topic in read_topics() for rule in topic.rule]
    resting = [RuleOnDay.of(rule, DAY) for rule in rules_named if rule.parameters]
    versions = {on.version.name for on in resting}
    assert {"haircuts/cftc_pilot/2026-05", "sec_15c3_1/2013", "cme_ficc/2026"} <= versions
    for on in resting:
        assert on.rule.parameters in rules(), "a topic names the rule, not a version of it"
        assert on.is_verified == (on.version.mark == "verified")
        assert on.version.compared in on.how and on.version.known_by in on.how
        assert on.version.days in on.words and on.mark.startswith(
            "Verified" if on.is_verified else "NOT VERIFIED"
        )
    # A source that a parameter file names is marked there, so that no second mark can differ.
    for rule in rules_named:
        for article in ("Article 27", "Article 28", "15c3-1", "25-39", "OCC, acc", "SR-FICC"):
            assert rule.parameters or article not in rule.where, rule.where
    given = {"rule": "r", "where": "w", "parameters": "haircuts/occ/2023"}
    assert RuleOnDay.of(Rule(**given), DAY).is_verified
    for wrong in (
        given | {"verified": False, "source": "x"},
        given | {"dated": "2020"},
        given | {"parameters": ""},
        given | {"numbers": {"rates": "treasury.rates"}},
    ):
        with pytest.raises((ValidationError, StudyError)):
            Rule(**wrong)


def test_the_page_has_the_version_of_the_results_day():
    rule = Rule(
        rule="Haircuts", where="CME", parameters="haircuts/cme", numbers={"rates": "treasury.rate"}
    )
    old, new, before = (
        RuleOnDay.of(rule, date.fromisoformat(day))
        for day in ("2018-01-02", "2026-06-02", "2010-01-04")
    )
    title = "CME collateral haircuts, US Treasury bills, notes and bonds"
    assert old.words.endswith(
        f"Version `haircuts/cme/2014` ({title}), in force 2014-01-01 to 2021-09-12. "
    )
    assert "(rates 1 %, 2 %, 3 %, 4.5 %, 6 %)" in old.words and old.standing == ""
    assert new.version.name == "haircuts/cme/2021" and new.standing == ""
    assert before.standing == (
        "NOT IN FORCE on 2010-01-04: haircuts/cme/2014 came into force on 2014-01-01 only. "
    )


def test_a_superseded_version_that_results_use_is_told_on_the_pages_of_its_rule():
    alarm = "SUPERSEDED RULES: old: haircuts/cme/2014 was superseded by haircuts/cme/2021 on x"
    sources = [
        SimpleNamespace(letter=letter, record=SimpleNamespace(alarms=alarms))
        for letter, alarms in (("A", (alarm, "DOUBTFUL PRICES: BTC")), ("B", ()))
    ]
    told = {topic.name: list(superseded_in(topic, sources)) for topic in read_topics()}
    assert told["capital-and-collateral"] == [f"Results A: {alarm}."]
    assert told["cross-margining"] == [] and told["operations"] == []


def by_need(folders: list[Path], topic: str) -> dict[str, list]:
    sources = read_sources(folders)
    says = next(one for one in read_topics() if one.name == topic).say
    return {say.what: filled(say, sources) for say in says}


def test_a_run_tells_how_often_margin_fell_short_and_what_its_record_could_have_shown(run: Path):
    record = read_record(run)
    found = by_need([run], "customer-protection")
    (breaches,) = next(v for what, v in found.items() if "(breaches)" in what)
    (named,) = breaches.quoted
    heads = [table.heads for table in named.section.tables]
    assert named.name == "table-a-scores" and "breaches" in heads[0]
    (short,) = next(v for what, v in found.items() if "public disclosures" in what)
    (disclosed,) = short.quoted
    (original,) = [t for t in record.section("swings").tables if t.heads[0] == "item"]
    assert disclosed.table.groups == tuple(g for g in original.groups if g[0].startswith("6.5"))
    assert "fell below its exposure" in disclosed.table.groups[0][0]
    # What an item's star means stays with the part that is quoted.
    assert disclosed.table.note == original.note
    (power,) = next(
        v for what, v in by_need([run], "risk-management").items() if "behind these" in what
    )
    (sentence,) = power.sentences
    assert sentence in record.section("scores").text and "true exceedance rate" in sentence


def test_rises_that_are_quoted_do_not_fall_as_days_are_added(run: Path):
    found = by_need([run], "risk-management")
    (moves,) = next(v for what, v in found.items() if what.startswith("How margins move"))
    (quoted,) = moves.quoted
    heads = quoted.table.heads
    five, thirty = (heads.index(f"within {days} days") - 1 for days in (5, 30))
    for _, rows in quoted.table.groups:
        for row in rows:
            assert float(row[five].text.rstrip(" %")) <= float(row[thirty].text.rstrip(" %"))


def test_a_figure_of_another_folder_of_the_study_stands_beside_the_table(run: Path, offset: Path):
    for folders, figure in (([run, offset], "figure-a-"), ([offset, run], "figure-b-")):
        found = by_need(folders, "cross-margining")
        (ladder,) = next(v for what, v in found.items() if what.startswith("Reduction from"))
        assert ladder.source.record.kind == "offset"
        assert ladder.figures == (f"{figure}offset_ladder",) and ladder.letters == "A, B"
    (alone,) = next(
        v for what, v in by_need([offset], "cross-margining").items() if "Reduction from" in what
    )
    assert alone.figures == () and alone.letters == "A"


def test_chapters_of_two_studies_of_one_command_have_two_titles(run: Path):
    (source,) = read_sources([run])
    assert source.record.study in source.title
    retitled = replace(
        source, record=replace(source.record, title=f"Pool of {source.record.study}")
    )
    assert retitled.title == f"Results A: Pool of {source.record.study}"


def test_every_kind_that_a_topic_names_and_a_command_writes_is_that_of_its_folder(folders):
    sources = read_sources(list(folders.values()))
    written = {source.kind for source in sources}
    commands = {command.name for command in COMMANDS}
    asked = {kind for _, say in needs() for kind in say.kinds}
    asked |= {kind for topic in read_topics() for one in topic.cannot for kind in one.kinds}
    assert "compare" in asked and (asked & commands) - {"grid"} <= written
    (say,) = [say for _, say in needs() if "compare" in say.kinds]
    compared = [source for source in sources if source.record.kind.startswith("against-")]
    assert len(compared) == 1 and filled(say, compared)[0].answers == compared[0].record.answer


def test_results_of_no_prices_of_history_are_never_said_to_be_real(folders, run: Path):
    given, power, real = read_sources([folders["validate"], folders["power"], run])
    assert given.prices == "given, origin not stated" and power.prices == "no prices"
    assert real.prices == "SIMULATED" if real.record.simulated else "real"
    annex = annex_of(
        [folders["validate"], folders["power"]], texts=None, citations=None, funding_rate=None,
        funding_source="", out=run.parent / "none", progress=quiet,
    )  # fmt: skip
    blocks = annex_document(annex).blocks
    headings = [b.text for b in blocks if isinstance(b, Heading)]
    assert "Our numbers" in headings and "Our numbers, on real data" not in headings
    quoted = [b.caption for b in blocks if isinstance(b, Tabular) and "quoted in part" in b.caption]
    assert quoted and all("origin not stated" in c or "no prices" in c for c in quoted)
    (first, *_) = annex_exhibit(annex).answer
    told = sum(bool(page.found) for page in annex.pages)
    assert first.startswith("0 of 8 topics have a number from results on real prices")
    assert f", {told} more only from given tables or of no prices;" in first


def test_folders_of_two_studies_that_share_a_name_both_speak(run: Path, offset: Path):
    say = next(say for _, say in needs() if say.kinds[:2] == ["offset", "run"] and say.columns)
    first, second = read_sources([run, offset])
    assert len(filled(say, [first, second])) == 1
    for other in (
        {"study_sha256": "0" * 64},
        {"data": first.manifest["data"] | {"levels_sha256": "0" * 64}},
    ):
        apart = replace(first, manifest=first.manifest | other)
        assert [one.source.letter for one in filled(say, [apart, second])] == ["B", "A"]


def test_the_map_counts_a_topic_that_has_sentences_or_money_alone(folders, tmp_path: Path):
    annex = annex_of(
        [folders["validate"]], texts=None, citations=None, funding_rate=None, funding_source="",
        out=tmp_path / "none", progress=quiet,
    )  # fmt: skip
    entries = [str(b) for b in annex_document(annex).blocks if isinstance(b, Listing) and b.ordered]
    page = next(p for p in annex.pages if any(one.answers for one in p.found))
    only = replace(page, found=tuple(replace(o, quoted=(), figures=()) for o in page.found))
    assert "no number from" not in str(_entry(only, annex))
    assert "sentences on its page" in str(_entry(only, annex)) and entries


def test_text_that_leads_to_a_table_or_figure_stays_with_it(run: Path):
    blocks = list(chapter(read_sources([run])[0]))
    led = [
        block.keep
        for block, after in zip(blocks, blocks[1:], strict=False)
        if isinstance(block, Paragraph) and isinstance(after, Tabular | Picture)
    ]
    assert len(led) > 1 and all(led)
