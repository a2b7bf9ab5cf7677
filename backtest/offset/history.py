"""Losses and margins of one book at each silo, and the reduction of margin that they support.

The margins of a pool are scaled until they just cover. A part of this saving remains when the silos
are shifted against each other in time: this is diversification, which independent losses give too.
Only the rest, which needs losses of the same day, is offset.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backtest.kernels.pooling import Silos, shifted_scales, tail_scale
from backtest.kernels.reductions import window_reductions
from backtest.scores.overlapping.interval import variance_inflation
from backtest.types import BoolArray, Dates, FloatArray, StudyError, tail_count

SHORTEST_SHIFT = 60  # scored days; a shorter shift leaves part of the dependence
DRAWN_SHIFTS = 400  # for three silos or more, which have too many combinations to use all
WINDOW = 500  # scored days in each window for the worst total reduction

Shifts = NDArray[np.int64]  # (shifts, silos) days


def by_ratio(loss: FloatArray, margin: FloatArray) -> Silos:
    """Losses and margins (silos, days), with the days of each silo by loss / margin."""
    without = np.where(loss > 0.0, np.inf, -np.inf)  # margin
    ratio = np.divide(loss, margin, out=without, where=margin > 0.0)
    return Silos(loss, margin, ratio, np.argsort(-ratio, axis=1))


class TooFewDays(StudyError):
    """A history of `days` scored days is too short to shift its silos against each other."""

    def __init__(self, message: str, *, days: int) -> None:
        super().__init__(message)
        self.days = days


@dataclass(frozen=True, eq=False)
class SiloHistory:
    """Loss and base-model margin of each silo of one book over the scored days.

    Parameters
    ----------
    dates : (days,) the scored days. loss, margin : (silos, days) USD.
    confidence : the coverage standard.
    mpor : rows that the longest close-out spans: the losses of so many days overlap.
    """

    silos: tuple[str, ...]
    dates: Dates
    loss: FloatArray
    margin: FloatArray
    confidence: float
    mpor: int

    @property
    def days(self) -> int:
        """Number of scored days; each of them counts as a default day."""
        return int(self.loss.shape[1])

    @property
    def tail(self) -> int:
        """Allowed exceedances + 1: the rank of the loss ratio that is the scale."""
        return tail_count(self.days, self.confidence, "floor") + 1

    @cached_property
    def ordered(self) -> Silos:
        """Losses, margins and the days of each silo by their ratio."""
        return by_ratio(self.loss, self.margin)

    def kappa(self) -> FloatArray:
        """(silos,) equal-coverage scale of each silo alone."""
        space = np.empty(self.tail)
        return np.array(
            [tail_scale(x, m, space) for x, m in zip(self.loss, self.margin, strict=True)]
        )

    def not_estimable(self) -> str:
        """Reason why the reduction cannot be estimated; empty if it can."""
        fewest = fewest_days(len(self.silos))
        if self.days < fewest:
            return f"{self.days} scored days, and {len(self.silos)} silos need {fewest}"
        kappa = self.kappa()
        for i, silo in enumerate(self.silos):
            idle = int((self.margin[i] <= 0).sum())
            if idle:
                return f"margin of {silo} is zero on {idle} scored days"
            if kappa[i] <= 0:
                return f"{silo} lost on too few days for a scale"
        return ""

    def reduction(self, shifts: Shifts) -> "Reduction":
        """Total reduction and its parts; `shifts` from `silo_shifts`."""
        space = np.empty(self.tail)
        scaled = self.kappa()[:, None] * self.margin
        pooled = self.loss.sum(axis=0)
        # The silo scales are in `scaled`: theta below 1 is what pooling saves at equal coverage.
        theta = tail_scale(pooled, scaled.sum(axis=0), space)
        thetas = np.empty(len(shifts))
        shifted_scales(by_ratio(self.loss, scaled), shifts, self.tail, thetas)
        return Reduction(
            total=1.0 - theta,
            diversification=1.0 - float(thetas.mean()),
            raw=1.0 - tail_scale(pooled, self.margin.sum(axis=0), space),
            exceeded=pooled / scaled.sum(axis=0) > theta,
        )

    def worst_window(self, window: int = WINDOW) -> float:
        """Smallest total reduction over windows of `window` scored days; NaN if there is none."""
        if self.days < window:
            return float("nan")
        count = tail_count(window, self.confidence, "floor") + 1
        out = np.empty(self.days - window + 1)
        window_reductions(self.ordered, window, count, out)
        return float(np.nanmin(out)) if not np.isnan(out).all() else float("nan")

    def drawn(self, rows: NDArray[np.int64]) -> "SiloHistory":
        """The history of resampled days, the same rows for all silos."""
        loss, margin = (np.ascontiguousarray(a[:, rows]) for a in (self.loss, self.margin))
        return replace(self, loss=loss, margin=margin)

    def between(self, rows: slice | BoolArray) -> "SiloHistory":
        """The history of the scored days in `rows`."""
        loss, margin = (np.ascontiguousarray(a[:, rows]) for a in (self.loss, self.margin))
        return replace(self, dates=self.dates[rows], loss=loss, margin=margin)


@dataclass(frozen=True, eq=False)
class Reduction:
    """Shares of the equal-coverage silo margins.

    Parameters
    ----------
    total : s, the largest reduction at which the pool keeps the standard.
    diversification : s_div, the same with the silos shifted against each other.
    raw : s from the unscaled margins of the silos (kappa = 1).
    exceeded : (days,) whether the loss of the pool exceeds its margin reduced by s.
    """

    total: float
    diversification: float
    raw: float
    exceeded: BoolArray

    @property
    def dependence(self) -> float:
        """s_dep = s - s_div: the only part that may be called an offset."""
        return self.total - self.diversification

    @property
    def effective(self) -> float:
        """Number of exceedances in the estimate, divided by the variance inflation of clusters."""
        inflation = float(variance_inflation(self.exceeded[:, None])[0])
        return int(self.exceeded.sum()) / inflation


def silo_shifts(days: int, silos: int, *, seed: int = 0) -> Shifts:
    """Circular shifts (shifts, silos) that move any two silos at least 60 days apart.

    Two silos: every relative shift from 60 to days - 60. More: 400 seeded draws.

    Examples
    --------
    >>> silo_shifts(200, 2).shape
    (81, 2)
    """
    if silos == 2:
        relative = np.arange(SHORTEST_SHIFT, days - SHORTEST_SHIFT + 1)
        return np.column_stack([np.zeros_like(relative), relative])
    return draw_shifts(days, silos, DRAWN_SHIFTS, np.random.default_rng(seed))


def fewest_days(silos: int) -> int:
    """Smallest number of scored days for which the silos can be shifted apart.

    Examples
    --------
    >>> fewest_days(2), fewest_days(3)
    (121, 720)
    """
    return 2 * SHORTEST_SHIFT + 1 if silos <= 2 else 4 * silos * SHORTEST_SHIFT


def draw_shifts(days: int, silos: int, draws: int, rng: np.random.Generator) -> Shifts:
    """Random circular shifts (draws, silos), every pair at least 60 days apart.

    Examples
    --------
    >>> shifts = draw_shifts(500, 2, 3, np.random.default_rng(0))
    >>> bool((shifts[:, 0] == 0).all() and (shifts[:, 1] >= 60).all())
    True
    """
    if days < fewest_days(silos):
        raise TooFewDays(
            f"{days} scored days are too few to shift {silos} silos {SHORTEST_SHIFT} days apart; "
            "lengthen the history or shorten the lookback.",
            days=days,
        )
    out = np.zeros((draws, silos), dtype=np.int64)
    rejected = np.arange(draws)
    while len(rejected):
        out[rejected, 1:] = rng.integers(
            SHORTEST_SHIFT, days - SHORTEST_SHIFT + 1, (len(rejected), silos - 1)
        )
        # Distances on the circle of days; a silo's distance to itself is set out of the way.
        apart = np.abs(out[rejected, :, None] - out[rejected, None, :])
        apart = np.minimum(apart, days - apart) + days * np.eye(silos, dtype=np.int64)
        rejected = rejected[(apart < SHORTEST_SHIFT).any(axis=(1, 2))]
    return out
