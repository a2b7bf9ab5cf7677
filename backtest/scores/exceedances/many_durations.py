"""The Weibull duration test on many records at once."""

import numpy as np
from scipy.special import xlogy

from backtest.scores.exceedances.durations import SHAPES
from backtest.scores.exceedances.record import spells_of
from backtest.types import BoolArray, FloatArray

HALVINGS = 60  # of the search range: to the last digit of the shape


def weibull_statistics(records: BoolArray) -> FloatArray:
    r"""Likelihood ratio of `weibull_duration`, record by record.

    With D all spells, of which n are complete (d), the likelihood is concave in the shape b, and
    its derivative is halved to zero:

    .. math:: \frac{n}{b} + \sum \ln d - n \frac{\sum D^b \ln D}{\sum D^b}

    Parameters
    ----------
    records : (days, records) bool, no day missing.

    Returns
    -------
    (records,) statistics, NaN without a complete spell.

    Examples
    --------
    >>> from backtest.scores.exceedances.durations import weibull_duration
    >>> record = np.isin(np.arange(250), [99, 100, 180])
    >>> many = weibull_statistics(record[:, None])[0]
    >>> bool(np.isclose(many, weibull_duration(record).statistic, rtol=1e-9))
    True
    """
    spells = [spells_of(record) for record in records.T]
    count = np.array([len(each.complete) for each in spells], dtype=np.float64)
    logs = np.array([np.log(each.complete).sum() for each in spells])
    known = count > 0
    statistics = np.full(len(spells), np.nan)
    if not known.any():
        return statistics
    every = [np.concatenate([each.complete, each.censored]) for each in spells]
    longest = max(len(each) for each in every)
    # Spells of no length fill the rows: their powers are 0.
    length = np.zeros((len(spells), longest))
    for row, each in enumerate(every):
        length[row, : len(each)] = each
    count, logs, length = count[known], logs[known], length[known]
    low, high = (np.full(len(count), edge) for edge in SHAPES)
    for _ in range(HALVINGS):
        shape = 0.5 * (low + high)
        powers = length ** shape[:, None]
        weighted = xlogy(powers, length).sum(axis=1) / powers.sum(axis=1)
        rising = count / shape + logs - count * weighted > 0.0
        low, high = np.where(rising, shape, low), np.where(rising, high, shape)
    free = _likelihood(count, logs, length, 0.5 * (low + high))
    tied = _likelihood(count, logs, length, np.ones(len(count)))
    statistics[known] = np.maximum(2.0 * (free - tied), 0.0)
    return statistics


def _likelihood(
    count: FloatArray, logs: FloatArray, length: FloatArray, shape: FloatArray
) -> FloatArray:
    """Log-likelihood of a shape, with the scale that maximises it for that shape."""
    powers = (length ** shape[:, None]).sum(axis=1)
    return np.asarray(count * (np.log(count / powers * shape) - 1.0) + (shape - 1.0) * logs)
