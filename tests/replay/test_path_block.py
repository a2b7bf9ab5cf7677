"""A block of paths: books scored together or apart, and memory that is used again."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backtest as bt
import strategies as st
from backtest.account.mix import Mix
from backtest.memory import keep_freed
from backtest.replay import path_block
from tests.support.worlds import BLOCKS

MODELS = {
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
    "var": st.HistoricalVaR(lookback=60),
}


@pytest.mark.parametrize("width", [1, 3])
def test_books_scored_apart_have_the_scores_that_they_have_together(
    width, monkeypatch, small_market, small_book
):
    """Each with its own days to close out, and collateral that is marked over them."""
    terms = {
        "coverage": bt.Coverage(mpor={"FICC": 3, "CME": 1}),
        "account": bt.AccountTerms(collateral=Mix({"cash": 0.5, "BTC": 0.5})),
        "paths": 2,
    }
    together = bt.monte_carlo(BLOCKS, small_market, small_book, MODELS, **terms)
    monkeypatch.setattr(path_block, "WIDTH", width)
    apart = bt.monte_carlo(BLOCKS, small_market, small_book, MODELS, **terms)
    np.testing.assert_array_equal(apart.scores, together.scores)
    np.testing.assert_array_equal(apart.pooled, together.pooled)


FAULTS = """
import resource, sys
import numpy as np
from backtest.memory import keep_freed
if sys.argv[1] == "keep":
    keep_freed()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        one = np.ones(40_000)
        other = one + one
        del one, other
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(not keep_freed(), reason="the system's library does not let programs choose")
def test_freed_arrays_are_used_again() -> None:
    kept, given_back = (
        int(
            subprocess.run(
                [sys.executable, "-c", FAULTS, how], capture_output=True, check=True
            ).stdout
        )
        for how in ("keep", "not")
    )
    assert 10 * kept < given_back


PEAK = """
import sys
from pathlib import Path
import backtest as bt, strategies as st
from tests.support.markets import random_market
from tests.support.worlds import BLOCKS
import pandas as pd
market = random_market(140, seed=5)
frame = pd.DataFrame({"UST10Y": [5e7, 0.0], "BTC": [5e6, -1e6]}, index=["both", "coin"])
book, models = bt.Book.from_frame(frame, market), {"var": st.HistoricalVaR(lookback=60)}
bt.monte_carlo(BLOCKS, market, book, models, paths=int(sys.argv[1]))
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])  # KiB, its peak
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no peak of a process to read")
def test_a_process_holds_no_more_of_many_paths_than_of_few() -> None:
    few, many = (
        int(
            subprocess.run(
                [sys.executable, "-c", PEAK, paths], capture_output=True, check=True
            ).stdout
        )
        for paths in ("100", "2000")
    )
    assert many < 1.1 * few
