"""A block of simulated paths, replayed and scored: the unit of work of `monte_carlo`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from pydantic import TypeAdapter

from backtest.account.account import AccountTerms, replay_account
from backtest.account.mix import Marks, collateral_marks
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, total_fits
from backtest.memory import keep_freed
from backtest.model.opened_files import OpenedFile
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.replay.distribution import COLUMNS, POOLED
from backtest.replay.kept import Block
from backtest.replay.margins import Margined, margin_book
from backtest.replay.run import yardstick_of
from backtest.replay.scorecard import blocks
from backtest.scores import pooled_scale, score_table
from backtest.scores.money.procyclicality import extent
from backtest.simulate.paths import Paths
from backtest.types import Dates, FloatArray

WIDTH = 32  # portfolios at a time: their scores stay in cache; does not change a number


@dataclass(frozen=True, eq=False)
class BlockScores:
    """What a block of paths leaves: its scores, never its paths.

    Parameters
    ----------
    scores : (paths, models, portfolios, COLUMNS). pooled : (paths, models, POOLED).
    range_acted : (paths,) share of days on which some yield stopped at a limit.
    fits, opened : fits by model, and files that models opened.
    """

    scores: FloatArray
    pooled: FloatArray
    range_acted: FloatArray
    fits: dict[str, Certificates]
    opened: set[OpenedFile]

    def kept(self, models: list[str]) -> Block:
        """The scores as they are kept; models : what they are of."""
        arrays = {"scores": self.scores, "pooled": self.pooled, "range_acted": self.range_acted}
        fits = {name: {k: asdict(v) for k, v in of.items()} for name, of in self.fits.items()}
        return Block(arrays, {"models": models, "fits": fits}, frozenset(self.opened))

    @classmethod
    def of_kept(
        cls, block: Block | None, numbers: Sequence[int], models: list[str]
    ) -> "BlockScores | None":
        """The scores of a kept block; None where there is none of these paths and models."""
        if block is None or block.facts["models"] != models:
            return None
        if len(block.arrays["scores"]) != len(numbers):
            return None
        fits = TypeAdapter(dict[str, Certificates]).validate_python(block.facts["fits"])
        return cls(fits=fits, opened=set(block.opened), **block.arrays)


def replay_block(
    alternatives: Paths,
    book: Book,
    models: Mapping[str, MarginModel],
    coverage: Coverage,
    account: AccountTerms,
    score_from: str | None,
    numbers: Sequence[int],
) -> BlockScores:
    """Replay and score the paths of these numbers; a failure carries the path it happened on."""
    keep_freed()
    scores = np.empty((len(numbers), len(models), len(book.portfolios), len(COLUMNS)))
    pooled = np.empty((len(numbers), len(models), len(POOLED)))
    acted = np.empty(len(numbers))
    fits: list[dict[str, Certificates]] = []
    opened: set[OpenedFile] = set()
    for i, number in enumerate(numbers):
        try:
            market, acted[i] = alternatives.path_and_range(number)
            margined = margin_book(market, book, models, coverage)
            opened |= margined.opened
            fits.append(margined.fits)
            window = ScoredWindow.of(
                market, margined.required, margined.loss, score_from, models=models
            ).checked()
            closeout = Closeout(book, coverage)
            scores[i] = _scores(
                margined,
                window.rows,
                confidence=coverage.confidence,
                # Simulated markets have the business clock: a row is a margin day.
                horizon=closeout.longest,
                account=account,
                marks=collateral_marks(account.collateral, market, horizon=closeout.by_portfolio),
                yardstick=yardstick_of(models),
                dates=market.dates,
            )
            for m, name in enumerate(models):
                over_all = pooled_scale(
                    margined.loss[window.rows],
                    margined.required[name][window.rows],
                    confidence=coverage.confidence,
                )
                pooled[i, m] = [getattr(over_all, column) for column in POOLED]
        except Exception as error:
            error.add_note(f"path {number}, seed {alternatives.seed}, {alternatives.label}")
            raise
    return BlockScores(scores, pooled, acted, total_fits(fits), opened)


def _scores(
    margined: Margined,
    rows: slice,
    *,
    confidence: float,
    horizon: int,
    account: AccountTerms,
    marks: Marks,
    yardstick: str | None,
    dates: Dates,
) -> FloatArray:
    """(models, portfolios, COLUMNS): accounts and scores of all models, side by side as columns."""
    models, portfolios = len(margined.required), margined.loss.shape[1]
    siloed = None if yardstick is None else extent(margined.required[yardstick][rows]).mean
    out = np.empty((models, portfolios, len(COLUMNS)))
    for books in blocks(portfolios, WIDTH):
        required = np.hstack([values[:, books] for values in margined.required.values()])
        loss = np.tile(margined.loss[:, books], models)
        ends = marks.closeout
        if ends.shape[1] > 1:
            ends = np.tile(ends[:, books], models)
        account_history = replay_account(
            required, loss, account, marks=replace(marks, closeout=ends), dates=dates
        )
        table = score_table(
            loss[rows],
            required[rows],
            account_history.collateral[rows],
            confidence=confidence,
            horizon=horizon,
            siloed_mean=None if siloed is None else np.tile(siloed[books], models),
            only=COLUMNS,
        )
        columns = np.column_stack([table[name] for name in COLUMNS])
        out[:, books] = columns.reshape(models, -1, len(COLUMNS))
    return out
