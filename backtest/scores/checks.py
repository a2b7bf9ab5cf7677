"""Checks of the input of a score, and blocks of columns that limit the memory it needs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from backtest.types import BoolArray, DataError, DaysByPortfolios, FloatArray, StudyError

# Cells (days x portfolios) in one block: 16 MB of float64.
BLOCK_CELLS = 2_000_000


def as_indicator(exceedances: ArrayLike) -> BoolArray:
    """Convert exceedances to booleans; any value but 0, 1, False and True is refused.

    Parameters
    ----------
    exceedances : (days, ...) bool, or numbers 0 and 1.

    Returns
    -------
    (days, ...) bool.

    Raises
    ------
    DataError
        When a value is neither 0 nor 1 (NaN included), or there is no axis of days.

    Examples
    --------
    >>> as_indicator([0, 1, 0]).tolist()
    [False, True, False]
    """
    values = np.asarray(exceedances)
    if values.ndim == 0:
        raise DataError(f"exceedances is the single value {values}; give one 0 or 1 a day.")
    if values.dtype == np.bool_:
        return values
    marked = values == 1
    wrong = ~(marked | (values == 0))
    if wrong.any():
        raise DataError(
            f"exceedances hold {values[wrong][0]}; give True or False (or 1 and 0) on scored "
            "days only."
        )
    return np.asarray(marked, dtype=np.bool_)


def check_level(level: float) -> None:
    """Raise StudyError where the level of an interval is no probability in (0, 1)."""
    if not 0.0 < level < 1.0:
        raise StudyError(f"level is {level}; give a probability in (0, 1), such as 0.95.")


def as_panels(**named: FloatArray) -> tuple[DaysByPortfolios, ...]:
    """Check that arrays share one (days, portfolios) shape, without NaN, with at least one day.

    Raises
    ------
    DataError
        When an array is not two-dimensional, differs in shape, is empty or holds NaN.

    Examples
    --------
    >>> loss, required = as_panels(loss=np.zeros((3, 2)), required=np.ones((3, 2)))
    """
    panels = tuple(np.asarray(array, dtype=np.float64) for array in named.values())
    first = next(iter(named))
    for name, panel in zip(named, panels, strict=True):
        if panel.ndim != 2 or panel.shape != panels[0].shape:
            raise DataError(
                f"{name} has shape {panel.shape} and {first} {panels[0].shape}; give both as "
                "(days, portfolios)."
            )
        if panel.size == 0:
            raise DataError(f"{name} has shape {panel.shape}: no scored day; lengthen the study.")
        if np.isnan(panel).any():
            raise DataError(f"{name} holds NaN; cut the warm-up and the last days before scoring.")
    return panels


def check_confidence(confidence: float) -> None:
    """Raise StudyError unless `confidence` is a probability strictly between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise StudyError(f"confidence is {confidence}; give a level in (0, 1), such as 0.99.")


def check_weights(weights: FloatArray, days: int) -> None:
    """Raise DataError unless `weights` is (resamples, days)."""
    if weights.ndim != 2 or weights.shape[1] != days:
        raise DataError(
            f"weights have shape {weights.shape} for {days} scored days; make them with "
            "day_weights(stationary_indices(days))."
        )


def column_blocks(days: int, portfolios: int) -> Iterator[slice]:
    """Slices over the portfolios, each of at most BLOCK_CELLS cells (at least one portfolio)."""
    width = max(1, BLOCK_CELLS // max(days, 1))
    for start in range(0, portfolios, width):
        yield slice(start, min(start + width, portfolios))
