"""Supervisors' zones: the traffic light of Basel, for any number of days and any level."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc

from backtest.scores.checks import check_confidence
from backtest.types import StudyError

Zone = Literal["green", "yellow", "red"]

# Cumulative probability under the right model from which a count is yellow, or red.
YELLOW, RED = 0.95, 0.9999

# BCBS (1996) Table 2 and BCBS d457 (2019) MAR32.9: multipliers for 250 days at 99 % only.
BASEL_BASE, FRTB_BASE = 3.0, 1.5
BASEL_PLUS = {5: 0.40, 6: 0.50, 7: 0.65, 8: 0.75, 9: 0.85}
FRTB_PLUS = {5: 0.20, 6: 0.26, 7: 0.33, 8: 0.38, 9: 0.42}
BASEL_MOST, FRTB_MOST = 1.00, 0.50
TABLE_DAYS, TABLE_CONFIDENCE = 250, 0.99


@dataclass(frozen=True)
class TrafficLight:
    """Zone of a count of exceedances, with its probabilities.

    Parameters
    ----------
    zone : 'green', 'yellow' or 'red'.
    cumulative : probability of at most this count under the right model.
    type_one : probability of at least this count under the right model.
    yellow_from, red_from : smallest counts of those zones.
    basel_multiplier, frtb_multiplier : capital multipliers; None except for 250 days at 99 %.
    """

    zone: Zone
    cumulative: float
    type_one: float
    yellow_from: int
    red_from: int
    basel_multiplier: float | None
    frtb_multiplier: float | None


def traffic_light(exceedances: int, observations: int, *, confidence: float = 0.99) -> TrafficLight:
    """Zone of a count, by the binomial for this number of days; not scaled from 250 days.

    A record without an exceedance is green. In a record so short that this has a probability of
    95 % (5 days at 99 %, 51 at 99.9 %) the wording of the rule would make it yellow.

    Parameters
    ----------
    exceedances : number of them. observations : number of days.

    Raises
    ------
    StudyError : a count below 0 or above the days; a confidence outside (0, 1).

    References
    ----------
    Basel Committee (1996). Supervisory framework for the use of backtesting; (2019) MAR32.

    Examples
    --------
    >>> light = traffic_light(9, 500)
    >>> light.zone, light.yellow_from, light.red_from
    ('yellow', 9, 15)
    """
    check_confidence(confidence)
    if not 0 <= exceedances <= observations or observations < 1:
        raise StudyError(
            f"{exceedances} exceedances in {observations} days; give a count from 0 to the days."
        )
    rate = 1.0 - confidence
    cumulative = float(bdtr(exceedances, observations, rate))
    yellow_from, red_from = (_reaches(share, observations, rate) for share in (YELLOW, RED))
    zone: Zone = "green" if exceedances < yellow_from else "yellow"
    if exceedances >= red_from:
        zone = "red"
    tabled = observations == TABLE_DAYS and round(confidence, 9) == TABLE_CONFIDENCE
    return TrafficLight(
        zone=zone,
        cumulative=cumulative,
        type_one=float(bdtrc(exceedances - 1, observations, rate)) if exceedances else 1.0,
        yellow_from=yellow_from,
        red_from=red_from,
        basel_multiplier=_plus(exceedances, BASEL_BASE, BASEL_PLUS, BASEL_MOST) if tabled else None,
        frtb_multiplier=_plus(exceedances, FRTB_BASE, FRTB_PLUS, FRTB_MOST) if tabled else None,
    )


def zones_of(counts: NDArray[np.int64], days: int, *, confidence: float = 0.99) -> list[Zone]:
    """Zone of each count of exceedances in as many days; each count is looked up once.

    Examples
    --------
    >>> zones_of(np.array([2, 12, 2]), 250)
    ['green', 'red', 'green']
    """
    zones = {
        count: traffic_light(count, days, confidence=confidence).zone
        for count in set(counts.tolist())
    }
    return [zones[count] for count in counts.tolist()]


def _reaches(share: float, observations: int, rate: float) -> int:
    """Smallest count above 0 whose cumulative probability is at least `share`."""
    count = 1
    while bdtr(count, observations, rate) < share:
        count += 1
    return count


def _plus(exceedances: int, base: float, plus: dict[int, float], most: float) -> float:
    if exceedances < min(plus):
        return base
    return base + plus.get(exceedances, most)
