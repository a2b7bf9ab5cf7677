"""Exponentially weighted variance, with a memory of about 1 / (1 - decay) days."""

from math import ceil

import numpy as np

from backtest.kernels.garch import variances
from backtest.types import FloatArray


def memory(decay: float) -> int:
    """Days that an exponentially weighted mean remembers, 1 / (1 - decay), rounded up.

    Examples
    --------
    >>> memory(0.97), memory(0.94)
    (34, 17)
    """
    return ceil(round(1.0 / (1.0 - decay), 9))


def ewma_coefficients(decay: float, freedom: float = np.inf) -> FloatArray:
    """The EWMA as the GARCH that it is: (5,) no omega, reaction 1 - decay, beta = decay."""
    return np.array([0.0, 1.0 - decay, 1.0 - decay, decay, freedom])


def ewma_variance(shocks: FloatArray, *, decay: float, seed_days: int | None = None) -> FloatArray:
    r"""Variance of the next day as foreseen at each close; zero mean.

    .. math:: v_{t+1} = \lambda v_t + (1 - \lambda) x_t^2

    begun with the mean square of the first `seed_days` shocks, 1 / (1 - lambda) unless given.

    Parameters
    ----------
    shocks : (days, columns), finite. decay : lambda; RiskMetrics has 0.94 for daily horizons and
        0.97 for monthly ones.

    Returns
    -------
    (days, columns) squared units of the shocks; NaN until those first shocks are known.

    References
    ----------
    J.P. Morgan/Reuters (1996). RiskMetrics technical document, 4th edition, section 5.2.

    Examples
    --------
    >>> ewma_variance(np.array([[1.0], [3.0], [2.0]]), decay=0.5).ravel().tolist()
    [nan, 5.0, 4.5]
    """
    days, begin = len(shocks), memory(decay) if seed_days is None else seed_days
    out = np.full(shocks.shape, np.nan)
    if days < begin:
        return out
    coefficients, path = ewma_coefficients(decay), np.empty(days - begin + 1)
    for column, series in enumerate(np.ascontiguousarray(shocks.T)):
        variances(series[begin:], coefficients, float(np.mean(series[:begin] ** 2)), path)
        out[begin - 1 :, column] = path
    return out
