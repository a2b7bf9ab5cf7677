"""The power that is promised of the verdict, against the power it has in other worlds."""

from collections.abc import Callable

import numpy as np
import pytest

from backtest.scores import coverage_p, is_clustered
from backtest.scores.detectable import detectable_rate
from backtest.types import FloatArray, StudyError
from tests.tools.overlap_study import garch, over

HISTORIES = 600


def normal_days(rng: np.random.Generator, days: int) -> FloatArray:
    return rng.standard_normal((days, HISTORIES))


def student_days(rng: np.random.Generator, days: int) -> FloatArray:
    return rng.standard_t(5, (days, HISTORIES))


def persistent_days(rng: np.random.Generator, days: int) -> FloatArray:
    return garch(rng, days, HISTORIES)[0]


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1, 2, 5])
@pytest.mark.parametrize(
    ("clustered", "world"),
    [(False, normal_days), (False, student_days), (True, persistent_days)],
)
def test_the_power_promised_is_had_in_other_worlds(
    clustered: bool, world: Callable[[np.random.Generator, int], FloatArray], horizon: int
) -> None:
    days = 500
    rate = detectable_rate(days, horizon=horizon, clustered=clustered)
    losses = over(world(np.random.default_rng(8), days + horizon), horizon, days)
    required = np.full_like(losses, np.quantile(losses, 1.0 - rate))
    pvalues = coverage_p(
        losses > required,
        horizon=horizon,
        clustered=is_clustered(losses, required, horizon=horizon),
    )
    assert np.mean(pvalues <= 0.05) > 0.77


def test_longer_records_show_smaller_miscoverage() -> None:
    plain = [detectable_rate(days, horizon=2, clustered=False) for days in (250, 500, 1000)]
    assert (np.diff(plain) < 0).all() and plain[-1] > 0.01
    assert detectable_rate(500, horizon=2, clustered=True) > plain[1]
    assert np.isnan(detectable_rate(20, horizon=5, clustered=True))
    with pytest.raises(StudyError, match="9 days for a horizon of 5"):
        detectable_rate(9, horizon=5, clustered=False)
