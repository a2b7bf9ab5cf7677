"""Kill commands at seeded moments of their whole lives, and print how they ended."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.signals.kills import COMMANDS, WAYS, Ended, Place, plan


def main() -> None:
    """Count how the commands ended; exit code 1 where one left what it must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only commands that hold this word")
    options = parser.parse_args()
    ended: list[Ended] = []
    for name, command in COMMANDS.items():
        if options.only in name:
            ended += _ended(name, command, options.kills, options.seed)
    sys.exit(1 if any(one.faults for one in ended) else 0)


def _ended(name: str, command: tuple[str, ...], count: int, seed: int) -> list[Ended]:
    with TemporaryDirectory(prefix="kills-") as folder:
        place = Place(Path(folder))
        ended = []
        for i, kill in enumerate(plan(place, command, count, seed)):
            ended.append(place.end(kill, f"results-{i}"))
            if ended[-1].faults:
                where = f"{kill.way}, {kill.later:.2f} s after {kill.stage or 'its start'}"
                print(f"{name}, {where}: {', '.join(ended[-1].faults)}", flush=True)
                print("\n".join(ended[-1].said.splitlines()[-12:]), flush=True)
    _print(name, ended)
    return ended


def _print(name: str, ended: list[Ended]) -> None:
    right = sum(not one.faults for one in ended)
    slowest = max(one.seconds for one in ended)
    print(f"{name}: {len(ended)} kills, {right} right; the slowest ended after {slowest:.1f} s")
    for way in WAYS:
        of_way = [one for one in ended if one.kill.way == way]
        codes = Counter(one.code for one in of_way)
        faults = Counter(fault for one in of_way for fault in one.faults)
        said = [f"{n} with code {code}" for code, n in sorted(codes.items())]
        said += [f"{n} {fault}" for fault, n in faults.items()]
        print(f"  {way:<16} {', '.join(said)}", flush=True)


if __name__ == "__main__":
    main()
