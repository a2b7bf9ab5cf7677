"""Pilot histories: simulated paths as long as the data, from which moments are estimated."""

from collections.abc import Iterator

import numpy as np

from backtest.simulate.paths import Sampler
from backtest.types import DaysByFactors, FloatArray

PILOTS = 100  # their typical sd has an error of 1-3 %, the most where variance explodes
PILOT_SEED = 0  # of every pilot, so that a fit depends on the data alone


def pilot_shocks(draw: Sampler) -> Iterator[DaysByFactors]:
    """Shocks of the pilot histories; no path of a study has their streams."""
    for number in range(PILOTS):
        # The key of a path has one entry, that of a pilot two: a fit never sees a scored path.
        stream = np.random.SeedSequence(PILOT_SEED, spawn_key=(number, 0))
        yield draw(np.random.default_rng(stream))


def matching_scale(draw: Sampler, shocks: DaysByFactors) -> FloatArray:
    """(factors,) multiples at which a typical history has the standard deviation of the data.

    Typical is the geometric mean over pilots as long as the data. Matching the variance of the law
    instead would make most histories too calm: where variance can explode, a few histories
    dominate its mean, and the data are one history.

    Examples
    --------
    >>> shocks = np.random.default_rng(0).normal(size=(500, 1))
    >>> matching_scale(lambda rng: rng.normal(size=(500, 1)) / 2, shocks).round(1)
    array([2.])
    """
    log_sd = np.mean([np.log(pilot.std(axis=0)) for pilot in pilot_shocks(draw)], axis=0)
    return np.asarray(shocks.std(axis=0) / np.exp(log_sd))


def pilot_moments(draw: Sampler) -> tuple[FloatArray, FloatArray]:
    """Mean standard deviations (factors,) and mean correlation matrix of the pilot histories.

    Examples
    --------
    >>> sd, correlation = pilot_moments(lambda rng: rng.normal(size=(500, 2)))
    >>> sd.round(1), correlation.round(1) + 0.0
    (array([1., 1.]), array([[1., 0.],
           [0., 1.]]))
    """
    sds, correlations = [], []
    for pilot in pilot_shocks(draw):
        sd = pilot.std(axis=0)
        z = (pilot - pilot.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
        sds.append(sd)
        correlations.append(z.T @ z / len(z))
    return np.mean(sds, axis=0), np.mean(correlations, axis=0)
