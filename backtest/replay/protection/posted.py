"""Margin: what houses ask, what customers and firms post, and where it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.replay.protection.protect import Protection
from backtest.replay.protection.tabled import tabled
from backtest.types import FloatArray


@dataclass(frozen=True, eq=False)
class Posted:
    """Margin of each scored day, (days, houses) USD.

    Parameters
    ----------
    customers : collateral of customers that has settled. at_house : the part that is at the
        house; the rest is at the firm. advanced : what firms have posted in customers' place.
    own : what houses ask of firms' own accounts.
    """

    customers: FloatArray
    at_house: FloatArray
    advanced: FloatArray
    own: FloatArray

    @classmethod
    def of(cls, done: Protection, model: str, arrangement: str) -> "Posted":
        """Margin of a model under an arrangement."""
        outcome = done.outcomes[model, arrangement]
        holdings = outcome.holdings
        there = (holdings.posted * holdings.at_house).sum(axis=(1, 2))
        own = outcome.required[:, done.settings[arrangement].is_own].sum(axis=1)
        return cls(holdings.posted.sum(axis=(1, 2)), there, holdings.advanced.sum(axis=1), own)

    @property
    def total(self) -> FloatArray:
        """(days,) USD that accounts post, wherever it is."""
        posted: FloatArray = (self.customers + self.own).sum(axis=1)
        return posted


def posted_margin(done: Protection) -> pd.DataFrame:
    """Mean margin by model, arrangement and house; USD."""
    rows = {}
    for model, arrangement in done.outcomes:
        margin = Posted.of(done, model, arrangement)
        for h, house in enumerate(done.book.silos):
            at_house = margin.at_house[:, h].mean()
            rows[model, arrangement, house] = {
                "by_customers": margin.customers[:, h].mean(),
                "of_it_at_the_house": at_house,
                "of_it_at_firms": margin.customers[:, h].mean() - at_house,
                "advanced_by_firms": margin.advanced[:, h].mean(),
                "firms_own_accounts": margin.own[:, h].mean(),
            }
    return tabled(rows, "model", "arrangement", "house").astype(np.float64)
