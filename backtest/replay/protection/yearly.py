"""Amounts a year: what one day's experiments are worth in a year of days."""

import numpy as np

from backtest.types import FloatArray


def by_year(
    paid: FloatArray, base: FloatArray, *, horizon: float | FloatArray, margin_days: float
) -> FloatArray:
    r"""USD a year of each day, whose mean over days is that of the record; shape of `paid`.

    .. math:: y_t = N \left( \tfrac{1}{H} b_t + (p_t - b_t) \right)

    A year holds N / H close-outs one after another, and the mean over the H days on which the first
    may begin is the mean of all; a default that comes whatever prices do happens on one day. Where
    accounts are looked at every day, more is lost than by close-outs one after another, at most
    what `watched` says: docs/intervals.md.

    paid, base : (days, ...) expected USD with and without such defaults. horizon : close-outs H
    that a move of prices is in, one number or one of each house (`Protection.spans`) where amounts
    are (days, houses). margin_days : N of a year.

    Where houses differ, what is lost at one because of a loss at another is counted as often as
    moves of its own prices are.

    Examples
    --------
    >>> by_year(np.array([8.0]), np.array([6.0]), horizon=2, margin_days=252.0).tolist()
    [1260.0]
    """
    yearly: FloatArray = margin_days * (base / horizon + (paid - base))
    return yearly


def watched(base: FloatArray, *, horizon: int, margin_days: float) -> float:
    """USD a year at most, of accounts that are looked at on every day.

    The first day with a loss begins a close-out, in which the worst of its H days counts; the next
    begins after it. Whichever of its days an account fails on, it loses no more than that.

    base : (days,) USD without defaults that come whatever prices do.

    Examples
    --------
    >>> watched(np.array([0.0, 1.0, 3.0, 0.0]), horizon=2, margin_days=4.0)
    3.0
    """
    total, free = 0.0, 0
    for t in np.flatnonzero(base > 0.0).tolist():
        if t >= free:
            free = t + horizon
            total += float(base[t:free].max())
    return margin_days * total / len(base)
