"""How far a requirement swings while the book stays the same."""

import numpy as np

from backtest.scores.checks import as_panels
from backtest.types import DaysByPortfolios, FloatArray


def peak_to_trough(required: DaysByPortfolios) -> FloatArray:
    """Largest over smallest requirement of the scored days.

    Parameters
    ----------
    required : (days, portfolios) USD >= 0 over scored days, no NaN.

    Returns
    -------
    (portfolios,) ratios, 1 or more; +inf where the requirement falls to 0, NaN where it never
    leaves 0.

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
    peak, trough = margin.max(axis=0), margin.min(axis=0)
    unbounded = np.where(peak > 0.0, np.inf, np.nan)
    np.divide(peak, trough, out=unbounded, where=trough > 0.0)
    return unbounded
