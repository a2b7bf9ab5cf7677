"""Size of the losses on bad days: excess over the requirement, shortfall of collateral."""

import numpy as np

from backtest.scores.checks import as_panels, column_blocks
from backtest.types import DaysByPortfolios, FloatArray


def _beyond(loss: DaysByPortfolios, cover: DaysByPortfolios) -> tuple[FloatArray, FloatArray]:
    """Mean and maximum of loss - cover over the days on which loss > cover; NaN without one."""
    days, portfolios = loss.shape
    mean, largest = np.full(portfolios, np.nan), np.full(portfolios, np.nan)
    for columns in column_blocks(days, portfolios):
        gap = loss[:, columns] - cover[:, columns]
        beyond = gap > 0.0
        count = np.count_nonzero(beyond, axis=0)
        total = np.sum(gap, axis=0, where=beyond)
        np.divide(total, count, out=mean[columns], where=count > 0)
        largest[columns] = np.where(count > 0, gap.max(axis=0), np.nan)
    return mean, largest


def mean_excess(loss: DaysByPortfolios, required: DaysByPortfolios) -> FloatArray:
    """Mean of loss - required over exceedance days.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.

    Returns
    -------
    (portfolios,) USD > 0, NaN where nothing was exceeded.

    Examples
    --------
    >>> mean_excess(np.array([[3.0], [1.0], [6.0]]), np.full((3, 1), 2.0)).tolist()
    [2.5]
    """
    return _beyond(*as_panels(loss=loss, required=required))[0]


def max_excess(loss: DaysByPortfolios, required: DaysByPortfolios) -> FloatArray:
    """Largest loss - required over exceedance days.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.

    Returns
    -------
    (portfolios,) USD > 0, NaN where nothing was exceeded.

    Examples
    --------
    >>> max_excess(np.array([[3.0], [1.0], [6.0]]), np.full((3, 1), 2.0)).tolist()
    [4.0]
    """
    return _beyond(*as_panels(loss=loss, required=required))[1]


def mean_shortfall(loss: DaysByPortfolios, collateral: DaysByPortfolios) -> FloatArray:
    """Mean of loss - collateral over breach days, collateral as it is worth at close-out.

    Parameters
    ----------
    loss, collateral : (days, portfolios) USD over scored days, no NaN.

    Returns
    -------
    (portfolios,) USD > 0, NaN where there was no breach.

    Examples
    --------
    >>> mean_shortfall(np.array([[3.0], [1.0]]), np.full((2, 1), 5.0)).tolist()
    [nan]
    """
    return _beyond(*as_panels(loss=loss, collateral=collateral))[0]


def max_shortfall(loss: DaysByPortfolios, collateral: DaysByPortfolios) -> FloatArray:
    """Largest loss - collateral over breach days, collateral as it is worth at close-out.

    Parameters
    ----------
    loss, collateral : (days, portfolios) USD over scored days, no NaN.

    Returns
    -------
    (portfolios,) USD > 0, NaN where there was no breach.

    Examples
    --------
    >>> max_shortfall(np.array([[3.0], [1.0]]), np.full((2, 1), 2.0)).tolist()
    [1.0]
    """
    return _beyond(*as_panels(loss=loss, collateral=collateral))[1]
