"""Dollars a year by what accounts post: the same margins in cash, bills, tokens and coins."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pandas as pd

from backtest.account.mix import Mix, collateral_marks
from backtest.book.closeout import Closeout
from backtest.clearing.arrangement import SILOS
from backtest.replay.protection.protect import Protection, close_out
from backtest.studies.protect.dollars import GROUPS, OTHERS, STUCK, DollarTerms, Yearly
from backtest.studies.protect.resampled import bounded, columns_of, resampled_days
from backtest.types import Days

CASH: Literal["cash"] = "cash"
Posted = Mix | Literal["cash"]


def dollars_by_collateral(
    protection: Protection, mixes: Mapping[str, Posted], terms: DollarTerms, *, model: str
) -> pd.DataFrame:
    """What it costs others that accounts post something else than cash.

    Rows are (collateral, arrangement). Columns: `market_value`, mean over the scored days of what
    is posted at market for the margin required, USD; `loss_<who>`, expected loss of each group of
    `GROUPS` and of all others, USD a year, and `extra` of all others against cash, with bounds of
    95 % over days. A move of prices counts once of the close-outs that it is in (see `dollars`).
    """
    margined, weights = protection.margined, resampled_days(len(protection.days))
    horizon = Closeout(margined.book, margined.coverage).by_portfolio
    of_cash: dict[str, Days] = {}
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
        for (_, arrangement), outcome in done.outcomes.items():
            setting = done.settings[arrangement]
            daily = Yearly.of(outcome, setting, terms.customer_capital, done.spans)
            a_year = setting.rules.assumptions.margin_days
            losses = {
                group: daily.expected_loss(group, a_year=a_year)
                for group in (*GROUPS, STUCK, OTHERS)
            }
            extra = losses[OTHERS] - of_cash.setdefault(arrangement, losses[OTHERS])
            rows[name, arrangement] = {
                "market_value": float(daily.margin.mean()) * marks.posted,
                **{f"loss_{group}": float(usd.mean()) for group, usd in losses.items()},
                **columns_of("extra", bounded(extra[:, None], weights)[:, 0]),
            }
    index = pd.MultiIndex.from_tuples(list(rows), names=["collateral", "arrangement"])
    return pd.DataFrame(list(rows.values()), index=index)
