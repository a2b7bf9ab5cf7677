"""Scoring functions: what a forecast costs, smallest on average for the right one."""

import numpy as np
from numpy.typing import ArrayLike

from backtest.scores.checks import check_confidence
from backtest.scores.forecasts.signs import check_signs
from backtest.types import DataError, FloatArray


def tick_loss(loss: ArrayLike, value_at_risk: ArrayLike, *, confidence: float = 0.99) -> FloatArray:
    r"""Quantile loss of each day, in the unit of the losses.

    .. math:: (L - VaR) (c - 1\{L \le VaR\})

    NaN where the loss or the forecast is.

    Raises
    ------
    DataError : shapes that differ, a VaR the wrong way round.

    References
    ----------
    Koenker, R. & Bassett, G. (1978). Regression quantiles. Econometrica, 46(1), 33-50.

    Examples
    --------
    >>> tick_loss([3.0, 0.0], [1.0, 1.0]).round(6).tolist()
    [1.98, 0.01]
    """
    check_confidence(confidence)
    x, v = _of_one_shape(loss, value_at_risk)
    check_signs(v)
    beyond = x - v
    return np.where(beyond > 0, confidence, confidence - 1.0) * beyond


def fz0_loss(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    confidence: float = 0.975,
) -> FloatArray:
    r"""Fissler-Ziegel loss of degree zero of each day: scores VaR and ES together.

    .. math:: \frac{(L - VaR)^+}{\alpha ES} + \frac{VaR}{ES} + \ln ES - 1

    Differences of it between models do not depend on the unit of money.

    Raises
    ------
    DataError : an ES not above zero or below its VaR, shapes that differ.

    References
    ----------
    Patton, A., Ziegel, J. & Chen, R. (2019). Dynamic semiparametric models for expected shortfall
    (and value-at-risk). Journal of Econometrics, 211(2), 388-413.

    Examples
    --------
    >>> fz0_loss([0.0], [1.0], [1.0]).tolist()
    [0.0]
    """
    check_confidence(confidence)
    x, v, e = _of_one_shape(loss, value_at_risk, expected_shortfall)
    check_signs(v, e)
    if (e <= 0).any():
        raise DataError(f"expected_shortfall holds {e[e <= 0].flat[0]:g}; it must be above zero.")
    return np.maximum(x - v, 0.0) / ((1.0 - confidence) * e) + v / e + np.log(e) - 1.0


def _of_one_shape(*given: ArrayLike) -> tuple[FloatArray, ...]:
    """Floats of one shape, or one number: days must not meet portfolios by broadcasting.

    NaN is passed on; an infinity would make every mean infinite, and is refused.
    """
    arrays = tuple(np.asarray(values, dtype=np.float64) for values in given)
    if any(np.isinf(array).any() for array in arrays):
        raise DataError("losses or forecasts hold an infinity; give finite values, or NaN.")
    shapes = {array.shape for array in arrays if array.ndim}
    if len(shapes) > 1:
        raise DataError(f"losses and forecasts have shapes {sorted(shapes)}; give one shape.")
    return arrays
