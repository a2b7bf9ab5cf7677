"""Folders of other commands are quoted cell by cell, each in the section that it belongs to."""

import json
import shutil

import pytest

from backtest.present.record import SELF, _own_sha256
from backtest.studies.annex.sources import read_sources
from backtest.studies.dossier.closing import reproduction
from backtest.studies.dossier.folders import read_folders
from backtest.studies.dossier.limits import sentences_of_other_kinds
from backtest.studies.dossier.store import _is_time
from backtest.studies.dossier.study import study_dossier
from backtest.types import ResultsError
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


def with_manifest(folder, place, **changes):
    """A copy of a folder whose manifest an older command wrote, without a sha256 of it."""
    shutil.copytree(folder, place)
    page, manifest = page_of(place), json.loads((place / "manifest.json").read_text())
    manifest |= changes
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("manifest.json", "study.toml"):
        page["files"].pop(name)
    page.pop(SELF)
    page[SELF] = _own_sha256(page)
    (place / "page.json").write_text(json.dumps(page), encoding="utf-8")
    return place


@pytest.mark.parametrize("name", ["manifest.json", "study.toml"])
def test_every_file_of_a_folder_whose_manifest_is_not_sealed_is_compared(folders, tmp_path, name):
    copy = tmp_path / "power"
    shutil.copytree(folders.power, copy)
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    with pytest.raises(ResultsError, match=f"{name} of .* is not as the command wrote it"):
        read_folders([folders.run, copy])


def test_a_folder_without_a_sha256_of_its_manifest_is_named(folders, tmp_path):
    made = study_dossier([folders.run, folders.power], model="offset", progress=quiet)
    assert "No sha256 was written" not in reproduction(made).text
    old = with_manifest(folders.power, tmp_path / "old")
    made = study_dossier([folders.run, old], model="offset", progress=quiet)
    assert reproduction(made).text.endswith(f"study.toml of: {made.folders[1].label}.")


@pytest.mark.parametrize("changes", [{"software": []}, {"data": {}}, {"data": []}])
def test_a_manifest_of_another_shape_is_refused_in_one_line(folders, tmp_path, changes):
    odd = with_manifest(folders.power, tmp_path / "odd", **changes)
    with pytest.raises(ResultsError, match="holds no manifest that can be read") as refused:
        read_folders([folders.run, odd])
    assert "\n" not in str(refused.value)


def test_a_time_that_there_is_not_dates_no_document():
    assert not _is_time("20261399T000000Z") and not _is_time("soon")
    assert _is_time("20261129T164628Z")


@pytest.mark.parametrize("read", [read_folders, read_sources])
def test_a_copy_of_a_folder_is_no_second_study(folders, tmp_path, read):
    copy = tmp_path / "copy"
    shutil.copytree(folders.run, copy)
    with pytest.raises(ResultsError, match="holds the same results as .*a copy is no second"):
        read([folders.run, copy])
    assert len(read([folders.run, folders.grid, folders.power])) == 3
