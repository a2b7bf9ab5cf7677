"""A user's own model from a study file: run, audited, reproduced; its mistakes are one line."""

import hashlib
import json
import os
import subprocess
import sys

import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.cli import main
from backtest.config.models import build_model, model_table
from backtest.model import guard, protocol
from backtest.model.user_models import user_file_hashes
from tests.support.commands import backtest, write_prices

TEN_LINES = """
import numpy as np

class WorstOfYear:
    days = 60

    def margin(self, market, book, coverage):
        loss = book.loss(market, coverage).sum(axis=2)
        required = np.full_like(loss, np.nan)
        for t in range(self.days + coverage.longest - 1, len(loss)):
            known = loss[: t - coverage.longest + 1]  # a loss is known H days later
            required[t] = np.maximum(known[-self.days:].max(axis=0), 0.0)
        return required
"""
STUDY = """
name = "own"
[data]
source = "{prices}"
factors = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]
[sizing]
kind = "historical_var"
lookback = 60
[models.own]
kind = "{kind}"
{fields}
[models.siloed]
kind = "siloed"
base = {{ kind = "{kind}" }}
[books."long both"]
usd = {{ BTC = 1e6, UST10Y = 1e7 }}
[monte_carlo]
paths = {paths}
"""


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    return write_prices(tmp_path_factory.mktemp("prices"))


def write_own(folder, prices, code=TEN_LINES, *, kind="my_module:WorstOfYear", fields="", paths=0):
    study = folder / "study.toml"
    study.write_text(STUDY.format(prices=prices, kind=kind, fields=fields, paths=paths))
    (folder / f"{kind.split(':')[0]}.py").write_text(code)
    return study


def test_ten_lines_of_numpy_run_from_a_study_file_and_are_reproduced(tmp_path, prices):
    study = write_own(tmp_path, prices, paths=2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = backtest("run", study, "--n-jobs", 2, cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    result = next((elsewhere / "results").iterdir())
    manifest = json.loads((result / "manifest.json").read_text())
    assert manifest["causality"]["own"]["largest_change"] == 0.0
    assert manifest["study"]["models"]["own"] == {"kind": "my_module:WorstOfYear"}
    assert (result / "my_module.py").read_text() == TEN_LINES
    required = pd.read_parquet(result / "daily.parquet")
    assert set(required["model"]) == {"own", "siloed"}
    again = backtest("reproduce", result, cwd=elsewhere)
    assert again.returncode == 0 and "reproduced" in again.stdout, again.stdout + again.stderr
    assert not list(tmp_path.rglob("*.pyc"))


def test_its_numbers_are_those_of_the_class_itself(tmp_path, monkeypatch, small_market, small_book):
    (tmp_path / "own_numbers.py").write_text(TEN_LINES)
    monkeypatch.syspath_prepend(tmp_path)
    model = build_model({"kind": "own_numbers:WorstOfYear"})
    loss = small_book.loss(small_market, bt.Coverage()).sum(axis=2)
    required = model.margin(small_market, small_book, bt.Coverage())
    for t in (61, 100, 259):
        assert required[t].tolist() == loss[t - 61 : t - 1].max(axis=0).clip(0).tolist()
    nested = st.Siloed(base=model)
    assert model_table(nested)["base"] == {"kind": "own_numbers:WorstOfYear"}
    before = user_file_hashes([model_table(nested)])
    (tmp_path / "own_numbers.py").write_text(TEN_LINES + "\n")
    assert user_file_hashes([model_table(nested)]) != before


PARAMETERS = "from backtest.model.protocol import model\n" + TEN_LINES.replace(
    "class", "@model\nclass"
)
PARAMETERS = PARAMETERS.replace("days = 60", "days: int = 60")
MISTAKES = {
    "no module": ("", "no_module:M", "", "there is no module 'no_module'; put no_module.py beside"),
    "no class": (TEN_LINES, "my_module:Worst", "", "margin models in it: WorstOfYear"),
    "no model": ("class M: pass", "my_module:M", "", "is not a margin model; give a class with"),
    "no class but a function": ("def M(): pass", "my_module:M", "", "is not a margin model"),
    "an object": (TEN_LINES + "\nm = WorstOfYear()", "my_module:m", "", "is not a"),
    "fails as it loads": ("1 / 0", "my_module:M", "", "ZeroDivisionError: division by zero"),
    "leaves as it loads": (
        "import sys; sys.exit(3)",
        "my_module:M",
        "",
        "it left with exit code 3",
    ),
    "leaves at once": ("import os; os._exit(0)", "my_module:M", "", "it left with exit code 0"),
    "ends the wait": ("raise GeneratorExit", "my_module:M", "", "RuntimeError: GeneratorExit"),
    "never ends": ("while True: pass", "my_module:M", "", "was not done after 1 s"),
    "is never made": (
        TEN_LINES.replace("days = 60", "def __init__(self):\n        while True: pass"),
        "my_module:WorstOfYear",
        "",
        "was not done after 1 s",
    ),
    "is no module": ("import sys; sys.modules[__name__] = 7", "my_module:M", "", "by 7; give"),
    "panics": ("class P(BaseException): pass\nraise P('no')", "my_module:M", "", "P: no"),
    "syntax": ("class M(:", "my_module:M", "", "SyntaxError"),
    "needs another": ("import no_such_library", "my_module:M", "", "No module named 'no_such_lib"),
    "arguments": (
        TEN_LINES.replace("days = 60", "def __init__(self, days): pass"),
        "my_module:WorstOfYear",
        "",
        "missing 1 required positional argument: 'days'",
    ),
    "unknown parameter": (TEN_LINES, "my_module:WorstOfYear", "day = 3", "no parameter 'day'"),
    "misspelt parameter": (PARAMETERS, "my_module:WorstOfYear", "dayz = 3", "Did you mean 'days'?"),
    "wrong type": (PARAMETERS, "my_module:WorstOfYear", "days = 'a'", "days is 'a'"),
    "knows its future": (
        TEN_LINES.replace("t - coverage.longest + 1", "t + 1"),
        "my_module:WorstOfYear",
        "",
        "is allowed only while the model warms up",
    ),
    "looks ahead": (
        TEN_LINES.replace("return required", "return required + market.levels[-1, 5]"),
        "my_module:WorstOfYear",
        "",
        "is not causal",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(mistake, tmp_path, prices, monkeypatch, capsys):
    code, kind, fields, said = MISTAKES[mistake]
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(guard, "SECONDS_TO_LOAD", 1.0)
    # A module of its own for each case: Python imports a name once.
    named = kind.replace("my_module", "own_" + mistake.replace(" ", "_"))
    write_own(tmp_path, prices, code, kind=named, fields=fields)
    if not code:
        (tmp_path / f"{named.split(':')[0]}.py").unlink()
    with pytest.raises(SystemExit) as left:
        main(["run", "study.toml"])
    printed = capsys.readouterr().err.strip().splitlines()
    assert left.value.code == 2 and said in printed[-1]
    assert printed[-1].startswith("backtest: ")
    assert not (tmp_path / "results").exists() or not list((tmp_path / "results").iterdir())


def test_no_file_of_a_study_stands_in_for_an_installed_module(
    tmp_path, prices, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(tmp_path)
    write_own(tmp_path, prices, kind="json:WorstOfYear")
    with pytest.raises(SystemExit):
        main(["run", "study.toml"])
    assert "json/__init__.py has no 'WorstOfYear'" in capsys.readouterr().err


def test_code_is_named_before_it_runs_and_comes_from_beside_the_study(tmp_path, prices):
    folder, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    folder.mkdir(), elsewhere.mkdir()
    said = 'print("the code runs")\n' + TEN_LINES + "\nraise KeyError('end')\n"
    write_own(folder, prices, said)
    (elsewhere / "my_module.py").write_text("print('the wrong file')\n" + TEN_LINES)
    done = backtest("run", folder / "study.toml", cwd=elsewhere)
    sha256 = hashlib.sha256((folder / "my_module.py").read_bytes()).hexdigest()
    lines = done.stdout.splitlines()
    named = lines.index(f"runs code from my_module.py, sha256 {sha256}")
    assert named < lines.index("the code runs") and "KeyError" in done.stderr


@pytest.mark.slow
def test_compiled_code_is_not_taken_for_its_source(tmp_path, prices):
    from tests.studies.run.test_reproduce import plant

    study = write_own(tmp_path, prices, paths=4)
    plant(tmp_path, tmp_path / "my_module.py", tmp_path / "marker")
    done = backtest("run", study, "--n-jobs", 2, cwd=tmp_path)  # workers import it, too
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "marker").exists()


def test_a_module_that_will_not_be_stopped_is_ended_with_a_line(tmp_path):
    (tmp_path / "own.py").write_text(
        "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass"
    )
    (tmp_path / "asks.py").write_text(
        "from backtest.model import guard, user_models\n"
        "guard.SECONDS_TO_LOAD = guard.SECONDS_TO_OBEY = 0.5\n"
        "user_models.user_models({'kind': 'own:M'})\n"
    )
    done = subprocess.run([sys.executable, "asks.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("backtest: the import of own was not done after 0.5 s; move")


def test_a_model_is_left_where_the_command_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with guard.contained():
        os.chdir("/")
    assert os.getcwd() == str(tmp_path)


@pytest.mark.parametrize("margin", ["[1.0]", "-np.ones((len(market.dates), 4))"])
def test_a_model_that_sizes_books_is_checked_like_any_other(margin, tmp_path, prices, capsys):
    code = f"import numpy as np\nclass M:\n    def margin(self, market, book, c): return {margin}"
    study = write_own(tmp_path, prices, kind="sizes_books:M", code=code)
    text = study.read_text().replace('"historical_var"\nlookback = 60', '"sizes_books:M"', 1)
    study.write_text(text.replace("usd = { BTC = 1e6", "risk = { BTC = 1e6"))
    with pytest.raises(SystemExit):
        main(["run", str(study), "--out", str(tmp_path)])
    assert "sizes_books.M re" in capsys.readouterr().err  # requires, or returned


def test_a_kind_belongs_to_one_class_and_a_bare_model_has_none(monkeypatch):
    monkeypatch.setattr(protocol, "KINDS", kinds := {})

    def plain():
        class Plain:
            pass

        return Plain

    protocol.model(plain())
    assert kinds == {}
    first, reloaded = (protocol.model(kind="plain")(plain()) for _ in range(2))
    assert kinds == {"plain": reloaded} and first is not reloaded
    with pytest.raises(bt.StudyError, match="kind 'plain' of .*Other is taken by .*Plain; give"):
        protocol.model(kind="plain")(type("Other", (), {}))
    assert kinds == {"plain": reloaded}
