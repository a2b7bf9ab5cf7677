"""Results read back: nothing that was changed is shown as evidence, and every drift is said."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import backtest as bt
from backtest.replay.seal import read_manifest, write_manifest
from backtest.studies.run.reopen import rewrite_report
from backtest.studies.run.reproduce import compare_rerun
from tests.support.commands import quiet, run_and_store, write_prices, write_study

PARTS = """
[models.garch]
kind = "garch_var"
lookback = 60
refit_every = 60

[sweep]
steps = 2

[monte_carlo]
paths = 3
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A results folder with every kind of table, and the prices it was made from."""
    folder = tmp_path_factory.mktemp("stored")
    prices = write_prices(folder / "prices", days=300)
    study = write_study(folder, source=str(prices))
    study.write_text(study.read_text() + PARTS)
    return run_and_store(study, folder / "results", command="backtest run")


@pytest.fixture
def result(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "r"))


def test_what_was_stored_reproduces_table_by_table(result):
    stored = {p.name for p in result.iterdir() if p.suffix in (".csv", ".parquet")}
    manifest = json.loads((result / "manifest.json").read_text())
    assert stored | {"study.toml", "monte_carlo.json"} == set(manifest["files"])
    assert {"sweep.csv", "monte_carlo.parquet", "ladder.csv", "daily.parquet"} <= stored
    assert {"forecasts.csv", "forecasts.parquet"} <= stored
    assert compare_rerun(result, data=None, progress=quiet) == []


def test_forecasts_and_fits_reach_report_and_manifest(result):
    manifest = json.loads((result / "manifest.json").read_text())
    assert manifest["fits"]["garch"]["GARCH-t"]["tried"] > 0
    daily = pd.read_parquet(result / "forecasts.parquet")
    days = manifest["window"]["observations"]
    table = pd.read_csv(result / "forecasts.csv")
    assert (table["observations"] == days).all() and len(daily) == days * len(table)
    daily = daily.query("model == 'garch'")
    assert len(daily) and daily["pit"].between(0, 1).all()
    required = pd.read_parquet(result / "daily.parquet").query("model == 'garch'")
    both = daily.merge(required, on=["date", "model", "portfolio"])
    assert len(both) == len(daily) and (both["value_at_risk"] == both["required"]).all()
    shown = (result / "report.html").read_text()
    assert "What models forecast behind their margins" in shown and "fits of garch" in shown
    told = []
    page = rewrite_report(result, progress=lambda stage, share: told.append(share))
    assert "What models forecast behind" in page.read_text()
    assert told == sorted(told) and len(set(told)) > 3 and told[-1] == 1.0


EDITS = {
    "book.csv": "BTC",
    "daily.parquet": "held",
    "forecasts.csv": "fz0",
    "forecasts.parquet": "pit",
    "ladder.csv": "total",
    "monte_carlo.csv": "breaches",
    "monte_carlo.parquet": "mean_margin",
    "pooled.csv": "scale",
    "pooled.parquet": "scale",
    "scores.parquet": "max_excess",
    "summary.csv": "mean_margin",
    "sweep.csv": "mean_margin",
}


def scale(path: Path, column: str) -> None:
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    table[column] *= 1.02
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)


def test_reproduce_says_every_table_that_drifted(result):
    provenance, files = read_manifest(result)
    for name, column in EDITS.items():
        scale(result / name, column)
    with (result / "frontier.csv").open("a") as file:
        file.write("\n")  # no number changes
    write_manifest(result, provenance, names=files)  # as another version might have written it
    lines = compare_rerun(result, data=None, progress=quiet)
    for name, column in EDITS.items():
        assert any(line.startswith(f"{name}: {column} of ") for line in lines), name
    assert len([line for line in lines if not line.startswith("a tie: ")]) == len(EDITS)


@pytest.mark.parametrize("name", ["summary.csv", "scores.parquet", "monte_carlo.json"])
def test_reproduce_runs_nothing_where_a_file_was_edited(result, name, monkeypatch):
    (result / name).write_bytes((result / name).read_bytes() + b" ")
    monkeypatch.setattr("backtest.studies.run.reproduce.execute", None)  # would be called in vain
    with pytest.raises(bt.ResultsError, match=f"{name} of .* is not as the run wrote it"):
        compare_rerun(result, data=None, progress=quiet)


@pytest.mark.parametrize("name", ["summary.csv", "ladder.csv", "scores.parquet", "sweep.csv"])
def test_the_report_shows_no_number_that_was_edited(result, name):
    before = tree(result / "figures") | tree(result / "report.html")
    scale(result / name, "mean_margin" if name != "ladder.csv" else "total")
    with pytest.raises(bt.ResultsError, match=f"{name} of .* is not as the run wrote it"):
        rewrite_report(result)
    with pytest.raises(bt.ResultsError, match=f"{name} of .* is not as the run wrote it"):
        bt.Study.load(result)
    assert tree(result / "figures") | tree(result / "report.html") == before


def test_neither_reads_another_study_file(result):
    path = result / "study.toml"
    path.write_text(path.read_text().replace("lookback = 60", "lookback = 61"))
    for read in (rewrite_report, lambda r: compare_rerun(r, data=None, progress=quiet)):
        with pytest.raises(bt.ResultsError, match=r"study\.toml of .* is not as the run wrote it"):
            read(result)


MANIFESTS = {
    "list": lambda m: [],
    "nothing": lambda m: {},
    "no window": lambda m: {k: v for k, v in m.items() if k != "window"},
    "data a word": lambda m: m | {"data": "x"},
    "other seed": lambda m: m | {"seed": 7},
    "other hashes": lambda m: m | {"files": {}},
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_was_changed_is_refused(result, case):
    path = result / "manifest.json"
    path.write_text(json.dumps(MANIFESTS[case](json.loads(path.read_text()))))
    for read in (rewrite_report, lambda r: compare_rerun(r, data=None, progress=quiet)):
        with pytest.raises(bt.ResultsError, match=r"manifest\.json of .* is not as the run wrote"):
            read(result)


@pytest.mark.parametrize(
    "name", ["manifest.json", "study.toml", "book.csv", "ladder.csv", "daily.parquet", "pooled.csv"]
)
def test_a_missing_file_is_named(result, name):
    (result / name).unlink()
    for read in (rewrite_report, lambda r: compare_rerun(r, data=None, progress=quiet)):
        with pytest.raises(bt.ResultsError, match=f"{name}: No such file") as refused:
            read(result)
        assert "Errno" not in str(refused.value)


GARBLED = {
    "half a ladder": ("ladder.csv", lambda raw: raw[: len(raw) // 2]),
    "half a book": ("book.csv", lambda raw: raw[: raw.rindex(b"coin")]),
    "words in the ladder": ("ladder.csv", lambda raw: raw.replace(b"0.", b"x.")),
    "other columns": ("ladder.csv", lambda raw: b"portfolio,foo\na,1\n"),
    "no columns": ("ladder.csv", lambda raw: b""),
    "half a table": ("daily.parquet", lambda raw: raw[: len(raw) // 2]),
}


@pytest.mark.parametrize("case", GARBLED)
def test_a_file_that_cannot_be_compared_is_named(result, case):
    name, edit = GARBLED[case]
    (result / name).write_bytes(edit((result / name).read_bytes()))
    with pytest.raises(bt.ResultsError, match=f"{name} of .* is not"):
        compare_rerun(result, data=None, progress=quiet)


def test_tables_that_changed_places_are_named(result):
    shutil.copy(result / "scores.parquet", result / "daily.parquet")
    with pytest.raises(bt.ResultsError, match=r"daily\.parquet of .* is not as the run wrote it"):
        compare_rerun(result, data=None, progress=quiet)


def test_a_report_that_fails_leaves_the_old_one(result, monkeypatch):
    before = tree(result)

    def fail(*arguments, **words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backtest.studies.run.reopen.write_page", fail)
    with pytest.raises(bt.ResultsError, match="No space left on device"):
        rewrite_report(result)
    assert tree(result) == before


def test_a_report_after_one_that_was_killed_removes_what_it_left(result):
    before = set(tree(result))
    left = result / "20260101T000000Z_report.partial"
    left.mkdir()
    (left / "report.html").write_text("half")
    rewrite_report(result)
    assert set(tree(result)) == before


def test_a_study_without_a_pool_has_its_report_again(tmp_path):
    text = write_study(tmp_path, source=str(write_prices(tmp_path / "prices", days=300)))
    text.write_text(text.read_text().replace("BTC = 1, UST10Y = 1", "BTC = 1"))
    folder = run_and_store(text, tmp_path / "results", command="again")
    page = (folder / "report.html").read_text()
    assert rewrite_report(folder).read_text() == page
    assert compare_rerun(folder, data=None, progress=quiet) == []


def tree(place: Path) -> dict[Path, bytes]:
    files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
    return {path: path.read_bytes() for path in files}
