"""The record of one portfolio: runs of known days, and the spells between exceedances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backtest.types import BoolArray, DataError, FloatArray


def runs_of(exceedances: ArrayLike) -> list[BoolArray]:
    """Split a record into runs of known days; a missing day (NaN) ends a run and is in none.

    The day after a missing day does not follow the day before it, so no transition and no spell may
    cross a missing day.

    Parameters
    ----------
    exceedances : (days,) bool, or 0 and 1 with NaN where a day is missing.

    Raises
    ------
    DataError : more than one axis, or another value.

    Examples
    --------
    >>> [run.tolist() for run in runs_of([0, 1, np.nan, 0])]
    [[False, True], [False]]
    """
    values = np.asarray(exceedances)
    if values.ndim != 1:
        raise DataError(f"exceedances have shape {values.shape}; give one portfolio, (days,).")
    if values.dtype == np.bool_:
        return [values] if values.size else []
    numbers = values.astype(np.float64)
    missing = np.isnan(numbers)
    wrong = ~((numbers == 0) | (numbers == 1) | missing)
    if wrong.any():
        raise DataError(
            f"exceedances hold {numbers[wrong][0]:g}; give True or False (or 1 and 0), and NaN "
            "only where a day is missing."
        )
    parts = np.split(numbers, np.flatnonzero(missing))
    known_days = [part[~np.isnan(part)] == 1 for part in parts]
    return [part for part in known_days if part.size]


@dataclass(frozen=True, eq=False)
class Spells:
    """Days from one exceedance to the next, and spells that are cut at the ends of a run.

    Parameters
    ----------
    complete : (spells,) days between two exceedances of one run; 1 for adjacent days.
    censored : (spells,) days of a run up to its first exceedance, this day included, and days after
        its last exceedance; a run that begins (ends) with an exceedance has no such spell there.
    """

    complete: FloatArray
    censored: FloatArray


def spells_of(exceedances: ArrayLike) -> Spells:
    """Spells of a record, run by run.

    Examples
    --------
    >>> spells = spells_of([0, 0, 1, 0, 1, 1, 0])
    >>> spells.complete.tolist(), spells.censored.tolist()
    ([2.0, 1.0], [3.0, 1.0])
    """
    complete: list[FloatArray] = []
    censored: list[float] = []
    for run in runs_of(exceedances):
        days = np.flatnonzero(run)
        if len(days) == 0:
            censored.append(float(len(run)))
            continue
        if days[0] > 0:
            censored.append(float(days[0] + 1))
        complete.append(np.diff(days).astype(np.float64))
        if days[-1] < len(run) - 1:
            censored.append(float(len(run) - 1 - days[-1]))
    joined = np.concatenate(complete) if complete else np.empty(0)
    return Spells(joined, np.array(censored))
