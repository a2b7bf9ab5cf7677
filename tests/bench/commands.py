"""Commands as a user waits for them: whole processes, by both clocks.

Prices are those of the folder that MARGIN_BACKTEST_DATA names, else the simulated sample.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.bench.timing import Seconds, Table

REAL = os.environ.get("MARGIN_BACKTEST_DATA")
PRICES = ["--data", REAL or "sample"]
WHICH = "real prices" if REAL else "simulated sample"
ROUNDS = 5
CLOCKS = WALL, PROCESSOR = "wall clock", "processor time, all its processes"
ONE_BOOK = """
import pandas as pd, backtest as bt, strategies as st
market = bt.load_market("sample")
frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long both"])
book = bt.Book.from_frame(frame, market)
"""
MARGIN = f"{ONE_BOOK}st.HistoricalVaR().margin(market, book, bt.Coverage())"
STUDY = f"{ONE_BOOK}bt.run(market, book, {{'siloed': st.Siloed(), 'var': st.HistoricalVaR()}})"


def measured(arguments: list[str], *, first: bool = False) -> tuple[float, float]:
    """Seconds on the wall, and of processor time, of one process of Python and what it starts.

    first : in a folder for machine code that is empty, as after an installation.
    """
    with TemporaryDirectory() as folder:
        place = {"NUMBA_CACHE_DIR": folder} if first else {}
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], env=os.environ | place, check=True, capture_output=True
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def command(
    title: str,
    arguments: list[str],
    *goals: Seconds,
    of: str = WALL,
    first: bool = False,
    rounds: int = ROUNDS,
) -> Table:
    """A process timed several times; unless it is to be the first, once more beforehand.

    of : the clock that the goals are of; it comes first.
    """
    if not first:
        measured(arguments)
    seconds = np.array([measured(arguments, first=first) for _ in range(rounds)])
    order = [CLOCKS.index(of), 1 - CLOCKS.index(of)]
    return Table(title, tuple(CLOCKS[i] for i in order), seconds[:, order], goals)


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    program, load = ["-m", "backtest"], ["-c", "import backtest, strategies"]
    margin, study = ["-c", MARGIN], ["-c", STUDY]
    yield command("backtest --help, warm", [*program, "--help"], Seconds(0.3))
    yield command("import backtest, strategies, warm", load, Seconds(1.0), of=PROCESSOR)
    title = "first margin after an installation"
    yield command(title, margin, Seconds(6.0), of=PROCESSOR, first=True, rounds=3)
    title = "first bt.run after an installation, one book, two models"
    yield command(title, study, of=PROCESSOR, first=True, rounds=3)
    with TemporaryDirectory() as folder:
        to = [*PRICES, "--out", str(Path(folder) / "results")]
        run, offset = [*program, "run", *to], [*program, "offset", *to]
        yield command(f"backtest run, {WHICH}, warm", run, Seconds(7.0, 4.0), rounds=3)
        yield command(f"backtest offset, {WHICH}, warm", offset, Seconds(25.0, 10.0), rounds=3)
        title = f"first backtest run after an installation, {WHICH}"
        yield command(title, run, of=PROCESSOR, first=True, rounds=1)
