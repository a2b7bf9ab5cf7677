"""Ten thousand random books on history: `bt.run`, and the whole command, with its peak memory.

Prices are those of the folder that MARGIN_BACKTEST_DATA names, else the simulated sample. Each is
one process, run once on few books beforehand, so that kernels are compiled.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.bench.scale import MODELS
from tests.bench.timing import Seconds, Table

PRICES = os.environ.get("MARGIN_BACKTEST_DATA", "sample")
WHICH = "simulated sample" if PRICES == "sample" else "real prices"
FACTORS = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]
BOOKS, FEW = 10_000, 20
GOAL, MOST_MEMORY = Seconds(60.0, 20.0), 2.0  # GiB
ARMS = ("processor time, all its processes", "wall clock")
STUDY = """
import backtest as bt
from tests.bench.scale import COVERAGE, MODELS, random_book
market = bt.load_market({prices!r}, factors={factors!r})
bt.run(market, random_book(market, {books}), MODELS, coverage=COVERAGE).summary()
"""


def measured(arguments: list[str]) -> tuple[tuple[float, float], float]:
    """Seconds of processor time and on the wall, and peak GiB, of a process and what it starts."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return (used.ru_utime + used.ru_stime, time.perf_counter() - start), used.ru_maxrss / 2**20


def study_file(folder: Path, books: int) -> Path:
    """The packaged study with so many books, all random but those that it names."""
    text = (files("backtest.config.studies") / "treasury-crypto.toml").read_text("utf-8")
    named = text.count("\n[books.")
    random, found = re.subn(r"(?m)^portfolios = .*$", f"portfolios = {books - named}", text)
    assert found == 1, "the packaged study has no one line of random books"
    file = folder / f"{books}-books.toml"
    file.write_text(random, encoding="utf-8")
    return file


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    with TemporaryDirectory() as folder:

        def program(books: int) -> list[str]:
            to = ["--data", PRICES, "--out", str(Path(folder) / "results")]
            return ["-m", "backtest", "run", str(study_file(Path(folder), books)), *to]

        works = {
            "bt.run": lambda books: [
                "-c",
                STUDY.format(prices=PRICES, factors=FACTORS, books=books),
            ],
            "backtest run, tables and figures written": program,
        }
        for name, arguments in works.items():
            measured(arguments(FEW))
            seconds, peak = measured(arguments(BOOKS))
            title = (
                f"{name}: {BOOKS:,} books, {len(MODELS)} models, {WHICH}; peak {peak:.2f} GiB "
                f"(asked at most {MOST_MEMORY:g})"
            )
            yield Table(title, ARMS, np.array([seconds]), (GOAL,))
