"""How reliably silos must close out a default jointly for pooled margins to keep the standard.

The margin of a pool covers the pooled loss. If each silo closes out alone, it has only its
allocated share of the margin, and one silo can fall short while another has a surplus.
"""

from dataclasses import dataclass

import numpy as np

from backtest.scores.checks import check_confidence, check_weights
from backtest.scores.money.cost import interval_of
from backtest.types import DataError, DaysByPortfoliosBySilos, FloatArray

NEVER = float("inf")  # break-even coordination where even full coordination is not enough


@dataclass(frozen=True, eq=False)
class Coordination:
    """Shortfall probabilities of separate and joint close-outs, and c*; (portfolios,) each.

    Parameters
    ----------
    any_short : probability that some silo's loss exceeds its allocated margin.
    pooled_short : probability that the pooled loss exceeds the pooled margin; never larger.
    break_even : c*, the probability of a joint close-out at which shortfalls just keep the
        standard: 0 if separate silos keep it, +inf ('never') if the pool does not.
    *_low, *_high : block-bootstrap 95 % intervals, outward order statistics. NaN is 'not
        identified': no weights were given, or no silo was ever short, so that all resamples are
        equal.
    never : share of resamples in which full coordination is not enough.
    """

    any_short: FloatArray
    any_short_low: FloatArray
    any_short_high: FloatArray
    pooled_short: FloatArray
    pooled_short_low: FloatArray
    pooled_short_high: FloatArray
    break_even: FloatArray
    break_even_low: FloatArray
    break_even_high: FloatArray
    never: FloatArray


def break_even_coordination(
    loss: DaysByPortfoliosBySilos,
    allocated: DaysByPortfoliosBySilos,
    *,
    confidence: float = 0.99,
    weights: FloatArray | None = None,
) -> Coordination:
    r"""Break-even coordination of pooled margins, every scored day a default day.

    With probability c the silos close out jointly, else each alone; a shortfall then happens with
    probability :math:`(1 - c) P_{any} + c P_{joint}`, which is 1 - confidence at

    .. math:: c^* = \frac{P_{any} - (1 - confidence)}{P_{any} - P_{joint}}

    Parameters
    ----------
    loss, allocated : (days, portfolios, silos) USD over scored days, no NaN; the allocated margins
        of a portfolio add up to its pooled requirement.
    confidence : the standard, in (0, 1).
    weights : (resamples, days) from `day_weights`; without them no intervals.

    Raises
    ------
    DataError, StudyError
        For shapes that disagree, NaN, weights of other days, a confidence outside (0, 1).

    Examples
    --------
    >>> loss = np.zeros((100, 1, 2))
    >>> loss[:4, 0] = [3.0, -2.0]  # one silo short of its 1 USD, the pool not
    >>> loss[4, 0] = [3.0, 0.0]  # both
    >>> result = break_even_coordination(loss, np.ones((100, 1, 2)), confidence=0.98)
    >>> result.any_short.tolist(), result.pooled_short.tolist(), result.break_even.tolist()
    ([0.05], [0.01], [0.75])
    """
    check_confidence(confidence)
    if loss.ndim != 3 or loss.shape != allocated.shape or loss.size == 0:
        raise DataError(
            f"loss has shape {loss.shape} and allocated {allocated.shape}; give both as (days, "
            "portfolios, silos), with a day at least."
        )
    if np.isnan(loss).any() or np.isnan(allocated).any():
        raise DataError("loss or allocated holds NaN; cut the warm-up and the last days first.")
    days = len(loss)
    apart = (loss > allocated).any(axis=2)
    # If no silo is short the pool cannot be short, except through rounding of the sums.
    pooled = (loss.sum(axis=2) > allocated.sum(axis=2)) & apart
    allowed = round(days * (1.0 - confidence), 9)
    counts = apart.sum(axis=0).astype(np.float64), pooled.sum(axis=0).astype(np.float64)
    unknown = np.full(loss.shape[1], np.nan)
    ends = [(unknown, unknown)] * 3
    never = unknown
    if weights is not None:
        check_weights(weights, days)
        resampled = weights @ apart.astype(np.float64), weights @ pooled.astype(np.float64)
        scales = break_even(resampled[0], resampled[1], allowed)
        no_shortfall = counts[0] == 0.0
        ends = [
            (np.where(no_shortfall, np.nan, low), np.where(no_shortfall, np.nan, high))
            for low, high in map(interval_of, (resampled[0] / days, resampled[1] / days, scales))
        ]
        never = np.where(no_shortfall, np.nan, np.isinf(scales).mean(axis=0))
    return Coordination(
        any_short=counts[0] / days,
        any_short_low=ends[0][0],
        any_short_high=ends[0][1],
        pooled_short=counts[1] / days,
        pooled_short_low=ends[1][0],
        pooled_short_high=ends[1][1],
        break_even=break_even(counts[0], counts[1], allowed),
        break_even_low=ends[2][0],
        break_even_high=ends[2][1],
        never=never,
    )


def break_even(apart: FloatArray, pooled: FloatArray, allowed: float) -> FloatArray:
    """Coordination at which shortfalls just reach what is allowed; counts of days, any shape.

    Examples
    --------
    >>> break_even(np.array([5.0, 1.0, 5.0]), np.array([1.0, 0.0, 3.0]), 2.0).tolist()
    [0.75, 0.0, inf]
    """
    gap = np.where(apart > pooled, apart - pooled, 1.0)
    return np.where(
        pooled > allowed, NEVER, np.where(apart <= allowed, 0.0, (apart - allowed) / gap)
    )
