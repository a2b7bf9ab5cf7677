"""A user's model that raises: one line, exit code 2, the traceback in a file; or left out."""

import json
import os
import sys

import pandas as pd
import pytest

import backtest as bt
from backtest.cli import main
from backtest.config.load import read_study
from backtest.studies import COMMANDS
from tests.model.test_user_models import TEN_LINES, write_own
from tests.support.commands import write_prices

RAISES = TEN_LINES.replace("        return required", "        return required / (1 // 0)")
LATER = TEN_LINES.replace(
    "        return required",
    "        if len(loss) < 200:\n            raise KeyError('no quote')\n        return required",
)
# A grid goes on without the cells that fail: tests/studies/grid. Others read results, simulators
# ask no model, and what has no [structure] is refused by `protect`: tests/studies/protect.
OTHERS = ("power", "simulate", "compare", "validate", "grid", "annex", "dossier", "protect")
WITH_MODELS = [c.name for c in COMMANDS if c.name not in OTHERS]


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    return write_prices(tmp_path_factory.mktemp("prices"), days=300)


def ended(capsys, *arguments):
    """Exit code, standard output and the lines of standard error."""
    with pytest.raises(SystemExit) as left:
        main(list(map(str, arguments)))
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err.strip().splitlines()


@pytest.fixture
def study(tmp_path, prices, monkeypatch):
    """Write a study whose model has the given code, and work beside it."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(tmp_path)

    def write(code, fields=""):
        sys.modules.pop("own_failing", None)
        return write_own(tmp_path, prices, code, kind="own_failing:WorstOfYear", fields=fields)

    yield write
    sys.modules.pop("own_failing", None)


@pytest.mark.parametrize("command", WITH_MODELS)
def test_a_model_that_raises_is_one_line_and_a_traceback_in_a_file(
    command, study, tmp_path, capsys
):
    code, _, errors = ended(capsys, command, study(RAISES))
    assert code == 2 and len(errors) == 1
    name = "siloed" if command == "closeout" else "own"  # the first that has what it needs
    assert errors[0].startswith(f"backtest: model '{name}' failed: ZeroDivisionError: ")
    assert "for 'long both', days 2022-01-" in errors[0]
    (left,) = (tmp_path / "results").iterdir()  # no folder of results, and none half written
    assert errors[0].endswith(f"Traceback: results/{left.name}")
    assert "own_failing.py" in left.read_text() and "1 // 0" in left.read_text()


def test_a_failure_inside_the_audit_names_the_day(study, capsys):
    code, _, errors = ended(capsys, "run", study(LATER))
    assert code == 2 and len(errors) == 1
    assert "model 'own' failed: KeyError: 'no quote'" in errors[0]
    assert "with the days after 2022-" in errors[0] and "days stay" in errors[0]


@pytest.mark.slow
def test_a_failure_in_a_worker_or_with_an_exception_that_cannot_travel(
    study, tmp_path, monkeypatch, capsys
):
    lost = (
        "class Lost(Exception):\n    def __init__(self, a, b):\n        super().__init__('lost')\n"
    )
    lost += RAISES.replace("return required / (1 // 0)", "raise Lost(1, 2)")
    monkeypatch.setattr("backtest.replay.run.audit_models", lambda *a, **k: ({}, {}))
    code, _, errors = ended(capsys, "run", study(lost), "--n-jobs", 2)
    assert code == 2 and "failed: RuntimeError: Lost: lost (for 'long both'" in errors[-1]
    leaves = RAISES.replace("return required / (1 // 0)", "raise SystemExit(3)")
    code, _, errors = ended(capsys, "run", study(leaves))
    assert code == 2 and "it left with exit code 3" in errors[-1]
    panics = RAISES.replace("return required / (1 // 0)", "raise GeneratorExit('no')")
    code, _, errors = ended(capsys, "run", study(panics))
    assert code == 2 and "failed: RuntimeError: GeneratorExit: no" in errors[-1]


def test_where_results_cannot_hold_it_the_traceback_is_elsewhere(study, tmp_path, capsys):
    (tmp_path / "results").write_text("a file")
    from backtest.studies.failures import ModelFailure, with_traceback_file

    told = with_traceback_file(ModelFailure("it failed.", "the story"), tmp_path / "results")
    place = str(told).split("Traceback: ")[1]
    assert not place.startswith(str(tmp_path))
    with open(place) as file:
        assert file.read() == "the story"
    os.unlink(place)


def test_a_model_that_may_fail_is_left_out_and_marked_everywhere(study, tmp_path, capsys):
    skip = 'on_error = "skip"\n[models.var]\nkind = "historical_var"\nlookback = 60'
    file = study(RAISES, skip)
    text = file.read_text().replace(  # the siloed model holds the same class, and fails as well
        "[models.siloed]", '[models.siloed]\non_error = "skip"'
    )
    file.write_text(text + '[[gates]]\nmodel = "own"\ncolumn = "mean_margin"\nat_least = 1.0\n')
    code, out, _ = ended(capsys, "run", file)
    assert code == 1 and "gate failed: own: the model failed" in out  # its gate does not hold
    assert "LEFT OUT: model 'own' failed: ZeroDivisionError" in " ".join(out.split())
    assert "Failed, and left out" in out
    (folder,) = (tmp_path / "results").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert list(manifest["failed_models"]) == ["own", "siloed"] and list(manifest["models"]) == [
        "var"
    ]
    summary = pd.read_csv(folder / "summary.csv", index_col=["model", "portfolio"])
    assert summary.loc[("own", "long both")].drop("failed").isna().all()
    assert "ZeroDivisionError" in summary.loc[("own", "long both"), "failed"]
    assert pd.isna(summary.loc[("var", "long both"), "failed"])
    page = (folder / "report.html").read_text()
    assert "LEFT OUT: model &#39;own&#39; failed" in page
    again = bt.Study.load(folder)
    assert set(again.provenance.failed_models) == {"own", "siloed"} and again.models == ("var",)


OTHER = """
on_error = "skip"
[models.other]
kind = "correlation_offset"
lookback = 60
base = { kind = "historical_var", lookback = 60 }
"""


def test_other_commands_go_on_without_a_failed_model(study, tmp_path, capsys):
    file = study(RAISES, OTHER)
    text = file.read_text().replace("[models.siloed]", '[models.siloed]\non_error = "skip"')
    file.write_text(text)
    code, out, errors = ended(capsys, "closeout", file)
    assert code == 0, errors
    assert "LEFT OUT: model 'siloed' failed" in " ".join(out.split())
    assert "Causality: no margin of 2 models moved" in " ".join(out.split())
    (folder,) = (tmp_path / "results").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["causality"]) == {"other", "sizing"}
    assert "causality of sizing" in (folder / "report.html").read_text()


def test_a_study_without_a_model_left_fails(study, capsys):
    file = study(RAISES, 'on_error = "skip"')
    alone = file.read_text().split("[models.siloed]")[0]
    file.write_text(alone + '[books."b"]\nusd = { BTC = 1e6 }\n')
    code, _, errors = ended(capsys, "run", file)
    assert code == 2 and "model 'own' failed: ZeroDivisionError" in errors[-1]


def test_on_error_is_stop_or_skip():
    text = '[models.own]\nkind = "x"\non_error = "go"\n[books.b]\nusd = { BTC = 1.0 }\n'
    with pytest.raises(bt.StudyError, match=r"models.own.on_error is 'go'; give 'stop' or 'skip'"):
        read_study(text, where="my.toml")
