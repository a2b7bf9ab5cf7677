"""The command line as a user meets it: in a temporary folder, right and wrong arguments."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strategies import MODELS
from tests.support.commands import backtest, refused, typed, write_prices, write_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One finished run that several tests look at."""
    folder = tmp_path_factory.mktemp("run")
    write_prices(folder / "prices")
    write_study(folder)
    done = backtest("run", "study.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done, next((folder / "results").iterdir())


def test_a_run_prints_the_table_and_leaves_a_complete_folder(finished):
    _, done, result = finished
    for word in ("long both", "siloed", "coverage p", "Offset ladder", "diversification"):
        assert word in done.stdout
    names = {p.name for p in result.iterdir()}
    assert names >= {
        "study.toml",
        "manifest.json",
        "summary.csv",
        "pooled.csv",
        "ladder.csv",
        "book.csv",
        "daily.parquet",
        "scores.parquet",
        "report.html",
        "figures",
    }
    kinds = {p.suffix for p in (result / "figures").iterdir()}
    assert kinds == {".svg", ".pdf", ".png", ".csv"}
    assert "SIMULATED" not in done.stdout  # a folder of prices is taken as history


def test_the_manifest_tells_data_window_hash_and_audit(finished):
    _, _, result = finished
    manifest = json.loads((result / "manifest.json").read_text())
    assert {f["name"] for f in manifest["data"]["files"]} == {
        "treasury_par_yields.csv",
        "btc_usd.csv",
        "eth_usd.csv",
    }
    assert result.name.endswith("_small_" + manifest["sha256"][:8])
    assert set(manifest["causality"]) == {"siloed", "var", "sizing"}
    assert manifest["command"] == "backtest run study.toml"


@pytest.mark.slow
def test_equal_studies_have_equal_hashes_and_numbers_and_keep_earlier_results(finished):
    folder, _, result = finished
    before = {p: p.stat().st_mtime_ns for p in result.rglob("*")}
    time.sleep(1.1)  # folder names carry the second
    again = backtest("run", "study.toml", "--n-jobs", 2, cwd=folder)
    assert again.returncode == 0, again.stderr
    other = next(p for p in (folder / "results").iterdir() if p != result)
    assert other.name[-8:] == result.name[-8:]
    assert (other / "summary.csv").read_bytes() == (result / "summary.csv").read_bytes()
    for name in ("coverage_against_cost.svg", "offset_ladder.svg"):
        first, second = (r / "figures" / name for r in (result, other))
        assert first.read_bytes() == second.read_bytes()
    assert before == {p: p.stat().st_mtime_ns for p in result.rglob("*")}
    shutil.rmtree(other)


def test_reproduce_reports_the_same_and_drift(finished, tmp_path):
    folder, _, result = finished
    same = typed("reproduce", result, cwd=folder)
    assert same.returncode == 0 and "every score is the same" in same.stdout
    write_prices(tmp_path / "other", days=430)
    drift = typed("reproduce", result, "--data", tmp_path / "other", cwd=folder)
    assert drift.returncode == 1 and "the prices differ" in drift.stdout


def test_report_can_be_written_again(finished):
    folder, _, result = finished
    page = (result / "report.html").read_text()
    (result / "report.html").unlink()
    done = typed("report", result, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (result / "report.html").read_text() == page


def test_offset_prints_the_ladder_alone(finished):
    folder, _, _ = finished
    done = typed("offset", "study.toml", "--out", "offsets", cwd=folder)
    assert done.returncode == 0 and "long both" in done.stdout and "FICC" in done.stdout
    (written,) = (folder / "offsets").iterdir()
    page = (written / "report.html").read_text()
    assert "supportable offset" in page and "long both" in page and "<script" not in page
    assert (written / "ladder.csv").is_file() and (written / "figures").is_dir()


def test_models_lists_every_kind():
    done = typed("models", cwd=Path.cwd())
    for kind in MODELS:
        assert f"\n{kind}  " in f"\n{done.stdout}"
    assert "NOT VERIFIED" in done.stdout and "17 CFR 240.15c3-1" in done.stdout


def test_a_failed_gate_is_exit_code_1(tmp_path):
    write_prices(tmp_path / "prices")
    write_study(tmp_path, extra='gates = [{ model = "var", column = "mean_margin", at_most = 1 }]')
    done = typed("run", "study.toml", cwd=tmp_path)
    assert done.returncode == 1 and "gate failed: var: mean_margin" in done.stdout
    assert list((tmp_path / "results").iterdir())


def column(name, row, value):
    def edit(yields, btc):
        yields = yields.copy()
        yields.loc[row, name] = value
        return yields, btc

    return edit


def coin(row, value):
    def edit(yields, btc):
        btc = btc.copy()
        btc.loc[row, "Close"] = value
        return yields, btc

    return edit


def rows(change):
    return lambda yields, btc: (change(yields), btc)


BAD_PRICES = {
    "missing column": (rows(lambda y: y.drop(columns="10Y")), "has no column '10Y'"),
    "negative price": (coin(7, -5.0), "Close on 2022-01-10 is -5; moves here are relative"),
    "percent as basis points": (column("10Y", 3, 425.0), "10Y on 2022-01-06 is 425 percent"),
    "unsorted": (rows(lambda y: y.sample(frac=1.0, random_state=1)), "comes after a later day"),
    "duplicate": (rows(lambda y: pd.concat([y.iloc[:5], y.iloc[4:]])), "occurs twice"),
    "hole": (rows(lambda y: y.drop(index=range(50, 62))), "no complete day between"),
    "absurd price": (coin(7, 1e308), "Close on 2022-01-10 is 1e+308; a price must lie in"),
    "infinite price": (coin(7, np.inf), "Close on 2022-01-10 is inf; a price must lie in"),
    "vanishing price": (coin(7, 1e-300), "Close on 2022-01-10 is 1e-300; a price must lie in"),
    "two columns": (
        rows(lambda y: pd.concat([y, y[["10Y"]]], axis=1)),
        "treasury_par_yields.csv has 2 columns '10Y'",
    ),
    "decimals": (
        rows(lambda y: y.assign(**{c: y[c].astype(float) / 100 for c in y if c != "Date"})),
        "yields look like decimals; write percent",
    ),
    "text": (column("10Y", 3, "n.a."), "10Y is 'n.a.', not a number"),
    "no date": (rows(lambda y: y.assign(Date=y["Date"].where(y.index != 4, "4 Jan"))), "'4 Jan'"),
}


@pytest.mark.parametrize("case", BAD_PRICES)
def test_bad_prices_get_one_line_and_code_2(tmp_path, case):
    edit, said = BAD_PRICES[case]
    write_prices(tmp_path / "prices", edit=_as_object(edit))
    write_study(tmp_path)
    assert said in refused(typed("run", "study.toml", cwd=tmp_path), tmp_path)


def _as_object(edit):
    return lambda yields, btc: edit(yields.astype(object), btc)


BAD_STUDIES = {
    "misspelt key": ({"extra": "seeed = 3"}, "unknown key 'seeed'. Did you mean 'seed'?"),
    "lookback too long": ({"lookback": 4000}, "lookback=4000"),
    "unknown instrument": ({"instrument": "BTCC"}, "unknown instrument 'BTCC'"),
    "empty folder": ({"source": "nothing"}, "holds no CSV file"),
    "no folder": ({"source": "nowhere"}, "no folder 'nowhere'"),
    "wrong type": ({"lookback": '"long"'}, "lookback is 'long'"),
    "out of bounds": ({"lookback": 3}, "greater than or equal to 20"),
    "not TOML": ({"extra": "= 3"}, "is not TOML"),
}


@pytest.mark.parametrize("case", BAD_STUDIES)
def test_bad_studies_get_one_line_and_code_2(tmp_path, case):
    fields, said = BAD_STUDIES[case]
    write_prices(tmp_path / "prices")
    (tmp_path / "nothing").mkdir()
    write_study(tmp_path, **fields)
    assert said in refused(typed("run", "study.toml", cwd=tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "absent.toml"], "cannot read study 'absent.toml'"),
        (["run", "--n-jobs", "0"], "--n-jobs"),
        (["run", "--no-such"], "--no-such"),
        (["rnu"], "rnu"),
        (["report", "."], "holds no finished study"),
        (["run", "--out", "file.txt/x"], "cannot write results in 'file.txt/x'"),
        (["run", "--data", "nowhere"], "no folder 'nowhere'"),
        (["run", "--out", "x" * 300], "File name too long; choose another with --out"),
    ],
)
def test_bad_arguments_get_one_line_and_code_2(tmp_path, arguments, said):
    (tmp_path / "file.txt").write_text("not a folder")
    assert said in refused(typed(*arguments, cwd=tmp_path), tmp_path)


@pytest.mark.parametrize("asked, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_nothing_that_looks_finished(tmp_path, asked, code):
    write_prices(tmp_path / "prices")
    write_study(tmp_path)
    running = subprocess.Popen(
        [sys.executable, "-m", "backtest", "run", "study.toml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        # Tests that run in the background of a shell hand on a Ctrl-C that is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    for line in running.stdout:
        if "causality audit" in line:
            break
    running.send_signal(asked)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == code
    assert errors == "backtest: interrupted; no result was written\n"
    results = tmp_path / "results"
    assert not results.exists() or not list(results.iterdir())


def test_a_reader_that_leaves_stops_no_work(tmp_path):
    """`backtest run | head -1` finishes what it began."""
    write_prices(tmp_path / "prices")
    write_study(tmp_path)
    running = subprocess.Popen(
        [sys.executable, "-m", "backtest", "run", "study.toml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout.readline()
    running.stdout.close()
    assert running.stderr.read() == "" and running.wait(timeout=240) == 0
    running.stderr.close()
    (written,) = (tmp_path / "results").iterdir()
    assert (written / "report.html").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "backtest", "models"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "backtest: cannot write to the screen: No space left on device.\n"


def test_what_cannot_be_printed_is_escaped_in_messages(tmp_path):
    done = typed("run", "\x1b[31mred.toml", cwd=tmp_path)
    assert r"\x1b[31mred.toml" in refused(done, tmp_path)
    assert "\x1b" not in done.stderr


def test_help_is_quick_to_load():
    """`--help` loads none of the heavy libraries."""
    code = (
        "import sys\n"
        "from backtest.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'arch', 'matplotlib', 'yfinance', 'scipy.stats'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_an_import_loads_what_every_use_needs_and_no_more():
    code = (
        "import sys, backtest, strategies\n"
        "heavy = {'arch', 'matplotlib', 'yfinance', 'scipy.stats', 'scipy.optimize', 'jinja2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("first", ["backtest", "strategies", "backtest.config.models"])
def test_either_package_can_be_imported_first(first):
    code = f"import {first}; import backtest, strategies; assert backtest.run and strategies.Siloed"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
