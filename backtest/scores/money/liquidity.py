"""Liquidity that a requirement takes from the firms that post it."""

import numpy as np

from backtest.scores.checks import as_panels, check_confidence
from backtest.types import DaysByPortfolios, FloatArray, StudyError, tail_count


def liquidity_need(
    loss: DaysByPortfolios, required: DaysByPortfolios, *, horizon: int
) -> FloatArray:
    """Cash called from each close to `horizon` days later: margin change plus variation margin.

    Parameters
    ----------
    loss : (days, portfolios) USD, loss from t to t + horizon; variation margin settles it.
    required : (days, portfolios) USD >= 0. Both over scored days, no NaN.
    horizon : margin days over which `loss` runs, 1 or more.

    Returns
    -------
    (days - horizon, portfolios) USD; below 0 if cash is returned.

    Examples
    --------
    >>> loss = np.array([[3.0], [-1.0], [0.0]])
    >>> liquidity_need(loss, np.array([[10.0], [12.0], [11.0]]), horizon=1)[:, 0].tolist()
    [5.0, -2.0]
    """
    losses, margins = as_panels(loss=loss, required=required)
    if not 1 <= horizon < len(losses):
        raise StudyError(f"horizon is {horizon} of {len(losses)} days; give 1 .. the days less 1.")
    return np.asarray(margins[horizon:] - margins[:-horizon] + losses[:-horizon])


def liquidity_at_risk(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    horizon: int,
    confidence: float = 0.99,
) -> FloatArray:
    """Cash need that is not exceeded on a share `confidence` of the days.

    The k-th largest `liquidity_need`, with k = days x (1 - confidence) rounded up, the rule of the
    margin models for their tails.

    Parameters
    ----------
    loss, required, horizon : as in `liquidity_need`. confidence : in (0, 1).

    Returns
    -------
    (portfolios,) USD, 0 or more.

    Examples
    --------
    >>> loss = np.arange(101.0)[:, None]
    >>> liquidity_at_risk(loss, np.ones((101, 1)), horizon=1, confidence=0.95).tolist()
    [95.0]
    """
    check_confidence(confidence)
    need = liquidity_need(loss, required, horizon=horizon)
    place = len(need) - tail_count(len(need), confidence)
    return np.asarray(np.maximum(np.partition(need, place, axis=0)[place], 0.0))


def funding_cost(required: DaysByPortfolios, *, spread: float) -> FloatArray:
    """USD a year that posting the requirement costs at a funding spread.

    Parameters
    ----------
    required : (days, portfolios) USD over scored days, no NaN.
    spread : a year, decimal: 0.01 is one percentage point.

    Examples
    --------
    >>> funding_cost(np.array([[1e6], [3e6]]), spread=0.01).tolist()
    [20000.0]
    """
    (margin,) = as_panels(required=required)
    return np.asarray(margin.mean(axis=0) * spread)
