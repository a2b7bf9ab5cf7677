"""Closes adjusted for dividends, computed from raw closes so that these can be stored unchanged."""

import numpy as np
import pandas as pd

from backtest.types import DataError


def adjusted_close(close: pd.Series, dividends: pd.Series) -> pd.Series:
    r"""Dividend-adjusted closes: their relative changes are total returns.

    .. math:: a_t = c_t \prod_{s > t} \left(1 - \frac{d_s}{c_{s-1}}\right)

    with the product over ex-dividend days s, and c_{s-1} the close of the row before. The last
    adjusted close equals the raw close. A new dividend changes all earlier adjusted closes, so only
    raw closes are compared between two fetches. (Multipliers of the Center for Research in Security
    Prices, the convention of Yahoo's 'Adj Close'.)

    Parameters
    ----------
    close : (days,) USD, split-adjusted, ascending. dividends : (days,) USD a share, 0 on most.

    Raises
    ------
    DataError : a dividend that is missing, negative, or not below the close before it.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    >>> close, paid = pd.Series([100.0, 98.0, 99.0], days), pd.Series([0.0, 2.0, 0.0], days)
    >>> adjusted_close(close, paid).tolist()
    [98.0, 98.0, 99.0]
    """
    c, d = close.to_numpy(dtype=float), dividends.to_numpy(dtype=float)
    wrong = ~(d >= 0)
    wrong[1:] |= d[1:] >= c[:-1]
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(f"a dividend of {d[at]:g} on {close.index[at]:%Y-%m-%d} cannot be right")
    factors = np.ones(len(c))
    factors[:-1] = np.cumprod((1.0 - d[1:] / c[:-1])[::-1])[::-1]
    return pd.Series(c * factors, index=close.index)
