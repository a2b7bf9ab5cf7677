"""The stationary bootstrap over days, stored as how often each day is drawn.

A score that is a sum or an order statistic over days needs only the weights of a resample and not
its order. So one (resamples, days) array serves all models and portfolios, and comparisons between
them are paired.
"""

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.blocks import count_days, follow_blocks
from backtest.types import FloatArray, StudyError

MEAN_BLOCK = 20  # days: a trading month, several times the longest MPOR of a clearing house
RESAMPLES = 1000

DayIndices = NDArray[np.int64]  # (resamples, days)


def stationary_indices(
    days: int, *, resamples: int = RESAMPLES, block: float = MEAN_BLOCK, seed: int = 0
) -> DayIndices:
    """Draw days by the stationary bootstrap: circular blocks of geometric length.

    Parameters
    ----------
    days : length of the record and of every resample.
    resamples : number of resamples.
    block : mean length of a block in days, 1 or more; 1 draws single days.
    seed : seed of the generator; equal seeds give equal draws.

    Returns
    -------
    (resamples, days) day numbers, 0 .. days - 1.

    Raises
    ------
    StudyError
        When a count is below 1, or block is below 1.

    References
    ----------
    Politis, D. & Romano, J. (1994). The stationary bootstrap. Journal of the American Statistical
    Association, 89(428), 1303-1313.

    Examples
    --------
    >>> stationary_indices(6, resamples=2, block=3, seed=1).shape
    (2, 6)
    """
    if days < 1 or resamples < 1 or not block >= 1.0:
        raise StudyError(
            f"{resamples} resamples of {days} days in blocks of {block}; give 1 or more of each."
        )
    # Not arch's StationaryBootstrap: it draws other days from the same seed, so p-values of stored
    # studies (Romano and Wolf's) could not be reproduced.
    generator = np.random.default_rng(seed)
    begins = generator.random((resamples, days)) < 1.0 / block
    drawn: DayIndices = generator.integers(0, days, (resamples, days))
    follow_blocks(begins, drawn)
    return drawn


def day_weights(indices: DayIndices) -> FloatArray:
    """Count how often each day is drawn in each resample.

    Parameters
    ----------
    indices : (resamples, days) day numbers, as by `stationary_indices`.

    Returns
    -------
    (resamples, days) whole numbers as float64; every row sums to the number of days.

    Raises
    ------
    StudyError : a number that is no day.

    Examples
    --------
    >>> day_weights(np.array([[0, 0, 2], [1, 2, 0]])).tolist()
    [[2.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
    """
    rows = np.ascontiguousarray(indices, dtype=np.int64)
    if rows.size and not 0 <= rows.min() <= rows.max() < rows.shape[1]:
        raise StudyError(
            f"day numbers from {rows.min()} to {rows.max()}; resamples of {rows.shape[1]} days "
            f"have days 0 to {rows.shape[1] - 1}."
        )
    weights = np.zeros(rows.shape)
    count_days(rows, weights)
    return weights
