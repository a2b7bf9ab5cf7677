"""First runs after an installation, several at once, in one empty folder for machine code."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.places import ROOT

FIRST_RUN = """
import hashlib
import pandas as pd
from numba.core import event

compiled = []
class Compilations(event.Listener):
    def on_start(self, what): compiled.append(what.data["dispatcher"].py_func.__name__)
    def on_end(self, what): pass
event.register("numba:compile", Compilations())

import backtest as bt, strategies as st
market = bt.load_market("sample", end="2019-12-31")
frame = pd.DataFrame({"UST10Y": [1e8, -1e8], "BTC": [5e6, 5e6]}, index=["long", "short"])
book = bt.Book.from_frame(frame, market)
study = bt.run(market, book, {"siloed": st.Siloed(), "offset": st.CorrelationOffset()})
ladder = bt.supportable_offset(market, book, resamples=50).to_frame()
bits = b"".join(t.to_numpy().tobytes() for t in (*study.required.values(), study.loss))
bits += ladder[["total", "dependence_bound"]].to_numpy().tobytes()
print(hashlib.sha256(bits).hexdigest(), len(compiled))
"""


def started(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", FIRST_RUN],
        cwd=ROOT,
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[str, int]:
    """The sha256 of all numbers, and how many kernels were compiled."""
    printed, said = process.communicate()
    assert process.returncode == 0 and said == "", said
    digest, compiled = printed.split()
    return digest, int(compiled)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 8])
def test_first_runs_at_once_are_right_and_leave_all_code_behind(
    tmp_path: Path, processes: int
) -> None:
    running = [started(tmp_path) for _ in range(processes)]
    killed = started(tmp_path)
    while not list(tmp_path.rglob("*.nbc")):  # some code is written, most is being compiled
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    first = [ended(process) for process in running]
    after = ended(started(tmp_path))
    assert {digest for digest, _ in first} == {after[0]}
    assert after[1] == 0 and all(compiled > 0 for _, compiled in first)
