"""`backtest grid`: its cells against single runs, what it keeps, what it refuses, what it shows."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from backtest.interrupts import finished
from backtest.present.page import render_exhibit
from backtest.replay.kept import kept_blocks
from backtest.replay.run import run
from backtest.replay.seal import changed_files, read_manifest
from backtest.studies.grid.kept import KeptCells
from backtest.studies.grid.page import grid_exhibit
from backtest.studies.grid.store import stored_grid, write_results
from backtest.studies.grid.study import study_grid
from backtest.studies.inputs import read_inputs
from backtest.studies.run.reopen import rewrite_report
from backtest.studies.run.reproduce import compare_rerun
from backtest.types import ResultsError, StudyError
from tests.support.commands import backtest, quiet, write_prices, write_study

SAMPLE = """
name = "sample"
[data]
end = "2016-12-30"
[coverage]
confidence = 0.99
mpor = 2
[sizing]
kind = "historical_var"
lookback = 60
[models.siloed]
kind = "siloed"
base = { kind = "historical_var", lookback = 60 }
[models.var]
kind = "historical_var"
lookback = 60
[books."long both"]
risk = { BTC = 1, UST10Y = 1 }
[books.coin]
usd = { BTC = 1e6 }
"""
AXES = "[grid]\nconfidence = [0.95, 0.99]\nmpor = [1, 2]\nlookback = [60, 90]\n"
SMALL = "[grid]\nconfidence = [0.95, 0.99]\nlookback = [60, 90]\nbooks = ['coin']\n"
CHEAT = """
import numpy as np
from backtest.model import model

@model
class Seer:
    power: float = 1.0

    def margin(self, market, book, coverage):
        loss = book.loss(market, coverage).sum(axis=2)
        return np.nan_to_num(np.abs(loss)) ** self.power
"""

OPENS = """
from pathlib import Path
import numpy as np
from backtest.model import model

@model
class Scaled:
    def margin(self, market, book, coverage):
        scale = float((Path(__file__).parent / "scale.txt").read_text())
        return np.full((len(market.dates), len(book.portfolios)), scale * 1e5)
"""


def grid_of(file: Path, out: Path, **options):
    return study_grid(file, out=out, **({"progress": quiet} | options))


def stored(grid, out: Path) -> Path:
    """The folder of a grid with its tables; figures take seconds and are drawn once, below."""
    return write_results(grid, replace(grid_exhibit(grid), sections=()), out, command="")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    write_prices(folder / "prices")
    path = write_study(folder, source=str(folder / "prices"))
    path.write_text(f"{path.read_text()}\n{SMALL}")
    return folder


@pytest.fixture(scope="module")
def done(folder):
    return backtest("grid", "study.toml", "--out", "whole", cwd=folder)


@pytest.fixture(scope="module")
def whole(folder, done):
    """The results folder of a grid that nobody interrupted."""
    assert done.returncode == 0, done.stderr
    (results,) = (folder / "whole").iterdir()
    return results


def test_each_cell_is_what_a_run_of_its_study_gives(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(SAMPLE + AXES)
    table = grid_of(file, tmp_path / "out").table.set_index(["confidence", "mpor", "lookback"])
    cells = list(product((0.95, 0.99), (1, 2), (60, 90)))
    assert table.index.unique().to_list() == cells
    assert set(table.pop("failed")) == {""}
    for confidence, mpor, lookback in cells:
        models = SAMPLE.split("[models.siloed]")[1].replace("= 60", f"= {lookback}")
        text = f"{SAMPLE.split('[models.siloed]')[0]}[models.siloed]{models}"
        file.write_text(text.replace("0.99", f"{confidence}").replace("mpor = 2", f"mpor = {mpor}"))
        single = read_inputs(file, data=None, seed=None, progress=quiet)
        standard, terms = single.config.standard(), single.config.terms()
        assert (standard.confidence, standard.mpor) == (confidence, mpor)
        study = run(
            single.market, single.book, single.models, coverage=standard, account=terms, audit=False
        )
        of_cell = table.loc[(confidence, mpor, lookback)].set_index(["model", "portfolio"])
        pd.testing.assert_frame_equal(of_cell, study.summary(), rtol=1e-12, atol=0)


def test_an_audit_is_made_once_a_set_of_parameters_and_not_once_a_confidence(whole):
    origin, files = read_manifest(whole)
    assert set(origin.causality) == {
        *("sizing", "siloed, lookback 60", "siloed, lookback 90"),
        *("var, lookback 60", "var, lookback 90"),
    }
    assert changed_files(whole, files) == [] and {"grid.parquet", "grid.csv"} <= set(files)
    assert origin.models["var, lookback 90"].startswith("HistoricalVaR(lookback=90")
    assert [cell["values"]["lookback"] for cell in origin.details["cells"]] == [60, 90, 60, 90]


class Interrupted(KeyboardInterrupt):
    pass


def interrupted(folder: Path, out: Path, cells: int) -> Path:
    """The folder of finished cells of a grid that was interrupted after some of them."""

    def stop(stage: str, share: float) -> None:
        if stage == "cells" and share >= cells / 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        grid_of(folder / "study.toml", out, progress=stop)
    (kept,) = out.glob("*.blocks")
    return kept


def test_an_interrupted_grid_goes_on_and_ends_with_the_same_bytes(folder, whole, tmp_path):
    kept = interrupted(folder, tmp_path, 3)
    assert len(list(kept.iterdir())) == 4  # three cells, and what they depend on
    (second,) = kept.glob("block-00000002-*")
    second.write_bytes(b"half")  # as a machine that stops would leave it
    said: list[float] = []
    result = grid_of(
        folder / "study.toml",
        tmp_path,
        resume=kept,
        progress=lambda stage, share: said.append(share) if stage == "cells" else None,
    )
    assert said[0] == 0.5 and said[-1] == 1.0  # cells 1 and 3 were not computed again
    results = stored(result, tmp_path)
    assert not kept.exists()
    for name in ("grid.parquet", "grid.csv"):
        assert (results / name).read_bytes() == (whole / name).read_bytes()
    causality = [read_manifest(place)[0].causality for place in (results, whole)]
    assert causality[0] == causality[1]


def test_a_grid_that_ends_before_its_first_cell_leaves_nothing(folder, tmp_path):
    def stop(stage: str, share: float) -> None:
        if stage == "cells":
            raise Interrupted

    with pytest.raises(Interrupted):
        grid_of(folder / "study.toml", tmp_path, progress=stop)
    assert not list(tmp_path.iterdir())


def test_cells_of_other_inputs_are_refused_and_what_changed_is_named(folder, tmp_path, monkeypatch):
    kept = interrupted(folder, tmp_path, 1)
    study, prices = folder / "study.toml", folder / "prices" / "btc_usd.csv"
    text, closes = study.read_text(), prices.read_text()

    def refusal() -> str:
        with pytest.raises(ResultsError) as refused:
            grid_of(study, tmp_path, resume=kept)
        assert kept.exists()
        return str(refused.value)

    try:
        study.write_text(text.replace("confidence = [0.95,", "confidence = [0.96,"))
        assert "study.grid.confidence was [0.95, 0.99] and is [0.96, 0.99]" in refusal()
        study.write_text(text)
        prices.write_text(re.sub(r"\d\n", "9\n", closes, count=1))
        assert "prices.btc_usd.csv was '" in refusal()
    finally:
        study.write_text(text)
        prices.write_text(closes)
    monkeypatch.setattr("backtest.studies.basis.sources_sha256", lambda: "other code")
    assert "code.sources was '" in refusal()
    with pytest.raises(ResultsError, match="holds no finished cells"):
        grid_of(study, tmp_path, resume=tmp_path)


def test_a_full_disk_is_one_line_that_names_the_cells_and_they_stay(folder, tmp_path, monkeypatch):
    writes = []

    write = Path.write_bytes

    def full(file: Path, content: bytes) -> int:
        writes.append(file)
        if len(writes) == 2:  # the second cell
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content)

    with monkeypatch.context() as patched, pytest.raises(ResultsError) as refused:
        patched.setattr(Path, "write_bytes", full)
        grid_of(folder / "study.toml", tmp_path)
    (kept,) = tmp_path.glob("*.blocks")
    assert "No space left on device; mend that, then go on with --resume " in str(refused.value)
    assert str(kept) in str(refused.value)
    basis = json.loads((kept / "basis.json").read_text())
    with kept_blocks(
        tmp_path, "", basis, unit="cells", total=4, resume=kept, progress=quiet
    ) as blocks:
        assert list(KeptCells(blocks).facts) == [1]
        with pytest.raises(ResultsError, match="another process computes the cells"):
            grid_of(folder / "study.toml", tmp_path, resume=kept)


def test_a_request_to_end_as_a_cell_is_written_does_not_lose_it(folder, tmp_path, monkeypatch):
    replace = os.replace

    def interrupted_replace(aside: Path, file: Path) -> None:
        replace(aside, file)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("backtest.replay.kept.os.replace", interrupted_replace)
    # A command that another test ran in this process leaves requests ignored at its end.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            grid_of(folder / "study.toml", tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(list(tmp_path.glob("*.blocks/block-00000001-*.npz"))) == 1
    assert finished[-1].startswith(f"1 of 4 cells; --resume {tmp_path}")


def test_a_file_that_a_model_of_kept_cells_opened_must_not_change(folder, tmp_path):
    (tmp_path / "scaled.py").write_text(OPENS)
    (tmp_path / "scale.txt").write_text("2")
    text = (folder / "study.toml").read_text().split("[grid]")[0]
    mine = '[models.mine]\nkind = "scaled:Scaled"\n'
    (tmp_path / "study.toml").write_text(f"{text}{mine}{SMALL}")
    kept = interrupted(tmp_path, tmp_path / "out", 1)
    (tmp_path / "scale.txt").write_text("3")
    with pytest.raises(ResultsError, match="whose model opened .*scale.txt', which has changed"):
        grid_of(tmp_path / "study.toml", tmp_path / "out", resume=kept)


def test_a_cell_that_fails_is_a_row_with_its_reason(folder, tmp_path):
    file = tmp_path / "study.toml"
    text = (folder / "study.toml").read_text().split("[grid]")[0]
    file.write_text(f"{text}[grid]\nlookback = [60, 5000]\nbooks = ['coin']\n")
    result = grid_of(file, tmp_path / "out")
    (failed,) = result.table[result.table["failed"] != ""].to_dict("records")
    assert failed["lookback"] == 5000 and failed["model"] == failed["portfolio"] == ""
    assert "no day can be scored" in failed["failed"]
    (alarm,) = [line for line in result.provenance.alarms() if line.startswith("LEFT OUT")]
    assert alarm.startswith("LEFT OUT: 1 of 2 cells, the first with lookback 5000: no day can be")


def test_an_optional_model_that_fails_has_rows_with_its_reason(folder, tmp_path):
    (tmp_path / "failing.py").write_text(CHEAT.replace("** self.power", "/ np.zeros(2)[5]"))
    file = tmp_path / "study.toml"
    text = (folder / "study.toml").read_text().split("[grid]")[0]
    mine = '[models.mine]\nkind = "failing:Seer"\non_error = "skip"\n'
    file.write_text(f"{text}{mine}[grid]\nconfidence = [0.95, 0.99]\nbooks = ['coin']\n")
    table = grid_of(file, tmp_path / "out").table.set_index("model")
    assert table.loc["mine", "failed"].str.contains("model 'mine' failed: IndexError").all()
    assert table.loc["mine", "exceedances"].isna().all()
    assert (table.loc[["siloed", "var"], "failed"] == "").all()


def test_a_model_that_knows_its_future_fails_in_every_cell(folder, tmp_path):
    (tmp_path / "seer.py").write_text(CHEAT)
    file = tmp_path / "study.toml"
    text = (folder / "study.toml").read_text().split("[grid]")[0]
    mine = '[models.mine]\nkind = "seer:Seer"\n'
    file.write_text(f"{text}{mine}[grid]\nconfidence = [0.95, 0.99]\nbooks = ['coin']\n")
    with pytest.raises(StudyError, match="no cell of the grid has scores; the first: .*Seer"):
        grid_of(file, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_the_command_says_where_cells_are_and_a_run_who_runs_the_grid(folder, done, whole):
    assert "... finished cells: --resume whole/" in done.stdout
    page = (whole / "report.html").read_text()
    assert "Rows of the grid by evidence against the coverage: all 8" in page
    assert page.count("<svg") == 2 and "Exceedances over the grid" in page
    assert json.loads((whole / "manifest.json").read_text())["command"].startswith("backtest grid")
    said: list[str] = []
    inputs = read_inputs(
        folder / "study.toml", data=None, seed=None, progress=lambda what, share: said.append(what)
    )
    assert "a grid, which `backtest grid` runs" in said[0]
    assert inputs.config.standard().confidence == 0.99


def test_a_page_is_written_again_from_its_folder_and_a_changed_table_is_refused(whole, tmp_path):
    command = read_manifest(whole)[0].command
    page = render_exhibit(grid_exhibit(stored_grid(whole)), whole / "figures", command=command)
    assert page == (whole / "report.html").read_text()
    copy = shutil.copytree(whole, tmp_path / "copy")
    (copy / "grid.parquet").write_bytes(b"")
    with pytest.raises(ResultsError, match="is a grid, which `reproduce` does not run again; run"):
        compare_rerun(whole, data=None, progress=quiet)
    with pytest.raises(ResultsError, match="grid.parquet of .* is not as the run wrote it"):
        rewrite_report(copy)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_grid_that_is_ended_goes_on(folder, whole, tmp_path, number):
    command = [sys.executable, "-m", "backtest", "grid", "study.toml", "--out", str(tmp_path)]
    running = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("*.blocks/block-00000001-*.npz")) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(number)
    said = running.communicate()[1]
    (kept,) = tmp_path.glob("*.blocks")
    if number == signal.SIGINT:
        assert running.returncode == 130
        assert re.fullmatch(
            rf"backtest: interrupted; already written: . of 4 cells; --resume {kept} goes on\n",
            said,
        )
    again = backtest("grid", "study.toml", "--out", tmp_path, "--resume", kept, cwd=folder)
    assert again.returncode == 0, again.stderr
    (results,) = tmp_path.iterdir()
    assert (results / "grid.parquet").read_bytes() == (whole / "grid.parquet").read_bytes()


def test_the_page_opens_with_the_rejections_of_its_rows(whole):
    grid = stored_grid(whole)
    first, second, third = grid_exhibit(grid).answer
    rows = grid.table
    rejected = rows["coverage_p"] <= 0.05
    told, count, chance = re.findall(r"in (\w+) of (\d+) rows .*chance: ([\d.]+)\)", first)[0]
    assert (0 if told == "none" else int(told)) == rejected.sum() and int(count) == len(rows)
    assert float(chance) == pytest.approx(0.05 * len(rows), abs=0.051)
    spreads = {
        axis.name: rejected.groupby(rows[axis.name]).mean().agg(["min", "max"]).tolist()
        for axis in grid.axes
        if axis.name != "lookback"  # whose values warm up for 60 and 90 days
    }
    by_lookback = {c["values"]["lookback"]: c["first_scored"] for c in grid.cells}
    assert by_lookback[60] < by_lookback[90] and len(by_lookback) == 2
    assert "values of lookback are scored from different days and not compared" in first
    widest = max(spreads, key=lambda name: spreads[name][1] - spreads[name][0])
    if spreads[widest][1] > spreads[widest][0]:
        low, high = (f"{100 * share:.1f} % " for share in spreads[widest])
        assert f"moves this most is {widest}, from {low}" in first and high in first
    worst = rows.loc[rows["coverage_p"].idxmin()]
    p = float(re.findall(r"\(p <?([\d.]+)\)", second)[0])
    assert p == pytest.approx(max(worst["coverage_p"], 0.001), abs=0.00051)
    assert third.startswith("It does not show what of a saving is offset, of which no cell")


def test_cells_of_several_days_are_not_told_to_be_superseded(tmp_path):
    table = SAMPLE + '[models.old]\nkind = "simm"\nparameters = "simm/2.1"\n'
    table += '[models.simm]\nkind = "simm"\n'
    path = tmp_path / "study.toml"
    path.write_text(table + '[grid]\nas_of = ["2018-12-03", "2024-06-28"]\nbooks = ["coin"]\n')
    origin = study_grid(path, out=tmp_path, progress=quiet).provenance
    used = {
        label: [source.name for source in sources if source.name.startswith("simm/")]
        for label, sources in origin.parameters.items()
    }
    assert used["simm, as_of 2018-12-03"] == ["simm/2.1"] == used["old, as_of 2018-12-03"]
    assert used["simm, as_of 2024-06-28"] == ["simm/2.6"] and used["var"] == []
    assert "simm, as_of 2024-06-28" in origin.rules()
    # Under the study's own day, that of the last scored loss, the pinned version is to come.
    assert not [words for words in origin.alarms() if "SUPERSEDED" in words]
    path.write_text(f'as_of = "2020-06-30"\n{path.read_text()}')
    later = study_grid(path, out=tmp_path, progress=quiet).provenance
    (alarm,) = [words for words in later.alarms() if "SUPERSEDED" in words]
    assert "old, as_of" in alarm and "simm, as_of" not in alarm and "simm/2.2" in alarm
