"""Student quantiles and mixing draws as smooth functions of the degrees of freedom."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.special import gammaincinv, stdtrit

from backtest.kernels.copula import FREEDOM, curves_at, quantiles_at
from backtest.types import FloatArray

NODES = 24  # Chebyshev's; relative errors are below 1e-12 where the probability is above 1e-4


def student_quantiles(parts: int, freedom: float) -> FloatArray:
    """(parts - 1,) quantiles of a Student law at 1 / parts, 2 / parts, ...

    freedom : degrees of freedom within the range of `FREEDOM`, 2.2 to 60.

    Examples
    --------
    >>> student_quantiles(100, 4.0)[[0, 49, 98]].round(6).tolist()
    [-3.746947, 0.0, 3.746947]
    """
    out = np.empty(parts - 1)
    quantiles_at(quantile_curves(parts), freedom, out)
    return out


@lru_cache(maxsize=8)
def quantile_curves(parts: int) -> FloatArray:
    """(nodes, lower) coefficients of the Student quantiles at k / parts below a half."""
    probability = np.arange(1, (parts + 1) // 2) / parts
    return _curves(lambda freedom: np.asarray(stdtrit(freedom, probability), np.float64))


class MixedDraws:
    r"""The factors that turn some normal draws into Student ones, for any degrees of freedom.

    .. math:: \sqrt{\nu / \chi^2_\nu}

    The uniform draws behind them are the same at all degrees of freedom. Some 200 bytes a draw.

    Examples
    --------
    >>> MixedDraws(np.array([0.5])).at(4.0).round(6).tolist()
    [1.091627]
    """

    def __init__(self, uniform: FloatArray) -> None:
        self._curves = _curves(
            lambda freedom: np.sqrt(freedom / (2.0 * gammaincinv(freedom / 2.0, uniform)))
        )

    def at(self, freedom: float) -> FloatArray:
        """(draws,) factors at some degrees of freedom."""
        out = np.empty(self._curves.shape[1])
        curves_at(self._curves, freedom, out)
        return out


def _curves(function: Callable[[float], FloatArray]) -> FloatArray:
    """(nodes, values) coefficients in Chebyshev polynomials of 1 / sqrt(freedom).

    References
    ----------
    Trefethen, L. (2013). Approximation Theory and Approximation Practice. SIAM, chapter 3.
    """
    angle = np.pi * (np.arange(NODES) + 0.5) / NODES
    left, right = FREEDOM[1] ** -0.5, FREEDOM[0] ** -0.5
    places = 0.5 * (left + right) + 0.5 * (right - left) * np.cos(angle)
    values = np.array([function(float(place**-2.0)) for place in places])
    coefficients = 2.0 / NODES * np.cos(np.outer(np.arange(NODES), angle)) @ values
    coefficients[0] /= 2.0
    return np.ascontiguousarray(coefficients)
