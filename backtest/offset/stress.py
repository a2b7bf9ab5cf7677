"""The ladder under stress: other correlations, longer close-outs, one stress episode left out."""

from collections.abc import Mapping
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.episodes import EPISODES
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.offset.bounds import RESAMPLES
from backtest.offset.history import SHORTEST_SHIFT, SiloHistory
from backtest.offset.supportable import estimate_history, silo_histories
from backtest.simulate.paths import Paths
from backtest.simulate.tied import TiedPrices
from backtest.types import Progress, RowNumbers, counted, unheard, within
from backtest.workers import in_parallel

CROSS = 0.5  # size of the stressed correlation between prices and yields
SIGNS = (0, 1, -1)  # of the stressed correlation
LONGER_MPOR = (5, 10)  # margin days
SHOWN = ("total", "diversification", "dependence", "total_bound", "dependence_bound", "effective")


def stressed_ladder(
    market: Market,
    book: Book,
    *,
    base: MarginModel,
    coverage: Coverage,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    n_jobs: int = 1,
    cross: float = CROSS,
    longer_mpor: tuple[int, ...] = LONGER_MPOR,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """One row for each (stress, portfolio): the estimates and their bounds.

    - 'as observed'; 'without <episode>': scored days whose MPOR overlaps the episode are left out
      (the margins do not change: the base model has seen the episode); an episode that overlaps no
      scored day has no row;
    - 'correlation 0 | +c | -c': the historical shocks, those of each price in another order of
      days, so that prices have this correlation with yields (`simulate.TiedPrices`): the law of
      one day of every factor stays, how its days follow each other does not, and yields stay day
      by day; 'correlation worst' is the worse sign for each book. A book that no yield moves, or
      no price, has no such correlation: its rows are those 'as observed';
    - 'MPOR n': both silos are closed out over n margin days.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> table = stressed_ladder(market, book, base=st.HistoricalVaR(), coverage=bt.Coverage(),
    ...                         resamples=5, longer_mpor=())
    >>> "without March 2020" in table.index.get_level_values("stress")
    True
    """
    progress("stressed ladders", 0.0)
    steps, done = 1 + len(SIGNS) + len(longer_mpor) + len(EPISODES), 0

    def ladder(histories: Mapping[str, SiloHistory]) -> pd.DataFrame:
        nonlocal done
        stage = within(progress, "stressed ladders", done / steps, (done + 1) / steps)
        done += 1
        tasks = (
            joblib.delayed(estimate_history)(
                name, h, {}, confidence=confidence, resamples=resamples
            )
            for name, h in histories.items()
        )
        estimates = counted(stage, "", in_parallel(tasks, n_jobs=n_jobs), len(histories))
        return pd.DataFrame(
            {e.portfolio: [getattr(e, c) for c in SHOWN] for e in estimates}, index=list(SHOWN)
        ).T

    observed = silo_histories(market, book, base=base, coverage=coverage)
    tables = {"as observed": ladder(observed)}
    untied = {name: h for name, h in observed.items() if not _is_tied(book, name)}
    for side in SIGNS:
        sign, label = side * cross, f"{side * cross:+g}" if side else "0"
        stressed = Paths.of(TiedPrices(cross=sign), market, seed=seed).path(0)
        tied = silo_histories(stressed, book, base=base, coverage=coverage)
        tables[f"correlation {label}"] = ladder({**tied, **untied})
    signed = [tables[f"correlation {s:+g}"] for s in (cross, -cross)]
    worse = signed[0]["dependence"] <= signed[1]["dependence"]
    tables["correlation worst"] = signed[0].where(worse, signed[1])
    for days in longer_mpor:
        tables[f"MPOR {days}"] = ladder(
            silo_histories(market, book, base=base, coverage=replace(coverage, mpor=days))
        )
    known_from = {name: _known_from(book, name, market, coverage) for name in observed}
    for episode, (start, end) in EPISODES.items():
        rest = {
            name: without(h, start, end, market, known_from[name]) for name, h in observed.items()
        }
        if any(rest[name].days == observed[name].days for name in rest) or any(
            h.days <= 2 * SHORTEST_SHIFT for h in rest.values()
        ):
            continue
        tables[f"without {episode}"] = ladder(rest)
    progress("stressed ladders", 1.0)
    return pd.concat(tables, names=["stress", "portfolio"])


def without(
    history: SiloHistory, start: str, end: str, market: Market, known_from: RowNumbers
) -> SiloHistory:
    """The history without the scored days whose MPOR overlaps the days from `start` to `end`.

    known_from : (days,) row at which the positions of each day of the market are closed out, of
        `Closeout.known_from`: on the 24/7 clock more rows lie between than the MPOR has days.
    """
    rows = known_from[market.dates.searchsorted(history.dates)]
    closed_out = market.dates[np.minimum(rows, len(market.dates) - 1)]
    in_episode = (history.dates <= np.datetime64(end)) & (closed_out >= np.datetime64(start))
    return history.between(~in_episode)


def _is_tied(book: Book, portfolio: str) -> bool:
    """Whether both prices and yields move what a portfolio holds on any day."""
    held = book.is_held[book.portfolios.index(portfolio)]
    kinds = {
        kind
        for instrument, holds in zip(book.instruments, held.tolist(), strict=True)
        if holds
        for kind in instrument.factors.values()
    }
    return len(kinds) > 1


def _known_from(book: Book, portfolio: str, market: Market, coverage: Coverage) -> RowNumbers:
    """(days,) row at which the positions of one portfolio are closed out; others do not count."""
    place = book.portfolios.index(portfolio)
    positions = book.select([place]).holding(np.flatnonzero(book.is_held[place]).tolist())
    return Closeout(positions, coverage).known_from(market)
