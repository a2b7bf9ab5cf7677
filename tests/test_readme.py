"""The README's code runs as it is printed there, and prints what it says it prints."""

import re
import subprocess
import sys

import numpy as np
import pytest

import backtest as bt
from backtest.studies.inputs import read_inputs
from tests.support.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE, MODEL = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
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


@pytest.mark.slow
def test_the_ladder_of_real_prices_is_what_the_readme_shows(real_data):
    """Estimates as printed; bounds rounded down, as the page rounds them."""
    inputs = read_inputs(None, data=str(real_data), seed=None, progress=lambda what, share: None)
    ladder = bt.supportable_offset(
        inputs.market, inputs.named_book, base=inputs.base, coverage=inputs.config.standard()
    ).to_frame()
    for book, row in ladder.iterrows():
        (line,) = [line for line in README.splitlines() if line.startswith(f"  {book}  ")]
        numbers = [f"{100 * row[name]:.1f} %" for name in ("total", "diversification")]
        numbers.append(f"{100 * row['dependence']:+.1f} %")
        numbers += [f"{np.floor(100 * row[f'{n}_bound']):+.0f} %]" for n in ("total", "dependence")]
        assert all(number.replace("[+0 ", "[0 ").lstrip("+") in line for number in numbers), line
