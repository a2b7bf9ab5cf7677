"""Books under one clock: the weekend's share of the excess, and the cost of each way of calling."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms, replay_account
from backtest.book.book import Book
from backtest.market.calendars import Clock
from backtest.market.market import Market
from backtest.studies.clocks.figures import WEEKDAYS
from backtest.types import BoolArray, DaysByPortfolios, FloatArray, Progress, counted, unheard

YEAR = 365.25  # calendar days
SETTINGS = (
    "business clock",
    "24/7 margin, weekends not settled",
    "24/7, no calls on closed days",
    "24/7, cash",
    "24/7, stablecoin",
)


@dataclass(frozen=True, eq=False)
class ClockHistory:
    """Losses and requirements of every book under one clock.

    Parameters
    ----------
    loss : (days, portfolios) USD. required : the same, by model.
    rows : scored days, on the same dates under both clocks.
    over_weekend : (days, portfolios) True where the MPOR of an instrument that trades at weekends
        contains a weekend day.
    """

    clock: Clock
    market: Market
    book: Book
    loss: DaysByPortfolios
    required: Mapping[str, DaysByPortfolios]
    rows: slice
    over_weekend: BoolArray


def weekends(
    clocks: tuple[ClockHistory, ClockHistory], *, progress: Progress = unheard
) -> list[dict[str, Any]]:
    """By model, book and clock: the share of strikes and of excess whose MPOR spans a weekend."""
    models = clocks[0].required
    return [
        {
            "model": model,
            "portfolio": portfolio,
            "clock": history.clock,
            **_weekend_share(history, model, columns),
        }
        for model in counted(progress, "weekends", models, len(models))
        for portfolio, columns in _columns_by_name(clocks[0].book)
        for history in clocks
    ]


def _columns_by_name(book: Book) -> list[tuple[str, slice]]:
    """The column of each portfolio, then all columns under the name 'all'."""
    columns = [(name, slice(p, p + 1)) for p, name in enumerate(book.portfolios)]
    return [*columns, ("all", slice(None))]


def _weekend_share(history: ClockHistory, model: str, columns: slice) -> dict[str, float]:
    """Strikes, exceedances and excess (USD) of the books of `columns`; the weekend's share of each.

    A strike is one day of one book: its requirement, and the loss over the MPOR from that close.
    """
    days = (history.rows, columns)
    excess = np.maximum(history.loss[days] - history.required[model][days], 0.0)
    over_weekend = history.over_weekend[days]
    count, total = int((excess > 0).sum()), float(excess.sum())
    weekend_count = int((excess[over_weekend] > 0).sum())
    return {
        "strikes": float(over_weekend.mean()),
        "exceedances": count,
        "over_weekends": weekend_count,
        "exceedance_share": weekend_count / count if count else np.nan,
        "excess": total,
        "excess_share": float(excess[over_weekend].sum()) / total if total else np.nan,
    }


def accounts(
    business: ClockHistory,
    around: ClockHistory,
    terms: AccountTerms,
    *,
    progress: Progress = unheard,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exceedances and breaches by weekday, and the cost and breaches of each way of calling."""
    cash, token = (replace(terms, settlement=s) for s in ("cash", "stablecoin"))
    # The first two ways are replayed on business days, on the business clock's margins and on the
    # 24/7 clock's. The others are replayed on every day, but the requirement of the first of them
    # moves only on days on which Treasuries trade; in between it is that of the last such day.
    treasury_days = around.market.trades(around.market.factors)
    last_treasury_day = np.maximum.accumulate(
        np.where(treasury_days, np.arange(len(treasury_days)), 0)
    )
    same_date = around.market.dates.searchsorted(business.market.dates)
    weekdays, settings = [], []
    for model, required in counted(
        progress, "accounts", around.required.items(), len(around.required)
    ):
        ways = (
            (business, business.required[model], terms),
            (business, required[np.minimum(same_date, len(required) - 1)], terms),
            (around, required[last_treasury_day], cash),
            (around, required, cash),
            (around, required, token),
        )
        for setting, (history, margin, account) in zip(SETTINGS, ways, strict=True):
            way = _scored_account(history, margin, account)
            settings.append({"model": model, "setting": setting, **way.costs()})
            # By weekday the clocks are compared, so one way of calling on each is enough.
            if setting in ("business clock", "24/7, cash"):
                weekdays += [{"model": model, "clock": history.clock, **w} for w in way.weekdays()]
    by_measure = pd.DataFrame(weekdays).set_index(["measure", "model", "clock"])
    measures = by_measure.index.get_level_values("measure")
    return (
        pd.concat([by_measure[measures == m] for m in ("exceedances", "breaches")]),
        pd.DataFrame(settings).set_index(["model", "setting"]),
    )


@dataclass(frozen=True, eq=False)
class _ScoredAccount:
    """The account of one way of calling on the scored days, (days, portfolios) USD.

    weekday : (days,) 0 is Monday. years : from the first scored day to the last.
    """

    weekday: FloatArray
    years: float
    required: FloatArray
    held_value: FloatArray
    call: FloatArray
    excess: FloatArray
    shortfall: FloatArray

    def costs(self) -> dict[str, float]:
        """USD means over days and books; exceedances, breaches and calls a book and year."""
        book_years = self.required.shape[1] * self.years
        weekend, short = self.weekday >= 5, self.shortfall > 0
        return {
            "strikes": self.required.size,
            "mean_margin": float(self.required.mean()),
            "mean_held": float(self.held_value.mean()),
            "exceedances": int((self.excess > 0).sum()),
            "exceedance_rate": float((self.excess > 0).mean()),
            "breaches": int(short.sum()),
            "breaches_a_year": short.sum() / book_years,
            "weekend_breaches": int(short[weekend].sum()),
            "mean_shortfall": self.shortfall.sum() / short.sum() if short.any() else np.nan,
            "calls_a_year": (self.call > 0).sum() / book_years,
            "weekend_calls_a_year": (self.call[weekend] > 0).sum() / book_years,
            "weekend_usd_a_year": self.call[weekend].sum() / book_years,
        }

    def weekdays(self) -> list[dict[str, Any]]:
        """Exceedances and breaches by weekday of strike, with the strikes of that weekday."""
        days = {name: self.weekday == day for day, name in enumerate(WEEKDAYS)}
        books = self.required.shape[1]
        strikes = {f"{name} strikes": int(on.sum()) * books for name, on in days.items()}
        rows = []
        for measure, amount in (("exceedances", self.excess), ("breaches", self.shortfall)):
            counts = {name: int((amount[on] > 0).sum()) for name, on in days.items()}
            rows.append({"measure": measure, **counts, "all": sum(counts.values()), **strikes})
        return rows


def _scored_account(
    history: ClockHistory, margin: DaysByPortfolios, terms: AccountTerms
) -> _ScoredAccount:
    """Replay the account of one way of calling over all days; keep the scored ones."""
    rows, dates = history.rows, history.market.dates
    account = replay_account(margin, history.loss, terms, dates=dates)
    scored_dates = dates[rows]
    return _ScoredAccount(
        weekday=np.asarray(pd.DatetimeIndex(scored_dates).day_of_week),
        # One day has no rate a year.
        years=float((scored_dates[-1] - scored_dates[0]).astype(int)) / YEAR or np.nan,
        required=margin[rows],
        held_value=account.held_value[rows],
        call=account.call[rows],
        excess=np.maximum(history.loss[rows] - margin[rows], 0.0),
        shortfall=account.shortfall[rows],
    )
