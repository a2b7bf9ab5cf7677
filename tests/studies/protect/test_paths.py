"""`backtest protect --paths`: the same on simulated histories, whatever the number of workers."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.support.commands import refused, typed
from tests.support.structures import write_structured


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths")
    write_structured(folder, days=140)
    return folder


def run(folder, out, *options):
    """The results folder of a command line."""
    done = typed("protect", "study.toml", *options, "--out", out, cwd=folder)
    assert done.returncode == 0, done.stderr
    (result,) = (folder / out).iterdir()
    return result, done.stdout


def test_histories_are_a_section_of_their_own_and_the_same_under_two_workers(folder):
    alone, printed = run(folder, "one", "--paths", "3")
    table = pd.read_csv(alone / "paths.csv")
    assert set(table["model"]) == {"siloed", "var"} and len(set(table["arrangement"])) == 6
    margin = table[table["what"] == "margin"]
    assert (margin["low"] < margin["mean"]).all() and (margin["mean"] < margin["high"]).all()
    assert "The same on simulated histories" in printed and "seen in" in printed
    manifest = json.loads((alone / "manifest.json").read_text())
    assert manifest["paths"] == 3 and "StationaryBootstrap" in manifest["simulator"]
    two, _ = run(folder, "two", "--paths", "3", "--n-jobs", "2")
    assert (two / "paths.csv").read_bytes() == (alone / "paths.csv").read_bytes()


@pytest.mark.slow
def test_a_study_may_ask_for_histories_and_the_command_line_for_none(folder):
    file = folder / "asks.toml"
    file.write_text((folder / "study.toml").read_text() + "\n[monte_carlo]\npaths = 2\n")
    done = typed("protect", "asks.toml", "--out", "asks", cwd=folder)
    assert done.returncode == 0, done.stderr
    (result,) = (folder / "asks").iterdir()
    assert (result / "paths.csv").is_file()
    none, _ = run(folder, "none", "--paths", "0")
    assert not (none / "paths.csv").exists()
    history = pd.read_csv(none / "outcomes.csv").select_dtypes(np.number)
    assert history.equals(pd.read_csv(result / "outcomes.csv").select_dtypes(np.number))


def test_simulators_have_no_days_of_their_own(folder):
    file = folder / "clock.toml"
    file.write_text((folder / "study.toml").read_text() + '\n[clock]\nkind = "24/7"\n')
    line = refused(typed("protect", "clock.toml", "--paths", "1", cwd=folder), folder)
    assert "kind = 'business'" in line
