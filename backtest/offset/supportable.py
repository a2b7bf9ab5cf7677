"""`supportable_offset`: estimates and bounds for every book with positions in several silos."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import joblib
import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.arguments import check_arguments
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.offset.bounds import RESAMPLES, bound_reduction, pass_probability
from backtest.offset.drift import CorrelationDrift, correlation_drift
from backtest.offset.grid import nearest_cell
from backtest.offset.history import (
    SHORTEST_SHIFT,
    Reduction,
    SiloHistory,
    TooFewDays,
    silo_shifts,
)
from backtest.offset.ladder import NAN, OffsetEstimate, OffsetLadder
from backtest.types import FloatArray, Progress, RowNumbers, counted, unheard, within
from backtest.workers import Task, in_parallel
from strategies.historical import HistoricalVaR

STAGE, MARGINED = "offset ladder", 0.1  # share of the work that margins are, about
BLOCK = 256  # portfolios at a time: bounds memory, does not change a number


def supportable_offset(
    market: Market,
    book: Book,
    *,
    base: MarginModel | None = None,
    coverage: Coverage | None = None,
    confidence: float = 0.95,
    score_from: str | None = None,
    bounds: Sequence[str] | bool = True,
    resamples: int = RESAMPLES,
    n_jobs: int = 1,
    progress: Progress = unheard,
) -> OffsetLadder:
    """Total reduction, diversification and offset of every portfolio with several silos.

    Parameters
    ----------
    base : the model that margins each silo alone; None is `HistoricalVaR()`.
    confidence : confidence of the one-sided lower bounds.
    score_from : ISO date of the first scored day; None is the first day on which the margins of all
        silos are known. Every scored day counts as a default day; margin calls have no effect.
    bounds : the portfolios to bound; True for all, False for none (bounds take most of the time).
    resamples : of the stationary bootstrap over days, mean block 20; the draws are fixed.
    progress : told of the stage 'offset ladder'.

    Portfolios in a single silo are left out. Where the margin of a silo is zero on any day, or a
    silo never needed margin, the estimates are NaN and `reason` names the silo.

    Raises
    ------
    StudyError : too few scored days to shift the silos apart.

    Examples
    --------
    >>> import pandas as pd
    >>> import backtest as bt
    >>> market = bt.load_market("sample")
    >>> frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["long BTC, long 10Y"])
    >>> ladder = supportable_offset(market, bt.Book.from_frame(frame, market), resamples=20)
    >>> bool(ladder.to_frame()["total"].between(0, 1).all())
    True
    """
    check_arguments(market, book, None if base is None else {"base": base})
    coverage, base = coverage or Coverage(), base or HistoricalVaR()
    bounded = set(book.portfolios) if bounds is True else set(bounds or ())
    gross = gross_by_silo(market, book).T.to_dict()
    kept: dict[str, SiloHistory] = {}

    def tasks() -> Iterator[Task]:
        margined = within(progress, STAGE, 0.0, MARGINED)
        for name, history in _each_history(market, book, base, coverage, score_from, margined):
            if name in bounded:
                kept[name] = history
            yield joblib.delayed(estimate_history)(
                name,
                history,
                {silo: gross[name][silo] for silo in history.silos},
                confidence=confidence,
                resamples=resamples if name in bounded else 0,
            )

    count = int((_silos_held(book) >= 2).sum())
    progress(STAGE, 0.0)
    each = in_parallel(tasks(), n_jobs=n_jobs)
    estimates = []
    for done, estimate in enumerate(each, start=1):
        estimates.append(estimate)
        progress(STAGE, MARGINED + (1.0 - MARGINED) * done / count)
    progress(STAGE, 1.0)
    return OffsetLadder(tuple(estimates), coverage, base, confidence, kept)


def _silos_held(book: Book) -> RowNumbers:
    """(portfolios,) in how many silos each holds something."""
    return np.sum([book.in_silo(s).is_held.any(axis=1) for s in book.silos], axis=0)


def gross_by_silo(market: Market, book: Book) -> pd.DataFrame:
    """Gross USD (portfolios x silos); of the largest of each position, where they change."""
    silos = [instrument.silo for instrument in book.instruments]
    return book.largest(market).abs().T.groupby(silos, sort=False).sum().T


def ladder_or_reason(
    market: Market, book: Book, *, base: MarginModel, coverage: Coverage, **options: Any
) -> OffsetLadder:
    """`supportable_offset`, or NaN and the reason for every pool where the history is too short.

    The other results of a study do not need the ladder, so a short history must not stop it.
    """
    try:
        return supportable_offset(market, book, base=base, coverage=coverage, **options)
    except TooFewDays as error:
        options.get("progress", unheard)(STAGE, 1.0)
        reason = f"{error.days} scored days are too few; shorten the [sizing] lookback"
        estimates = []
        for name, by_silo in gross_by_silo(market, book).iterrows():
            usd = {str(silo): float(amount) for silo, amount in by_silo.items() if amount}
            if len(usd) > 1:
                kappa = dict.fromkeys(usd, NAN)
                estimates.append(OffsetEstimate(str(name), 0, kappa, usd, reason=reason))
        return OffsetLadder(tuple(estimates), coverage, base, 0.95)


def silo_histories(
    market: Market,
    book: Book,
    *,
    base: MarginModel,
    coverage: Coverage,
    score_from: str | None = None,
) -> dict[str, SiloHistory]:
    """History of each portfolio with positions in several silos, over the scored days."""
    return dict(_each_history(market, book, base, coverage, score_from, unheard))


def _each_history(
    market: Market,
    book: Book,
    base: MarginModel,
    coverage: Coverage,
    score_from: str | None,
    progress: Progress,
) -> Iterator[tuple[str, SiloHistory]]:
    """Name and history of each portfolio in several silos.

    Blocks of portfolios bound the memory; where there are several, each is margined twice, first
    for the days that all of them can be scored on.
    """
    if len(book.silos) < 2:
        return
    Closeout(book, coverage).check()
    silos, count = book.silos, len(book.portfolios)
    width = count if getattr(base, "across_books", False) else BLOCK

    @lru_cache(maxsize=1)
    def margins_and_losses(first: int) -> tuple[FloatArray, FloatArray]:
        part = book.select(slice(first, first + width))
        margins = [required_margin(base, market, part.in_silo(s), coverage) for s in silos]
        return np.stack(margins, axis=2), part.loss(market, coverage)

    margin_known, loss_known = (np.zeros((len(market.dates), 1)) for _ in range(2))
    starts = range(0, count, width)
    for first in counted(progress, "margins", starts, len(starts)):
        margins, losses = margins_and_losses(first)
        for known, values in ((margin_known, margins), (loss_known, losses)):
            known[np.isnan(values).any(axis=(1, 2))] = np.nan
    window = ScoredWindow.of(
        market, {"base": margin_known}, loss_known, score_from, models={"base": base}
    )
    rows, days = window.rows, len(window.dates)
    if days <= 2 * SHORTEST_SHIFT:
        raise TooFewDays(
            f"{days} scored days are too few to shift silos by {SHORTEST_SHIFT} days both "
            "ways; shorten the [sizing] lookback or lengthen the history.",
            days=days,
        )
    mpor = Closeout(book, coverage).rows(market)
    is_held = np.column_stack([book.in_silo(s).is_held.any(axis=1) for s in silos])
    for p in np.flatnonzero(is_held.sum(axis=1) >= 2).tolist():
        margins, losses = margins_and_losses(p - p % width)
        held_silos = np.flatnonzero(is_held[p])
        yield (
            book.portfolios[p],
            SiloHistory(
                silos=tuple(silos[s] for s in held_silos),
                dates=window.dates,
                loss=np.ascontiguousarray(losses[rows, p % width][:, held_silos].T),
                margin=np.ascontiguousarray(margins[rows, p % width][:, held_silos].T),
                confidence=coverage.confidence,
                mpor=mpor,
            ),
        )


def estimate_history(
    portfolio: str,
    history: SiloHistory,
    usd: dict[str, float],
    *,
    confidence: float,
    resamples: int,
) -> OffsetEstimate:
    """Estimate one portfolio; without bounds if `resamples` is 0."""
    kappa = dict(zip(history.silos, map(float, history.kappa()), strict=True))
    reason = history.not_estimable()
    if reason:
        return OffsetEstimate(portfolio, history.days, kappa, usd, reason=reason)
    point = history.reduction(silo_shifts(history.days, len(history.silos)))
    fields: dict[str, Any] = {}
    if resamples:
        fields = _bounded(history, point, confidence=confidence, resamples=resamples)
    return OffsetEstimate(
        portfolio,
        history.days,
        kappa,
        usd,
        total=point.total,
        diversification=point.diversification,
        dependence=point.dependence,
        raw=point.raw,
        worst_500=history.worst_window(),
        exceedances=int(point.exceeded.sum()),
        effective=point.effective,
        silo_margin=float((history.kappa()[:, None] * history.margin).sum(axis=0).mean()),
        **fields,
    )


def _bounded(
    history: SiloHistory, point: Reduction, *, confidence: float, resamples: int
) -> dict[str, Any]:
    """Bounds, the drift behind them and how often such bounds were measured to be unsafe."""
    bounds = bound_reduction(history, point, confidence=confidence, resamples=resamples)
    drift = _largest_drift(history)
    cell = nearest_cell(
        days=history.days,
        mpor=history.mpor,
        confidence=history.confidence,
        silos=len(history.silos),
        drift=drift,
    )
    return {
        "total_bound": bounds.total,
        "dependence_bound": bounds.dependence,
        "correlation": drift.centre,
        "correlation_drift": drift.deviation,
        "unsafe": cell.unsafe,
        "unsafe_worst": cell.unsafe_worst,
        "cell": cell.cell,
        "dropped": bounds.dropped,
        "passes": pass_probability(history, point.total, resamples=resamples),
        "passes_bound": pass_probability(history, bounds.total, resamples=resamples),
    }


def _largest_drift(history: SiloHistory) -> CorrelationDrift:
    """Drift of the two silos whose correlation moved most."""
    pairs = combinations(range(len(history.silos)), 2)
    return max((correlation_drift(history, p) for p in pairs), key=lambda drift: drift.deviation)
