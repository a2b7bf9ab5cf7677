"""The published sets whose data may not ship, end to end: all met, and each alteration found."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest.anchors.golden import OR
from backtest.anchors.run import held_sets, run_anchors, sets_in
from backtest.anchors.tables import misses
from tests.support.places import PEER_DATA, ROOT, needs_peer_data

pytestmark = needs_peer_data


def run(folder: Path, *arguments: str) -> tuple[int, list[str], str]:
    """The command as a user starts it, in a folder of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "backtest", "anchors", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_every_set_is_there_and_met(tmp_path):
    code, lines, error = run(tmp_path, "--golden", str(PEER_DATA / "anchors"))
    assert code == 0, error
    assert not [line for line in lines if line.startswith(("missed: ", "not there: "))]
    [total] = [line for line in lines if "published numbers are met" in line]
    met, asked = re.findall(r"[\d,]+", total)[:2]
    assert met == asked and int(asked.replace(",", "")) > 4100
    assert not list(tmp_path.iterdir())


def test_without_a_folder_it_says_what_is_not_asked(tmp_path):
    code, lines, error = run(tmp_path)
    assert code == 0, error
    assert f"not asked: {len(held_sets())} sets whose data may not ship (--golden DIR)" in lines


# One number of each file, as it is printed and altered, and words of the miss.
LONG = ("anchors/apc_fesx_long_published.csv", "anchors/apc_stress_days.csv")
ALTERED = {
    "anchors/simm_2_1_unit_vectors.json": ("14200000000.0", "14200000001.0", "delta_IR1"),
    "anchors/ore_simm26_expected.csv": ("2124.922827633", "2124.922827643", "Curvature / USD"),
    "anchors/ore_simm26_crif.csv": ("498253.14", "498253.15", "Vega"),
    "simm/TreePledgor.txt": ("2,000,420.30", "2,000,420.31", "Credit / CreditQualifying / Vega"),
    "anchors/apc_fesx_long_published.csv": ("7.030603532047874", "7.030603532147874", "peak"),
    "anchors/apc_fesx_returns.csv": ("2020-03-12,-0.1199", "2020-03-12,-0.1194", "covid"),
    "anchors/apc_stress_days.csv": ("90.69,PEQ01", "90.69,PFI01", "floor"),
    "anchors/ore_histsimvar_expected.csv": ("-63274.845054", "-63274.845055", "InterestRate"),
    "rugarch_VaRTest_example_a01.json": ("2.82934861252456", "2.82934861452456", "Kupiec"),
    "esback_risk_forecasts.json": ("1.14153291829935", "1.14153292829935", "FZ0 loss"),
    "berkowitz_pit.json": ("0.804052127993373", "0.804052137993373", "likelihood ratio"),
    "dmbp.csv": ("0.12533286", "1.12533286", "omega"),
}


def files_of(name: str) -> Iterator[Path]:
    """The file, and those that its set needs."""
    path = PEER_DATA / name
    yield path
    for held in held_sets():
        folder = path.parent.parent if "/" in held.main else path.parent
        for main in folder.glob(held.main):
            beside = [folder / each.split(OR)[0] for each in held.beside(held.star(main))]
            if path == main:
                yield from beside
            elif path in beside:
                yield from (main, *beside)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n in LONG else ()) for n in ALTERED],
)
def test_one_altered_number_is_the_miss(name, tmp_path, monkeypatch):
    monkeypatch.setattr("backtest.anchors.run.SHIPPED", ())
    for path in set(files_of(name)):
        there = tmp_path / path.relative_to(PEER_DATA)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
    assert run_anchors(tmp_path).misses == ()
    before, after, words = ALTERED[name]
    altered = tmp_path / name
    altered.chmod(0o644)
    text = altered.read_text(encoding="utf-8")
    assert before in text
    altered.write_text(text.replace(before, after, 1), encoding="utf-8")
    found = run_anchors(tmp_path)
    lines = list(misses(found))
    assert lines and any(words in line for line in lines), lines


@pytest.mark.parametrize("held", held_sets(), ids=lambda held: held.main)
def test_a_folder_with_one_leading_file_alone(held, tmp_path):
    """Its set is told to be incomplete, or asked where it needs no other file."""
    for folder in (PEER_DATA / "anchors", PEER_DATA):
        for main in sorted(folder.glob(held.main))[:1]:
            there = tmp_path / main.relative_to(folder)
            there.parent.mkdir(exist_ok=True)
            shutil.copy(main, there)
            star = held.star(main)
    (tmp_path / "dmbp.csv").write_text("r\n" + "\n".join(["0.1", "-0.2"] * 40))
    sets, absent = sets_in(tmp_path)
    alone = held.main if "*" not in held.main else there.name
    if held.beside(star):
        assert any(line.startswith("not there: ") and there.name in line for line in absent)
    else:
        assert any(each.file == there.name for each in sets), alone
