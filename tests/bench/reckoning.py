"""A very large Monte Carlo, reckoned: `python -m tests.bench.reckoning [--write docs/scale.md]`.

It is reckoned from what blocks of paths, and messages to a cluster, cost here.

Nothing is guessed but that cost grows in proportion to the number of paths, which it does: a path
depends on its own number alone.
"""

import argparse
import os
import pickle
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import cloudpickle

import backtest as bt
from backtest.cluster import connection
from backtest.cluster.needs import call_of
from backtest.replay.distribution import COLUMNS
from backtest.replay.monte_carlo import BLOCK
from backtest.replay.path_block import replay_block
from backtest.replay.room import COPIES_OF_PATHS
from backtest.replay.sources import processor
from tests.bench.page import written
from tests.bench.scale import MODELS, random_book
from tests.bench.scheduler import hand_out, shared_by_blocks
from tests.support.clusters import cluster

PATHS, BOOKS = 1_000_000, 10_000
SIZES = {10: 2 * BLOCK, 100: BLOCK, 1000: 3, BOOKS: 1}  # paths that are timed, by books
CORES = 64  # of a node
NODES = (1, 16, 64)
GATHERED = 256  # GiB of the process that gathers the scores
MESSAGES, ROUNDS = 1000, 3


@dataclass(frozen=True)
class Cost:
    """A path of so many books: processor seconds, bytes of scores; bytes shared and of a task."""

    books: int
    seconds: float
    scores: float
    shared: int
    task: int


def machine() -> str:
    """When and on what."""
    from backtest.replay.origin import Software

    day = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = os.getloadavg()[0]
    return (
        f"{day}, {processor()}, {os.cpu_count()} cores shared with others (load {load:.1f}), "
        f"Python {platform.python_version()}, {Software.now().sentence()}"
    )


def path_cost(market: bt.Market, books: int, paths: int) -> Cost:
    """Replay and score some paths here, after one that loads the kernels."""
    shared = shared_by_blocks(market, random_book(market, books))
    replay_block(*shared, range(1))
    began = process_time()
    result = replay_block(*shared, range(paths))
    seconds = (process_time() - began) / paths
    return Cost(
        books,
        seconds,
        len(pickle.dumps(result)) / paths,
        len(cloudpickle.dumps(shared)),
        len(call_of(replay_block, (range(BLOCK),), {})),
    )


def seconds_a_message(market: bt.Market) -> float:
    """Wall time of a message of a task that does nothing, on a cluster of two workers here."""
    shared = shared_by_blocks(market, random_book(market, 10))
    most, connection.MOST_TOGETHER = connection.MOST_TOGETHER, 1
    try:
        with TemporaryDirectory() as folder, cluster(Path(folder)) as running:
            running.wait_for(2)
            hand_out(shared, address=running.address, tasks=20)
            began = perf_counter()
            hand_out(shared, address=running.address, tasks=20)
            alone = perf_counter() - began  # the connection and its checks
            times = []
            for _ in range(ROUNDS):  # others use the machine: the least is nearest to the cost
                began = perf_counter()
                hand_out(shared, address=running.address, tasks=20 + MESSAGES)
                times.append((perf_counter() - began - alone) / MESSAGES)
            return min(times)
    finally:
        connection.MOST_TOGETHER = most


def reckoned() -> list[str]:
    """Cost of a path and of a block by books, and the large run."""
    market = bt.load_market("sample")
    costs = [path_cost(market, books, paths) for books, paths in SIZES.items()]
    message = seconds_a_message(market)
    lines = [
        f"Paths of {len(market.dates):,} days, {len(MODELS)} models; blocks of {BLOCK} paths; a "
        f"message to a cluster takes {message * 1e3:.1f} ms",
        f"{'books':>8}{'ms a path':>12}{'us a path-book':>16}{'s a block':>12}"
        f"{'handing out':>13}{'kB of scores a path':>22}{'MB shared':>11}",
    ]
    for cost in costs:
        block = cost.seconds * BLOCK
        together = max(1.0, connection.SECONDS_TOGETHER / block)  # blocks a message
        lines.append(
            f"{cost.books:>8,}{cost.seconds * 1e3:>12.1f}{cost.seconds / cost.books * 1e6:>16.0f}"
            f"{block:>12.2f}{message / together / block:>13.2%}{cost.scores / 1e3:>22.1f}"
            f"{cost.shared / 1e6:>11.2f}"
        )
    return [*lines, "", *_large(costs[-1], message)]


def _large(cost: Cost, message: float) -> list[str]:
    """The large run: hours, nodes, bytes, what the scheduler costs, and where it must be split."""
    core_hours = PATHS * cost.seconds / 3600
    blocks = PATHS / BLOCK
    most_cores = cost.seconds * BLOCK / message
    on_nodes = [f"{core_hours / CORES / n:,.1f} h on {n}" for n in NODES]
    a_book = len(MODELS) * len(COLUMNS) * 8
    most = GATHERED * 2**30 / (COPIES_OF_PATHS * a_book)
    tasks, workers = blocks * cost.task / 1e6, NODES[-1] * CORES
    return [
        f"{PATHS:,} paths x {BOOKS:,} books x {len(MODELS)} models, reckoned",
        f"  work           {core_hours:,.0f} core hours: {', '.join(on_nodes)} nodes of "
        f"{CORES} cores",
        f"  bytes moved    {PATHS * cost.scores / 1e12:.1f} TB of scores to the client; "
        f"{tasks:,.0f} MB of tasks; {cost.shared / 1e6:.1f} MB shared, once to each of "
        f"{workers:,} workers ({cost.shared * workers / 1e9:,.0f} GB)",
        f"  scheduler      {blocks:,.0f} messages, {blocks * message / 60:,.0f} min of one "
        f"process, {message / (cost.seconds * BLOCK):.4%} of the work; it keeps up to "
        f"{most_cores:,.0f} cores busy",
        f"  memory         a process that gathers scores in {GATHERED} GiB holds "
        f"{most / 1e6:,.0f} million paths x books: {PATHS * BOOKS / most:,.0f} runs, each of all "
        f"books and other seeds, or of some books",
    ]


def main() -> None:
    """Print the reckoning, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="a page with a place for it")
    file = parser.parse_args().write
    lines = [machine(), "", *reckoned()]
    print("\n".join(lines))
    if file:
        page = file.read_text(encoding="utf-8")
        file.write_text(written(page, "reckoning", lines), encoding="utf-8")


if __name__ == "__main__":
    main()
