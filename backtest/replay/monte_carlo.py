"""`monte_carlo`: every model on thousands of alternative histories, all on the same ones."""

from collections.abc import Mapping

import joblib
import numpy as np

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, total_fits
from backtest.market.market import Market
from backtest.model.arguments import check_arguments
from backtest.model.opened_files import note_opened
from backtest.model.protocol import MarginModel, in_words
from backtest.parameters.in_force import in_force
from backtest.replay.distribution import COLUMNS, POOLED, Distribution
from backtest.replay.kept import KeptBlocks
from backtest.replay.path_block import BlockScores, replay_block
from backtest.replay.provenance import Provenance
from backtest.replay.room import check_paths_fit
from backtest.replay.rules import rule_day
from backtest.simulate.paths import Paths, Simulator
from backtest.types import Progress, StudyError, unheard
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
    as_of: str | None = None,
    n_jobs: int = 1,
    block: int = BLOCK,
    kept: KeptBlocks | None = None,
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
    as_of : ISO day whose rules the models take; the last scored day of `market` unless given. Days
        of a path are no dates of history, so a model that replays its rules has those of this day.
    n_jobs, block : workers, and paths a task.
    kept : where finished blocks are kept (`replay.kept`); what it holds is not computed again.

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
    closeout = Closeout(book, coverage)
    closeout.check()
    day = rule_day(as_of, market, closeout.longest)
    models = {name: in_force(model, day, throughout=True) for name, model in models.items()}
    account = in_force(account, day)
    check_paths_fit(paths, len(models), len(book.portfolios))
    report = progress or unheard
    alternatives = Paths.of(simulator, market, seed=seed)
    blocks = [range(i, min(i + block, paths)) for i in range(0, paths, block)]
    gathered = _Gathered(paths, list(models), len(book.portfolios))
    words = [f"{name}: {in_words(model)}" for name, model in models.items()]
    missing = blocks if kept is None else [n for n in blocks if not gathered.found(kept, n, words)]
    done = paths - sum(map(len, missing))
    report("Monte Carlo paths", done / paths)
    tasks = (joblib.delayed(replay_block)(numbers) for numbers in missing)
    shared = (alternatives, book, models, coverage, account, score_from)
    results = in_parallel(tasks, n_jobs=n_jobs, shared=shared)
    for numbers, result in zip(missing, results, strict=True):
        gathered.put(numbers, result)
        if kept is not None:
            kept.add(numbers.start, result.kept(words), count=len(numbers))
        done += len(numbers)
        report("Monte Carlo paths", done / paths)
    provenance = Provenance.of(
        market,
        book,
        models,
        coverage=coverage,
        seed=seed,
        account=account,
        as_of=str(day),
        fits=total_fits([of for _, of in sorted(gathered.fits.items())]),
        simulator=alternatives.label,
        paths=paths,
    )
    return Distribution(
        models=tuple(models),
        portfolios=book.portfolios,
        scores=gathered.scores,
        pooled=gathered.pooled,
        range_acted=gathered.range_acted,
        provenance=provenance,
    )


class _Gathered:
    """Scores of all paths, as their blocks come in, in any order."""

    def __init__(self, paths: int, models: list[str], portfolios: int) -> None:
        self.scores = np.empty((paths, len(models), portfolios, len(COLUMNS)))
        self.pooled = np.empty((paths, len(models), len(POOLED)))
        self.range_acted = np.empty(paths)
        self.fits: dict[int, dict[str, Certificates]] = {}  # by first path of the block

    def put(self, numbers: range, result: BlockScores) -> None:
        """Take in the scores of these paths."""
        rows = slice(numbers.start, numbers.stop)
        self.scores[rows], self.pooled[rows] = result.scores, result.pooled
        self.range_acted[rows] = result.range_acted
        self.fits[numbers.start] = result.fits
        note_opened(result.opened)

    def found(self, kept: KeptBlocks, numbers: range, words: list[str]) -> bool:
        """Take in a finished block; False where there is none of these paths and models."""
        result = BlockScores.of_kept(kept.read(numbers.start), numbers, words)
        if result is None:
            return False
        self.put(numbers, result)
        kept.count(numbers.start, len(numbers))
        return True


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
