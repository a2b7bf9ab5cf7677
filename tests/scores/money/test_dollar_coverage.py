"""Coverage of the bounds of dollars a year: some cells of docs/intervals.md, with another seed."""

import numpy as np
import pytest

from tests.tools.dollar_study import KINDS, measured

RECORDS = 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "margin", "freed", "lost"),
    [
        ("independent t4", "EWMA .97", (3, 2), (2, 2)),
        ("GARCH .98", "500 days", (1, 3), (2, 2)),
        ("GARCH .99", "EWMA .97", (1, 6), (1, 3)),
        ("two regimes", "EWMA .97", (1, 11), (2, 1)),
    ],
)
def test_bounds_hold_as_often_as_the_page_says(world, margin, freed, lost):
    missed, _ = measured(world, margin, RECORDS, 29)[2196]
    below, above = shares(missed)
    # One path a record for what is freed; eight records of each path, not independent, for losses.
    assert (below["freed"], above["freed"]) == pytest.approx(freed, abs=7)
    assert (below["lost"], above["lost"]) == pytest.approx(lost, abs=3)
    # The sum of both holds what it says, and bootstraps of blocks do not.
    assert below["net"] <= 5 and above["net"] <= 5
    assert above["blocks"] > above["4 cosines"] > above["freed"]
    assert above["lost, blocks"] > above["lost"] and below["lost, blocks"] > below["lost"]


def test_losses_and_nets_are_bounded_in_a_world_of_independent_days():
    missed, bounded = measured("independent t4", "constant", 12, 29, long=40)[2196]
    below, above = shares(missed)
    assert bounded > 0.8 and len(missed["net"].below) == 3 * len(missed["lost"].below)
    for kind in ("lost", "net"):
        assert below[kind] < 10 and above[kind] < 10


def shares(missed):
    """% of records whose bounds lie above the truth, and below it, by kind."""
    return tuple(
        {kind: 100 * np.mean(getattr(missed[kind], side) or [0.0]) for kind in KINDS}
        for side in ("below", "above")
    )
