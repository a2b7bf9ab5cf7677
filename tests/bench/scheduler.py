"""What it costs to hand tasks out: 10,000 that do nothing, here, to processes, to a Dask cluster.

They share what the blocks of a study share, so that what travels with each task is what travels
with a block. Times are wall-clock: the work is that of other processes too.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import cloudpickle
import joblib
import numpy as np

import backtest as bt
from backtest.account.account import AccountTerms
from backtest.cluster.needs import call_of
from backtest.replay.path_block import replay_block
from backtest.simulate import StationaryBootstrap
from backtest.simulate.paths import Paths
from backtest.workers import in_parallel
from tests.bench.scale import COVERAGE, MODELS, random_book
from tests.bench.timing import Table, timed
from tests.support.clusters import cluster

TASKS = 10_000
PLACES = ("in this process", "2 processes (joblib)", "2 workers (Dask)")


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Wall time a task that does nothing, and bytes that travel with one."""
    market = bt.load_market("sample")
    shared = shared_by_blocks(market, random_book(market, 10))
    with TemporaryDirectory() as folder, cluster(Path(folder)) as running:
        running.wait_for(2)
        arms = {
            PLACES[0]: (lambda: hand_out(shared, n_jobs=1), float(TASKS)),
            PLACES[1]: (lambda: hand_out(shared, n_jobs=2), float(TASKS)),
            PLACES[2]: (lambda: hand_out(shared, address=running.address), float(TASKS)),
        }
        yield timed(
            f"{TASKS:,} tasks that do nothing, wall time a task ({travels(shared)})",
            arms, rounds=3, clock=perf_counter,
        )  # fmt: skip


def shared_by_blocks(market: bt.Market, book: bt.Book) -> tuple[Any, ...]:
    """What all blocks of a Monte Carlo are given."""
    alternatives = Paths.of(StationaryBootstrap(block_size=20), market, seed=7)
    return alternatives, book, MODELS, COVERAGE, AccountTerms(), None


def travels(shared: tuple[Any, ...]) -> str:
    """Bytes that travel with each task, and once to each worker."""
    numbers = range(10)
    task = len(call_of(replay_block, (numbers,), {}))
    once = len(cloudpickle.dumps(shared))
    return f"{task:,} bytes a task, {once:,} once a worker"


def hand_out(
    shared: tuple[Any, ...], *, n_jobs: int = 1, address: str | None = None, tasks: int = TASKS
) -> None:
    """So many tasks, in order."""
    each = (joblib.delayed(nothing)(range(i, i + 10)) for i in range(tasks))
    with nullcontext() if address is None else bt.on_cluster(address):
        for _ in in_parallel(each, n_jobs=n_jobs, shared=shared):
            pass


def nothing(*arguments: Any) -> None:
    """A task."""
