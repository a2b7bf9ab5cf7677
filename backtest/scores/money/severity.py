"""Size of the losses on bad days: excess over the requirement, shortfall of collateral."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.scored import beyond_cover
from backtest.scores.checks import as_panels
from backtest.types import DaysByPortfolios, FloatArray


class Beyond(NamedTuple):
    """The days on which losses are above what covers them, (portfolios,) each.

    Parameters
    ----------
    days : their number. mean, largest : of loss - cover over these days, USD > 0; NaN without one.
    """

    days: NDArray[np.int64]
    mean: FloatArray
    largest: FloatArray


def beyond(loss: DaysByPortfolios, cover: DaysByPortfolios) -> Beyond:
    """Days on which loss > cover, with the mean and the largest loss - cover.

    loss, cover : (days, portfolios) USD over scored days, no NaN.

    Examples
    --------
    >>> days = beyond(np.array([[3.0], [1.0], [6.0]]), np.full((3, 1), 2.0))
    >>> [float(values[0]) for values in days]
    [2.0, 2.5, 4.0]
    """
    portfolios = loss.shape[1]
    count = np.empty(portfolios, dtype=np.int64)
    total, largest = np.empty(portfolios), np.empty(portfolios)
    beyond_cover(np.ascontiguousarray(loss), np.ascontiguousarray(cover), count, total, largest)
    mean = np.full(portfolios, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return Beyond(count, mean, np.where(count > 0, largest, np.nan))


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
    return beyond(*as_panels(loss=loss, required=required)).mean


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
    return beyond(*as_panels(loss=loss, required=required)).largest


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
    return beyond(*as_panels(loss=loss, collateral=collateral)).mean


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
    return beyond(*as_panels(loss=loss, collateral=collateral)).largest
