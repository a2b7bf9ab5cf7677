"""The README's code runs as it is printed there, and prints what it says it prints."""

import html
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.present.numbers import percent_down
from backtest.studies.inputs import Inputs, read_inputs
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
    assert drawn in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def ladder_of(study: str, folder: str) -> tuple[Inputs, pd.DataFrame]:
    """A packaged study and its offset ladder; bounds of the named books alone."""
    inputs = read_inputs(Path(study), data=folder, seed=None, progress=lambda what, share: None)
    ladder = bt.supportable_offset(
        inputs.market, inputs.book, base=inputs.base, coverage=inputs.config.standard(),
        bounds=list(inputs.named_book.portfolios),
    )  # fmt: skip
    return inputs, ladder.to_frame()


def bound(value: float) -> str:
    """A lower bound as pages print it: whole per cent, rounded down."""
    return percent_down(value).removesuffix(" %")


def mixed(book: bt.Book) -> list[str]:
    """The portfolios that hold Treasuries and other assets, in several silos."""
    held = book.is_held
    treasury = np.array([isinstance(i, bt.Treasury) for i in book.instruments])
    both = held[:, treasury].any(axis=1) & held[:, ~treasury].any(axis=1)
    return [name for name, pool in zip(book.portfolios, both, strict=True) if pool]


@pytest.mark.slow
def test_the_answer_is_that_of_real_prices(real_data):
    """Every number of the answer, from its table and its sentences, against three ladders."""
    answer = README.split("<!-- answer -->")[1].split("<!-- end of answer -->")[0]
    words = " ".join(answer.split())
    lines = [line.strip("|") for line in answer.splitlines() if line.startswith("| ")]
    table = [[cell.strip() for cell in line.split("|")] for line in lines]
    studies = dict.fromkeys(row[1].strip("`") for row in table[2:])
    found = {name: ladder_of(name, str(real_data)) for name in studies}
    assert len(table) == 10 and len(found) == 3
    for name, study, *cells in table[2:]:
        row = found[study.strip("`")][1].loc[name]
        assert cells == [
            f"{100 * row['total']:.1f} % [{bound(row['total_bound'])} %]",
            f"{100 * row['diversification']:.1f} %",
            f"{100 * row['dependence']:+.1f} % [{bound(row['dependence_bound'])} %]",
        ]
    measured = [
        not np.isnan(found[row[1].strip("`")][1].loc[row[0], "unsafe"]) for row in table[2:]
    ]
    assert measured == [True] * 6 + [False] * 2 and "strong as those of the last two rows" in words
    inputs, ladder = found["treasury-crypto"]
    pools = ladder.loc[mixed(inputs.named_book)]
    matched = pools[pools.index.str.contains("risk-matched")]
    saved = r"estimated (\d+) to (\d+) % less margin together, at least (\d+) to (\d+) %"
    said = re.search(saved, words)
    assert list(said.groups()) == [
        *(f"{100 * total:.0f}" for total in (matched["total"].min(), matched["total"].max())),
        *(bound(least) for least in (matched["total_bound"].min(), matched["total_bound"].max())),
    ]
    assert "in the six named pools, with a lower bound below zero in each" in words
    assert len(pools) == 6 and (pools["dependence_bound"] < 0).all()
    random = ladder[ladder.index.str.startswith("random")]["dependence"]
    spans = (pools["dependence"].min(), pools["dependence"].max()), random.quantile([0.1, 0.9])
    assert len(random) == 50
    assert re.findall(r"at ([+-][\d.]+) to ([+-][\d.]+) %[\w' ]* in the", words) == [
        tuple(f"{100 * value:+.1f}" for value in span) for span in spans
    ]
    known = (
        found["positive-control"][1].loc["long 10Y, short ZN"],
        (found["etp-future"][1].loc["long spot, short future"]),
    )
    assert re.findall(r"an estimated (\d+) %, at least (\d+) %,", words) == [
        (f"{100 * row['dependence']:.0f}", bound(row["dependence_bound"])) for row in known
    ]
    days = [int(ladder["observations"].iloc[0]) for _, ladder in found.values()]
    assert all(f"{n:,}" in words for n in days)
    drawn = html.unescape((ROOT / "docs/images/offset-ladder.svg").read_text(encoding="utf-8"))
    for name, row in ladder[ladder["total_bound"].notna()].iterrows():
        offset = f"{100 * row['dependence']:+.1f}".replace("-", "\N{MINUS SIGN}")
        least = bound(row["total_bound"])
        said = f"{name}: total {100 * row['total']:.1f} % (lower bound {least} %), "
        said += f"diversification {100 * row['diversification']:.1f} %, offset {offset} %"
        assert said in drawn
