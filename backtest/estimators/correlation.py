"""Estimators of the covariance of shocks, and a confidence bound for a correlation."""

import numpy as np

from backtest.kernels.covariance import window_covariance
from backtest.kernels.moving_covariance import carry_on, shrink
from backtest.types import FloatArray, first_known, tail_count

# One-sided 95 % normal quantile, scipy.special.ndtri(0.95) to double precision.
NORMAL_95 = 1.6448536269514722


def rolling_covariance(columns: FloatArray, lookback: int) -> FloatArray:
    """Covariance of `columns` (days, columns) over each trailing window; (days, columns, columns).

    NaN until `lookback` complete rows have been seen. A column of equal values has a variance of
    zero, although their mean, as computed, may not equal them. Sums are carried from day to day,
    and their rounding is kept below 1e-12 of the variances (see `kernels.covariance`).

    Examples
    --------
    >>> rolling_covariance(np.array([[1.0], [2.0], [4.0]]), 2)[:, 0, 0].tolist()
    [nan, 0.25, 1.0]
    """
    out = np.empty((*columns.shape, columns.shape[1]))
    first = first_known(columns)
    out[: first + lookback - 1] = np.nan
    window_covariance(np.ascontiguousarray(columns[first:]), lookback, out[first:])
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


def correlation_of(covariance: FloatArray) -> FloatArray:
    """Correlation of covariances (..., columns, columns); zero where a column does not vary.

    Examples
    --------
    >>> correlation_of(np.array([[4.0, 1.0], [1.0, 1.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    spread = np.sqrt(variance[..., :, None] * variance[..., None, :])
    out = np.divide(covariance, spread, out=np.zeros_like(covariance), where=spread != 0.0)
    diagonal = np.arange(covariance.shape[-1])
    out[..., diagonal, diagonal] = np.where(np.isnan(variance), np.nan, 1.0)
    return np.clip(out, -1.0, 1.0)


def ewma_covariance(columns: FloatArray, decay: float, *, seed_days: int) -> FloatArray:
    r"""Exponentially weighted zero-mean covariance: (days, columns, columns), known at each close.

    .. math:: S_t = \lambda S_{t-1} + (1 - \lambda) z_t z_t'

    starting from the mean of the first `seed_days` products; NaN until these are known.

    References
    ----------
    J.P. Morgan/Reuters (1996). RiskMetrics technical document, 4th edition, section 5.2.

    Examples
    --------
    >>> ewma_covariance(np.array([[1.0], [3.0], [2.0]]), 0.5, seed_days=2)[:, 0, 0].tolist()
    [nan, 5.0, 4.5]
    """
    out = np.full((*columns.shape, columns.shape[1]), np.nan)
    first = first_known(columns) + seed_days
    if first > len(columns):
        return out
    seed = columns[first - seed_days : first]
    out[first - 1] = seed.T @ seed / seed_days
    out[first:] = 0.0
    carry_on(np.ascontiguousarray(columns), first, 0.0, 1.0 - decay, decay, out)
    return out


def dcc_covariance(
    z: FloatArray, *, reaction: float, persistence: float, lookback: int
) -> FloatArray:
    r"""Q of the dynamic conditional correlation, (days, columns, columns), foreseen at each close.

    .. math:: Q_{t+1} = (1 - p) \bar Q_t + a z_t z_t' + (p - a) Q_t

    a = reaction, p = persistence; Q bar is the covariance of the last `lookback` z, so that no day
    knows its future. Its correlation is that of the next day.

    Parameters
    ----------
    z : (days, columns) shocks over their foreseen volatility.

    References
    ----------
    Engle, R. (2002). Dynamic conditional correlation. Journal of Business & Economic Statistics,
    20(3), 339-350.

    Examples
    --------
    >>> z = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    >>> dcc_covariance(z, reaction=0.1, persistence=0.9, lookback=2)[:, 0, 0].tolist()
    [nan, 1.0, 1.0, 1.0]
    """
    out = rolling_covariance(z, lookback)
    second = first_known(z) + lookback
    weights = 1.0 - persistence, reaction, persistence - reaction
    carry_on(np.ascontiguousarray(z), second, *weights, out)
    return out


def shrunk_covariance(columns: FloatArray, lookback: int) -> FloatArray:
    r"""Covariance of each trailing window, shrunk towards equal variances without correlation.

    .. math:: (1 - \delta) S + \delta m I, \quad m = \frac{tr S}{p}, \quad
              \delta = \min\Bigl(1, \frac{\frac{1}{n^2} \sum_k \|x_k x_k' - S\|^2}
              {\|S - m I\|^2}\Bigr)

    for windows x of n days and p columns, each centred on its mean.

    References
    ----------
    Ledoit, O. & Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance
    matrices. Journal of Multivariate Analysis, 88(2), 365-411.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, 0.8], [-1.0, -0.8]])
    >>> shrunk_covariance(x, 4)[3].round(4).tolist()
    [[0.9993, 0.8928], [0.8928, 0.8207]]
    """
    out = rolling_covariance(columns, lookback)
    first = first_known(columns)
    shrink(np.ascontiguousarray(columns[first:]), lookback, out[first:])
    return out


def tail_correlation(columns: FloatArray, lookback: int, *, tail: float) -> FloatArray:
    r"""Correlation of each trailing window, estimated from its large moves only.

    .. math:: \rho_{ij} = \frac{s_+^2 - s_-^2}{s_+^2 + s_-^2}, \qquad
              s_\pm = (1 - \text{tail})\text{-quantile of } |z_i \pm z_j|

    with z the columns over their root mean square in the window. Where all directions have tails
    of one shape (normal, Student) it is the usual correlation; where falls come together it is
    higher. The largest tail n moves count, from above and below alike.

    Returns
    -------
    (days, columns, columns) NaN until `lookback` days are known; its eigenvalues may be negative.

    References
    ----------
    Gnanadesikan, R. & Kettenring, J. (1972). Robust estimates, residuals, and outlier detection
    with multiresponse data. Biometrics, 28(1), 81-124.
    Campbell, R., Koedijk, K. & Kofman, P. (2002). Increased correlation in bear markets. Financial
    Analysts Journal, 58(1), 87-94.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [-1.0, 1.0], [2.0, 2.0], [-1.0, 1.0], [1.0, -1.0]])
    >>> tail_correlation(x, 5, tail=0.2)[-1].round(3).tolist()
    [[1.0, 0.6], [0.6, 1.0]]
    """
    days, width = columns.shape
    out = np.full((days, width, width), np.nan)
    one, other = np.triu_indices(width, 1)
    tail_days = tail_count(lookback, 1.0 - tail)
    first = first_known(columns) + lookback - 1
    for day in range(first, days):
        window = columns[day - lookback + 1 : day + 1]
        size = np.sqrt((window**2).mean(axis=0))
        z = window / np.where(size > 0.0, size, 1.0)
        both = np.abs([z[:, one] + z[:, other], z[:, one] - z[:, other]])
        plus, minus = np.partition(both, lookback - tail_days, axis=1)[:, lookback - tail_days] ** 2
        is_moving = plus + minus > 0.0
        rho = np.divide(plus - minus, plus + minus, out=np.zeros_like(plus), where=is_moving)
        out[day] = np.eye(width)
        out[day, one, other] = out[day, other, one] = rho
    return out
