"""Who reproduces a folder runs what was sealed in it, in a place that holds nothing else."""

import hashlib
import importlib.util
import json
import os
import py_compile
import shutil
import sys
from pathlib import Path

import pytest

import backtest as bt
from backtest.studies.run.reopen import rewrite_report
from backtest.studies.run.reproduce import compare_rerun
from tests.model.test_user_models import TEN_LINES, write_own
from tests.support.commands import backtest, quiet, write_prices

HELPER = "DAYS = 60\n"
MODEL = "from own_helper import DAYS\n" + TEN_LINES.replace("days = 60", "days = DAYS")
EVIL = "from pathlib import Path\nPath({marker!r}).touch()\n"
KIND = "own_model:WorstOfYear"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What a run of a model with a helper beside it printed, and its results folder."""
    folder = tmp_path_factory.mktemp("study")
    prices = write_prices(tmp_path_factory.mktemp("prices") / "daily prices", days=300)
    write_own(folder, prices, MODEL, kind=KIND)
    (folder / "own_helper.py").write_text(HELPER)
    done = backtest("run", "study.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, next((folder / "results").iterdir())


@pytest.fixture
def result(finished, tmp_path):
    return Path(shutil.copytree(finished[1], tmp_path / "déjà vu" / "r"))


def plant(place: Path, source: Path, marker: Path) -> None:
    """Compiled code beside `source` that Python would take for that of its source."""
    evil = place / "evil.txt"
    evil.write_text(EVIL.format(marker=str(marker)) + source.read_text())
    compiled = Path(importlib.util.cache_from_source(str(source)))
    py_compile.compile(str(evil), cfile=str(compiled), doraise=True)
    content, found = bytearray(compiled.read_bytes()), source.stat()
    content[8:12] = (int(found.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
    content[12:16] = (found.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    compiled.write_bytes(content)
    evil.unlink()


def test_helpers_are_named_before_they_run_and_sealed_with_the_model(finished):
    printed, folder = finished
    sealed = json.loads((folder / "manifest.json").read_text())
    for name, code in (("own_model.py", MODEL), ("own_helper.py", HELPER)):
        sha256 = hashlib.sha256(code.encode()).hexdigest()
        assert printed.count(f"runs code from {name}, sha256 {sha256}") == 1
        assert sealed["files"][name] == sha256 and (folder / name).read_text() == code


def test_nothing_but_what_was_sealed_runs(result, tmp_path):
    here, marker = tmp_path / "here", tmp_path / "marker"
    here.mkdir()
    evil = EVIL.format(marker=str(marker))
    for name in ("numpy", "json", "sitecustomize", "own_model", "own_helper"):
        (here / f"{name}.py").write_text(evil)
    for name in ("numpy", "scipy", "sitecustomize", "backtest"):
        (result / f"{name}.py").write_text(evil)
    for name in ("own_model", "own_helper"):
        plant(tmp_path, result / f"{name}.py", marker)
    for path in (result, *result.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {p: p.read_bytes() for p in result.rglob("*") if p.is_file()}
    done = backtest("reproduce", result, cwd=here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not marker.exists()
    assert "to within 1e-09 of themselves" in done.stdout.splitlines()[-1]
    assert before == {p: p.read_bytes() for p in result.rglob("*") if p.is_file()}
    assert done.stdout.count("runs code from own_model.py") == 1
    result.chmod(0o755)  # pytest removes it


def tampered(file: Path) -> None:
    file.write_text(file.read_text() + "raise SystemExit(5)\n")


def replaced_by_a_link(file: Path) -> None:
    elsewhere = file.parent.parent / "elsewhere.py"
    elsewhere.write_text("raise SystemExit(5)\n")
    file.unlink()
    file.symlink_to(elsewhere)


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


ATTACKS = {
    "a model that was changed": ("own_model.py", tampered),
    "a helper that was changed": ("own_helper.py", tampered),
    "a link to other code": ("own_model.py", replaced_by_a_link),
    "a table that was changed": ("daily.parquet", flipped),
    "a study that was changed": ("study.toml", flipped),
    "a helper that is gone": ("own_helper.py", Path.unlink),
    "a pipe": ("own_model.py", lambda file: (file.unlink(), os.mkfifo(file))),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_code_runs_where_anything_was_changed(attack, result, monkeypatch):
    name, change = ATTACKS[attack]
    change(result / name)
    monkeypatch.setattr("backtest.studies.run.reproduce.execute", None)  # would be called in vain
    with pytest.raises(bt.ResultsError, match=name):
        compare_rerun(result, data=None, progress=quiet)


def test_a_link_to_the_same_content_is_the_same_and_a_report_runs_no_code(result, tmp_path):
    file = result / "own_model.py"
    shutil.move(file, tmp_path / "kept.py")
    file.symlink_to(tmp_path / "kept.py")
    assert rewrite_report(result).stat().st_size > 10_000
    assert "own_model" not in sys.modules
