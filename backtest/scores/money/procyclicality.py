"""How far and how fast a requirement changes while the positions stay the same.

All measures are ratios, so scaling a requirement to equal coverage does not change them.
"""

from math import ceil
from typing import NamedTuple

import numpy as np

from backtest.kernels.scored import sum_and_range
from backtest.scores.checks import as_panels, column_blocks
from backtest.types import DaysByPortfolios, FloatArray, StudyError

RISE_DAYS = (1, 5, 30)  # Murphy, Vasios & Vause (2014) report 1, 5 and 30 days
LARGE_CALLS = (0.10, 0.25, 0.50)


class Extent(NamedTuple):
    """Mean, smallest and largest requirement of the scored days, (portfolios,) USD each."""

    mean: FloatArray
    trough: FloatArray
    peak: FloatArray

    def ratio(self) -> FloatArray:
        """Peak over trough; +inf if the requirement falls to 0, NaN if it is always 0."""
        unbounded = np.where(self.peak > 0.0, np.inf, np.nan)
        np.divide(self.peak, self.trough, out=unbounded, where=self.trough > 0.0)
        return unbounded


def extent(required: DaysByPortfolios) -> Extent:
    """Mean and range of requirements, (days, portfolios) USD >= 0 over scored days, no NaN.

    Examples
    --------
    >>> [float(values[0]) for values in extent(np.array([[2.0], [6.0], [4.0]]))]
    [4.0, 2.0, 6.0]
    """
    days, portfolios = required.shape
    total, trough, peak = (np.empty(portfolios) for _ in range(3))
    sum_and_range(np.ascontiguousarray(required), total, trough, peak)
    return Extent(total / days, trough, peak)


def peak_to_trough(required: DaysByPortfolios) -> FloatArray:
    """Largest over smallest requirement of the scored days.

    Parameters
    ----------
    required : (days, portfolios) USD >= 0 over scored days, no NaN.

    Returns
    -------
    (portfolios,) ratios, 1 or more; +inf if the requirement falls to 0, NaN if it is always 0.

    References
    ----------
    Murphy, D., Vasios, M. & Vause, N. (2014). An investigation into the procyclicality of
    risk-based initial margin models. Bank of England Financial Stability Paper 29.

    Examples
    --------
    >>> peak_to_trough(np.array([[2.0, 0.0, 0.0], [5.0, 1.0, 0.0]])).tolist()
    [2.5, inf, nan]
    """
    (margin,) = as_panels(required=required)
    return extent(margin).ratio()


def rises(required: DaysByPortfolios, *, days: int) -> FloatArray:
    """Relative change of the requirement from each day to `days` later.

    Parameters
    ----------
    required : (days, portfolios) USD >= 0 over scored days, no NaN.
    days : margin days from one to the other, 1 or more, fewer than there are.

    Returns
    -------
    (days - `days`, portfolios) M(t+n) / M(t) - 1, negative for a fall; from a requirement of 0 it
    is +inf to any other, and 0 to 0.

    Raises
    ------
    StudyError : `days` below 1, or no pair of days so far apart.

    Examples
    --------
    >>> rises(np.array([[2.0], [3.0], [4.0]]), days=1).round(3)[:, 0].tolist()
    [0.5, 0.333]
    """
    (margin,) = as_panels(required=required)
    _check_days(days, len(margin))
    return _relative(margin[days:], margin[:-days])


def largest_rise(required: DaysByPortfolios, *, days: int) -> FloatArray:
    """Largest rise from a day to exactly `days` later, (portfolios,); below 0 where all are falls.

    Examples
    --------
    >>> largest_rise(np.array([[2.0], [6.0], [4.0]]), days=2).tolist()
    [1.0]
    """
    (margin,) = as_panels(required=required)
    _check_days(days, len(margin))
    rise = np.empty(margin.shape[1])
    for columns in column_blocks(*margin.shape):
        rise[columns] = _relative(margin[days:, columns], margin[:-days, columns]).max(axis=0)
    return rise


def largest_rise_within(required: DaysByPortfolios, *, days: int) -> FloatArray:
    """Largest rise from a day to any of the `days` that follow, (portfolios,).

    Never below `largest_rise`: a peak within the period counts even if it is over on the last day.

    Examples
    --------
    >>> largest_rise_within(np.array([[2.0], [6.0], [4.0]]), days=2).tolist()
    [2.0]
    """
    (margin,) = as_panels(required=required)
    _check_days(days, len(margin))
    rise = np.empty(margin.shape[1])
    for columns in column_blocks(*margin.shape):
        block = margin[:, columns]
        # Of the days that a rise may begin on, the one with the least margin has the largest.
        lowest = block[:-1].copy()
        for n in range(2, days + 1):
            np.minimum(lowest[n - 1 :], block[:-n], out=lowest[n - 1 :])
        rise[columns] = _relative(block[1:], lowest).max(axis=0)
    return rise


def expected_rise(required: DaysByPortfolios, *, days: int) -> tuple[FloatArray, FloatArray]:
    """Mean rise over `days`, falls counted as 0, and the 95th percentile of the change.

    Parameters
    ----------
    required : (days, portfolios) USD >= 0 over scored days, no NaN. days : as in `rises`.

    Returns
    -------
    mean, percentile : (portfolios,). The percentile is an order statistic, of falls and rises.

    Examples
    --------
    >>> mean, percentile = expected_rise(np.array([[4.0], [2.0], [3.0]]), days=1)
    >>> mean.tolist(), percentile.tolist()
    ([0.25], [0.5])
    """
    change = rises(required, days=days)
    # Each portfolio's days side by side: a partition down columns takes twice as long.
    place = ceil(0.95 * len(change)) - 1
    percentile = np.partition(np.ascontiguousarray(change.T), place, axis=1)[:, place]
    return np.maximum(change, 0.0).mean(axis=0), percentile.copy()


def large_call_rate(required: DaysByPortfolios, *, threshold: float, days: int = 1) -> FloatArray:
    """Share of days from which the requirement is up by more than `threshold` `days` later.

    Parameters
    ----------
    required : (days, portfolios) USD >= 0 over scored days, no NaN.
    threshold : relative rise, such as 0.25, above 0. days : as in `rises`.

    Examples
    --------
    >>> large_call_rate(np.array([[2.0], [3.0], [2.0], [2.1]]), threshold=0.25).round(3).tolist()
    [0.333]
    """
    if not threshold > 0.0:
        raise StudyError(f"threshold is {threshold}; give a relative rise above 0, such as 0.25.")
    return np.asarray((rises(required, days=days) > threshold).mean(axis=0))


def time_above_mean(required: DaysByPortfolios) -> FloatArray:
    """Share of days on which the requirement is above its own mean, (portfolios,).

    A share far below one half means long calm periods and steep peaks.

    Examples
    --------
    >>> time_above_mean(np.array([[1.0], [1.0], [1.0], [5.0]])).tolist()
    [0.25]
    """
    (margin,) = as_panels(required=required)
    # The tolerance keeps a constant requirement from being above its mean through rounding.
    return np.asarray((margin > margin.mean(axis=0) * (1.0 + 1e-12)).mean(axis=0))


def _relative(after: FloatArray, before: FloatArray) -> FloatArray:
    change = np.where(after > 0.0, np.inf, 0.0)
    np.divide(after - before, before, out=change, where=before > 0.0)
    return change


def _check_days(days: int, length: int) -> None:
    if not 1 <= days < length:
        raise StudyError(
            f"a rise over {days} days of a record of {length}; give 1 .. {length - 1} days."
        )
