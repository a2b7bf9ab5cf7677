"""Two fetches at once: one goes first, the cache is whole, and a killed one is in nobody's way."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from backtest.data.cache import Cache
from backtest.data.fetch import fetch
from backtest.data.lock import LOCK, locked
from backtest.types import DataError
from tests.support.publishers import NOW, HandMade, column_of, everywhere, history_of

ONLY = ("btc_usd", "eth_usd")


class Slow(HandMade):
    """Answers after a while, each racer with prices of its own."""

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def history(self, column, today):
        time.sleep(0.002)
        return history_of(column, today, seed=self.seed)


def race(folder, barrier, seed, rounds):
    """One of two processes that begin to fetch at the same moment, again and again."""
    for number in range(rounds):
        barrier.wait(60)
        sources = everywhere(Slow(2 * number + seed))
        fetch(folder / str(number), only=ONLY, sources=sources, now=NOW + timedelta(days=seed))
        barrier.wait(60)


def raced(folder: Path, rounds: int) -> int:
    """Rounds that left a cache which is not whole."""
    processes = multiprocessing.get_context("spawn")
    barrier = processes.Barrier(2)
    racers = [processes.Process(target=race, args=(folder, barrier, s, rounds)) for s in (0, 1)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(300)
    assert [racer.exitcode for racer in racers] == [0, 0]
    return sum(not whole(folder / str(number)) for number in range(rounds))


def whole(folder: Path) -> bool:
    """Both files are there, of one racer or the other, and nothing half-written."""
    try:
        count = Cache(folder).verify()
    except DataError:
        return False
    names = {path.name for path in folder.iterdir()}
    return count == len(ONLY) and names == {LOCK, "manifest.json", "btc_usd.csv", "eth_usd.csv"}


def test_two_fetches_at_once_leave_a_whole_cache(tmp_path):
    assert raced(tmp_path, rounds=5) == 0


@pytest.mark.slow
def test_two_fetches_at_once_thirty_times(tmp_path):
    assert raced(tmp_path, rounds=30) == 0


def test_the_second_waits_then_says_who_is_in_its_way(tmp_path):
    said, waits = [], []
    sources = everywhere(HandMade())
    terms = {"only": ONLY, "sources": sources, "now": NOW, "sleep": waits.append}
    with locked(tmp_path), pytest.raises(DataError, match="another fetch is writing into .*wait"):
        fetch(tmp_path, progress=lambda what, share: said.append(what), **terms)
    assert sources["yahoo"].asked == []
    assert sum(waits) == pytest.approx(10.0) and len(said) == 1 and "waiting up to" in said[0]
    assert len(fetch(tmp_path, **terms)) == 2


def test_who_ends_in_time_is_waited_for(tmp_path):
    first = locked(tmp_path)
    first.__enter__()
    waits = []

    def ends(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            first.__exit__(None, None, None)

    assert len(fetch(tmp_path, only=ONLY, sources=everywhere(HandMade()), now=NOW, sleep=ends)) == 2
    assert len(waits) == 3


KILLED = """
import os, signal
from pathlib import Path
from backtest.data import cache
from backtest.data.fetch import fetch
from tests.support.publishers import NOW, HandMade, everywhere

cache.os.replace = lambda source, target: os.kill(os.getpid(), signal.SIGKILL)
fetch(Path("."), only=("btc_usd",), sources=everywhere(HandMade()), now=NOW)
"""


def test_a_killed_fetch_leaves_no_lock_and_its_half_written_file_is_removed(tmp_path):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".manifest.json.*.partial"))) == 1
    fetch(tmp_path, only=ONLY, sources=everywhere(HandMade()), now=NOW, sleep=pytest.fail)
    assert whole(tmp_path)


def test_a_fetched_file_may_be_read_by_others_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        fetch(tmp_path, only=ONLY, sources=everywhere(HandMade()), now=NOW)
    finally:
        os.umask(before)
    assert (tmp_path / "btc_usd.csv").stat().st_mode & 0o777 == 0o644
    sent = history_of(column_of("BTC-USD"))["value"]
    assert pd.read_csv(tmp_path / "btc_usd.csv")["Close"].tolist() == sent.tolist()
