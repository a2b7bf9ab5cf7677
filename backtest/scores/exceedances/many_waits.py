"""Tests of waiting times on many records at once: all spells of all records in one array."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.scores.exceedances.counts import unconditional_statistic
from backtest.scores.exceedances.durations import geometric_moments
from backtest.scores.exceedances.waiting import waiting_ratio
from backtest.types import BoolArray, FloatArray

MOMENTS = 3  # of `gmm_duration`


@dataclass(frozen=True, eq=False)
class Waits:
    """Days from one exceedance to the next, the first from the start, of all records in a row.

    Parameters
    ----------
    waits : (exceedances,). record : the record of each. first : whether it is the first of its
        record. counts : (records,) exceedances.
    """

    waits: FloatArray
    record: NDArray[np.intp]
    first: BoolArray
    counts: NDArray[np.intp]

    @classmethod
    def of(cls, records: BoolArray) -> "Waits":
        """Waits of (days, records)."""
        # Of a row of cells numpy finds the true ones several times faster than of a table.
        record, day = np.divmod(np.flatnonzero(records.T), len(records))
        first = np.diff(record, prepend=-1) != 0
        waits = np.where(first, day + 1, np.diff(day, prepend=0)).astype(np.float64)
        return cls(waits, record, first, np.bincount(record, minlength=records.shape[1]))

    def summed(self, values: FloatArray, inside: BoolArray | None = None) -> FloatArray:
        """(records,) sums of a value a wait, or of those `inside`."""
        record = self.record if inside is None else self.record[inside]
        return np.asarray(np.bincount(record, values, len(self.counts)), dtype=np.float64)


def first_statistics(records: BoolArray, confidence: float) -> FloatArray:
    """Statistics of `time_to_first_exceedance`, (records,); NaN without an exceedance.

    Examples
    --------
    >>> first_statistics(np.eye(200, 1, -57, dtype=bool), 0.95).round(4).tolist()
    [1.7354]
    """
    spells = Waits.of(records)
    statistics = np.full(records.shape[1], np.nan)
    statistics[spells.record[spells.first]] = waiting_ratio(spells.waits[spells.first], confidence)
    return statistics


def between_statistics(records: BoolArray, confidence: float) -> FloatArray:
    """Statistics of `time_between_exceedances`, (records,); NaN without an exceedance.

    Examples
    --------
    >>> between_statistics(np.arange(1000)[:, None] % 100 == 99, 0.99).round(9).tolist()
    [0.0]
    """
    spells = Waits.of(records)
    total = spells.summed(waiting_ratio(spells.waits, confidence))
    return np.where(spells.counts > 0, total, np.nan)


def mixed_statistics(records: BoolArray, confidence: float) -> FloatArray:
    """Statistics of `mixed_kupiec`, (records,); NaN without an exceedance."""
    counts = np.count_nonzero(records, axis=0)
    rate = unconditional_statistic(
        counts, np.full(len(counts), len(records)), confidence=confidence
    )
    return between_statistics(records, confidence) + rate


def gmm_statistics(records: BoolArray, confidence: float) -> FloatArray:
    """Statistics of `gmm_duration`, kind 'coverage', (records,); NaN without a complete spell."""
    spells = Waits.of(records)
    complete = ~spells.first
    moments = geometric_moments(spells.waits[complete], 1.0 - confidence, MOMENTS)
    squares = sum(spells.summed(moment, complete) ** 2 for moment in moments)
    count = spells.counts - 1
    statistics = np.full(len(count), np.nan)
    np.divide(squares, count, out=statistics, where=count > 0)
    return statistics
