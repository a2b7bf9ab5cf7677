"""A seeded part of the fault library, with every kind in it; `make faults` runs all of it."""

from collections import defaultdict

import pytest

from tests.faults.__main__ import all_cases
from tests.faults.case import Case
from tests.faults.runner import import_all, outcome

OF_EACH_KIND = 6
AFRESH = 2  # of each kind that starts Python anew, which takes seconds


def spread_cases(seed: int) -> list[Case]:
    """As many cases of each kind, from its whole range."""
    by_kind: dict[str, list[Case]] = defaultdict(list)
    for case in all_cases(seed, None):
        by_kind[case.kind].append(case)
    chosen = []
    for cases in by_kind.values():
        count = AFRESH if cases[0].shell else OF_EACH_KIND
        chosen += cases[:: max(1, len(cases) // count)][:count]
    return chosen


@pytest.fixture(scope="module", autouse=True)
def imported():
    import_all()


@pytest.mark.parametrize("case", spread_cases(1), ids=lambda case: f"{case.kind}: {case.name}")
def test_bad_input_ends_as_it_should(case: Case) -> None:
    done = outcome(case)
    assert done.is_right, f"{done.verdict}: {done.stderr[-500:]}"
