"""A seeded part of the fault library, with every kind in it; `make faults` runs all of it."""

from collections import defaultdict

import pytest

from tests.faults import commands, prices, reports, studies
from tests.faults.case import Case
from tests.faults.runner import import_all, outcome

OF_EACH_KIND = 8


def spread_cases(seed: int) -> list[Case]:
    """As many cases of each kind, from its whole range."""
    by_kind: dict[str, list[Case]] = defaultdict(list)
    for case in (
        *prices.price_cases(seed),
        *reports.report_cases(seed),
        *studies.study_cases(seed),
        *commands.command_cases(seed),
    ):
        by_kind[case.kind].append(case)
    return [
        case
        for cases in by_kind.values()
        for case in cases[:: max(1, len(cases) // OF_EACH_KIND)][:OF_EACH_KIND]
    ]


@pytest.fixture(scope="module", autouse=True)
def imported():
    import_all()


@pytest.mark.parametrize("case", spread_cases(1), ids=lambda case: f"{case.kind}: {case.name}")
def test_bad_input_ends_as_it_should(case: Case) -> None:
    done = outcome(case)
    assert done.is_right, f"{done.verdict}: {done.stderr[-500:]}"
