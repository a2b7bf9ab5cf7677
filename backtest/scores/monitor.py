"""E-backtests: evidence against a model that may be read every day, for any number of days.

An e-process is the wealth of a person who bets against the model. If the model is right the bets
are fair, and the probability that the wealth ever reaches 1 / level is at most that level. Losses
over several days overlap: bet on every MPOR-th day only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backtest.scores.checks import check_confidence
from backtest.scores.forecasts.expected_shortfall import as_forecasts
from backtest.types import DataError, FloatArray

MOST = 0.5  # largest share of the wealth in one bet


@dataclass(frozen=True, eq=False)
class Monitor:
    """Results of the bets.

    Parameters
    ----------
    wealth : (days,) e-process after each day, 1 before the first.
    bet : (days,) share of the wealth in the bet of each day, decided the day before.
    """

    wealth: FloatArray
    bet: FloatArray

    @property
    def pvalue(self) -> float:
        """P-value valid at any time: 1 / largest wealth so far, at most 1."""
        return float(min(1.0, 1.0 / self.wealth.max()))

    def rejected_on(self, level: float = 0.05) -> int | None:
        """First day on which the wealth reaches 1 / level; None if it never does.

        Examples
        --------
        >>> Monitor(np.array([1.0, 25.0]), np.array([0.0, 0.5])).rejected_on()
        1
        """
        reached = np.flatnonzero(self.wealth >= 1.0 / level)
        return int(reached[0]) if len(reached) else None


def monitor_coverage(exceedances: ArrayLike, *, confidence: float = 0.99) -> Monitor:
    r"""Bet that exceedances come more often than 1 - confidence.

    .. math:: e_t = I_t / (1 - c), \qquad W_t = W_{t-1} (1 - \lambda_t + \lambda_t e_t)

    with a share decided by past days only (growth-optimal to second order, at most one half).

    exceedances : (days,) bool or 0/1, from losses that do not overlap.

    References
    ----------
    Wang, Q., Wang, R. & Ziegel, J. (2025). E-backtesting. Management Science (arXiv 2209.00991).

    Examples
    --------
    >>> monitor_coverage(np.arange(100) % 10 == 0).rejected_on() is not None
    True
    """
    check_confidence(confidence)
    (marked,) = as_forecasts(exceedances=exceedances)
    if not np.isin(marked, (0.0, 1.0)).all():
        raise DataError("exceedances must be True or False (or 1 and 0).")
    return _bets(marked / (1.0 - confidence))


def monitor_shortfall(
    loss: ArrayLike,
    value_at_risk: ArrayLike,
    expected_shortfall: ArrayLike,
    *,
    confidence: float = 0.975,
) -> Monitor:
    r"""Bet that ES is too small (or VaR too small for its ES).

    .. math:: e_t = \frac{(L_t - VaR_t)^+}{(1 - c)(ES_t - VaR_t)}

    Raises
    ------
    DataError : an ES not above its VaR.

    References
    ----------
    Wang, Q., Wang, R. & Ziegel, J. (2025), as `monitor_coverage`.

    Examples
    --------
    >>> monitor_shortfall([0.0, 0.0], [1.0, 1.0], [2.0, 2.0]).wealth.tolist()
    [1.0, 1.0]
    """
    check_confidence(confidence)
    x, v, e = as_forecasts(
        loss=loss, value_at_risk=value_at_risk, expected_shortfall=expected_shortfall
    )
    if (e <= v).any():
        raise DataError("expected_shortfall must be above value_at_risk on every day.")
    return _bets(np.maximum(x - v, 0.0) / ((1.0 - confidence) * (e - v)))


def _bets(values: FloatArray) -> Monitor:
    """Wealth from bets whose size depends on the days before only."""
    gain = values - 1.0
    first = np.concatenate([[0.0], np.cumsum(gain)[:-1]])
    second = np.concatenate([[0.0], np.cumsum(gain**2)[:-1]])
    bet = np.clip(np.divide(first, second, out=np.zeros(len(gain)), where=second > 0), 0.0, MOST)
    with np.errstate(over="ignore"):  # A wealth too large for a float is infinite, and rejects.
        return Monitor(np.exp(np.cumsum(np.log1p(bet * gain))), bet)
