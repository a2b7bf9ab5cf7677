"""The Treasury share of a two-legged pool from 0 to 100 %: margin of each model, and the offset."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.config.sections import SweepTable
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.offset import ladder_or_reason
from backtest.replay.run import run
from backtest.types import Progress, unheard, within

STAGE = "Treasury share"
SCORES = ["mean_margin", "equal_coverage_margin", "exceedance_rate"]
REDUCTIONS = ["total", "diversification", "dependence"]


def treasury_share_sweep(
    market: Market,
    models: Mapping[str, MarginModel],
    pool: SweepTable,
    *,
    base: MarginModel,
    coverage: Coverage,
    account: AccountTerms,
    liquidation: LiquidationCost | None,
    score_from: str | None = None,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Tidy frame, one row a (side, share, model): USD margins, exceedance rate, offset estimates.

    The crypto leg is long; the Treasury leg is long on one side and short on the other. `share` is
    the Treasury's share of the pool's gross. The estimates (total, diversification, dependence)
    belong to (side, share) and repeat over the models; they are NaN where one leg is empty.
    """
    shares = np.linspace(0.0, 1.0, pool.steps + 1)
    # A run scores books by name, so side and share travel in the name and are taken out of it.
    legs = {
        f"{side} {pool.treasury}|{share:.6f}": {
            pool.treasury: sign * share * pool.gross,
            pool.crypto: (1.0 - share) * pool.gross,
        }
        for side, sign in (("long", 1.0), ("short", -1.0))
        for share in shares
    }
    frame = pd.DataFrame.from_dict(legs, orient="index")
    book = Book.from_frame(frame, market, liquidation=liquidation)
    coverage = Closeout(book, coverage).standard
    progress(STAGE, 0.0)
    study = run(
        market, book, models, coverage=coverage, account=account, score_from=score_from,
        audit=False,
        progress=_parts_of(progress, {"margins": (0.0, 0.6), "account and scores": (0.6, 0.8)}),
    )  # fmt: skip
    ladder = ladder_or_reason(
        market, book, base=base, coverage=coverage, score_from=score_from, bounds=False,
        progress=within(progress, STAGE, 0.8, 1.0),
    ).to_frame()  # fmt: skip
    table = study.summary()[SCORES].reset_index().join(ladder[REDUCTIONS], on="portfolio")
    keys = table.pop("portfolio").str.split("|", expand=True)
    table.insert(0, "share", keys[1].astype(float))
    table.insert(0, "side", keys[0])
    return table


def _parts_of(progress: Progress, shares: Mapping[str, tuple[float, float]]) -> Progress:
    """The stages of a run as parts of the one stage of a sweep; others are not told."""

    def told(what: str, share: float) -> None:
        if what in shares:
            within(progress, STAGE, *shares[what])(what, share)

    return told
