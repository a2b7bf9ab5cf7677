"""A client of a cluster that ends early leaves nothing of its own there, and ends in one line."""

import os
import signal
import subprocess
import sys
import time

import pytest
from distributed import Client

from tests.signals.kills import ASKED, processes_of
from tests.support.clusters import cluster
from tests.support.places import ROOT

CLIENT = """
import backtest.interrupts  # first, as in the command
import sys, time, joblib
import backtest.cli
from backtest.cluster import on_cluster
from backtest.workers import in_parallel
from backtest.cli import ends

def sleep(name):
    open(name, "w").close()
    time.sleep(0.5)

def work():
    with on_cluster(sys.argv[1]):
        list(in_parallel((joblib.delayed(sleep)(sys.argv[2]) for n in range(200)), n_jobs=1))

import backtest.__main__
backtest.cli.main = lambda: ends.end(work)
backtest.__main__.main()
"""
WAYS = [
    *((number, True) for number in ASKED),
    (signal.SIGINT, False),
    pytest.param(signal.SIGKILL, False, marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.mark.parametrize("number, to_all", WAYS)
def test_a_client_that_is_ended_leaves_no_task_and_no_process(running, tmp_path, number, to_all):
    begun = tmp_path / "begun"
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, running.address, str(begun)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in ASKED],
    )
    assert until(begun.exists)
    (os.killpg if to_all else os.kill)(client.pid, number)
    out, errors = client.communicate(timeout=30)
    killed = number == signal.SIGKILL
    assert (client.returncode, out) == (-number if killed else ASKED[number], "")
    assert errors == ("" if killed else "backtest: interrupted; no result was written\n")
    assert until(lambda: not processes_of(client.pid))
    with Client(running.address, set_as_default=False) as asking:
        assert until(lambda: not any(asking.processing().values()))
        assert until(lambda: not asking.run_on_scheduler(tasks_there))
        assert len(asking.ncores()) == 2  # the workers are whole, and free for others


def tasks_there(dask_scheduler) -> list[str]:
    return [str(key) for key in dask_scheduler.tasks]


def until(true, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()
