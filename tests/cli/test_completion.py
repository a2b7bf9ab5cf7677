"""What the tab key offers, as a shell asks for it, and that nothing heavy is loaded for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.cli.completion import BY_NAME, prices, results, studies
from backtest.config.load import packaged_studies
from backtest.studies import COMMANDS
from tests.support.places import ROOT

HEAVY = "arch joblib matplotlib numba pandas scipy yfinance jinja2 openpyxl"
ASK = """
import sys
from backtest.cli import main
sys.argv = ["backtest"]
try:
    main()
finally:
    print("loaded:", *[name for name in sys.argv[0] and %r.split() if name in sys.modules])
"""


def offered(line: str, cwd: Path) -> tuple[list[str], list[str]]:
    """What bash is told at the end of a line, and the heavy packages that were loaded for it."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", ASK % HEAVY],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "_BACKTEST_COMPLETE": "complete_bash"} | asked,
    )
    *names, loaded = done.stdout.splitlines()
    return names, loaded.split()[1:]


@pytest.fixture
def desk(tmp_path) -> Path:
    """A folder with a study, prices and two results folders, one of them broken off."""
    (tmp_path / "mine.toml").write_text("")
    (tmp_path / "prices").mkdir()
    for name, done in (("20260101T000000Z_a_1", True), ("20260101T000000Z_b_2.partial", False)):
        (tmp_path / "results" / name).mkdir(parents=True)
        if done:
            (tmp_path / "results" / name / "manifest.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("backtest doc", ["doctor"]),
        ("backtest run mi", ["mine.toml"]),
        ("backtest run positive", ["positive-control"]),
        ("backtest run --data sam", ["sample"]),
        ("backtest run --see", ["--seed"]),
        ("backtest report results/2026", [
            "results/20260101T000000Z_a_1", "results/20260101T000000Z_b_2.partial/",
        ]),
        ("backtest compare results/20260101T000000Z_a", ["results/20260101T000000Z_a_1"]),
    ],
)  # fmt: skip
def test_a_shell_is_told(desk, line, names):
    told, loaded = offered(line, desk)
    assert told == names and loaded == []


def test_every_packaged_study_is_offered():
    assert set(studies("")) >= set(packaged_studies())


def test_results_are_offered_before_anything_is_typed(desk, monkeypatch):
    monkeypatch.chdir(desk)
    assert "results/20260101T000000Z_a_1" in results("") and "results/" in results("")
    assert prices("") == ["prices/", "results/", "sample", "treasury"]
    assert results("nowhere/") == studies("nowhere/") == []


def test_every_argument_that_is_a_study_or_a_result_is_completed():
    arguments = {option.name for command in COMMANDS for option in command.options}
    assert set(BY_NAME) - {"result"} <= arguments


def test_a_shell_can_be_taught():
    # The shell that asks is the parent; tests may have none. `; true` keeps bash as the parent.
    asked = f"{sys.executable} -m backtest --show-completion; true"
    shown = subprocess.run(["bash", "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert "_BACKTEST_COMPLETE=complete_bash" in shown.stdout


def test_help_is_cut_nowhere():
    done = subprocess.run(
        [sys.executable, "-m", "backtest", "--help"],
        cwd=ROOT, capture_output=True, text=True, env=os.environ | {"COLUMNS": "80"},
    )  # fmt: skip
    assert "..." not in done.stdout.replace("[ARGS]...", "")
    assert max(map(len, done.stdout.splitlines())) <= 80
