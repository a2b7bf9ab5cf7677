"""Simulated records of exceedances, of right models and of models with a known fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from backtest.scores.checks import check_confidence
from backtest.types import BoolArray, FloatArray, StudyError

# Clustered: a tenth of the days, in spells of a trading month, have six times the rate.
STRESSED_SHARE, STRESSED_DAYS, STRESSED_RATE = 0.10, 20.0, 6.0
# Overlap: losses over two days of independent news, Student t with 4 degrees of freedom.
OVERLAP_DAYS, FREEDOM = 2, 4.0

Kind = Literal["independent", "clustered", "overlapping"]


@dataclass(frozen=True)
class Alternative:
    """One law of exceedances.

    Parameters
    ----------
    multiple : true rate / (1 - confidence); 1 is the right rate.
    kind : 'independent' days; 'clustered', as under a requirement that ignores volatility: a tenth
        of the days, in spells of 20 on average, have six times the rate; 'overlapping', as for
        losses over two days under a right requirement.
    """

    multiple: float
    kind: Kind = "independent"

    @property
    def horizon(self) -> int:
        """Days that a loss spans."""
        return OVERLAP_DAYS if self.kind == "overlapping" else 1


ALTERNATIVES = {
    "right": Alternative(1.0),
    "x1.5": Alternative(1.5),
    "x2": Alternative(2.0),
    "x3": Alternative(3.0),
    "clustered": Alternative(1.0, "clustered"),
    "overlap": Alternative(1.0, "overlapping"),
    "overlap-x2": Alternative(2.0, "overlapping"),
}


def true_rate(alternative: Alternative, *, confidence: float) -> float:
    """Probability of an exceedance on a day.

    Raises
    ------
    StudyError : a confidence at which the alternative would exceed every day.

    Examples
    --------
    >>> round(true_rate(ALTERNATIVES["x3"], confidence=0.99), 9)
    0.03
    """
    check_confidence(confidence)
    rate = alternative.multiple * (1.0 - confidence)
    highest = rate * (STRESSED_RATE if alternative.kind == "clustered" else 1.0)
    if not highest < 1.0:
        raise StudyError(
            f"{alternative.multiple:g} times 1 - {confidence}, {alternative.kind}, is no "
            "probability; raise the confidence or leave this alternative out."
        )
    return rate


def draw_records(
    alternative: Alternative, *, days: int, histories: int, confidence: float = 0.99, seed: int = 0
) -> BoolArray:
    """Draw exceedances of `histories` records, (days, histories): losses of `draw_losses` above 1.

    The rate of every day is `true_rate`.

    Examples
    --------
    >>> drawn = draw_records(ALTERNATIVES["clustered"], days=500, histories=400)
    >>> drawn.shape, bool(abs(drawn.mean() - 0.01) < 0.001)
    ((500, 400), True)
    """
    losses = draw_losses(
        alternative, days=days, histories=histories, confidence=confidence, seed=seed
    )
    return np.asarray(losses > 1.0)


def draw_losses(
    alternative: Alternative, *, days: int, histories: int, confidence: float = 0.99, seed: int = 0
) -> FloatArray:
    """Draw losses of `histories` records, in units of the requirement.

    Returns
    -------
    (days, histories), above 1 on days with an exceedance.

    Raises
    ------
    StudyError : no day or history; a rate that is no probability.

    Examples
    --------
    >>> draw_losses(ALTERNATIVES["x2"], days=3, histories=2).shape
    (3, 2)
    """
    rate = true_rate(alternative, confidence=confidence)
    if days < 1 or histories < 1:
        raise StudyError(f"{histories} records of {days} days; give 1 or more of each.")
    rng = np.random.default_rng(seed)
    draw: dict[Kind, Callable[[np.random.Generator, int, int, float], FloatArray]] = {
        "independent": lambda rng, days, histories, rate: rate / _uniform(rng, days, histories),
        "clustered": _clustered,
        "overlapping": _overlapping,
    }
    return draw[alternative.kind](rng, days, histories, rate)


def _uniform(rng: np.random.Generator, days: int, histories: int) -> FloatArray:
    """Numbers in (0, 1], so that a rate can be divided by them."""
    return 1.0 - rng.random((days, histories))


def _clustered(rng: np.random.Generator, days: int, histories: int, rate: float) -> FloatArray:
    """Two regimes; the first day is drawn from their long-run shares."""
    leave = 1.0 / STRESSED_DAYS
    enter = leave * STRESSED_SHARE / (1.0 - STRESSED_SHARE)
    stressed = np.empty((days, histories), dtype=np.bool_)
    stressed[0] = rng.random(histories) < STRESSED_SHARE
    for day in range(1, days):
        change = rng.random(histories)
        stressed[day] = np.where(stressed[day - 1], change >= leave, change < enter)
    calm_rate = rate * (1.0 - STRESSED_SHARE * STRESSED_RATE) / (1.0 - STRESSED_SHARE)
    chance = np.where(stressed, STRESSED_RATE * rate, calm_rate)
    return np.asarray(chance / _uniform(rng, days, histories))


def _overlapping(rng: np.random.Generator, days: int, histories: int, rate: float) -> FloatArray:
    """Losses over two days, in units of the quantile of that loss."""
    news = rng.standard_t(FREEDOM, (days + OVERLAP_DAYS - 1, histories))
    return np.asarray((news[1:] + news[:-1]) / overlap_quantile(rate))


def overlap_quantile(rate: float) -> float:
    """Level that the sum of two independent t(4) exceeds with probability `rate`.

    Examples
    --------
    >>> abs(overlap_quantile(0.5)) < 1e-9
    True
    """
    from scipy.optimize import brentq  # heavy

    grid = (np.arange(20_000) + 0.5) / 20_000
    other = stdtrit(FREEDOM, grid)
    return float(brentq(lambda level: stdtr(FREEDOM, other - level).mean() - rate, -1e3, 1e3))
