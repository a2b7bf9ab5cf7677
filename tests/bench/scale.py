"""What a study costs: `python -m tests.bench.scale [--write docs/scale.md]`.

Time and memory of some studies, each in a process of its own, after one that has compiled the
kernels, so that its peak memory is its own. Wall-clock time on a shared machine is rough; memory is
not. `tests.bench.reckoning` goes on from there.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import backtest as bt
import strategies as st
from tests.bench.page import written

INSTRUMENTS = ("UST2Y", "UST5Y", "UST10Y", "UST30Y", "BTC", "ETH")
COVERAGE = bt.Coverage(confidence=0.99, mpor=2)
BASE = st.HistoricalVaR(lookback=500)
MODELS = {
    "siloed": st.Siloed(base=BASE),
    "haircut": st.HaircutOnly(),
    "offset": st.CorrelationOffset(base=BASE),
    "var": BASE,
}


def random_book(market: bt.Market, portfolios: int) -> bt.Book:
    """So many random books of six instruments, 100m USD gross each."""
    return bt.Book.random(
        INSTRUMENTS, market, base=BASE, coverage=COVERAGE, gross=100e6,
        portfolios=portfolios, seed=1,
    )  # fmt: skip


def run_books(portfolios: int) -> None:
    """One run of the four models."""
    market = bt.load_market("sample")
    bt.run(market, random_book(market, portfolios), MODELS, coverage=COVERAGE).summary()


def run_paths(paths: int) -> None:
    """Ten books over so many simulated histories."""
    market = bt.load_market("sample")
    book = random_book(market, 10)
    bt.monte_carlo(
        bt.StationaryBootstrap(block_size=20), market, book, MODELS,
        coverage=COVERAGE, paths=paths, seed=7,
    )  # fmt: skip


def bound_books(portfolios: int) -> None:
    """The offset ladder with its bounds."""
    market = bt.load_market("sample")
    bt.supportable_offset(market, random_book(market, portfolios), base=BASE, coverage=COVERAGE)


WORK: dict[str, tuple[Callable[[int], None], tuple[int, ...]]] = {
    "books": (run_books, (10, 100, 1000, 10_000)),
    "paths of 10 books": (run_paths, (100, 1000, 10_000)),
    "books with bounds of the offset": (bound_books, (10, 50)),
}


def main() -> None:
    """Print and write the tables; with --only, do that work in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs=2, metavar=("KIND", "SIZE"))
    parser.add_argument("--write", type=Path, metavar="FILE", help="a page with a place for it")
    asked = parser.parse_args()
    if asked.only:
        print(_row(asked.only[0], int(asked.only[1])))
        return
    from tests.bench.reckoning import machine

    lines = [machine(), "", f"{'work':<42}{'seconds':>10}{'peak memory, GiB':>20}"]
    for kind, (_, sizes) in WORK.items():
        call = [sys.executable, "-m", "tests.bench.scale", "--only", kind]
        subprocess.run([*call, str(sizes[0])], check=True, capture_output=True)
        for size in sizes:
            done = subprocess.run([*call, str(size)], check=True, capture_output=True, text=True)
            lines.append(done.stdout.splitlines()[-1])
            print(lines[-1], flush=True)
    print("\n".join(lines))
    if asked.write:
        page = asked.write.read_text(encoding="utf-8")
        asked.write.write_text(written(page, "scale", lines), encoding="utf-8")


def _row(kind: str, size: int) -> str:
    """Do the work, and say how long it took and how much memory."""
    begin = time.perf_counter()
    WORK[kind][0](size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{f'{size:,} {kind}':<42}{time.perf_counter() - begin:>10.1f}{peak:>20.2f}"


if __name__ == "__main__":
    main()
