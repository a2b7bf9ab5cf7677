"""Dollars a year by what accounts post: the same margins in cash, bills, tokens and coins."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pandas as pd

from backtest.account.mix import Mix, collateral_marks
from backtest.book.closeout import Closeout
from backtest.clearing.arrangement import SILOS
from backtest.replay.protection.protect import Protection, close_out
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import columns_of, tabled
from backtest.studies.protect.bounds import lost_more, widest
from backtest.studies.protect.dollars import Daily, DollarTerms
from backtest.studies.protect.groups import TOGETHER

CASH: Literal["cash"] = "cash"
Posted = Mix | Literal["cash"]


def dollars_by_collateral(
    protection: Protection, mixes: Mapping[str, Posted], terms: DollarTerms, *, model: str
) -> pd.DataFrame:
    """What it costs others that accounts post something else than cash.

    Rows are (collateral, arrangement). Columns: `market_value`, mean over the scored days of what
    is posted at market for the margin required, USD; `loss_<who>`, expected loss of each group of
    `GROUPS` and of all others, USD a year, and `extra` of all others against cash, with bounds and
    `extra_events` as losses have in `dollars`.
    """
    margined = protection.margined
    horizon = Closeout(margined.book, margined.coverage).by_portfolio
    of_cash: dict[str, Losses] = {}
    posted: dict[str, Posted] = {CASH: CASH, **mixes}
    rows = {}
    for name, mix in posted.items():
        account = replace(margined.account, collateral=mix)
        marks = collateral_marks(account.collateral, margined.market, horizon=horizon)
        done = close_out(
            replace(margined, account=account, marks=marks), protection.structure,
            stated=protection.stated, models=[model], coordination=protection.coordination,
            arrangements=[setting.arrangement for setting in protection.settings.values()],
            rules=protection.settings[SILOS].rules, draws=protection.draws, seed=protection.seed,
            path=protection.path,
        )  # fmt: skip
        for _, arrangement in done.outcomes:
            daily = Daily.of(done, model, arrangement, terms.customer_capital)
            others = daily.losses[TOGETHER]
            extra, events = lost_more(others, of_cash.setdefault(arrangement, others))
            rows[name, arrangement] = {
                "market_value": float(daily.margin.mean()) * marks.posted,
                **{f"loss_{g}": float(one.yearly.mean()) for g, one in daily.losses.items()},
                **columns_of("extra", widest(extra[0][0], extra), events),
            }
    return tabled(rows, "collateral", "arrangement")
