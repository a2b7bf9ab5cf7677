"""The record of a page holds what the page shows, and an edit of anything it names is found."""

import json
from pathlib import Path

import pytest

from backtest.present.record import RECORD, read_record
from backtest.present.store import write_exhibit
from backtest.types import ResultsError
from tests.present.test_exhibit import HOSTILE, every_kind, exhibit


def test_the_record_is_what_the_page_shows(tmp_path: Path) -> None:
    shown = exhibit(answer=("Yes, at least 3 %.", HOSTILE))
    folder = write_exhibit(shown, tmp_path, command="backtest kind")
    record = read_record(folder)
    assert record.answer == shown.answer and record.title == shown.title
    assert record.sha256 == json.loads((folder / "manifest.json").read_text())["sha256"]
    assert [s.name for s in record.sections] == ["rates", "picture"]
    rates, picture = record.sections
    assert rates.tables == shown.sections[0].text_tables() and rates.file == "rates.csv"
    assert picture.figure == "picture" and record.figure("picture").alt == HOSTILE
    assert set(record.files) == {
        "rates.csv", "manifest.json", "study.toml",
        *(f"figures/picture.{kind}" for kind in ("csv", "pdf", "png", "svg")),
    }  # fmt: skip


def test_nested_tables_terms_and_sentences_come_back_equal(tmp_path: Path) -> None:
    shown = every_kind()
    record = read_record(write_exhibit(shown, tmp_path, command="c"))
    for stored, section in zip(record.sections, shown.sections, strict=True):
        assert stored.tables == section.text_tables()
        assert (stored.terms, stored.sentences) == (section.terms, section.sentences)
    assert record.alarms[-1] == "gate failed" and record.facts == (("seed", "7"),)
    assert record.section("terms") is not None and record.section("no such") is None


@pytest.mark.parametrize(
    "name",
    ["rates.csv", "figures/picture.png", "figures/picture.csv", "manifest.json", "study.toml"],
)
def test_a_file_that_was_changed_or_lost_is_named(tmp_path: Path, name: str) -> None:
    folder = write_exhibit(exhibit(), tmp_path, command="c")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content + b" ")
    with pytest.raises(ResultsError, match=f"{name} of .* is not as the command wrote it"):
        read_record(folder)
    (folder / name).unlink()
    with pytest.raises(ResultsError, match=name):
        read_record(folder)


def edited(content: dict) -> str:
    content["answer"] = ["Another answer."]
    return json.dumps(content)


@pytest.mark.parametrize(
    "edit",
    [edited, lambda content: "[]", lambda content: "{}", lambda content: "{", lambda content: ""],
)
def test_an_edited_record_is_refused_in_one_line(tmp_path: Path, edit) -> None:
    folder = write_exhibit(exhibit(), tmp_path, command="c")
    place = folder / RECORD
    place.write_text(edit(json.loads(place.read_text())))
    with pytest.raises(ResultsError, match=RECORD) as refused:
        read_record(folder)
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="holds no finished page"):
        read_record(tmp_path)
