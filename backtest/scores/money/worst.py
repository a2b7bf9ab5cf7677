r"""How surely the worst day of a record is the worst that may come.

Of n independent days the worst is exceeded, with confidence c, on a share of days of at most

.. math:: 1 - (1 - c)^{1 / n},

whatever the law of a day (Wilks). Large days come in clusters for as long as volatility persists,
so the days that speak are fewer: n / f, with the factor f that shrinks the evidence of a rate of
exceedances. Without f the statement held in 47 to 92 % of records whose volatility clusters, where
95 were asked; how often it holds with f is in docs/intervals.md.

References
----------
Wilks, S. S. (1941). Determination of sample sizes for setting tolerance limits. Annals of
Mathematical Statistics, 12(1), 91-96.
"""

import numpy as np

from backtest.scores.checks import as_panels, check_level
from backtest.scores.money.cost import tail_inflation
from backtest.types import DaysByPortfolios, FloatArray


def worse_days(amounts: DaysByPortfolios, *, level: float = 0.95) -> FloatArray:
    """Share of days, at most, that are worse than the worst of the record; one-sided.

    Parameters
    ----------
    amounts : (days, columns) of any unit, 0 or more, no NaN. level : in (0, 1).

    Returns
    -------
    (columns,) shares in (0, 1].

    Raises
    ------
    DataError, StudyError : other shapes or NaN; a level outside (0, 1).

    Examples
    --------
    >>> calm = np.abs(np.random.default_rng(1).standard_normal((2000, 1)))
    >>> crisis = calm * np.where(np.arange(2000) < 200, 3.0, 1.0)[:, None]
    >>> worse_days(np.hstack([calm, crisis])).round(4).tolist()
    [0.0016, 0.0528]
    """
    check_level(level)
    (amounts,) = as_panels(amounts=amounts)
    effective = len(amounts) / tail_inflation(amounts, np.ones_like(amounts))
    share: FloatArray = 1.0 - (1.0 - level) ** (1.0 / effective)
    return share
