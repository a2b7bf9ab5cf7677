"""The Weibull duration test on many records at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.scores.exceedances.durations import SHAPES
from backtest.scores.exceedances.many_waits import Waits
from backtest.types import BoolArray, FloatArray

STEPS = 100  # Newton's, of which ten are enough, or halvings where one leaves the range
CLOSE = 1e-9  # share of the shape below which a step ends the search: its square counts


def weibull_statistics(records: BoolArray) -> FloatArray:
    r"""Likelihood ratio of `weibull_duration`, record by record.

    With D all spells, of which n are complete (d), the likelihood is concave in the shape b, and
    the zero of its derivative is found by Newton's steps within a range that shrinks:

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
    spells = _LogSpells.of(records)
    statistics = np.full(records.shape[1], np.nan)
    if not len(spells.count):
        return statistics
    low, high = (np.full(len(spells.count), edge) for edge in SHAPES)
    shape = np.ones(len(spells.count))
    for _ in range(STEPS):
        slope, bend = spells.slope(shape)
        low, high = np.where(slope > 0.0, shape, low), np.where(slope > 0.0, high, shape)
        step = shape - slope / bend
        step = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        still = np.abs(step - shape) <= CLOSE * shape
        shape = step
        if still.all():
            break
    gain = spells.likelihood(shape) - spells.likelihood(np.ones(len(shape)))
    statistics[spells.known] = np.maximum(2.0 * gain, 0.0)
    return statistics


@dataclass(frozen=True, eq=False)
class _LogSpells:
    """Logarithms of all spells of the records that have a complete one, in a row.

    Parameters
    ----------
    known : (all records,) whether one is among them. count, logs : (records,) complete spells, and
        the sum of their logarithms. log : (spells,), cut spells too. record : of each spell.
    """

    known: BoolArray
    count: FloatArray
    logs: FloatArray
    log: FloatArray
    record: NDArray[np.intp]

    @classmethod
    def of(cls, records: BoolArray) -> "_LogSpells":
        """Spells of (days, records)."""
        waits = Waits.of(records)
        known = waits.counts > 1
        place = np.cumsum(known) - 1
        # A first day with an exceedance ends no spell, nor does a last one begin one.
        tail = len(records) - waits.summed(waits.waits)
        ends = known & (tail > 0.0)
        spells = known[waits.record] & ~(waits.first & (waits.waits == 1.0))
        log = np.log(waits.waits[spells])
        record = place[waits.record[spells]]
        complete = ~waits.first[spells]
        logs = np.bincount(record[complete], log[complete], np.count_nonzero(known))
        return cls(
            known,
            np.asarray(waits.counts[known] - 1.0, dtype=np.float64),
            np.asarray(logs, dtype=np.float64),
            np.concatenate([log, np.log(tail[ends])]),
            np.concatenate([record, place[ends]]),
        )

    def _sum(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(self.record, values, len(self.count)), dtype=np.float64)

    def slope(self, shape: FloatArray) -> tuple[FloatArray, FloatArray]:
        """First and second derivative of the log-likelihood in the shape."""
        powers = np.exp(shape[self.record] * self.log)
        total = self._sum(powers)
        mean = self._sum(powers * self.log) / total
        spread = self._sum(powers * self.log**2) / total - mean**2
        slope = self.count / shape + self.logs - self.count * mean
        return slope, -self.count / shape**2 - self.count * np.maximum(spread, 0.0)

    def likelihood(self, shape: FloatArray) -> FloatArray:
        """Log-likelihood of a shape, with the scale that maximises it for that shape."""
        powers = self._sum(np.exp(shape[self.record] * self.log))
        gain = self.count * (np.log(self.count / powers * shape) - 1.0)
        return np.asarray(gain + (shape - 1.0) * self.logs)
