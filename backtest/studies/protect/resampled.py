"""Means over scored days with bounds, from days resampled in long blocks."""

from functools import lru_cache

import numpy as np

from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import FloatArray

# A margin that looks back 500 days moves slowly, so blocks are a year long; of a short record an
# eighth, since fewer blocks than that show no variation.
BLOCK, FEWEST = 250, 8
RESAMPLES = 2000
TAIL = 0.05  # each end of an interval is a one-sided bound of 95 %


@lru_cache(maxsize=2)
def resampled_days(days: int) -> FloatArray:
    """(RESAMPLES, days) share of each day in each resample; the same draws for all amounts.

    Examples
    --------
    >>> resampled_days(40).sum(axis=1).round(9).tolist() == [1.0] * RESAMPLES
    True
    """
    block = max(1, min(BLOCK, days // FEWEST))
    drawn = stationary_indices(days, resamples=RESAMPLES, block=block, seed=0)
    shares = day_weights(drawn) / days
    shares.flags.writeable = False  # one array serves every caller
    return shares


def bounded(values: FloatArray, weights: FloatArray) -> FloatArray:
    """(3, columns) mean of (days, columns), and its lower and its upper bound of 95 %.

    Examples
    --------
    >>> bounded(np.full((40, 1), 2.0), resampled_days(40)).round(9).tolist()
    [[2.0], [2.0], [2.0]]
    """
    low, high = np.quantile(weights @ values, [TAIL, 1.0 - TAIL], axis=0)
    return np.stack([values.mean(axis=0), low, high])


def columns_of(name: str, three: FloatArray) -> dict[str, float]:
    """A mean and its bounds as columns `name`, `name_low`, `name_high`."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(float, three), strict=True))
