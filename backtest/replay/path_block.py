"""A block of simulated paths, replayed and scored: the unit of work of `monte_carlo`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.account.account import AccountTerms
from backtest.account.mix import collateral_marks
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, total_fits
from backtest.model.opened_files import OpenedFile
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.replay.distribution import COLUMNS, POOLED
from backtest.replay.margins import margin_block
from backtest.replay.run import yardstick_of
from backtest.replay.scorecard import score_models
from backtest.scores import pooled_scale
from backtest.simulate.paths import Paths
from backtest.types import FloatArray


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


def replay_block(
    alternatives: Paths,
    numbers: Sequence[int],
    book: Book,
    models: Mapping[str, MarginModel],
    coverage: Coverage,
    account: AccountTerms,
    score_from: str | None,
) -> BlockScores:
    """Replay and score the paths of these numbers; a failure carries the path it happened on."""
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
                only=COLUMNS,
            )
        except Exception as error:
            error.add_note(f"path {number}, seed {alternatives.seed}, {alternatives.label}")
            raise
        for m, name in enumerate(models):
            table: dict[str, Any] = scored.tables[name]
            scores[i, m] = np.column_stack([table[column] for column in COLUMNS])
            over_all = pooled_scale(
                margined.loss[window.rows],
                margined.required[name][window.rows],
                confidence=coverage.confidence,
            )
            pooled[i, m] = [getattr(over_all, column) for column in POOLED]
    return BlockScores(scores, pooled, acted, total_fits(fits), opened)
