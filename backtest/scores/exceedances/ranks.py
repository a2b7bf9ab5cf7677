"""Ranks of many statistics among those of simulated records, each as if it were alone."""

from functools import lru_cache

import numpy as np

from backtest.scores.checks import column_blocks
from backtest.scores.exceedances.exact import SAME
from backtest.types import FloatArray


def tied_pvalues(observed: FloatArray, null: FloatArray, *, seed: int) -> FloatArray:
    """`tied_pvalue` of many statistics, each with a generator of its own; NaN stays NaN.

    A p-value depends on its own statistic alone, whatever others are asked with it.

    Parameters
    ----------
    observed : (records,). null : (draws,) statistics under H0, or (draws, records).

    Examples
    --------
    >>> tied_pvalues(np.array([2.0, np.nan]), np.array([1.0, 3.0, np.nan]), seed=0).tolist()
    [0.5, nan]
    """
    statistics = np.nan_to_num(null, nan=-np.inf)
    pvalues = np.full(observed.shape, np.nan)
    for columns in column_blocks(len(statistics), len(observed)):
        one = observed[columns]
        law = statistics[:, columns] if statistics.ndim == 2 else statistics[:, None]
        above = np.count_nonzero(law > one + SAME, axis=0)
        tied = np.count_nonzero(np.abs(law - one) <= SAME, axis=0)
        broken = np.array([_rank_among(n, seed) for n in tied.tolist()], dtype=np.int64)
        pvalues[columns] = (above + broken + 1) / (len(statistics) + 1)
    pvalues[np.isnan(observed)] = np.nan
    return pvalues


@lru_cache(maxsize=4096)
def _rank_among(tied: int, seed: int) -> int:
    """A place among so many statistics that are alike, drawn with a generator of its own."""
    return int(np.random.default_rng(seed).integers(0, tied + 1))
