"""`monte_carlo`: every model on thousands of alternative histories, all on the same ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import joblib
import numpy as np

from backtest.account.account import AccountTerms
from backtest.account.mix import collateral_marks
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, total_fits
from backtest.market.market import Market
from backtest.model.arguments import check_arguments
from backtest.model.opened_files import OpenedFile, note_opened
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.replay.distribution import COLUMNS, POOLED, Distribution
from backtest.replay.margins import margin_block
from backtest.replay.provenance import Provenance
from backtest.replay.room import check_paths_fit
from backtest.replay.run import yardstick_of
from backtest.replay.scorecard import score_models
from backtest.scores import pooled_equal_coverage
from backtest.simulate.paths import Paths, Simulator
from backtest.types import FloatArray, Progress, StudyError, unheard
from backtest.workers import in_parallel

BLOCK = 10  # paths a task: bounds memory, does not change a number


def monte_carlo(
    simulator: Simulator,
    market: Market,
    book: Book,
    models: Mapping[str, MarginModel],
    *,
    coverage: Coverage | None = None,
    account: AccountTerms | None = None,
    paths: int = 1000,
    seed: int = 0,
    score_from: str | None = None,
    n_jobs: int = 1,
    block: int = BLOCK,
    progress: Progress | None = None,
) -> Distribution:
    """Replay every model on `paths` simulated histories and keep the scores of each.

    All models see the same paths, so differences between them are paired. Path i depends on
    (seed, i) alone: neither workers nor blocks change a number, and any path can be rebuilt and
    replayed in full (`path_market`, `backtest run --path`). Blocks return scores, never paths.

    Parameters
    ----------
    simulator : what draws the histories; fitted to `market` once.
    score_from : ISO day from which paths are scored; the first on which every model has a
        requirement unless given. With `Spliced`, give the market's last day: else the days of
        history, the same on every path, are scored with the future.
    n_jobs, block : workers, and paths a task.

    Raises
    ------
    StudyError : no path or no model, or paths too short to score. A failure inside a model carries
        the path it happened on.

    Examples
    --------
    >>> import backtest as bt, strategies as st, pandas as pd
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]), market)
    >>> mc = bt.monte_carlo(bt.StationaryBootstrap(block_size=20), market, book,
    ...                     {"var": st.HistoricalVaR()}, paths=2, seed=7)
    >>> mc.scores.shape[:3]
    (2, 1, 1)
    """
    check_arguments(market, book, models)
    for what, value in (("paths", paths), ("block", block)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise StudyError(f"{what} is {value!r}; give a whole number, 1 or more.")
    if n_jobs == 0:
        raise StudyError("n_jobs is 0; give 1 or more workers, or -1 for one a core.")
    if not models:
        raise StudyError("the study names no model; give at least one.")
    coverage, account = coverage or Coverage(), account or AccountTerms()
    Closeout(book, coverage).check()
    check_paths_fit(paths, len(models), len(book.portfolios))
    report = progress or unheard
    alternatives = Paths.of(simulator, market, seed=seed)
    blocks = [range(i, min(i + block, paths)) for i in range(0, paths, block)]
    tasks = (
        joblib.delayed(_replay_block)(
            alternatives, numbers, book, models, coverage, account, score_from
        )
        for numbers in blocks
    )
    scores = np.empty((paths, len(models), len(book.portfolios), len(COLUMNS)))
    pooled = np.empty((paths, len(models), len(POOLED)))
    acted = np.empty(paths)
    report("Monte Carlo paths", 0.0)
    results = in_parallel(tasks, n_jobs=n_jobs)
    fits: list[dict[str, Certificates]] = []
    for numbers, result in zip(blocks, results, strict=True):
        block_scores, block_pooled, block_acted, block_fits, block_opened = result
        note_opened(block_opened)
        rows = slice(numbers.start, numbers.stop)
        fits.append(block_fits)
        scores[rows], pooled[rows], acted[rows] = block_scores, block_pooled, block_acted
        report("Monte Carlo paths", numbers.stop / paths)
    return Distribution(
        models=tuple(models),
        portfolios=book.portfolios,
        scores=scores,
        pooled=pooled,
        range_acted=acted,
        provenance=Provenance.of(
            market,
            book,
            models,
            coverage=coverage,
            seed=seed,
            account=account,
            fits=total_fits(fits),
            simulator=alternatives.label,
            paths=paths,
        ),
    )


def path_market(simulator: Simulator, market: Market, *, seed: int, path: int) -> Market:
    """One path of `monte_carlo`, as a market to replay in full.

    Examples
    --------
    >>> import backtest as bt
    >>> market = bt.load_market("sample", end="2016-12-31")
    >>> path_market(bt.StationaryBootstrap(block_size=20), market, seed=7, path=8).simulated
    True
    """
    return Paths.of(simulator, market, seed=seed).path(path)


def _replay_block(
    alternatives: Paths,
    numbers: Sequence[int],
    book: Book,
    models: Mapping[str, MarginModel],
    coverage: Coverage,
    account: AccountTerms,
    score_from: str | None,
) -> tuple[FloatArray, FloatArray, FloatArray, dict[str, Certificates], set[OpenedFile]]:
    """Scores (paths, models, portfolios, columns), pooled scales, range acted, fits, files."""
    scores = np.empty((len(numbers), len(models), len(book.portfolios), len(COLUMNS)))
    pooled = np.empty((len(numbers), len(models), len(POOLED)))
    acted = np.empty(len(numbers))
    fits: list[dict[str, Certificates]] = []
    opened: set[OpenedFile] = set()
    for i, number in enumerate(numbers):
        try:
            market, acted[i] = alternatives.path_and_range(number)
            margined = margin_block(market, book, models, coverage)
            opened |= margined.opened
            fits.append(margined.fits)
            window = ScoredWindow.of(
                market, margined.required, margined.loss, score_from, models=models
            ).checked()
            closeout = Closeout(book, coverage)
            scored = score_models(
                margined.loss,
                margined.required,
                rows=window.rows,
                confidence=coverage.confidence,
                # Simulated markets have the business clock: a row is a margin day.
                horizon=closeout.longest,
                account=account,
                marks=collateral_marks(account.collateral, market, horizon=closeout.by_portfolio),
                yardstick=yardstick_of(models),
                dates=market.dates,
            )
        except Exception as error:
            error.add_note(f"path {number}, seed {alternatives.seed}, {alternatives.label}")
            raise
        for m, name in enumerate(models):
            table: dict[str, Any] = scored.tables[name]
            scores[i, m] = np.column_stack([table[column] for column in COLUMNS])
            over_all = pooled_equal_coverage(
                margined.loss[window.rows],
                margined.required[name][window.rows],
                confidence=coverage.confidence,
            )
            pooled[i, m] = [getattr(over_all, column) for column in POOLED]
    return scores, pooled, acted, total_fits(fits), opened
