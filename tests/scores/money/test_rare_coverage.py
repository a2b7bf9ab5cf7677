"""Coverage of intervals of rare amounts: some cells of docs/intervals.md, with another seed."""

import numpy as np
import pytest

from tests.tools.rare_study import margin_worlds, poisson_worlds

RECORDS = 150


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "margin", "enough", "bootstrap"),
    [
        ("independent t4", "EWMA .97", 0.98, 0.89),
        ("GARCH .98", "constant", 0.89, 0.65),
        ("GARCH .99", "500 days", 0.97, 0.77),
        ("GARCH .998", "EWMA .97", 0.95, 0.76),
    ],
)
def test_intervals_hold_as_often_as_the_page_says(world, margin, enough, bootstrap):
    held = margin_worlds(world, margin, RECORDS, 29)
    # Records of one path at several multiples and lengths are not independent.
    assert held.enough == pytest.approx(enough, abs=0.05)
    assert held.percentile == pytest.approx(bootstrap, abs=0.08)
    assert held.enough > held.percentile and held.enough > held.few
    assert held.rate > 0.9 and held.difference > 0.9


def test_events_whose_mean_is_a_formula_are_held():
    for held in poisson_worlds(60, 29):
        assert held.enough > 0.93 and held.rate > 0.94 and held.difference > 0.95
        assert np.isfinite(held.width) and held.unsafe < 0.06
