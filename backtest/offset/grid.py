"""The published grid: how often a bound was measured to be unsafe in histories like the user's."""

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import pandas as pd

from backtest.offset.drift import CorrelationDrift

# A cell is near where its MPOR is at most half as long again as the user's, or the user's as it;
# where the user's history is at least 9 tenths and at most twice as long; equal in the rest.
MPOR_FACTOR, FEWEST, LONGEST = 1.5, 0.9, 2.0
CONFIDENCE_STEP = 0.0025
FAR = 0.35  # distance (Fisher z of the centre, deviation) from which no world is near


@dataclass(frozen=True)
class NearestCell:
    """Measured shares of unsafe bounds, the larger of those of s and s_dep.

    Parameters
    ----------
    unsafe : in the world of the grid whose correlation is nearest to the user's; NaN without one.
    unsafe_worst : in the worst world of the grid, same MPOR, length, confidence and silos.
    cell : the cell in words, or why none is near.
    """

    unsafe: float
    unsafe_worst: float
    cell: str

    def sentence(self) -> str:
        """What stands beside a printed bound."""
        if np.isnan(self.unsafe):
            return f"no assurance: {self.cell}"
        return (
            f"errs unsafely in {self.unsafe:.1%} of histories like this ({self.cell}), in "
            f"{self.unsafe_worst:.1%} in the worst world"
        )


@cache
def every_cell() -> pd.DataFrame:
    """Every cell and method, as written by `make calibration`; see docs/offset-calibration.md.

    Examples
    --------
    >>> sorted(every_cell()["mpor"].unique().tolist())
    [1, 2, 5]
    """
    with (files("backtest.offset") / "grid.csv").open() as lines:
        return pd.read_csv(lines)


@cache
def grid() -> pd.DataFrame:
    """The cells of the printed bound over a rolling base model, and the larger unsafe share."""
    table = every_cell().query("base == 'rolling' and method == 'drift allowance'")
    return table.assign(unsafe=table[["unsafe_total", "unsafe_dependence"]].max(axis=1))


def nearest_cell(
    *, days: int, mpor: int, confidence: float, silos: int, drift: CorrelationDrift
) -> NearestCell:
    """Find the measured share of unsafe bounds for such a history.

    days : scored days. mpor : rows that the longest close-out spans. confidence : of the coverage
    standard. Where no cell is near, the answer names the input that has none, and there is no
    share.

    Examples
    --------
    >>> drift = CorrelationDrift(centre=-0.6, deviation=0.0)
    >>> nearest_cell(days=2196, mpor=10, confidence=0.99, silos=2, drift=drift).cell
    'MPOR 10 was not measured (1, 2, 5 were)'
    """
    cells = cells_like(silos, confidence, mpor, days)
    if isinstance(cells, str):
        return NearestCell(float("nan"), float("nan"), cells)
    from_centre = np.arctanh(cells["centre"]) - np.arctanh(np.clip(drift.centre, -0.999, 0.999))
    apart = np.hypot(from_centre, cells["drift"] - drift.deviation)
    row = cells.loc[apart.idxmin()]
    at = f"MPOR {row['mpor']:g}, {row['days']:,g} days, {row['confidence']:.1%}"
    worst = float(cells["unsafe"].max())
    if apart.min() > FAR:
        reason = (
            f"correlation {drift.centre:+.2f} that drifts by {drift.deviation:.2f} was not measured"
        )
        return NearestCell(float("nan"), worst, reason)
    like = cells[apart <= apart.min() + 0.01]  # worlds that differ in volatility alone: the worst
    row = like.loc[like["unsafe"].idxmax()]
    return NearestCell(float(row["unsafe"]), worst, f"{row['world']}; {at}")


@lru_cache
def cells_like(silos: int, confidence: float, mpor: int, days: int) -> pd.DataFrame | str:
    """The cells of such histories, or why there are none."""
    cells = grid()
    wanted = {"silos": silos, "confidence": confidence, "mpor": mpor, "days": days}
    for name, value in wanted.items():
        known = np.sort(cells[name].unique())
        choice = _nearest(name, value, known)
        if choice is None:
            return _not_measured(name, value, known)
        cells = cells[cells[name] == choice]
    return cells


def _not_measured(name: str, value: float, known: np.ndarray) -> str:
    words = {
        "silos": f"{value:g} silos were",
        "confidence": f"confidence {value:g} was",
        "mpor": f"MPOR {value:g} was",
        "days": f"{value:,g} scored days were",
    }[name]
    return f"{words} not measured ({', '.join(f'{v:,g}' for v in known)} were)"


def _nearest(name: str, value: float, known: np.ndarray) -> float | None:
    """The value of the grid that stands for the user's, or None."""
    if name == "days":
        shorter = known[known <= value / FEWEST]
        near = shorter[-1] if len(shorter) else None
        return None if near is None or value > LONGEST * near else near
    if name == "mpor":
        near = known[np.argmin(np.abs(np.log(known / value)))]
        return near if max(near / value, value / near) <= MPOR_FACTOR else None
    near = known[np.argmin(np.abs(known - value))]
    return near if abs(near - value) <= CONFIDENCE_STEP else None
