"""The registry of commands: what the command line, the README and CI take from it."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from backtest.cli import app, main
from backtest.replay.origin import Software
from backtest.studies import COMMANDS
from backtest.studies.command import DASK

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_says_of_every_command_what_its_help_says():
    rows = [f"| `{command.usage}` | {command.help} |" for command in COMMANDS]
    assert "\n".join(rows) in README, "\n".join(rows)
    table = README.split("| command | what it does |")[1].split("\n\n")[0]
    for name in typer.main.get_command(app).commands:
        assert re.search(rf"`(backtest )?{name}\b", table), name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_is_its_folder(command):
    """The functions it names are there and take what it asks for."""
    assert (ROOT / "backtest" / "studies" / command.name).is_dir()
    more = ["progress", *(["out"] if command.keeps else [])]
    # The cluster that --dask names is where the command runs: the command itself is not told.
    told = [option.name for option in command.options if option is not DASK]
    asked = dict.fromkeys([*told, *more])
    inspect.signature(command.load(command.compute)).bind(**asked)
    inspect.signature(command.load(command.exhibit)).bind(None)
    if command.store:
        inspect.signature(command.load(command.store)).bind(None, None, None, command="")
    shown = typer.main.get_command(app).commands[command.name]
    assert [p.name for p in shown.params] == [*(o.name for o in command.options), "out"]
    assert shown.help == command.help


def test_every_folder_of_studies_is_registered():
    folders = {place.parent.name for place in (ROOT / "backtest" / "studies").glob("*/study.py")}
    assert {command.name for command in COMMANDS} == folders


def test_ci_runs_the_quick_commands():
    done = subprocess.run(
        [sys.executable, "-m", "backtest.studies"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.split() == [command.name for command in COMMANDS if command.quick]
    assert "-m backtest.studies" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_version_is_that_which_results_name(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == Software.now().sentence()
