"""`backtest annex`: every number is a stored one, every reference leads somewhere, nothing lost."""

import json
import re
from datetime import date
from html import unescape
from pathlib import Path

import docx
import pandas as pd
import pytest
from pypdf import PdfReader

from backtest.present.csv_table import write_csv
from backtest.present.document import Document, Heading, Numbers, Tabular
from backtest.present.record import SELF, _own_sha256, read_record
from backtest.present.table import TextTable
from backtest.studies.annex.rules import RuleOnDay
from backtest.studies.annex.store import references_table
from backtest.studies.annex.study import annex_of
from backtest.studies.annex.topics import PACKAGED, read_topics
from backtest.types import ResultsError
from tests.studies.annex.conftest import HOSTILE, made_up
from tests.support.browser import GRAVE, judge
from tests.support.commands import one_line, quiet, typed


def annexed(*results: Path, out: Path, more=()) -> Path:
    """The folder of an annex, made by the command."""
    done = typed("annex", *results, "--out", out, *more, cwd=out.parent)
    assert done.returncode == 0, done.stderr
    (folder,) = [f for f in out.iterdir() if "_annex_" in f.name]
    assert f"{folder.name}/" in done.stdout and "annex.docx, annex.pdf, annex.html" in done.stdout
    return folder


def refused(*arguments, cwd: Path) -> str:
    line = one_line(typed("annex", *arguments, cwd=cwd))
    assert not list(cwd.glob("**/*_annex_*")), line
    return line


def html_words(folder: Path) -> str:
    text = re.sub(r"(?s)<style.*?</style>", "", (folder / "annex.html").read_text())
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def pdf_words(folder: Path) -> str:
    pages = PdfReader(folder / "annex.pdf").pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def word_words(folder: Path) -> str:
    return " ".join(p.text for p in docx.Document(folder / "annex.docx").paragraphs)


@pytest.fixture(scope="module")
def merged(run: Path, offset: Path, tmp_path_factory) -> Path:
    """The annex of a run, an offset study, and one folder that is made up."""
    out = tmp_path_factory.mktemp("merged")
    other = made_up(out, kind="protect")
    return annexed(run, offset, other, out=out / "out")


def test_every_figure_and_table_of_the_results_is_there_with_its_numbers(
    merged: Path, run: Path, offset: Path
):
    words, pdf = html_words(merged), pdf_words(merged)
    numbers = pd.read_csv(merged / "references.csv", index_col="name")
    for letter, folder in (("a", run), ("b", offset)):
        record = read_record(folder)
        for figure in record.figures:
            stem = merged / "figures" / f"{letter}-{figure.name}"
            for kind in ("svg", "pdf", "png", "csv"):
                original = folder / "figures" / f"{figure.name}.{kind}"
                assert stem.with_suffix(f".{kind}").read_bytes() == original.read_bytes()
            number = numbers.loc[f"figure-{letter}-{figure.name}", "number"]
            assert f"{number}. {figure.title}" in words
        for section in record.sections:
            for table in section.tables:
                for _, rows in table.groups:
                    for cell in (cell for row in rows for cell in row if not cell.words):
                        shown = re.sub(r"\s+", " ", cell.text)
                        assert shown in words and shown in pdf, (section.name, shown)


def test_every_reference_of_the_three_files_leads_to_what_it_names(merged: Path):
    numbers = pd.read_csv(merged / "references.csv", index_col="name")["number"]
    assert numbers.is_unique
    for words in (html_words(merged), pdf_words(merged), word_words(merged)):
        named = set(re.findall(r"\b(?:Figure|Table) \d+", words))
        assert named == set(numbers)
    page = (merged / "annex.html").read_text()
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets and targets <= set(re.findall(r'\bid="([^"]+)"', page))
    files = [link for link in re.findall(r'href="([^"#][^"]*)"', page)]
    assert files and all((merged / link).is_file() for link in files)
    xml = docx.Document(merged / "annex.docx").element.xml
    marks = set(re.findall(r'w:bookmarkStart [^>]*w:name="([^"]+)"', xml))
    jumps = set(re.findall(r"REF (_Ref\d+) ", xml)) | set(re.findall(r'w:anchor="([^"]+)"', xml))
    assert jumps and jumps <= marks
    reader = PdfReader(merged / "annex.pdf")
    names = set(reader.named_destinations)
    links = [
        note.get_object()
        for page in reader.pages
        for note in page.get("/Annots", [])
        if note.get_object()["/Subtype"] == "/Link"
    ]
    inner = [link for link in links if "/Dest" in link]
    assert inner and all(
        not isinstance(link["/Dest"], str) or link["/Dest"] in names for link in inner
    )


def test_a_folder_fills_the_topics_that_ask_for_its_kind(merged: Path, run, offset):
    words = html_words(merged)
    protection = words.split("2.2 Customer protection")[-1].split("2.3 Cross-margining")[0]
    assert "The house bears 3.25m of 15.75m." in protection
    assert "no results given here have it; it takes `backtest protect`" not in protection
    page = (merged / "annex.html").read_text()
    link = re.search(r'href="#figure-c-losses"', page)
    assert link and "12.5" in words


def test_without_it_the_same_page_says_what_would_fill_it(run: Path, tmp_path: Path):
    words = html_words(annexed(run, out=tmp_path / "out"))
    protection = words.split("2.2 Customer protection")[-1].split("2.3 Cross-margining")[0]
    assert "nothing: no results given here have it; it takes backtest protect on" in protection


def test_simulated_results_are_marked_and_are_no_number_on_real_data(tmp_path: Path):
    other = made_up(tmp_path, kind="protect", simulated=True)
    folder = annexed(other, out=tmp_path / "out")
    for words in (html_words(folder), pdf_words(folder)):
        assert "SIMULATED prices: nothing in this document is history." in words
        assert "SIMULATED. Customers bear 3.25m." in words
        assert "only simulated results have it" in words
    protection = html_words(folder).split("2.2 Customer protection")[-1].split("2.3 Cross")[0]
    assert "The house bears 3.25m" not in protection


def test_money_is_the_share_of_the_ladder_times_the_silos_margins(
    run: Path, offset: Path, tmp_path: Path
):
    more = ("--funding-rate", "4.5", "--funding-source", "a rate of 2026-06-30")
    folder = annexed(offset, out=tmp_path / "out", more=more)
    ladder = pd.read_csv(offset / "ladder.csv", index_col=0)
    page = (folder / "annex.html").read_text()
    table = re.search(r'(?s)<table id="topic-liquidity-and-competition-1-money".*?</table>', page)[
        0
    ]
    shown = {
        unescape(name): re.findall(r"<td[^>]*>([^<]*)</td>", cells)
        for name, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table)
    }
    assert set(shown) == set(ladder.index) and len(shown) >= 1
    for name, (gross, base, saved, point, rated) in shown.items():
        row = ladder.loc[name]
        assert float(gross) == pytest.approx(row.filter(like="usd_").sum() / 1e6, abs=0.0051)
        expected = [row["total"] * row["silo_margin"], row["total_bound"] * row["silo_margin"]]
        assert float(base) == pytest.approx(row["silo_margin"] / 1e6, abs=0.0051)
        for cell, factor, unit in ((saved, 1.0, 1e6), (point, 0.01, 1e3), (rated, 0.045, 1e3)):
            values = [float(v.replace(",", "")) for v in re.findall(r"-?[\d,]+\.\d+", cell)]
            for value, usd in zip(values, expected, strict=True):
                tolerance = 0.051 if unit == 1e3 else 0.00051 if abs(usd) < 1e5 else 0.0051
                assert value == pytest.approx(usd * factor / unit, abs=tolerance)
    assert "a rate of 2026-06-30 (as stated by the author)" in page


def test_the_same_inputs_make_the_same_bytes(run: Path, offset: Path, tmp_path: Path):
    first = annexed(run, offset, out=tmp_path / "one")
    second = annexed(run, offset, out=tmp_path / "two")
    for file in sorted(first.rglob("*.*")):
        name = file.relative_to(first)
        if file.is_file() and name.name != "manifest.json":
            assert (second / name).read_bytes() == file.read_bytes(), name
    assert first.name.split("_")[-1] == second.name.split("_")[-1]


def test_texts_are_started_kept_and_printed(run: Path, tmp_path: Path):
    out = tmp_path / "out"
    annexed(run, out=out)
    text = out / "texts" / "risk-management.md"
    assert len(list(text.parent.iterdir())) == 8 and text.read_text().startswith("<!--")
    own = (
        "We *hold* that <b>coverage</b> comes first; see [it](#figure-a-offset_ladder)\n\n"
        "1. one\n2. two\n"
    )
    text.write_text(own)
    again = annexed(run, out=tmp_path / "again", more=("--texts", str(text.parent)))
    assert text.read_text() == own
    numbers = pd.read_csv(again / "references.csv", index_col="name")["number"]
    said = f"We hold that <b>coverage</b> comes first; see {numbers['figure-a-offset_ladder']}"
    assert said in re.sub(r" +", " ", pdf_words(again))
    assert said in word_words(again)
    assert "never written over" not in html_words(again)


def test_a_caption_that_begins_with_a_quoted_name_is_listed_as_it_stands(tmp_path: Path):
    caption = "'long BTC' bears 3.25m"
    table = Tabular("one", TextTable("T", ("a", "b"), ()), caption=caption)
    document = Document("D", (Heading("H", 1, "h"), table))
    listed = references_table(Numbers.of(document))
    write_csv(listed, tmp_path / "references.csv", read_again=False, index=True)
    assert list(pd.read_csv(tmp_path / "references.csv")["caption"]) == [caption]


def test_a_text_may_refer_to_every_name_that_references_csv_lists(run: Path, tmp_path: Path):
    first = annexed(run, out=tmp_path / "out")
    names = list(pd.read_csv(first / "references.csv", index_col="name").index)
    assert any(name.startswith("topic-") for name in names)
    text = tmp_path / "out" / "texts" / "operations.md"
    text.write_text("\n".join(f"[x](#{name})" for name in names))
    again = annexed(run, out=tmp_path / "again", more=("--texts", str(text.parent)))
    assert list(pd.read_csv(again / "references.csv", index_col="name").index) == names


def test_hostile_names_stay_text(merged: Path):
    page = (merged / "annex.html").read_text()
    assert "<script" not in page and HOSTILE in unescape(re.sub(r"<[^>]+>", " ", page))
    assert HOSTILE in re.sub(r"\s+", " ", word_words(merged))
    document = docx.Document(merged / "annex.docx")
    alts = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert all(alts) and any(HOSTILE in alt for alt in alts)


def test_data_are_cited_by_name_and_hash(merged: Path, tmp_path: Path):
    words = html_words(merged)
    assert "own_prices.csv (results C). Publisher: not stated." in words
    assert "12" * 32 in words and "by the file's name alone" in words
    stated = tmp_path / "c.toml"
    stated.write_text(
        'dated = "2026-06-30"\n[[file]]\nname = "own_prices.csv"\npublisher = "Us & co"\n'
        f'series = "X"\nretrieved = "2026-06-29"\nlicence = "ours"\nsha256 = "{"12" * 32}"\n'
    )
    other = made_up(tmp_path, kind="protect")
    folder = annexed(other, out=tmp_path / "out", more=("--citations", str(stated)))
    words = html_words(folder)
    assert "Publisher: Us & co. Series: X. Retrieved: 2026-06-29. Licence: ours." in words
    assert "as stated by the author" in words
    stated.write_text('dated = "2026-06-30"\n[[file]]\nname = "none.csv"\n')
    line = one_line(typed("annex", other, "--citations", stated, "--out", "no", cwd=tmp_path))
    assert "none.csv is cited" in line


def test_what_made_the_results_is_printed(merged: Path, run: Path):
    words = html_words(merged)
    assert "backtest run study.toml" in words and read_record(run).sha256 in words
    assert f"backtest protect --note '{HOSTILE}'" in words
    manifest = json.loads((merged / "manifest.json").read_text())
    assert [one["kind"] for one in manifest["results"]] == ["run", "offset", "protect"]


def test_what_a_user_can_mend_is_one_line(run: Path, tmp_path: Path, monkeypatch):
    assert "page.json" in refused(tmp_path, cwd=tmp_path)
    assert "twice" in refused(run, run, cwd=tmp_path)
    assert "inside the results folder" in refused(run, "--out", run / "x", cwd=tmp_path)
    assert "--funding-source" in refused(run, "--funding-rate", "3", cwd=tmp_path)
    assert "--funding-rate" in refused(run, "--funding-source", "x", cwd=tmp_path)
    (tmp_path / "file").write_text("x")
    assert "no folder of texts" in refused(run, "--texts", tmp_path / "file", cwd=tmp_path)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "mistyped.md").write_text("x")
    line = refused(run, "--texts", tmp_path / "texts", cwd=tmp_path)
    assert "mistyped.md" in line and "customer-protection" in line
    (tmp_path / "texts" / "mistyped.md").rename(tmp_path / "texts" / "operations.md")
    (tmp_path / "texts" / "operations.md").write_text("![x](y.png)")
    assert "line 1: an image" in refused(run, "--texts", tmp_path / "texts", cwd=tmp_path)
    from backtest.present.document import write

    monkeypatch.setattr(write, "find_spec", lambda name: None)
    assert "[report]" in refused(run, cwd=tmp_path)


def test_a_folder_that_was_changed_is_refused(tmp_path: Path):
    other = made_up(tmp_path, kind="protect")
    csv = other / "figures" / "losses.csv"
    kept = csv.read_bytes()
    csv.write_bytes(kept + b"x")
    assert "losses.csv" in refused(other, cwd=tmp_path)
    csv.write_bytes(kept)
    manifest = other / "manifest.json"
    manifest.write_text(manifest.read_text().replace("abab", "cdcd"))
    assert "manifest.json" in refused(other, cwd=tmp_path)


def test_the_sentences_of_the_screen_are_the_counts_of_the_document(run: Path, tmp_path: Path):
    done = typed("annex", run, "--out", tmp_path / "out", cwd=tmp_path)
    told, topics, missing = map(
        int, re.search(r"(\d+) of (\d+) topics have .*?; (\d+) things", done.stdout).groups()
    )
    (folder,) = [f for f in (tmp_path / "out").iterdir() if "_annex_" in f.name]
    page = (folder / "annex.html").read_text()
    pages = re.split(r'<h3 id="topic-', page)[1:]
    pages[-1] = pages[-1].split("<h2")[0]
    assert len(pages) == topics == 8
    empty = [p for p in pages if "None of the results given here has a number" in p]
    assert told == topics - len(empty)
    lists = [p.split("-cannot")[1] for p in pages]
    assert missing == sum(words.count("<li>") for words in lists)


def test_a_folder_without_a_time_is_dated_as_early_as_files_can_be(tmp_path: Path):
    other = made_up(tmp_path, kind="protect")
    manifest = other / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(content | {"written": "some day", "software": 7, "data": 8}))
    page = json.loads((other / "page.json").read_text(encoding="utf-8"))
    del page["files"]["manifest.json"], page[SELF]  # as older commands wrote it
    page[SELF] = _own_sha256(page)
    (other / "page.json").write_text(json.dumps(page), encoding="utf-8")
    folder = annexed(other, out=tmp_path / "out")
    assert docx.Document(folder / "annex.docx").core_properties.created.year == 1980
    assert "commit not known" in html_words(folder)


def test_a_command_needs_a_folder(tmp_path: Path):
    done = typed("annex", cwd=tmp_path)
    assert done.returncode == 2 and "RESULT" in done.stderr


def test_every_rule_that_nobody_read_is_marked_wherever_it_is_printed(merged: Path, run: Path):
    day = date.fromisoformat(json.loads((run / "manifest.json").read_text())["as_of"])
    rules = [RuleOnDay.of(rule, day) for topic in read_topics() for rule in topic.rule]
    unread = [rule for rule in rules if not rule.is_verified]
    assert unread and len(unread) < len(rules)
    for words in (html_words(merged), pdf_words(merged), word_words(merged)):
        assert words.count("NOT VERIFIED:") == len(unread)
        assert f"The rules in force on {day}" in words
        # The third agreement of CME and FICC came after the last day of these results.
        assert f"NOT IN FORCE on {day}: cme_ficc/2024 came into force on 2024-01-22 only" in words
        assert "Not verified: the list of topics comes from secondary reports" in words


def test_a_topic_that_is_added_is_a_page_and_a_broken_one_is_one_line(run: Path, tmp_path: Path):
    for file in PACKAGED.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "tax.toml").write_text(
        'order = 9\ntitle = "Tax"\nasked = "Who pays."\n[[say]]\nwhat = "Books"\n'
        'columns = ["books tested"]\nfills = "a run"\n'
    )
    topics = read_topics(tmp_path)
    assert [topic.name for topic in topics][-1] == "tax" and len(topics) == 9
    annex = annex_of(
        [run], texts=None, citations=None, funding_rate=None, funding_source="",
        out=tmp_path / "none", progress=quiet, topics=topics,
    )  # fmt: skip
    (found,) = annex.pages[-1].found
    assert found.quoted[0].table.heads[-1] == "books tested"
    (tmp_path / "tax.toml").write_text('order = 9\ntitle = "Tax"\nasked = "x"\nask = 1\n')
    with pytest.raises(ResultsError, match="tax.toml: ask: "):
        read_topics(tmp_path)


def test_axe_finds_nothing_that_keeps_a_reader_out(merged: Path, tmp_path: Path):
    page = (merged / "annex.html").read_text()
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for width in (1000, 375):
        (judged,) = judge(tmp_path, {"annex": page}, width=width, dark=False).values()
        grave = [f for f in judged["findings"] if f["impact"] in GRAVE]
        assert not grave and judged["passes"] > 10
        assert judged["scroll"] <= width, judged["wide"]
