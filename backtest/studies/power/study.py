"""How often tests of coverage reject, right or wrong models, in records of a given length."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from backtest.replay.origin import Software
from backtest.replay.provenance import Provenance, digest
from backtest.scores.alternatives import ALTERNATIVES
from backtest.scores.power import HISTORIES, critical_count, power_table, smallest_detectable
from backtest.types import Progress, StudyError, shown, unheard

DAYS = (250, 500, 2196)  # a year, two, and the default study's record of real prices
LEVEL, POWER = 0.05, 0.8
MOST_DAYS = 50_000_000  # of all histories: 400 MB an array
SHORTEST = 20  # days: shorter records hold too few exceedances for any test
PANELS = 4  # lengths side by side in the figure


@dataclass(frozen=True, eq=False)
class PowerStudy:
    """Size and power of every test, and the smallest miscoverage each length could show.

    Parameters
    ----------
    power : `power_table`. smallest : `detectable_table`. provenance : what was asked for.
    """

    power: pd.DataFrame
    smallest: pd.DataFrame
    provenance: Provenance


def study_power(
    days: Sequence[int],
    *,
    confidence: float,
    alternative: Sequence[str],
    histories: int = HISTORIES,
    seed: int = 0,
    progress: Progress = unheard,
) -> PowerStudy:
    """Size and power of every test, and the smallest miscoverage each length could show.

    Parameters
    ----------
    days : lengths of a record; none is `DAYS`. alternative : names of `ALTERNATIVES` beside
        'right', which is always shown; none is all. histories, seed : of what is simulated.

    Raises
    ------
    StudyError : an unknown alternative, a length below 20 days, more than four lengths, more days
        than memory holds.
    """
    lengths = sorted(set(days or DAYS))
    unknown = [name for name in alternative if name not in ALTERNATIVES]
    if unknown:
        raise StudyError(f"alternative {unknown[0]!r}; known: {', '.join(ALTERNATIVES)}.")
    if lengths[0] < SHORTEST or len(lengths) > PANELS:
        raise StudyError(
            f"records of {', '.join(map(str, lengths))} days; give at most {PANELS} lengths of "
            f"{SHORTEST} days or more."
        )
    if lengths[-1] * histories > MOST_DAYS:
        raise StudyError(
            f"{shown(histories)} histories of {shown(lengths[-1])} days; give at most "
            f"{MOST_DAYS:,} days in all."
        )
    laws = {
        name: law
        for name, law in ALTERNATIVES.items()
        if name == "right" or not alternative or name in alternative
    }
    table = power_table(
        lengths,
        confidence=confidence,
        level=LEVEL,
        alternatives=laws,
        histories=histories,
        seed=seed,
        progress=progress,
    )
    study = {
        "name": "coverage",
        "days": lengths,
        "confidence": confidence,
        "alternatives": list(laws),
        "histories": histories,
        "seed": seed,
    }
    return PowerStudy(
        table,
        detectable_table(lengths, confidence=confidence),
        Provenance(software=Software.now(), seed=seed, study=study, sha256=digest(study)),
    )


def detectable_table(days: Sequence[int], *, confidence: float) -> pd.DataFrame:
    """Smallest true rates that records would have shown, on independent days and overlapping.

    Examples
    --------
    >>> detectable_table([250], confidence=0.99).round(4).to_numpy().tolist()
    [[6.0, 0.0314, 0.0437]]
    """
    rows = [
        {
            "rejected from": critical_count(n, confidence=confidence, level=LEVEL),
            "independent days": _detectable(n, confidence),
            # Losses over two days overlap with one neighbour: half of the days share no price.
            "MPOR of 2, at worst": _detectable(n // 2, confidence),
        }
        for n in days
    ]
    return pd.DataFrame(rows, index=pd.Index(days, name="days"))


def _detectable(days: int, confidence: float) -> float:
    return smallest_detectable(days, confidence=confidence, level=LEVEL, power=POWER)
