"""The Treasury share of a two-legged pool from 0 to 100 %: margin of each model, and the offset."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms
from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import LiquidationCost
from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.offset import ladder_or_reason
from backtest.replay.run import run


def treasury_share_sweep(
    market: Market,
    models: Mapping[str, MarginModel],
    *,
    treasury: str,
    crypto: str,
    steps: int,
    gross: float,
    base: MarginModel,
    coverage: Coverage,
    account: AccountTerms,
    seed: int = 0,
    liquidation: LiquidationCost | None = None,
) -> pd.DataFrame:
    """Tidy frame, one row a (side, share, model): USD margins, exceedance rate, offset estimates.

    The crypto leg is long; the Treasury leg is long on one side and short on the other. `share` is
    the Treasury's share of `gross`. The estimates (total, diversification, dependence) belong to
    (side, share) and repeat over the models; they are NaN where one leg is empty.
    """
    shares = np.linspace(0.0, 1.0, steps + 1)
    legs: dict[str, dict[str, float]] = {}
    sides = {f"long {treasury}": 1.0, f"short {treasury}": -1.0}
    for side, sign in sides.items():
        for share in shares:
            legs[f"{side}|{share:.6f}"] = {
                treasury: sign * share * gross,
                crypto: (1.0 - share) * gross,
            }
    frame = pd.DataFrame.from_dict(legs, orient="index")
    book = Book.from_frame(frame, market, liquidation=liquidation)
    coverage = Closeout(book, coverage).standard
    study = run(market, book, models, coverage=coverage, account=account, seed=seed, audit=False)
    columns = ["mean_margin", "equal_coverage_margin", "exceedance_rate"]
    tidy = study.summary()[columns].reset_index()
    ladder = ladder_or_reason(market, book, base=base, coverage=coverage, bounds=False).to_frame()
    tidy = tidy.join(ladder[["total", "diversification", "dependence"]], on="portfolio")
    keys = tidy.pop("portfolio").str.split("|", expand=True)
    tidy.insert(0, "share", keys[1].astype(float))
    tidy.insert(0, "side", keys[0])
    return tidy
