"""A results folder of somebody else: a seal made again does not make its tables those of a run."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.replay.study import Study
from backtest.studies.run.reopen import rewrite_report
from tests.faults.forgeries import seal


@pytest.fixture(scope="module")
def study(small_market, small_book):
    models = {"siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)), "net": st.NetCapital()}
    return bt.run(small_market, small_book, models)


@pytest.fixture
def folder(study, tmp_path):
    return study.save(tmp_path / "sent")


def change_daily(folder: Path, edit) -> None:
    table = pd.read_parquet(folder / "daily.parquet")
    edit(table).to_parquet(folder / "daily.parquet", index=False)
    seal(folder)


def change_manifest(folder: Path, edit) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(manifest)
    seal(folder, manifest)


def test_an_honest_folder_is_read_and_sealed_alike(study, folder):
    seal(folder)  # the forger's seal is the program's own
    again = Study.load(folder)
    assert again.scores.equals(study.scores) and again.models == study.models


TABLES = {
    "a margin below zero": (
        lambda t: t.assign(required=t["required"].where(t.index != 400, -1.0)),
        "no amount of USD",
    ),
    "a margin doubled": (
        lambda t: t.assign(required=2.0 * t["required"]),
        "do not follow from its margins and losses",
    ),
    "losses halved": (lambda t: t.assign(loss=0.01 * t["loss"]), "do not follow from its margins"),
    "an infinite loss": (
        lambda t: t.assign(loss=t["loss"].where(t.index % (len(t) // 2) != 400, float("inf"))),
        "a loss that is no amount",
    ),
    "an infinite call": (
        lambda t: t.assign(call=t["call"].where(t.index != 400, float("inf"))),
        "a call that is no amount",
    ),
    "a day without margin": (
        lambda t: t.assign(required=t["required"].where(t.index != 600)),
        "a scored day without",
    ),
    "rows twice": (lambda t: pd.concat([t, t]), "does not hold a row for each"),
    "half the days": (lambda t: t[t["date"] < t["date"].median()], "scored days"),
    "a model gone": (lambda t: t[t["model"] == "net"], "does not hold a row for each"),
    "no rows": (lambda t: t.iloc[:0], "does not hold a row for each"),
    "no column of losses": (lambda t: t.drop(columns="loss"), "KeyError: 'loss'"),
    "words": (lambda t: t.astype(str), "does not hold a row for each"),
}


@pytest.mark.parametrize("forgery", TABLES)
def test_tables_that_contradict_each_other_are_refused(forgery, folder):
    edit, words = TABLES[forgery]
    change_daily(folder, edit)
    with pytest.raises(bt.ResultsError, match=words):
        Study.load(folder)


ENTRIES = {
    "a confidence of two": (lambda m: m["standard"].update(confidence=2.0), "confidence of 2"),
    "no standard": (lambda m: m.pop("standard"), "no scored days, standard or account"),
    "neither prices nor a table": (lambda m: m.pop("data"), "no prices and no given table"),
    "a standard of text": (lambda m: m.update(standard="99 %"), "not as the run wrote it"),
    "no files": (lambda m: m.pop("files"), "not as the run wrote it"),
    "files in a list": (lambda m: m.update(files=["a"]), "not as the run wrote it"),
    "a table gone": (lambda m: m["files"].pop("daily.parquet"), "no daily.parquet"),
    "a file elsewhere": (lambda m: m["files"].update({"../../etc/passwd": ""}), "not as the run"),
    "a file of the system": (lambda m: m["files"].update({"/etc/passwd": ""}), "not as the run"),
    "other days": (lambda m: m["window"].update(observations=3), "and 3 in its manifest"),
    "a seed below zero": (lambda m: m.update(seed=-1), "below zero"),
}


@pytest.mark.parametrize("forgery", ENTRIES)
def test_a_manifest_that_no_run_writes_is_refused(forgery, folder):
    edit, words = ENTRIES[forgery]
    change_manifest(folder, edit)
    with pytest.raises(bt.ResultsError, match=words):
        Study.load(folder)


def test_figures_are_not_written_through_a_link(folder, tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    os.symlink(tmp_path / "home", folder / "figures")
    for name in ("stored_run", "run_exhibit"):
        monkeypatch.setattr(f"backtest.studies.run.reopen.{name}", lambda _: None)
    with pytest.raises(bt.ResultsError, match="figures that lie elsewhere"):
        rewrite_report(folder)
    assert not list((tmp_path / "home").iterdir())
