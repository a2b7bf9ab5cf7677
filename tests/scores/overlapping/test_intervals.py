"""Coverage of the printed intervals: some cells of docs/intervals.md, with another seed."""

import numpy as np
import pytest
from scipy import stats

from backtest.scores.overlapping.slow_variance import (
    effective_interval,
    plausible_counts,
    rate_inflation,
    slow_transforms,
    student_point,
)
from backtest.types import StudyError
from tests.tools.interval_study import coordination, pairs, pooled, scales

PATHS = 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "margin", "days", "measured"),
    [
        ("independent t4", "constant", 2196, 0.96),
        ("independent t4", "constant", 500, 0.98),
        ("GARCH .98", "constant", 2196, 0.95),
        ("GARCH .99", "constant", 750, 0.90),
        ("GARCH .998", "constant", 2196, 0.88),
        ("GARCH .99", "EWMA .97", 750, 0.99),
    ],
)
def test_a_scale_and_its_rate_hold_as_often_as_the_page_says(
    world: str, margin: str, days: int, measured: float
) -> None:
    cells = scales(world, margin, 2, 0.99, PATHS, 29)
    held = {cell.kind: cell.held for cell in cells if cell.days == days}
    assert set(held) == {"scale", "rate"}
    error = 3.5 * np.sqrt(2.0 * measured * (1.0 - measured) / PATHS)
    for share in held.values():
        assert share == pytest.approx(measured, abs=max(error, 0.03))


@pytest.mark.slow
def test_pooled_scale_and_coordination_hold_as_often_as_the_page_says() -> None:
    for cell in pooled("independent t4", 2, 60, 29):
        assert cell.held > 0.9
    for cell in coordination("GARCH .98", 2, PATHS, 29):
        least = {"any short": 0.85, "break even, against separate silos": 0.92}
        assert cell.held > least.get(cell.kind, 0.94)


@pytest.mark.slow
def test_two_models_that_do_not_differ_are_alike_as_often_as_the_page_says() -> None:
    held = {cell.kind: cell.held for cell in pairs("independent t4", "250 days", 750, PATHS, 29)}
    assert held["paired rate"] == pytest.approx(0.95, abs=0.05)
    assert held["paired margin"] == pytest.approx(0.88, abs=0.07)
    assert held["joint region"] == pytest.approx(0.94, abs=0.05)


def test_cosines_see_the_variance_and_not_the_mean() -> None:
    noise = np.random.default_rng(1).standard_normal((1000, 400))
    waves = slow_transforms(noise + 1e6, 8)
    np.testing.assert_allclose(waves, slow_transforms(noise, 8), atol=1e-6)
    assert np.mean(waves**2) == pytest.approx(1.0, abs=0.08)
    smooth = noise[1:] + noise[:-1]  # its long-run variance is 4, not the 2 of single days
    assert np.mean(slow_transforms(smooth, 8) ** 2) == pytest.approx(4.0, abs=0.3)


def test_without_clustering_the_interval_is_that_of_clopper_and_pearson() -> None:
    for count, days in ((0, 250), (3, 250), (250, 250)):
        low, high = effective_interval(count, days, 1.0)
        exact = stats.binomtest(count, days).proportion_ci(0.95, method="exact")
        assert float(low) == pytest.approx(exact.low) and float(high) == pytest.approx(exact.high)


@pytest.mark.parametrize("inflation", [1.0, 2.7, 40.0])
@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_plausible_counts_are_those_whose_interval_holds_the_rate(
    rate: float, inflation: float
) -> None:
    fewest, most = plausible_counts(rate, 300, np.array([inflation]))
    low, high = effective_interval(np.arange(301), 300, inflation)
    holds = np.flatnonzero((low <= rate) & (rate <= high))
    assert [int(fewest[0]), int(most[0])] == [holds[0], holds[-1]]


def test_nothing_marked_inflates_nothing() -> None:
    counts = np.zeros((100, 3))
    counts[:, 1] = 1.0
    counts[:50, 2] = 1.0
    inflation = rate_inflation(counts, 1)
    assert inflation[:2].tolist() == [1.0, 1.0] and inflation[2] > 9.0


def test_a_level_that_is_no_probability_is_refused() -> None:
    with pytest.raises(StudyError, match=r"level is 95; give a probability in \(0, 1\)"):
        student_point(12, 95)
