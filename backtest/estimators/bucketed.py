"""Filtered returns over several days: what each was worth in volatilities of its own time."""

from dataclasses import dataclass

import numpy as np

from backtest.kernels.bucketed import filter_returns, floored_volatility
from backtest.types import Days, FloatArray, first_known


@dataclass(frozen=True, eq=False)
class FilteredReturns:
    """Overlapping returns of one series over `step` days, filtered bucket by bucket.

    Days t, t - M, t - 2 M, ... have returns over M = `step` days that do not overlap: a bucket.
    Mean and volatility of a day come from its own bucket alone.

    Parameters
    ----------
    mean, volatility : (days,) exponentially weighted, of the returns up to and including the day.
    filtered : (days,) return less the mean, over the volatility, both of M days before.
    scale : (days, M) the volatility by which the returns of bucket k of a day, those of k, k + M,
        ... days before it, are scaled on that day: the mean of the latest M volatilities, at
        least the median volatility of the bucket. NaN until `lookback` volatilities are known.
    """

    mean: Days
    volatility: Days
    filtered: Days
    scale: FloatArray

    @classmethod
    def of(
        cls,
        returns: Days,
        *,
        step: int,
        lookback: int,
        burn_in: int,
        decay: float,
        demeaned: bool,
    ) -> "FilteredReturns":
        """Filter a series, of whose `returns` (days,) over `step` days the leading ones are NaN.

        The filter's formulas are those of `filter_returns` and `floored_volatility`.

        Parameters
        ----------
        lookback : days of the median volatility. burn_in : days of the mean and the volatility,
            `burn_in` / `step` returns of a bucket, rounded down. decay : of their weights, from one
            return of a bucket to the one before.
        demeaned : whether the volatility is that about the mean, or about zero.

        References
        ----------
        Hull, J. & White, A. (1998). Incorporating volatility updating into the historical
        simulation method for value-at-risk. Journal of Risk, 1(1), 5-19.
        Glinz, S. (2023). Margin procyclicality during Covid-19: drivers, impact and solutions.
        Bachelor's thesis, University of St. Gallen (the bucketed form of Eurex Clearing's model).

        Examples
        --------
        >>> returns = np.array([np.nan, 0.01, -0.01, 0.02, 0.02, -0.04])
        >>> calm = FilteredReturns.of(
        ...     returns, step=1, lookback=2, burn_in=2, decay=0.5, demeaned=False
        ... )
        >>> calm.volatility[2:].round(6).tolist()
        [0.01, 0.017321, 0.02, 0.034641]
        >>> calm.scale[-1].round(6).tolist(), round(float(calm.filtered[-1]), 6)
        ([0.034641], -3.0)
        """
        days = len(returns)
        mean, volatility, filtered = np.full((3, days), np.nan)
        weight = decaying_weights(burn_in, step=step, decay=decay)
        series = np.ascontiguousarray(returns, dtype=np.float64)
        filter_returns(series, weight, step, demeaned, mean, volatility, filtered)
        scale = np.full((days, step), np.nan)
        first = first_known(volatility) + lookback - 1
        floored_volatility(volatility, step, lookback, first, scale)
        return cls(mean=mean, volatility=volatility, filtered=filtered, scale=scale)


def decaying_weights(burn_in: int, *, step: int, decay: float) -> FloatArray:
    r"""(terms,) weights of a bucket's returns, the latest first.

    .. math:: w_j = \frac{1 - \lambda}{1 - \lambda^{b / M}} \lambda^j, \qquad
              j = 0 \ldots \lfloor b / M \rfloor - 1

    b = `burn_in`, M = `step`. They sum to one where M divides b; elsewhere to a little less, as in
    the source.

    Examples
    --------
    >>> decaying_weights(6, step=3, decay=0.5).round(6).tolist()
    [0.666667, 0.333333]
    """
    share = (1.0 - decay) / (1.0 - decay ** (burn_in / step))
    return np.asarray(share * decay ** np.arange(burn_in // step), dtype=np.float64)
