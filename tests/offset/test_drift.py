"""The drift that is seen is the drift that there is, and noise is not taken for it."""

import numpy as np
import pytest

from backtest.offset.drift import (
    correlation_drift,
    drift_deviation,
    long_run_variance,
    normal_scores,
    share_kept,
)
from backtest.offset.history import SiloHistory
from backtest.offset.worlds import ROLLING, World, history


def test_the_variance_kept_by_a_mean_is_the_mean_of_all_correlations():
    for length, days in ((50, 200), (500, 750)):
        apart = np.abs(np.subtract.outer(np.arange(days), np.arange(days)))
        assert share_kept(length, days) == pytest.approx(np.exp(-apart / length).mean(), abs=3e-3)


def test_noise_of_overlapping_sums_has_their_long_run_variance():
    """Sums of two daily draws: variance 2, long-run variance 4; a drift between windows is none."""
    rng = np.random.default_rng(0)
    daily = rng.normal(size=(200, 501))
    sums = daily[:, 1:] + daily[:, :-1] + 3.0 * rng.normal(size=(200, 1))
    assert long_run_variance(sums) == pytest.approx(4.0, rel=0.06)


def seen(world, *, days=2196, mpor=2, histories=60):
    """Root mean square of the drift seen in simulated histories, and the mean centre."""
    rng = np.random.default_rng(1)
    drifts = [
        correlation_drift(history(world, ROLLING, days, rng, mpor=mpor)) for _ in range(histories)
    ]
    return (
        float(np.sqrt(np.mean([d.deviation**2 for d in drifts]))),
        float(np.mean([d.centre for d in drifts])),
    )


@pytest.mark.parametrize(("centre", "drift"), [(-0.8, 0.09), (-0.3, 0.3)])
def test_the_drift_of_a_correlation_is_seen_at_its_size(centre, drift):
    deviation, middle = seen(World("drifts", centre, drift))
    assert deviation == pytest.approx(drift, rel=0.25) and middle == pytest.approx(centre, abs=0.08)


def test_without_drift_little_is_seen():
    for mpor in (1, 5):
        deviation, _ = seen(World("still", -0.6, freedom=6.0), mpor=mpor)
        assert deviation < 0.08


def test_drift_moves_the_reduction_more_than_noise_does():
    rng = np.random.default_rng(2)
    still, drifting = (
        np.median([drift_deviation(history(world, ROLLING, 2196, rng)) for _ in range(40)])
        for world in (World("still", -0.3), World("drifts", -0.3, 0.3))
    )
    assert drifting > 2.5 * still


def test_equal_losses_have_one_score_however_a_sort_places_them():
    """Yields move in hundredths, and sorts of other processors place equal numbers otherwise."""
    rng = np.random.default_rng(3)
    days = np.datetime64("2020-01-01") + np.arange(400)
    loss, margin = np.round(rng.normal(size=(2, 400)), 1), np.full((2, 400), 2.3)
    scores = normal_scores(SiloHistory(("A", "B"), days, loss, margin, 0.99, 1))
    order = rng.permutation(400)
    moved = normal_scores(SiloHistory(("A", "B"), days, loss[:, order], margin, 0.99, 1))
    assert (moved == scores[:, order]).all()
    assert len(np.unique(scores[0])) == len(np.unique(loss[0]))
