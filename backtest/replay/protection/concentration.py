"""How concentrated fellow customers' losses are: on how few customers, on how few days."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.clearing.ledger import FELLOW
from backtest.replay.protection.protect import Protection
from backtest.replay.protection.summary import Losses
from backtest.replay.protection.tabled import columns_of, tabled
from backtest.scores.money.rare_share import rare_share
from backtest.types import FloatArray

WORST = 5  # days


def concentrated(amounts: FloatArray, count: int = 1) -> Mapping[str, float]:
    """Share of the `count` largest amounts, and the sum of squared shares; NaN where all are zero.

    The sum of squared shares (Herfindahl and Hirschman) is one over the number of equal amounts
    that would be as concentrated.

    Examples
    --------
    >>> concentrated(np.array([6.0, 2.0, 2.0]))
    {'share': 0.6, 'hhi': 0.44}
    """
    total = amounts.sum()
    if not total > 0.0:
        return {"share": float("nan"), "hhi": float("nan")}
    shares = np.sort(amounts / total)[::-1]
    return {"share": float(shares[:count].sum()), "hhi": round(float((shares**2).sum()), 12)}


def concentration(done: Protection) -> pd.DataFrame:
    """How what is taken of fellow customers is spread; a row a (model, arrangement).

    `largest_share` and `hhi` over the customers it is taken of, `largest` the name of the first;
    `_low` and `_high` of its share, a 95 % interval over dates, NaN where fewer than five `events`
    that need no drawn default are behind it; `worst_days_share` of the five days with most, `days`
    on which anything is taken under any draw.
    """
    rows = {}
    for (model, arrangement), outcome in done.outcomes.items():
        by_day = outcome.paid[:, :, FELLOW].sum(axis=1)
        customers = concentrated(outcome.fellow)
        taken = outcome.fellow.sum() > 0.0
        seen = Losses.of(done, model, arrangement, FELLOW).base
        share = rare_share(customers["share"] if taken else 0.0, seen)
        rows[model, arrangement] = {
            "largest": done.book.portfolios[int(outcome.fellow.argmax())] if taken else "",
            **columns_of("largest_share", (customers["share"], share.low, share.high)),
            "events": share.events,
            "hhi": customers["hhi"],
            "customers": int((outcome.fellow > 0.0).sum()),
            "worst_days_share": concentrated(by_day, WORST)["share"],
            "days": int((by_day > 0.0).sum()),
        }
    return tabled(rows, "model", "arrangement")
