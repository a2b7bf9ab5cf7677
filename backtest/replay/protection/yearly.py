"""Amounts a year: what one day's experiments are worth in a year of days."""

from backtest.replay.protection.protect import Protection
from backtest.types import FloatArray


def by_year(paid: FloatArray, base: FloatArray, *, horizon: int, margin_days: float) -> FloatArray:
    r"""USD a year of each day, whose mean over days is that of the record; shape of `paid`.

    .. math:: y_t = N \left( \tfrac{1}{H} b_t + (p_t - b_t) \right)

    One loss of an account that cannot pay is seen by all H close-outs that span it; a default that
    comes whatever prices do happens on one day.

    paid, base : (days, ...) expected USD with and without such defaults. horizon : days H of a
    close-out. margin_days : N of a year.

    Examples
    --------
    >>> import numpy as np
    >>> by_year(np.array([8.0]), np.array([6.0]), horizon=2, margin_days=252.0).tolist()
    [1260.0]
    """
    yearly: FloatArray = margin_days * (base / horizon + (paid - base))
    return yearly


def bearers_by_year(done: Protection, model: str, arrangement: str) -> FloatArray:
    """(days, bearers) USD a year that each bearer pays at all houses."""
    outcome = done.outcomes[model, arrangement]
    return by_year(
        outcome.paid.sum(axis=1),
        outcome.base.sum(axis=1),
        horizon=done.horizon,
        margin_days=done.settings[arrangement].rules.assumptions.margin_days,
    )
