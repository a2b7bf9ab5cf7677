"""How long a study takes and how much memory: `python -m tests.bench.scale`, for docs/scale.md.

Every row is a process of its own, after one that has compiled the kernels, so that its peak memory
is that of the row. Wall-clock time on a shared machine is rough; memory is not.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import backtest as bt
import strategies as st

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
    "paths of 10 books": (run_paths, (10, 100)),
    "books with bounds of the offset": (bound_books, (10, 50)),
}


def main() -> None:
    """Print a row a kind and size; with --only, do that work in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs=2, metavar=("KIND", "SIZE"))
    only = parser.parse_args().only
    if only:
        begin = time.perf_counter()
        WORK[only[0]][0](int(only[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"| {int(only[1]):,} {only[0]} | {time.perf_counter() - begin:.1f} | {peak:.2f} |")
        return
    for kind, (_, sizes) in WORK.items():
        call = [sys.executable, "-m", "tests.bench.scale", "--only", kind]
        subprocess.run([*call, str(sizes[0])], check=True, capture_output=True)
        for size in sizes:
            subprocess.run([*call, str(size)], check=True)


if __name__ == "__main__":
    main()
