"""The share that one party has of a sum of rare amounts.

References
----------
Korn, E. & Graubard, B. (1998). Confidence intervals for proportions with small expected number of
positive counts estimated from survey data. Survey Methodology, 24(2), 193-201.
"""

import numpy as np
from scipy.special import ndtri

from backtest.scores.money.rare import FEWEST_EVENTS, RareMean, event_amounts
from backtest.scores.overlapping.slow_variance import effective_interval, student_point
from backtest.types import FloatArray


def rare_share(share: float, amounts: FloatArray, *, level: float = 0.95) -> RareMean:
    """Interval of the share that one party has of a sum of rare amounts; the mean is the share.

    Clopper and Pearson's, of as many events as equal ones would say as much: the squared sum of
    events over the sum of their squares, less what Student's law takes off for their small number.
    The party may be named by the record, as the one with the largest share: of many, one is bound
    to be in the largest event. So the lower end leaves that event out, as if all of it had been
    this party's.

    share : of the sum, in [0, 1]. amounts, level : of all parties, as of `rare_mean`; with errors.

    Examples
    --------
    >>> days = np.zeros(2500)
    >>> days[::250] = 8.0
    >>> found = rare_share(0.4, days)
    >>> found.events, found.mean, round(found.low, 2), round(found.high, 2)
    (10, 0.4, 0.05, 0.78)
    >>> bool(np.isnan(rare_share(0.4, days[:750]).low))
    True
    """
    events = event_amounts(amounts)
    if len(events) < FEWEST_EVENTS:
        return RareMean(share, np.nan, np.nan, len(events))
    _, high = _share_ends(share, events, level)
    total, largest = float(events.sum()), float(events.max())
    left = max(0.0, share * total - largest) / (total - largest)
    low, _ = _share_ends(left, np.delete(events, events.argmax()), level)
    return RareMean(share, low, high, len(events))


def _share_ends(share: float, events: FloatArray, level: float) -> tuple[float, float]:
    """Ends of a share of events, of which some are larger than others."""
    count, weights = len(events), events / events.max()
    equal = float(weights.sum() ** 2 / (weights**2).sum())
    normal = float(ndtri(0.5 + 0.5 * level))
    inflation = count / equal * (student_point(count - 1, level) / normal) ** 2
    low, high = effective_interval(share * count, count, inflation, level=level)
    return float(low), float(high)
