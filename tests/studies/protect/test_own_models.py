"""Models of a user's own in `backtest protect`: isolated, failing, left out."""

import json
import sys

import pandas as pd
import pytest

from tests.model.test_user_models import TEN_LINES
from tests.support.commands import typed
from tests.support.structures import write_structured

OWN = """
[models.own]
kind = "own_of_protect:WorstOfYear"
{fields}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a study with a model of the given code, beside the two of this package."""
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def study(code, fields=""):
        sys.modules.pop("own_of_protect", None)
        (tmp_path / "own_of_protect.py").write_text(code)
        file = write_structured(tmp_path, days=160)
        file.write_text(file.read_text() + OWN.format(fields=fields))

    yield study
    sys.modules.pop("own_of_protect", None)


@pytest.mark.slow  # a process is started for every margin of every house
def test_a_model_that_runs_in_a_process_of_its_own_gives_the_same_numbers(write, tmp_path):
    write(TEN_LINES)
    tables = []
    for n, options in enumerate([(), ("--isolate",)]):
        done = typed("protect", "study.toml", *options, "--out", str(n), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (result,) = (tmp_path / str(n)).iterdir()
        tables.append(pd.read_csv(result / "outcomes.csv"))
    assert {"own", "siloed", "var"} == set(tables[0]["model"])
    pd.testing.assert_frame_equal(*tables)


FAILS = TEN_LINES.replace("        return required", "        return required / (1 // 0)")


def test_a_model_that_raises_is_one_line(write, tmp_path):
    write(FAILS)
    done = typed("protect", "study.toml", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "model 'own' failed: ZeroDivisionError" in done.stderr


def test_a_model_may_be_left_out_where_it_fails(write, tmp_path):
    write(FAILS, fields='on_error = "skip"')
    done = typed("protect", "study.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "results").iterdir()
    assert (result / "own_of_protect.py").read_text() == FAILS
    assert set(pd.read_csv(result / "outcomes.csv")["model"]) == {"siloed", "var"}
    assert list(json.loads((result / "manifest.json").read_text())["failed_models"]) == ["own"]
