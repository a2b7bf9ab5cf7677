"""Margin that was not needed."""  # GAP 1: what it measures, one line

import numpy as np

from backtest.scores.checks import as_panels
from backtest.types import DaysByPortfolios, FloatArray


# GAP 2: name and arguments: arrays in, numbers out; no market, no book, no model
def my_score(loss: DaysByPortfolios, required: DaysByPortfolios) -> FloatArray:
    """Mean requirement beyond the loss.

    Parameters
    ----------
    loss, required : (days, portfolios) USD over scored days, no NaN; loss > 0.

    Returns
    -------
    (portfolios,) USD >= 0, over all days; a day of an exceedance counts as 0.

    Raises
    ------
    DataError : arrays of other shapes, or with NaN.

    Examples
    --------
    >>> my_score(np.array([[1.0], [-2.0], [9.0]]), np.full((3, 1), 5.0)).tolist()
    [3.0]
    """  # GAP 3: shapes, units, signs, what happens without a day; the paper it is from
    losses, margins = as_panels(loss=loss, required=required)
    # GAP 4: the score of each portfolio
    return np.asarray(np.maximum(margins - np.maximum(losses, 0.0), 0.0).mean(axis=0))
