"""Books under one clock: the weekend's share of the excess, and what each way of calling costs."""

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
from backtest.types import BoolArray, DaysByPortfolios, FloatArray

YEAR = 365.25  # calendar days
SETTINGS = (
    "business clock",
    "24/7 margin, weekends not settled",
    "24/7, no calls on closed days",
    "24/7, cash",
    "24/7, stablecoin",
)


@dataclass(frozen=True, eq=False)
class Clocked:
    """Losses and requirements of every book under one clock, over the dates that are scored.

    Parameters
    ----------
    loss : (days, portfolios) USD. required : the same, by model. rows : days that are scored.
    spans : (days, portfolios) whether the MPOR of an instrument that trades at weekends
        contains a weekend day.
    """

    clock: Clock
    market: Market
    book: Book
    loss: DaysByPortfolios
    required: Mapping[str, DaysByPortfolios]
    rows: slice
    spans: BoolArray

    @property
    def weekday(self) -> FloatArray:
        """(days,) 0 is Monday, 6 Sunday."""
        return np.asarray(pd.DatetimeIndex(self.market.dates).day_of_week)


def weekends(clocks: tuple[Clocked, Clocked]) -> list[dict[str, Any]]:
    """By model, book and clock: the share of strikes and of excess whose MPOR spans a weekend."""
    return [
        {
            "model": model,
            "portfolio": portfolio,
            "clock": clocked.clock,
            **_weekend_share(clocked, model, some),
        }
        for model in clocks[0].required
        for portfolio, some in _portfolios_and_all(clocks[0].book)
        for clocked in clocks
    ]


def _portfolios_and_all(book: Book) -> list[tuple[str, slice]]:
    """Each portfolio's column, then all of them."""
    each = [(name, slice(p, p + 1)) for p, name in enumerate(book.portfolios)]
    return [*each, ("all", slice(None))]


def _weekend_share(clocked: Clocked, model: str, some: slice) -> dict[str, float]:
    """Strikes, exceedances and excess (USD) of some books, and the weekend's share of each."""
    rows = clocked.rows
    excess = np.maximum(clocked.loss[rows, some] - clocked.required[model][rows, some], 0.0)
    held = clocked.spans[rows, some]
    count, total = int((excess > 0).sum()), float(excess.sum())
    over = int((excess[held] > 0).sum())
    return {
        "strikes": float(held.mean()),
        "exceedances": count,
        "over_weekends": over,
        "exceedance_share": over / count if count else np.nan,
        "excess": total,
        "excess_share": float(excess[held].sum()) / total if total else np.nan,
    }


def accounts(
    business: Clocked, around: Clocked, terms: AccountTerms
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exceedances and breaches by weekday, and the cost and breaches of each way of calling."""
    cash, token = (replace(terms, settlement=s) for s in ("cash", "stablecoin"))
    # The first two ways are replayed on business days, on the business clock's margins and on the
    # 24/7 clock's. The others are replayed on every day, but the requirement of the first of them
    # moves only on days on which Treasuries trade; in between it is that of the last such day.
    own = around.market.trades(around.market.factors)
    last_own = np.maximum.accumulate(np.where(own, np.arange(len(own)), 0))
    at = around.market.dates.searchsorted(business.market.dates)
    weekdays, settings = [], []
    for model, asked in around.required.items():
        ways = (
            (business, business.required[model], terms),
            (business, asked[np.minimum(at, len(asked) - 1)], terms),
            (around, asked[last_own], cash),
            (around, asked, cash),
            (around, asked, token),
        )
        for setting, (clocked, margin, how) in zip(SETTINGS, ways, strict=True):
            way = _replayed(clocked, margin, how)
            settings.append({"model": model, "setting": setting, **way.costs()})
            # By weekday the clocks are compared, so one way of calling on each is enough.
            if setting in ("business clock", "24/7, cash"):
                weekdays += [{"model": model, "clock": clocked.clock, **w} for w in way.weekdays()]
    by_measure = pd.DataFrame(weekdays).set_index(["measure", "model", "clock"])
    measures = by_measure.index.get_level_values("measure")
    return (
        pd.concat([by_measure[measures == m] for m in ("exceedances", "breaches")]),
        pd.DataFrame(settings).set_index(["model", "setting"]),
    )


@dataclass(frozen=True, eq=False)
class _Way:
    """The account of one way of calling on the scored days, (days, portfolios) USD.

    weekday : (days,) 0 is Monday. years : from the first scored day to the last.
    """

    weekday: FloatArray
    years: float
    required: FloatArray
    held: FloatArray
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
            "mean_held": float(self.held.mean()),
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
        found = []
        for measure, amount in (("exceedances", self.excess), ("breaches", self.shortfall)):
            counts = {
                name: int((amount[self.weekday == day] > 0).sum())
                for day, name in enumerate(WEEKDAYS)
            }
            strikes = {
                f"{name} strikes": int((self.weekday == day).sum()) * amount.shape[1]
                for day, name in enumerate(WEEKDAYS)
            }
            found.append({"measure": measure, **counts, "all": sum(counts.values()), **strikes})
        return found


def _replayed(clocked: Clocked, margin: DaysByPortfolios, terms: AccountTerms) -> _Way:
    """The account of one way of calling, over the scored days."""
    rows, dates = clocked.rows, clocked.market.dates
    history = replay_account(margin, clocked.loss, terms, dates=dates)
    scored = dates[rows]
    return _Way(
        weekday=clocked.weekday[rows],
        years=float((scored[-1] - scored[0]).astype(int)) / YEAR,
        required=margin[rows],
        held=history.held[rows],
        call=history.call[rows],
        excess=np.maximum(clocked.loss[rows] - margin[rows], 0.0),
        shortfall=history.shortfall[rows],
    )
