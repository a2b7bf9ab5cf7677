"""Total losses in USD above the requirement, above the collateral, or above a default fund."""

import numpy as np

from backtest.scores.checks import as_panels, column_blocks
from backtest.types import DaysByPortfolios, FloatArray, StudyError


def total_excess(loss: DaysByPortfolios, required: DaysByPortfolios) -> FloatArray:
    """Loss - required, summed over exceedance days.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN.

    Returns
    -------
    (portfolios,) USD >= 0. For an MPOR of several days one move counts on each of them.

    Examples
    --------
    >>> total_excess(np.array([[3.0], [1.0], [6.0]]), np.full((3, 1), 2.0)).tolist()
    [5.0]
    """
    losses, margins = as_panels(loss=loss, required=required)
    return _beyond(losses, margins, 0.0)


def total_shortfall(loss: DaysByPortfolios, collateral: DaysByPortfolios) -> FloatArray:
    """Loss - collateral as it is worth at close-out, summed over breach days.

    Parameters
    ----------
    loss, collateral : (days, portfolios) USD over scored days, no NaN.

    Returns
    -------
    (portfolios,) USD >= 0.

    Examples
    --------
    >>> total_shortfall(np.array([[3.0], [1.0]]), np.full((2, 1), 2.0)).tolist()
    [1.0]
    """
    losses, collaterals = as_panels(loss=loss, collateral=collateral)
    return _beyond(losses, collaterals, 0.0)


def share_beyond(
    loss: DaysByPortfolios, cover: DaysByPortfolios, *, layer: FloatArray | float
) -> FloatArray:
    r"""Share of the USD beyond the cover that a default-fund layer does not absorb either.

    .. math:: \frac{\sum_t (loss_t - cover_t - layer)^+}{\sum_t (loss_t - cover_t)^+}

    The full layer is available on every day, as if the fund were replenished after each default.

    Parameters
    ----------
    loss, cover : (days, portfolios) USD over scored days, no NaN: the requirement, or the
        collateral.
    layer : USD >= 0, one for all or (portfolios,).

    Returns
    -------
    (portfolios,) shares in [0, 1]; NaN where nothing is beyond the cover.

    Raises
    ------
    StudyError : a negative layer.

    Examples
    --------
    >>> share_beyond(np.array([[3.0], [8.0]]), np.full((2, 1), 2.0), layer=5.0).tolist()
    [0.142857]
    """
    fund = np.asarray(layer, dtype=np.float64)
    if not (fund >= 0.0).all():
        raise StudyError(f"layer is {layer}; give USD, 0 or more.")
    losses, covers = as_panels(loss=loss, cover=cover)
    whole, rest = _beyond(losses, covers, 0.0), _beyond(losses, covers, fund)
    share = np.full(whole.shape, np.nan)
    np.divide(rest, whole, out=share, where=whole > 0.0)
    return share


def _beyond(
    loss: DaysByPortfolios, cover: DaysByPortfolios, layer: FloatArray | float
) -> FloatArray:
    """Sum over days of what exceeds the cover by more than the layer."""
    days, portfolios = loss.shape
    fund = np.broadcast_to(np.asarray(layer, dtype=np.float64), (portfolios,))
    total = np.empty(portfolios)
    for columns in column_blocks(days, portfolios):
        gap = loss[:, columns] - cover[:, columns] - fund[columns]
        total[columns] = np.maximum(gap, 0.0).sum(axis=0)
    return total
