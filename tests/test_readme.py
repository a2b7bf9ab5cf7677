"""The README's code runs as it is printed there, and prints what it says it prints."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.studies.inputs import read_inputs
from tests.support.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
(MODEL,) = re.findall(r"```python\n(.*?)```", MODELS, re.DOTALL)
USE_OF_MODEL = """

market = bt.load_market("sample")
book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]), market)
study = bt.run(market, book, {"mine": WorstOfYear(days=100)})
print(int(study.summary()["exceedances"].iloc[0]) > 0)
"""


def printed(code: str, folder) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_first_example_prints_what_the_readme_shows(tmp_path):
    shown = README.split("prints (simulated prices):")[1].split("```")[1]
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    assert [line.rstrip() for line in printed(EXAMPLE, tmp_path).splitlines()] == lines


def test_the_ten_line_model_runs(tmp_path):
    assert printed(MODEL + USE_OF_MODEL, tmp_path).strip() == "True"


def test_it_is_short():
    assert len(README.splitlines()) < 200


def test_the_floors_are_those_that_are_checked():
    """The picture of the floors names each of the packages that lint holds apart, and no other."""
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (floors,) = (c["layers"] for c in layers["contracts"] if c["id"] == "floors")
    checked = [
        {name.removeprefix("backtest.") for name in re.split(r"\W*\|\W*", f)} for f in floors
    ]
    drawn = README.split("and CI checks it:")[1].split("```")[1]
    assert [set(re.findall(r"\w+", floor)) for floor in drawn.split(">")] == checked


def ladder_of(study: str | None, folder: str) -> pd.DataFrame:
    """The offset ladder of a packaged study; bounds of the named books alone."""
    path = None if study is None else Path(study)
    inputs = read_inputs(path, data=folder, seed=None, progress=lambda what, share: None)
    return bt.supportable_offset(
        inputs.market, inputs.book, base=inputs.base, coverage=inputs.config.standard(),
        bounds=list(inputs.named_book.portfolios),
    ).to_frame()  # fmt: skip


def bound(value: float) -> str:
    """A lower bound as pages print it: whole per cent, rounded down."""
    return f"{np.floor(100 * value):.0f}"


@pytest.mark.slow
def test_the_answer_is_that_of_real_prices(real_data):
    """Every number of the answer, from its table and its sentences, against two ladders."""
    answer = README.split("<!-- answer -->")[1].split("<!-- end of answer -->")[0]
    ladder = ladder_of(None, str(real_data))
    control = ladder_of("positive-control", str(real_data)).loc["long 10Y, short ZN"]
    for line in answer.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = cells[0].removeprefix("positive control: ")
        if not line.startswith("| ") or name in ("book", "---"):
            continue
        row = control if name != cells[0] else ladder.loc[name]
        assert cells[1:] == [
            f"{100 * row['total']:.1f} % [{bound(row['total_bound'])} %]",
            f"{100 * row['diversification']:.1f} %",
            f"{100 * row['dependence']:+.1f} [{bound(row['dependence_bound'])}]",
        ]
    matched = ladder[ladder.index.str.contains("risk-matched")]
    pools = [name for name in ladder.index[:7] if "ETH, two" not in name and "control" not in name]
    random = ladder[ladder.index.str.startswith("random")]["dependence"]
    words = " ".join(answer.split())
    low, high, least = re.search(
        r"estimated (\d+) to (\d+) % less margin together, at least (\d+) %", words
    ).groups()
    assert [low, high] == [f"{100 * v:.0f}" for v in sorted(matched["total"])]
    assert least == bound(matched["total_bound"].min())
    named = ladder.loc[pools]
    spans = re.findall(r"at ([+-][\d.]+) to ([+-][\d.]+) points in", words)
    middle = random.quantile([0.1, 0.9])
    assert spans == [
        (f"{100 * named['dependence'].min():+.1f}", f"{100 * named['dependence'].max():+.1f}"),
        tuple(f"{100 * value:+.1f}" for value in middle),
    ]
    assert "five named pools, with a lower bound below zero in each" in words
    assert len(named) == 5 and (named["dependence_bound"] < 0).all() and len(random) == 50
    estimate, least = re.search(r"estimated (\d+) points, at least (\d+)", words).groups()
    assert estimate == f"{100 * control['dependence']:.0f}"
    assert least == bound(control["dependence_bound"])
