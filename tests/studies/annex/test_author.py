"""What an author states, and the texts he writes: each mistake is one line, and nothing hidden."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from backtest.studies.annex.citations import Citation, cited_files, read_citations
from backtest.studies.annex.money import _thousands, _with_bound
from backtest.studies.annex.sources import read_sources
from backtest.studies.annex.study import annex_of
from backtest.studies.annex.texts import MOST_BYTES, read_texts, start_texts
from backtest.studies.annex.topics import read_topics
from backtest.studies.dossier.folders import evidence_sha256
from backtest.types import ResultsError
from tests.studies.annex.conftest import made_up
from tests.support.commands import quiet

SHA = "12" * 32  # of own_prices.csv in the results that are made up


def test_a_citation_of_the_content_wins_over_one_of_the_name_in_any_order(tmp_path: Path):
    by_name = Citation(name="own_prices.csv", publisher="by name")
    exact = Citation(name="own_prices.csv", publisher="exact", sha256=SHA.upper())
    sources = read_sources([made_up(tmp_path, kind="x")])
    for stated in ([by_name, exact], [exact, by_name]):
        one = next(c for c in cited_files(sources, stated) if c.sha256 == SHA)
        assert one.citation.publisher == "exact"
    for twice in ([by_name, by_name], [exact, exact]):
        with pytest.raises(ResultsError, match="cited twice"):
            cited_files(sources, twice)


def test_two_readings_of_one_file_are_told_apart_by_their_results(tmp_path: Path):
    (first,) = read_sources([made_up(tmp_path, kind="x")])
    second = replace(first, letter="B", manifest=deepcopy(first.manifest))
    first.manifest["data"]["files"][0]["read_as"] = "by its layout"
    second.manifest["data"]["files"][0]["read_as"] = "as the user says"
    one = next(c for c in cited_files([first, second], ()) if c.sha256 == SHA)
    assert one.letters == ("A", "B")
    assert one.read_as == "by its layout (results A); as the user says (results B)"


def test_a_date_is_a_day_of_retrieval_and_a_deep_file_is_one_line(tmp_path: Path):
    file = tmp_path / "c.toml"
    file.write_text('dated = "x"\n[[file]]\nname = "a"\nretrieved = 2026-08-22\n')
    (one,) = read_citations(file)
    assert one.retrieved == "2026-08-22"
    file.write_text("dated = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(ResultsError, match="c.toml"):
        read_citations(file)


def test_texts_that_are_comments_alone_are_no_text(tmp_path: Path):
    topics = read_topics()
    start_texts(tmp_path, topics, example="x")
    assert read_texts(tmp_path, topics) == {}
    (tmp_path / "operations.md").write_text("<!-- note --> word")
    assert list(read_texts(tmp_path, topics)) == ["operations"]


@pytest.mark.parametrize("letter", ["\x1b", "\x0b", "\u202e", "\x00"])
def test_a_character_that_is_not_shown_is_refused_with_its_line(letter: str, tmp_path: Path):
    (tmp_path / "operations.md").write_text(f"one\ntwo{letter}", newline="\n")
    with pytest.raises(ResultsError, match=rf"operations.md', line 2: .*U\+{ord(letter):04X}"):
        read_texts(tmp_path, read_topics())


def test_a_text_of_another_folder_or_of_megabytes_is_refused(tmp_path: Path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "texts").mkdir()
    text = tmp_path / "texts" / "operations.md"
    text.symlink_to(tmp_path / "secret")
    with pytest.raises(ResultsError, match="link to a file outside"):
        read_texts(text.parent, read_topics())
    text.unlink()
    text.write_text("x " * MOST_BYTES)
    with pytest.raises(ResultsError, match="shorten it"):
        read_texts(text.parent, read_topics())


@pytest.mark.parametrize("kind", ["annex", "dossier"])
def test_what_was_made_of_results_is_no_results_folder(kind: str, tmp_path: Path):
    for file in ("manifest.json", "page.json"):
        folder = tmp_path / file
        folder.mkdir()
        (folder / file).write_text(f'{{"kind": "{kind}"}}')
        with pytest.raises(ResultsError, match=f"backtest {kind}.* from other folders"):
            read_sources([folder])


def test_money_that_is_not_known_or_rounds_to_zero_has_no_sign():
    nan = float("nan")
    assert _thousands(-10.0, -49.0) == "0.0 [0.0]" and _thousands(-60.0, nan) == "-0.1 [n/a]"
    assert _thousands(nan, nan) == _with_bound(nan, nan) == "n/a"
    assert _with_bound(1e6, nan) == "1.00 [n/a]"


def test_the_hash_of_an_annex_covers_the_words_of_pages_and_how_files_were_read(tmp_path: Path):
    annex = annex_of(
        [made_up(tmp_path, kind="x")], texts=None, citations=None, funding_rate=None,
        funding_source="", out=tmp_path / "none", progress=quiet,
    )  # fmt: skip
    (source,) = annex.sources
    record = replace(source.record, answer=("Other words.",))
    for other in (
        replace(annex, sources=(replace(source, record=record),)),
        *(
            replace(annex, cited=(replace(annex.cited[0], **{field: "0" * 64}), *annex.cited[1:]))
            for field in ("sha256", "how", "read_as")
        ),
    ):
        assert other.sha256 != annex.sha256
    assert evidence_sha256([SimpleNamespace(record=record, manifest={})], "m") != evidence_sha256(
        [SimpleNamespace(record=source.record, manifest={})], "m"
    )
