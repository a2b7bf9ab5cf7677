"""Run the fault library and print a line a kind; exit code 1 where a case ended wrongly."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults import (
    caches,
    commands,
    folders,
    forgeries,
    models,
    prices,
    reports,
    studies,
    surroundings,
)
from tests.faults.case import Case
from tests.faults.runner import Outcome, import_all, outcome


def all_cases(seed: int, finished: Path | None) -> list[Case]:
    """Every case of a seed; those about results folders only where one is given."""
    cases = [
        *prices.price_cases(seed),
        *reports.report_cases(seed),
        *studies.study_cases(seed),
        *models.own_model_cases(seed),
        *caches.cache_cases(seed),
        *commands.command_cases(seed),
        *surroundings.surroundings_cases(seed),
    ]
    if finished is not None:
        cases += [*folders.folder_cases(seed, finished), *forgeries.sealed_cases(seed, finished)]
    return cases


def main() -> None:
    """Count how the cases of a seed ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", default="", help="only kinds that hold this word")
    parser.add_argument("--first", type=int, default=None, help="no more than so many a kind")
    options = parser.parse_args()
    import_all()
    with TemporaryDirectory(prefix="faults-") as name:
        cases = all_cases(options.seed, folders.finished_run(Path(name)))
        counted: Counter[str] = Counter()
        outcomes: list[Outcome] = []
        for case in cases:
            counted[case.kind] += 1
            if options.kind in case.kind and counted[case.kind] <= (options.first or len(cases)):
                outcomes.append(outcome(case))
                _report(outcomes[-1])
    _print(outcomes)
    sys.exit(0 if all(o.is_right for o in outcomes) else 1)


def _report(done: Outcome) -> None:
    if not done.is_right:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        print(f"{done.verdict}: {done.case.kind}, {done.case.name}: {last[:150]}", flush=True)


def _print(outcomes: list[Outcome]) -> None:
    kinds = dict.fromkeys(o.case.kind for o in outcomes)
    for kind in kinds:
        of_kind = Counter(o.verdict for o in outcomes if o.case.kind == kind)
        faults = ", ".join(f"{n} {verdict}" for verdict, n in of_kind.items() if verdict != "right")
        print(f"{kind}: {of_kind.total():,} cases, {faults or 'all right'}")
    verdicts = Counter(o.verdict for o in outcomes)
    print(f"{len(outcomes):,} cases: " + ", ".join(f"{n:,} {v}" for v, n in verdicts.most_common()))


if __name__ == "__main__":
    main()
