"""How much less margin the data support, and how much of that is offset.

Margins of a pool are scaled until they just cover. The part of the saving that survives when the
silos are shifted against each other in time is diversification: independence alone gives it. Only
the rest, which needs the days to be the same days, is offset.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from strategies.historical import HistoricalVaR

from .book import Book
from .kernels.pooling import shifted_scales, tail_scale
from .market import Market
from .model import MarginModel, required_margin
from .types import Coverage, FloatArray, StudyError, tail_count

SHORTEST_SHIFT = 60  # scored days: shorter shifts keep some of the dependence
DRAWN_SHIFTS = 400  # for three silos or more, where not every combination can be taken


@dataclass(frozen=True)
class OffsetEstimate:
    """Point estimates for one book, shares of the equal-coverage silo margins.

    Parameters
    ----------
    total : s, the reduction at which the pool just keeps the coverage standard.
    diversification : s_div, what independence alone gives.
    dependence : s_dep = s - s_div, the only part that may be called an offset.
    raw : s with every silo's margin taken as it is (kappa = 1).
    exceedances : scored days on which the pool would have exceeded just above the estimate's scale.
    kappa : equal-coverage scale of each silo on its own. usd : gross USD held in each silo.
    reason : why the estimates are NaN; empty where they are not.
    """

    portfolio: str
    total: float
    diversification: float
    dependence: float
    raw: float
    exceedances: int
    observations: int
    kappa: dict[str, float]
    usd: dict[str, float]
    reason: str = ""


@dataclass(frozen=True)
class OffsetLadder:
    """One estimate a book; the order is the book's."""

    estimates: tuple[OffsetEstimate, ...]
    coverage: Coverage
    base: MarginModel

    def to_frame(self) -> pd.DataFrame:
        """One row a book: total, diversification, dependence, raw, exceedances, kappa and USD."""
        rows: list[dict[str, Any]] = []
        for e in self.estimates:
            row: dict[str, Any] = {
                "total": e.total,
                "diversification": e.diversification,
                "dependence": e.dependence,
                "raw": e.raw,
                "exceedances": e.exceedances,
                "observations": e.observations,
            }
            row |= {f"kappa_{silo}": k for silo, k in e.kappa.items()}
            row |= {f"usd_{silo}": v for silo, v in e.usd.items()}
            rows.append(row | {"reason": e.reason})
        return pd.DataFrame(
            rows, index=pd.Index([e.portfolio for e in self.estimates], name="portfolio")
        )


def supportable_offset(
    market: Market,
    book: Book,
    *,
    base: MarginModel | None = None,
    coverage: Coverage | None = None,
    score_from: int | None = None,
) -> OffsetLadder:
    """Total reduction, diversification and dependence offset of every book held in several silos.

    base : the model that margins each silo on its own; `HistoricalVaR()` unless given.
    score_from : first scored row of the market; the first on which every silo's margin is known
        unless given. Every scored day counts as a default day; calls play no part.

    Books in a single silo are left out. Where a silo's margin is zero on some day, or a silo never
    needed any, the estimates are NaN and `reason` says which.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample")
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long BTC, long 10Y"])
    >>> ladder = supportable_offset(market, bt.Book.from_frame(frame, market))
    >>> bool(ladder.to_frame()["total"].between(0, 1).all())
    True
    """
    coverage = coverage or Coverage()
    base = base or HistoricalVaR()
    silos = book.silos
    if len(silos) < 2:
        return OffsetLadder((), coverage, base)
    margins = np.stack(
        [required_margin(base, market, book.in_silo(s), coverage) for s in silos], axis=2
    )
    losses = book.loss(market, coverage)
    known = np.flatnonzero(~np.isnan(margins).any(axis=(1, 2)) & ~np.isnan(losses).any(axis=(1, 2)))
    first = known[0] if len(known) else len(margins)
    first = first if score_from is None else max(first, score_from)
    rows = known[known >= first]
    if len(rows) <= 2 * SHORTEST_SHIFT:
        raise StudyError(
            f"{len(rows)} scored days are too few to shift silos by {SHORTEST_SHIFT} days both "
            "ways; lengthen the history or shorten the lookback."
        )
    holding = np.column_stack([np.abs(book.in_silo(s).exposure).sum(axis=1) for s in silos])
    estimates = []
    for p in np.flatnonzero((holding > 0).sum(axis=1) >= 2):
        held = np.flatnonzero(holding[p] > 0)
        estimates.append(
            _estimate(
                book.portfolios[p],
                np.ascontiguousarray(losses[rows][:, p, held].T),
                np.ascontiguousarray(margins[rows][:, p, held].T),
                tuple(silos[s] for s in held),
                holding[p, held],
                coverage.confidence,
            )
        )
    return OffsetLadder(tuple(estimates), coverage, base)


def _estimate(
    portfolio: str,
    loss: FloatArray,
    margin: FloatArray,
    silos: tuple[str, ...],
    usd: FloatArray,
    confidence: float,
) -> OffsetEstimate:
    """Estimates from loss and margin (silos, days) of one book's own silos."""
    days = loss.shape[1]
    count = tail_count(days, confidence, "floor") + 1
    tail = np.empty(count)
    kappa = np.array([tail_scale(loss[i], margin[i], tail) for i in range(len(silos))])
    by_silo = dict(zip(silos, map(float, kappa), strict=True))
    held = dict(zip(silos, map(float, usd), strict=True))
    reason = _not_estimable(kappa, margin, silos)
    if reason:
        nan = float("nan")
        return OffsetEstimate(portfolio, nan, nan, nan, nan, 0, days, by_silo, held, reason)
    scaled = kappa[:, None] * margin
    theta = tail_scale(loss.sum(axis=0), scaled.sum(axis=0), tail)
    shifts = silo_shifts(days, len(silos))
    thetas = np.empty(len(shifts))
    shifted_scales(loss, scaled, shifts, count, thetas)
    total, diversification = 1.0 - theta, 1.0 - float(thetas.mean())
    reached = int((loss.sum(axis=0) >= theta * scaled.sum(axis=0)).sum())
    return OffsetEstimate(
        portfolio=portfolio,
        total=total,
        diversification=diversification,
        dependence=total - diversification,
        raw=1.0 - tail_scale(loss.sum(axis=0), margin.sum(axis=0), tail),
        exceedances=reached,
        observations=days,
        kappa=by_silo,
        usd=held,
    )


def _not_estimable(kappa: FloatArray, margin: FloatArray, silos: tuple[str, ...]) -> str:
    for i, silo in enumerate(silos):
        if (margin[i] <= 0).any():
            return f"margin of {silo} is zero on {int((margin[i] <= 0).sum())} scored days"
        if kappa[i] <= 0:
            return f"{silo} lost on too few days for a scale"
    return ""


def silo_shifts(days: int, silos: int, *, seed: int = 0) -> np.ndarray:
    """Circular shifts (shifts, silos) that part the silos by at least 60 days, pair by pair.

    Two silos: every relative shift from 60 to days - 60. More: 400 seeded draws.

    Examples
    --------
    >>> silo_shifts(200, 2).shape
    (81, 2)
    """
    if silos == 2:
        relative = np.arange(SHORTEST_SHIFT, days - SHORTEST_SHIFT + 1)
        return np.column_stack([np.zeros_like(relative), relative])
    if days < 4 * silos * SHORTEST_SHIFT:
        raise StudyError(
            f"{days} scored days are too few to part {silos} silos by {SHORTEST_SHIFT} days; "
            "lengthen the history."
        )
    generator = np.random.default_rng(seed)
    drawn: list[np.ndarray] = []
    while len(drawn) < DRAWN_SHIFTS:
        shift = generator.integers(0, days, silos)
        apart = np.abs(shift[:, None] - shift[None, :])
        apart = np.minimum(apart, days - apart)
        if (apart[~np.eye(silos, dtype=bool)] >= SHORTEST_SHIFT).all():
            drawn.append(shift)
    return np.array(drawn)
