"""The smallest rate of exceedances that the verdict would detect in a record, by simulation.

The power of the verdict depends on how exceedances depend. Two reference worlds stand for its
tests: Student t(3) days, whose overlapping losses come in the longest runs; and a constant
requirement where volatility moves by a factor of e and back over hundreds of days. Records that
depend less are detected more often, so that the power stated errs on the low side.
"""

from functools import lru_cache

import numpy as np

from backtest.scores.checks import check_confidence
from backtest.scores.overlapping.clusters import is_clustered
from backtest.scores.overlapping.overlap import check_horizon
from backtest.scores.overlapping.verdict import coverage_p
from backtest.types import DaysByPortfolios, FloatArray, StudyError

HISTORIES = 600
FREEDOM = 3.0
PERSISTENCE, SPREAD = 0.99, 1.0  # of the log variance: memory of a day, deviation
# Standard errors of the simulation by which the power asked for is raised, so that a rate said to
# be detected is detected so often.
CAUTION = 1.5
HALVINGS = 9  # of the search for the rate, to a hundredth of it


@lru_cache(maxsize=32)  # a page asks for the same record again
def detectable_rate(
    days: int,
    *,
    horizon: int,
    clustered: bool,
    confidence: float = 0.99,
    level: float = 0.05,
    power: float = 0.8,
) -> float:
    """Lowest true rate of exceedances that `coverage_p` detects with probability `power` or more.

    Asked for .80 it was detected in .81 to .91 of histories of other worlds where exceedances
    depend by overlap alone (t(5), normal), and in .84 to 1.00 where they cluster (stochastic
    volatility of less memory, GARCH, GJR): docs/overlap.md.

    Parameters
    ----------
    days : length of the record. horizon : MPOR in margin days.
    clustered : whether the requirement ignores volatility.

    Returns
    -------
    Rate above 1 - confidence; NaN where even twenty times the promised rate is not detected.

    Raises
    ------
    StudyError : a horizon below 1, fewer days than twice the horizon, a confidence outside (0, 1).

    Examples
    --------
    >>> round(detectable_rate(500, horizon=1, clustered=False), 4)
    0.027
    """
    check_confidence(confidence)
    check_horizon(horizon)
    if days < 2 * horizon:
        raise StudyError(f"{days} days for a horizon of {horizon}; give twice the horizon or more.")
    losses = reference_losses(days, horizon=horizon, clustered=clustered)
    required = np.ones_like(losses)
    # Ranks are the same at any requirement that is constant.
    grouped = is_clustered(losses, required, horizon=horizon)
    ordered = np.sort(losses, axis=None)

    def detected(rate: float) -> float:
        """Share of histories rejected at the requirement that is exceeded at this rate."""
        requirement = ordered[-max(round(rate * ordered.size), 1)]
        pvalues = coverage_p(
            losses >= requirement, horizon=horizon, confidence=confidence, clustered=grouped
        )
        return float(np.mean(pvalues <= level))

    target = power + CAUTION * np.sqrt(power * (1.0 - power) / HISTORIES)
    low, high = 1.0 - confidence, min(20.0 * (1.0 - confidence), 0.5)
    if detected(high) < target:
        return float("nan")
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if detected(middle) >= target else (middle, high)
    return high


def reference_losses(days: int, *, horizon: int, clustered: bool) -> DaysByPortfolios:
    """Losses over `horizon` days of the reference worlds, (days, histories), from a fixed seed.

    Examples
    --------
    >>> reference_losses(100, horizon=2, clustered=True).shape
    (100, 600)
    """
    rng = np.random.default_rng(days)
    if clustered:
        pnl = np.exp(0.5 * _log_variance(rng, days + horizon))
        pnl *= rng.standard_normal(pnl.shape)
    else:
        pnl = rng.standard_t(FREEDOM, (days + horizon, HISTORIES))
    total = np.cumsum(pnl, axis=0)
    return np.asarray(total[horizon:] - total[:-horizon])


def _log_variance(rng: np.random.Generator, days: int) -> FloatArray:
    """(days, HISTORIES) stationary from the first day."""
    path = SPREAD * rng.standard_normal((days, HISTORIES))
    step = np.sqrt(1.0 - PERSISTENCE**2)
    for day in range(1, days):
        path[day] = PERSISTENCE * path[day - 1] + step * path[day]
    return path
