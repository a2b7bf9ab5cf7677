"""Whether price risks are 'significantly and reliably correlated', as known at each close."""

from statistics import NormalDist

import numpy as np

from backtest.estimators.correlation import correlation_of, rolling_covariance, tail_correlation
from backtest.types import BoolArray, FloatArray


def significant_correlation(observations: float, confidence: float) -> float:
    r"""Smallest correlation of a sample that is significant, one-sided (Fisher).

    .. math:: r = \tanh\left(z_c / \sqrt{n - 3}\right)

    Three observations or fewer show nothing: the answer is 1, which no sample exceeds.

    References
    ----------
    Fisher, R. A. (1921). On the probable error of a coefficient of correlation deduced from a
    small sample. Metron, 1, 3-32.

    Examples
    --------
    >>> round(significant_correlation(125, 0.99), 3), significant_correlation(3, 0.99)
    (0.208, 1.0)
    """
    if observations <= 3:
        return 1.0
    return float(np.tanh(NormalDist().inv_cdf(confidence) / np.sqrt(observations - 3.0)))


def reliably_correlated(
    moves: FloatArray, *, days: int, windows: int, confidence: float, large_moves: float
) -> BoolArray:
    """Pairs whose correlation is significant, of one sign, in every part of the look-back period.

    Parts are `windows` consecutive windows of equal length within the last `days`, and the largest
    moves of all of them (see `tail_correlation`). Each is tested on its own, one-sided.

    Parameters
    ----------
    moves : (days, columns) P&L that is known at each close; leading rows NaN.
    days : of the look-back period.
    windows : its parts.
    confidence : of each test.
    large_moves : share of the days that are large moves.

    Returns
    -------
    (days, columns, columns) False until the look-back period is full; a column with itself, True.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rate, coin = rng.standard_normal((2, 400))
    >>> moves = np.column_stack([rate, coin, 0.8 * rate + 0.6 * rng.standard_normal(400)])
    >>> reliably_correlated(
    ...     moves, days=400, windows=4, confidence=0.99, large_moves=0.1)[-1].astype(int).tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    """
    length = days // windows
    latest = correlation_of(rolling_covariance(moves, length))
    largest = tail_correlation(moves, days, tail=large_moves)
    sign = np.sign(latest)
    shown = sign * largest >= significant_correlation(large_moves * days, confidence)
    least = significant_correlation(length, confidence)
    for lag in range(0, windows * length, length):
        earlier = np.full_like(latest, np.nan)
        earlier[lag:] = latest[: max(len(latest) - lag, 0)]
        shown &= sign * earlier >= least
    columns = np.arange(moves.shape[1])
    shown[:, columns, columns] = True
    return np.asarray(shown)
