"""Time our work beside what one would write instead: `python -m tests.bench [MODULE ...]`.

Arms of a table take turns in one process, so that a noisy machine slows them alike; results are
compared before anything is timed. Times are processor time of one thread, so that waiting for a
shared core does not count, unless the table says otherwise. Trust ratios inside a table, not
nanoseconds across tables.

--write FILE puts what was printed into the place of each table in a Markdown page
(docs/performance.md); the tables of modules that were not run stay as they are.
"""

import os

# One thread for every arm, set before numpy loads: our kernels use one, and a matrix product on
# two threads of a shared machine was seen to run six times slower than on one, to our credit.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from tests.bench.page import written  # noqa: E402

SEED = 20
HERE = Path(__file__).parent
# Each has `tables(rng)`, which times and yields its tables one by one.
MODULES = sorted(f.stem for f in HERE.glob("*.py") if "\ndef tables(" in f.read_text("utf-8"))


def main() -> None:
    """Print every table, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--write", type=Path, metavar="FILE", help="a page with places for tables")
    asked = parser.parse_args()
    unknown = set(asked.modules) - set(MODULES)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(MODULES)}")
    for name in asked.modules or MODULES:
        lines: list[str] = []
        for table in import_module(f"tests.bench.{name}").tables(np.random.default_rng(SEED)):
            print("\n" + "\n".join(table.lines()), flush=True)
            lines += [*table.lines(), ""]
        if asked.write:
            page = asked.write.read_text(encoding="utf-8")
            asked.write.write_text(written(page, name, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
