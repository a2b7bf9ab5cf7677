"""Pilot histories: simulated paths as long as the data, from which moments are estimated."""

from collections.abc import Callable, Iterator

import numpy as np

from backtest.estimators.dependence import nearest_correlation
from backtest.simulate.paths import Sampler
from backtest.types import DaysByFactors, FloatArray

PILOTS = 100  # their typical sd has an error of 1-3 %, the most where variance explodes
ROUNDS = 10  # towards a correlation at most
CLOSE = 0.005  # distance of a correlation from the data's that will do: the error of the pilots
MOST = 0.9999  # correlation that is asked
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


def matching_correlation(
    draw_of: Callable[[FloatArray], Sampler], shocks: DaysByFactors, first: FloatArray
) -> FloatArray:
    """Correlation of innovations at which a typical history has the correlation of the data.

    Shocks correlate less than their innovations where volatilities go their own ways. In the data
    they do so less than in paths, where each answers to its own shocks alone: on paths with the
    innovations' correlation the 2- and the 5-year yield would have one of .83, in the data it is
    .90, and one against the other would have 30 % more risk. Each round adds to the Fisher
    transform of what is asked what the last one lacked.

    Parameters
    ----------
    draw_of : the sampler for a correlation of innovations.
    first : (factors, factors) correlation to begin with.

    Examples
    --------
    >>> size = np.exp(0.5 * np.random.default_rng(1).normal(size=(500, 2)))  # each on its own
    >>> def draw_of(correlation):
    ...     root = np.linalg.cholesky(correlation)
    ...     return lambda rng: rng.standard_normal((500, 2)) @ root.T * size
    >>> shocks = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 500)
    >>> asked = matching_correlation(draw_of, shocks, np.eye(2))
    >>> reached = pilot_moments(draw_of(asked))[1]
    >>> bool(abs(reached - np.corrcoef(shocks.T)).max() < CLOSE), bool(asked[0, 1] > 0.35)
    (True, True)
    """
    target = np.atleast_2d(np.corrcoef(shocks.T))
    asked = first
    for _ in range(ROUNDS if len(first) > 1 else 0):
        reached = pilot_moments(draw_of(asked))[1]
        if np.abs(target - reached).max() < CLOSE:
            break
        moved = np.tanh(_fisher(asked) + _fisher(target) - _fisher(reached))
        asked = nearest_correlation(moved + np.eye(len(moved)))
    return asked


def _fisher(correlation: FloatArray) -> FloatArray:
    """Fisher's transform off the diagonal, zero on it."""
    return np.arctanh(np.clip(correlation, -MOST, MOST) * (1.0 - np.eye(len(correlation))))
