"""One round of feedback: positions of customers that cannot pay are sold, and move prices.

APPROXIMATE, and off unless a study asks for it: one square-root impact for all of history, no
second round, no contagion between instruments.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from backtest.book.liquidation import LiquidationCost
from backtest.clearing.ledger import CENT, FELLOW, FUND, UNCOVERED
from backtest.kernels.parties import APART
from backtest.replay.protection.protect import Protection, close_out
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import columns_of, tabled
from backtest.replay.protection.unpaid import left_unpaid
from backtest.scores.money.rare import LARGER, differs, rare_difference
from backtest.types import (
    BoolArray,
    DaysByPortfoliosBySilos,
    FloatArray,
    Progress,
    counted,
    unheard,
)

MEASURES = {"fellow": FELLOW, "fund": FUND, "uncovered": UNCOVERED}


def fire_sale_table(done: Protection, *, progress: Progress | None = None) -> pd.DataFrame:
    """One row a (model, arrangement): losses a year without and with one round of feedback.

    `sale_days` days on which some customer cannot pay; `largest` USD, the most that feedback adds
    to the losses of all accounts on a day, and its `date` (NaT without a sale). For `fellow`
    (customers who did nothing), `fund` (the mutual fund) and `uncovered`: `_usd` a year as
    without feedback, `_usd_there` with it, `_added` the difference, paired by day, with its
    `_low` and `_high`, NaN where fewer than five events (its `_events`) differ.

    Raises
    ------
    StudyError : an instrument without bid-offer and volume.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> from backtest.clearing import Member, Structure
    >>> from backtest.replay.protection import protect
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [5e8]}, index=["fund"]))
    >>> structure = Structure((Member("fund", "A"),))
    >>> done = protect(market, book, {"var": st.HistoricalVaR()}, structure)
    >>> row = fire_sale_table(done).loc[("var", "silos")]
    >>> bool(row["sale_days"] > 0), bool(row["uncovered_usd_there"] >= row["uncovered_usd"])
    (True, True)
    """
    rows = {}
    exposure, impact = positions(done), impacts(done)
    each = counted(progress or unheard, "fire sales", done.outcomes, len(done.outcomes))
    for model, arrangement in each:
        failed = cannot_pay(done, model, arrangement)
        added = feedback(done, failed, exposure, impact)
        there = _closed_out_again(done, model, arrangement, added)
        by_day = added.sum(axis=(1, 2))
        sold = failed.any(axis=1)
        row: dict[str, object] = {
            "sale_days": int(sold.sum()),
            "largest": float(by_day.max()),
            "date": done.days[by_day.argmax()] if sold.any() else pd.NaT,
        }
        for name, bearer in MEASURES.items():
            before, after = (Losses.of(one, model, arrangement, bearer) for one in (done, there))
            row[f"{name}_usd"] = float(before.yearly.mean())
            row[f"{name}_usd_there"] = float(after.yearly.mean())
            # What one more event may add matters most here: it may be twice the largest seen.
            more = rare_difference(
                after.yearly, before.yearly, seen=differs(after.base, before.base), larger=LARGER
            )
            row |= columns_of(f"{name}_added", more.ends, more.events)
        rows[model, arrangement] = row
    return tabled(rows, "model", "arrangement")


def cannot_pay(done: Protection, model: str, arrangement: str) -> BoolArray:
    """(days, accounts) customers that leave something unpaid though nobody drew them to default.

    Legs that are pooled are taken to close out jointly.
    """
    accounts = done.settings[arrangement].kernel_accounts()
    outcome, loss = done.outcomes[model, arrangement], done.loss
    unpaid = left_unpaid(
        loss, loss - outcome.collateral, nets=accounts.nets != APART, resources=accounts.resources
    )
    cannot: BoolArray = (unpaid > CENT) & ~accounts.own
    return cannot


def positions(done: Protection) -> FloatArray:
    """(days, accounts, instruments) signed USD at the close of each scored day."""
    usd: FloatArray = done.book.usd(done.margined.market)[done.window.rows]
    return usd


def impacts(done: Protection) -> FloatArray:
    """(days, instruments) of `LiquidationCost.impact`, known at the close of each scored day."""
    cost = done.book.liquidation or LiquidationCost()
    return cost.impact(done.margined.market, done.book.instruments)[done.window.rows]


def feedback(
    done: Protection, failed: BoolArray, exposure: FloatArray, impact: FloatArray
) -> DaysByPortfoliosBySilos:
    """(days, accounts, houses) USD that the sales add to losses; below zero where they gain.

    Positions of customers that cannot pay are sold (bought, where short) at once; the price goes
    against them, and every account has it on what it holds.

    failed, exposure, impact : of `cannot_pay`, `positions` and `impacts`.
    """
    sold = np.einsum("ta,tai->ti", failed.astype(np.float64), exposure)
    falls = np.sign(sold) * impact * np.sqrt(np.abs(sold))
    lost = exposure * falls[:, None, :]
    houses = np.array([i.silo for i in done.book.instruments])
    return np.stack([lost[:, :, houses == h].sum(axis=2) for h in done.book.silos], axis=2)


def _closed_out_again(
    done: Protection, model: str, arrangement: str, added: DaysByPortfoliosBySilos
) -> Protection:
    """The same close-outs with losses that the sales have added to."""
    loss = done.margined.loss.copy()
    loss[done.window.rows] += added
    setting = done.settings[arrangement]
    return close_out(
        replace(done.margined, loss=loss),
        done.structure,
        stated=done.stated,
        arrangements=[setting.arrangement],
        models=[model],
        rules=setting.rules,
        coordination=done.coordination,
        draws=done.draws,
        seed=done.seed,
        path=done.path,
        scale=setting.mean_margin,
    )
