"""Hansen's skewed Student law at unit variance: quantile, expected shortfall and probability."""

import numpy as np
from scipy.special import gammaln, ndtr, stdtr, stdtrit

from backtest.estimators.innovations import unit_tail
from backtest.types import FloatArray


def skewed_tail(
    confidence: float, freedom: FloatArray | float, skew: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    r"""VaR and ES, losses positive, of a P&L with mean 0, variance 1 and a skewed Student law.

    .. math:: f(z) = b c \Bigl(1 + \frac{y^2}{\nu - 2}\Bigr)^{-\frac{\nu + 1}{2}}, \quad
              y = \frac{b z + a}{1 \pm \lambda}, \quad
              q = \frac{a - (1 - \lambda) \sqrt{(\nu - 2) / \nu} \; w}{b}, \quad
              w = t_\nu^{-1}\Bigl(\frac{1 - c^*}{1 - \lambda}\Bigr)

    with the sign of b z + a, and c* the confidence; above the mode the other half's quantile. ES
    is the mean over the tail in closed form. A skew below zero is a P&L with the longer tail of
    losses; at zero the law is Student's, and normal where freedom is inf.

    References
    ----------
    Hansen, B. (1994). Autoregressive conditional density estimation. International Economic
    Review, 35(3), 705-730.

    Examples
    --------
    >>> [round(float(x), 6) for x in skewed_tail(0.99, 4.0, 0.0)]
    [2.649492, 3.69151]
    >>> [round(float(x), 6) for x in skewed_tail(0.99, 4.0, -0.2)]
    [3.018223, 4.294522]
    """
    level = 1.0 - confidence
    normal = np.isinf(freedom)
    nu = np.where(normal, 10.0, freedom)
    a, b, unit = _shape(nu, skew)
    in_left_part = level < (1.0 - skew) / 2.0
    width = np.where(in_left_part, 1.0 - skew, 1.0 + skew)
    # Probability beyond the quantile within its half: of the loss side, or of the gain side.
    share = np.where(in_left_part, level, confidence) / width
    w = stdtrit(nu, share)  # <= 0
    log_density = (
        gammaln((nu + 1.0) / 2.0)
        - gammaln(nu / 2.0)
        - 0.5 * np.log(np.pi * nu)
        - (nu + 1.0) / 2.0 * np.log1p(w * w / nu)
    )
    beyond = np.exp(log_density) * (nu + w * w) / (nu - 1.0)  # of a Student |t|, times its chance
    side = np.where(in_left_part, 1.0, -1.0)
    value_at_risk = (a - side * width * unit * w) / b
    # The mean is zero, so what the gain side holds beyond the quantile the loss side lacks.
    shortfall = width / b * (width * unit * beyond + side * a * share) / level
    plain = unit_tail(confidence, np.inf)
    return np.where(normal, plain[0], value_at_risk), np.where(normal, plain[1], shortfall)


def skewed_probability(
    value: FloatArray, freedom: FloatArray | float, skew: FloatArray | float
) -> FloatArray:
    """P(X <= value) of a unit-variance skewed Student; NaN stays NaN.

    Examples
    --------
    >>> skewed_probability(np.array([-2.649492, -3.018223]), 4.0, np.array([0.0, -0.2])).round(6)
    array([0.01, 0.01])
    """
    normal = np.isinf(freedom)
    nu = np.where(normal, 10.0, freedom)
    a, b, unit = _shape(nu, skew)
    top = b * value + a
    side = np.where(top < 0.0, -1.0, 1.0)
    width = 1.0 + side * skew
    beyond = width * stdtr(nu, -np.abs(top) / (width * unit))
    return np.where(normal, ndtr(value), np.where(top < 0.0, beyond, 1.0 - beyond))


def _shape(nu: FloatArray, skew: FloatArray | float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hansen's a and b, and the scale of a Student law of unit variance."""
    log_c = gammaln((nu + 1.0) / 2.0) - gammaln(nu / 2.0) - 0.5 * np.log(np.pi * (nu - 2.0))
    a = 4.0 * skew * np.exp(log_c) * (nu - 2.0) / (nu - 1.0)
    b = np.sqrt(1.0 + 3.0 * np.square(skew) - a * a)
    return a, b, np.sqrt((nu - 2.0) / nu)
