"""Folders of other commands are quoted cell by cell, each in the section that it belongs to."""

import json
import shutil

import pytest

from backtest.present.record import SELF, _own_sha256
from backtest.studies.dossier.limits import sentences_of_other_kinds
from backtest.studies.dossier.study import study_dossier
from tests.studies.dossier.conftest import OFFSET, newest
from tests.support.commands import quiet, run_and_store, typed, write_study


def page_of(folder):
    return json.loads((folder / "page.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def quoted(folders):
    """The page of a dossier that was given an offset and a comparison too."""
    place = folders.place / "quoted"
    place.mkdir()
    changed = write_study(place, source=folders.place / "prices")
    changed.write_text(changed.read_text() + OFFSET + "granted = 0.5\n")
    other = run_and_store(changed, place / "other", command="backtest run")
    for arguments in (
        ("offset", folders.study, "--out", place / "offset"),
        ("compare", folders.run, other, "--out", place / "compare"),
    ):
        done = typed(*arguments, cwd=place)
        assert done.returncode == 0, done.stderr
    offset, compare = newest(place / "offset"), newest(place / "compare")
    done = typed(
        "dossier", folders.run, offset, compare, "--model", "offset", "--out", place / "out",
        cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return page_of(newest(place / "out")), page_of(offset), page_of(compare), offset


def section(page, name):
    (found,) = [each for each in page["sections"] if each["name"] == name]
    return found


def test_tables_of_an_offset_folder_are_quoted_without_other_models_and_without_the_ladder(quoted):
    page, offset, _, _ = quoted
    shown = {t["caption"]: t for t in section(page, "sensitivities")["tables"]}
    label = "small, offset"
    for name in ("stressed_ladder", "specification_curve"):
        (table,) = section(offset, name)["tables"]
        assert shown[f"{label}: {table['caption']}"]["groups"] == table["groups"]
    (credit,) = section(offset, "granted_against_supported")["tables"]
    rows = shown[f"{label}: {credit['caption']}"]["groups"]
    of_others = [row for row in credit["groups"] if "'var'" in row[1][0][0]["text"]]
    assert of_others and rows == [row for row in credit["groups"] if row not in of_others]
    ladder = section(offset, "ladder")["tables"][0]["caption"]
    assert f"{label}: {ladder}" not in shown and f"small: {ladder}" in shown
    assert offset["answer"]
    terms = dict(section(page, "summary")["terms"])
    assert terms[label] == " ".join(offset["answer"])


def test_tables_of_a_comparison_are_quoted_among_the_challengers(quoted):
    page, _, compare, _ = quoted
    shown = [t["groups"] for t in section(page, "challengers")["tables"]]
    scores = [
        table["groups"]
        for each in compare["sections"]
        if each["name"] not in ("inputs", "unmatched")
        for table in each["tables"]
    ]
    assert scores and all(groups in shown for groups in scores)
    (told,) = section(page, "challengers")["sentences"]
    assert compare["answer"] and all(words in told for words in compare["answer"])


def test_a_folder_of_a_kind_that_is_not_known_is_told_with_its_answer_and_headings(
    folders, quoted, tmp_path
):
    made_up = tmp_path / "20260101T000000Z_waterfall_00000000"
    shutil.copytree(quoted[3], made_up)
    page = page_of(made_up) | {"kind": "waterfall", "answer": ["Nobody bears it."], "study": "w"}
    page.pop(SELF)
    page[SELF] = _own_sha256(page)
    (made_up / "page.json").write_text(json.dumps(page), encoding="utf-8")
    dossier = study_dossier([folders.run, made_up], model="offset", progress=quiet)
    (words,) = sentences_of_other_kinds(dossier)
    assert words.startswith("w, waterfall: Nobody bears it.") and "Under stress" in words
