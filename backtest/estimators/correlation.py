"""Rolling covariance of shocks, and when a correlation is reliable enough to lean on."""

import numpy as np

from ..types import FloatArray

# One-sided 95 % normal quantile, scipy.special.ndtri(0.95) to double precision.
NORMAL_95 = 1.6448536269514722


def rolling_covariance(columns: FloatArray, lookback: int) -> FloatArray:
    """Covariance of `columns` (days, columns) over each trailing window; (days, columns, columns).

    Each window is centred on its own mean (no running sums, so no drift). NaN until `lookback`
    complete rows have been seen.

    Examples
    --------
    >>> rolling_covariance(np.array([[1.0], [2.0], [4.0]]), 2)[:, 0, 0].tolist()
    [nan, 0.25, 1.0]
    """
    days, width = columns.shape
    out = np.full((days, width, width), np.nan)
    first = int(np.isnan(columns).any(axis=1).sum())
    for day in range(first + lookback - 1, days):
        window = columns[day - lookback + 1 : day + 1]
        centred = window - window.mean(axis=0)
        out[day] = centred.T @ centred / lookback
    return out


def correlation_bounded_by(bound: float, observations: float) -> float:
    r"""Correlation whose one-sided 95 % upper confidence bound (Fisher) is exactly `bound`.

    .. math:: r = \tanh(\operatorname{artanh} b - z_{.95} / \sqrt{n - 3})

    observations : independent observations; with overlapping H-day shocks, lookback / H. With
    three or fewer no correlation has a bound, and the answer is -inf.

    References
    ----------
    Fisher, R. A. (1921). On the probable error of a coefficient of correlation deduced from a
    small sample. Metron, 1, 3-32.

    Examples
    --------
    >>> round(correlation_bounded_by(-0.3, 250), 4)
    -0.392
    """
    if observations <= 3 or bound <= -1:
        return -np.inf
    return float(np.tanh(np.arctanh(bound) - NORMAL_95 / np.sqrt(observations - 3.0)))
