"""Prices that repeat: a Student law fitted to them has tails without a variance, and is refused."""

import numpy as np

from backtest.kernels.garch import LEAST_FREEDOM
from backtest.types import BoolArray, FloatArray, StudyError

STALE = 0.1  # share of days without a move beyond which tails at their floor say: stale prices
FLOOR = 1e-2  # relative distance from the least degrees of freedom that counts as at them


def at_floor(freedom: FloatArray) -> BoolArray:
    """(series,) whether the degrees of freedom ended at their floor.

    Examples
    --------
    >>> at_floor(np.array([2.05, 2.06, 2.1, np.inf])).tolist()
    [True, True, False, False]
    """
    return np.asarray(freedom <= LEAST_FREEDOM * (1.0 + FLOOR))


def refuse_stale(rows: FloatArray, freedom: FloatArray, *, who: str, what: str = "P&Ls") -> None:
    """Refuse a fit whose tails ended at their floor on a series of which many days repeat.

    Its volatility has no meaning, and a margin from it vanishes.

    Parameters
    ----------
    rows : (series, days). freedom : (series,) fitted degrees of freedom. who, what : the model and
        its values, for the message.

    Raises
    ------
    StudyError : one line with the share of days that repeat.
    """
    still = (rows == 0.0).mean(axis=1)
    stale = at_floor(freedom) & (still > STALE) & (still < 1.0)
    if stale.any():
        raise StudyError(
            f"{who} cannot be fitted: {still[stale][0]:.0%} of {rows.shape[1]} {what} are zero and "
            f"the degrees of freedom end at their floor of {LEAST_FREEDOM}. Prices are stale: "
            "leave out the days that were filled, or take a model that is not fitted."
        )
