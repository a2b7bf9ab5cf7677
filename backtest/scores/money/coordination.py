"""How reliably silos must close out a default jointly for pooled margins to keep the standard.

The margin of a pool covers the pooled loss. If each silo closes out alone, it has only its
allocated share of the margin, and one silo can fall short while another has a surplus.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincc

from backtest.scores.checks import check_confidence
from backtest.scores.money.cost import coverage_ratio, ratio_inflation
from backtest.scores.overlapping.slow_variance import effective_interval, plausible_counts
from backtest.types import DataError, DaysByPortfoliosBySilos, FloatArray, tail_count

NEVER = float("inf")  # break-even coordination where even full coordination is not enough


@dataclass(frozen=True, eq=False)
class Coordination:
    """Shortfall probabilities of separate and joint close-outs, and c*; (portfolios,) each.

    Parameters
    ----------
    any_short : probability that some silo's loss exceeds its allocated margin.
    pooled_short : probability that the pooled loss exceeds the pooled margin; never larger.
    allowed : rate of shortfalls that c* is measured against.
    break_even : c*, the probability of a joint close-out at which shortfalls just keep to
        `allowed`: 0 if separate silos keep to it, +inf ('never') if the pool does not.
    *_low, *_high : 95 % intervals, by effective counts. NaN is 'not identified': no silo was ever
        short.
    never : probability that full coordination is not enough: that the rate of `pooled_short` is
        above `allowed`, by effective counts and Jeffreys' prior.
    pool_misses : the same of 1 - confidence: that the pool misses the standard of its own margin.
    """

    any_short: FloatArray
    any_short_low: FloatArray
    any_short_high: FloatArray
    pooled_short: FloatArray
    pooled_short_low: FloatArray
    pooled_short_high: FloatArray
    allowed: FloatArray
    break_even: FloatArray
    break_even_low: FloatArray
    break_even_high: FloatArray
    never: FloatArray
    pool_misses: FloatArray


def separate_rate(
    loss: DaysByPortfoliosBySilos, own: DaysByPortfoliosBySilos, *, confidence: float = 0.99
) -> FloatArray:
    """Share of days on which some silo is short though each just keeps its own standard.

    This is what separate silos give, and so what a pool has to be held against: two silos that
    are short on 1 % of days each leave somebody short on up to 2 % of them. Each silo's margin is
    scaled, in hindsight, to its own equal coverage; a loss on a day without margin is short at any
    scale.

    Parameters
    ----------
    loss, own : (days, portfolios, silos) USD, no NaN; `own` is what each silo asks by itself.
    confidence : the standard of each silo, in (0, 1).

    Returns
    -------
    (portfolios,) rates, 1 - confidence at least: silos that are short on the same days are no
    reason to hold a pool to less than its own standard.

    Examples
    --------
    >>> loss = np.zeros((200, 1, 2))
    >>> loss[:2, 0, 0] = loss[7, 0, 0] = 1.0
    >>> loss[1:3, 0, 1] = loss[9, 0, 1] = 1.0
    >>> loss[:3] *= 3.0  # each silo is short on its 2 worst days of 200, one of them the same
    >>> separate_rate(loss, np.ones((200, 1, 2)), confidence=0.99).tolist()
    [0.015]
    """
    check_confidence(confidence)
    ratio = coverage_ratio(loss, own)
    rank = tail_count(len(loss), confidence, "floor")  # so many days may exceed
    scale = np.sort(ratio, axis=0)[len(loss) - 1 - rank]
    # A loss against no margin at all is short at every scale, also where the scale is infinite.
    short = (ratio > scale) | np.isposinf(ratio)
    return np.asarray(np.maximum(short.any(axis=2).mean(axis=0), 1.0 - confidence))


def break_even_coordination(
    loss: DaysByPortfoliosBySilos,
    allocated: DaysByPortfoliosBySilos,
    *,
    confidence: float = 0.99,
    allowed: FloatArray | None = None,
) -> Coordination:
    r"""Break-even coordination of pooled margins, every scored day a default day.

    With probability c the silos close out jointly, else each alone; a shortfall then happens with
    probability :math:`(1 - c) P_{any} + c P_{joint}`, which is what is allowed, a, at

    .. math:: c^* = \frac{P_{any} - a}{P_{any} - P_{joint}}

    Parameters
    ----------
    loss, allocated : (days, portfolios, silos) USD over scored days, no NaN; the allocated margins
        of a portfolio add up to its pooled requirement.
    confidence : the standard, in (0, 1).
    allowed : (portfolios,) rates in (0, 1) taken as known, such as `separate_rate`; 1 - confidence
        where None.

    Returns
    -------
    Coordination. The interval of c* holds every c at which the mix of the two counts could come
    from a rate of `allowed`. It held the truth in 91 to 100 % of simulated histories, and
    often has no upper end. Those of the two rates held 91 to 99 % where shocks to volatility halve
    within 35 days, 85 to 97 % where in 70, 76 to 92 % where in a year (docs/intervals.md).

    Raises
    ------
    DataError, StudyError
        For shapes that disagree, NaN, a confidence outside (0, 1).

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
    short = (loss > allocated).any(axis=2)
    pool, cover = loss.sum(axis=2), allocated.sum(axis=2)
    # If no silo is short the pool cannot be short, except through rounding of the sums.
    pooled = ((pool > cover) & short).sum(axis=0).astype(np.float64)
    apart = short.sum(axis=0).astype(np.float64)
    # The silo that is nearest to falling short decides whether any does.
    apart_inflation = ratio_inflation(coverage_ratio(loss, allocated).max(axis=2), confidence)
    pooled_inflation = ratio_inflation(coverage_ratio(pool, cover), confidence)
    inflation = np.maximum(apart_inflation, pooled_inflation)
    rate = np.full(len(apart), 1.0 - confidence) if allowed is None else allowed
    fewest, most = plausible_counts(rate, days, inflation)
    ends = (
        *effective_interval(apart, days, apart_inflation),
        *effective_interval(pooled, days, pooled_inflation),
        # At these counts 'never' and 0 are excluded just where the two counts by themselves are.
        break_even(apart, pooled, most.astype(np.float64)),
        break_even(apart, pooled, fewest.astype(np.float64) - 1.0),
        _above(pooled, days, pooled_inflation, rate),
        _above(pooled, days, pooled_inflation, 1.0 - confidence),
    )
    low_any, high_any, low_pool, high_pool, low, high, never, misses = (
        np.where(apart == 0.0, np.nan, end) for end in ends
    )
    return Coordination(
        any_short=apart / days,
        any_short_low=low_any,
        any_short_high=high_any,
        pooled_short=pooled / days,
        pooled_short_low=low_pool,
        pooled_short_high=high_pool,
        allowed=rate,
        break_even=break_even(apart, pooled, np.round(days * rate, 9)),
        break_even_low=low,
        break_even_high=high,
        never=never,
        pool_misses=misses,
    )


def _above(
    count: FloatArray, days: int, inflation: FloatArray, rate: FloatArray | float
) -> FloatArray:
    """Probability that the true rate is above `rate`, by Jeffreys' prior on effective counts."""
    marked = count / inflation
    return np.asarray(betaincc(marked + 0.5, days / inflation - marked + 0.5, rate))


def break_even(apart: FloatArray, pooled: FloatArray, allowed: FloatArray | float) -> FloatArray:
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
