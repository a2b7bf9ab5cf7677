"""Are the numbers still the same? Every command's tables before and after a change, to the byte.

python -m tests.tools.same_numbers store BEFORE --data PRICES
... change the code ...
python -m tests.tools.same_numbers store AFTER --data PRICES
python -m tests.tools.same_numbers compare BEFORE AFTER

`--only run offset` runs some commands alone. CSV (those of figures among them) and parquet must be
equal to the byte, but for what is no number of the study: the seconds a command took, and the
commit that `compare` names. Exit code 1 otherwise. Drawings and pages may change with a purpose, so
they are listed and decide nothing.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

# Job -> words of the command line. A word in braces is the results folder of an earlier job.
SAMPLE = {
    "run-sample": ["run"],
    "run-paths": ["run", "--paths", "20"],
}
REAL = {
    "run": ["run"],
    "positive-control": ["run", "positive-control"],
    "etp-future": ["run", "etp-future"],
    "cme-ficc": ["run", "cme-ficc"],
    "published-levels": ["run", "published-levels"],
    "offset": ["offset"],
    "closeout": ["closeout"],
    "collateral": ["collateral"],
    "clocks": ["clocks"],
}
LAST = {"compare": ["compare", "{run-sample}", "{run}"]}
JOBS = {**SAMPLE, **REAL, **LAST}
NUMBERS = (".csv", ".parquet")
DRAWN = (".svg", ".html")


def store(out: Path, data: str | None, only: list[str]) -> None:
    """Run each command once, its results under `out/<job>/`."""
    for job in only or JOBS:
        place = out / job
        shutil.rmtree(place, ignore_errors=True)
        words = [str(_result(out, w[1:-1])) if w[0] == "{" else w for w in JOBS[job]]
        if job in REAL and data is not None:
            words += ["--data", data]
        command = [sys.executable, "-m", "backtest", *words, "--out", str(place)]
        done = subprocess.run(command, capture_output=True, text=True)
        print(f"{job}: exit code {done.returncode}", flush=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        (place / "screen.txt").write_text(done.stdout, encoding="utf-8")


def compare(before: Path, after: Path) -> int:
    """Print what differs; the number of tables that do."""
    wrong = tables = 0
    drawn = []
    for job in JOBS:
        if not (before / job).is_dir() or not (after / job).is_dir():
            print(f"{job}: not stored on both sides")
            continue
        old, new = (_files(_result(side, job)) for side in (before, after))
        for name in sorted(old.keys() | new.keys()):
            same = name in old and name in new and _told(name, old) == _told(name, new)
            if name.endswith(NUMBERS):
                tables += 1
                wrong += not same
                if not same:
                    what = "differs" if name in old and name in new else "is on one side only"
                    print(f"{job}: {name} {what}")
            elif not same:
                drawn.append(f"{job}/{name}")
    print(f"{tables} tables compared, {wrong} differ; drawn otherwise: {len(drawn)}")
    for name in drawn:
        print(f"  {name}")
    return wrong


def _told(name: str, files: dict[str, bytes]) -> bytes:
    """A file without what differs from run to run."""
    if name == "inputs.csv":
        rows = files[name].splitlines()
        return b"\n".join(row for row in rows if not row.startswith((b"software.", b"commit")))
    return files[name]


def _result(out: Path, job: str) -> Path:
    """The one results folder of a job."""
    return next(p for p in (out / job).iterdir() if p.is_dir())


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in NUMBERS + DRAWN
    }


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    storing = verbs.add_parser("store")
    storing.add_argument("out", type=Path)
    storing.add_argument("--data", default=None)
    storing.add_argument("--only", nargs="*", default=[], choices=list(JOBS))
    comparing = verbs.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.verb == "store":
        store(given.out, given.data, given.only)
    else:
        sys.exit(1 if compare(given.before, given.after) else 0)


if __name__ == "__main__":
    main()
