"""Margin and collateral of accounts under one arrangement, on the scored days."""

from dataclasses import dataclass

import numpy as np

from backtest.account.account import AccountTerms
from backtest.account.mix import Marks
from backtest.clearing.calls import accounts_at_houses
from backtest.clearing.setting import Setting
from backtest.replay.protection.margins import ByHouse
from backtest.types import Dates, DaysByPortfoliosBySilos


@dataclass(frozen=True, eq=False)
class Collateral:
    """What houses require of accounts, and what has been paid.

    Arrays of (days, accounts, houses) are computed when they are asked for: of thousands of
    accounts those of all models and arrangements are more than a machine's memory.

    Parameters
    ----------
    setting : the structure under an arrangement.
    margins : of the accounts, over all days. rows : the scored ones.
    account, stated : terms of the study, and whether all accounts have its payment days.
    marks : values of the collateral. dates : all days.
    """

    setting: Setting
    margins: ByHouse
    rows: slice
    account: AccountTerms
    stated: bool
    marks: Marks
    dates: Dates

    def required(self, *, scored: bool = True) -> DaysByPortfoliosBySilos:
        """What the houses require, USD; of the scored days, or of all."""
        pooled, rows = self.setting.is_pooled, self.rows if scored else slice(None)
        for of_all, margins in ((False, self.margins.alone), (True, self.margins.pooled)):
            if (pooled == of_all).all():
                return margins[rows]  # a view: it is not copied for every arrangement
        return np.where(pooled[None, :, None], self.margins.pooled[rows], self.margins.alone[rows])

    def held(self) -> DaysByPortfoliosBySilos:
        """What has settled by each close, its value after haircut, USD."""
        return self._replayed("held_value")

    def call(self) -> DaysByPortfoliosBySilos:
        """What is called at each close, USD."""
        return self._replayed("call")

    def at_the_end(self, held: DaysByPortfoliosBySilos) -> DaysByPortfoliosBySilos:
        """Value at the end of close-out of what is held, USD."""
        ends = self.marks.closeout[self.rows]
        # One horizon for the collateral of all accounts, or one of each account.
        return held * (ends[:, :, None] if ends.shape[1] > 1 else ends[:, :1, None])

    def _replayed(self, quantity: str) -> DaysByPortfoliosBySilos:
        required = self.required(scored=False)
        out = np.empty((len(required[self.rows]), required[0].size))
        for places, history in accounts_at_houses(
            required,
            self.setting.account_terms(self.account, stated=self.stated),
            multiplier=self.setting.multiplier,
            marks=self.marks,
            dates=self.dates,
        ):
            out[:, places] = getattr(history, quantity)[self.rows]
        return out.reshape(-1, *required.shape[1:])
