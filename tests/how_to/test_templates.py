"""Every page of docs/how-to is carried out as it is written, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from backtest.book.liquidation import CostTable
from backtest.parameters import ranges
from backtest.parameters.header import split
from tests.support.places import ROOT

HOW_TO = ROOT / "docs" / "how-to"
SHORT = ("model", "battery-test")  # pages carried out with every run of the tests
# Files that a page may touch at most.
MOST = {
    "model": 4,
    "rule": 4,
    "instrument": 4,
    "publisher": 4,
    "score": 3,
    "battery-test": 3,
    "study-command": 5,
}
COPIED = ("backtest", "strategies", "tests", "docs", ".ci")
BLOCK = re.compile(r"^(\S[^\n]*)\n+```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"^Copy \[[^]]*\]\(([^)]+)\)", re.MULTILINE)


@pytest.fixture
def project(tmp_path):
    """A copy of the project, committed; compiled kernels come along, with the times of sources."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name)
    for file in (*ROOT.glob("*.*"), ROOT / "Makefile", ROOT / ".gitignore"):
        if file.is_file():
            shutil.copy2(file, tmp_path)
    identity = ["-c", "user.name=reader", "-c", "user.email=reader@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return tmp_path


def run(command, project):
    """A command of a page, with this Python in place of the environment that make makes."""
    done = subprocess.run(
        command.replace(".venv/bin/python", sys.executable),
        shell=True,
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
    return done.stdout


def carry_out(step, file, page, project):
    """One step of a page: copy a file, add lines to one, replace some, or run a command."""
    target = project / file
    for link in LINK.findall(step):
        target.parent.mkdir(exist_ok=True)
        shutil.copy(page.parent / link, target)
    place = ""
    for words, block in BLOCK.findall(step):
        if words.startswith(("Below", "In place of")):
            place = block
        elif words.startswith("Run"):
            run(block, project)
        elif words.startswith(("add", "write", "At the end")):
            text = target.read_text(encoding="utf-8")
            if words.startswith("At the end"):
                text += "\n" + block
            else:
                old = place if words.startswith("add") else place.rstrip("\n")
                assert text.count(old) == 1, f"{file} has {text.count(old)} times\n{old}"
                new = place + block if words.startswith("add") else block.rstrip("\n")
                text = text.replace(old, new)
            target.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in SHORT else pytest.mark.slow) for n in MOST],
)
def test_a_page_carried_out_as_it_is_passes_and_touches_the_files_it_lists(name, project):
    page = HOW_TO / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    steps = re.split(r"^## \d+\. `([^`]+)`.*$", text.split("\n## Prove it")[0], flags=re.M)
    for file, step in zip(steps[1::2], steps[2::2], strict=True):
        carry_out(step, file, page, project)
    command, status = [block for _, block in BLOCK.findall(text.split("\n## Prove it")[1])][:2]
    run(command, project)
    shown = run("git status --short --untracked-files=all", project)
    assert shown == status
    assert {line[3:] for line in shown.splitlines()} == set(steps[1::2])
    assert len(shown.splitlines()) <= MOST[name]


def test_the_row_of_costs_on_the_page_of_an_instrument_is_one_that_the_table_takes(monkeypatch):
    page = (HOW_TO / "instrument.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    name = "liquidation/2025"
    file = ROOT / "backtest" / "parameters" / f"{name}.toml"
    head, table = split(tomllib.loads(file.read_text(encoding="utf-8") + "\n" + block), name)
    assert CostTable(**table).contract["STRIP10Y"].adv_usd == 2e9
    monkeypatch.setattr(ranges, "header", lambda name: head)
    monkeypatch.setattr(ranges, "load_parameters", lambda name: table)
    assert "STRIP10Y" in head.uncertain[-1].term and not list(ranges.mistakes(name))


@pytest.mark.parametrize("name", MOST)
def test_the_gaps_of_a_template_are_numbered(name):
    files = sorted((HOW_TO / name).glob("*.*"), key=lambda file: ("test_" in file.name, file.name))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    gaps = [int(number) for number in re.findall(r"# GAP (\d+):", text)]
    assert gaps and gaps == list(range(1, len(gaps) + 1))


def test_the_list_of_pages_is_whole():
    index = (HOW_TO / "README.md").read_text(encoding="utf-8")
    pages = {page.stem for page in HOW_TO.glob("*.md")} - {"README"}
    assert pages == set(MOST) == set(re.findall(r"\]\(([a-z-]+)\.md\)", index))
