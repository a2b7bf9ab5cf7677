"""`backtest clocks`: the same books under the business clock and under margining around the clock.

Both clocks hold the same books in USD, sized on the business clock, and are scored over the same
dates. On the 24/7 clock crypto is struck, margined and closed out on every calendar day while
Treasuries stand still between their sessions.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .account import AccountTerms, replay_account
from .asynchrony import correlation_by_horizon, treasuries_of
from .book import Book
from .calendars import Clock, is_session, sessions
from .charts.clocks import WEEKDAYS
from .data.load import load_with_sources
from .engine import margin_block
from .manifest import describe_data, software
from .market import Market
from .scorecard import Progress
from .study_file import StudyFile
from .types import BoolArray, Coverage, DaysByPortfolios, FloatArray, StudyError
from .workflow import digest, read_inputs

TENORS = (2.0, 10.0, 30.0)  # years: the short end, the benchmark, the long end
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
    spans : (days, portfolios) whether the MPOR of what trades at weekends holds a weekend day.
    """

    clock: Clock
    market: Market
    book: Book
    loss: DaysByPortfolios
    required: Mapping[str, DaysByPortfolios]
    rows: BoolArray
    spans: BoolArray

    @property
    def weekday(self) -> FloatArray:
        """(days,) 0 is Monday, 6 Sunday."""
        return np.asarray(pd.DatetimeIndex(self.market.dates).day_of_week)


@dataclass(frozen=True, eq=False)
class ClockStudy:
    """What `backtest clocks` found; the tables say what in their columns.

    Parameters
    ----------
    days : of each clock. variance : of each crypto price, at weekends and not.
    weekdays : exceedances and breaches by weekday of strike, over all crypto books.
    weekends : by model and book, what MPORs that hold a weekend day add to the excess.
    settings : margin, calls and breaches by model and way of calling.
    correlation : of crypto with Treasury P&L by horizon.
    """

    business: Clocked
    around: Clocked
    days: pd.DataFrame
    variance: pd.DataFrame
    weekdays: pd.DataFrame
    weekends: pd.DataFrame
    settings: pd.DataFrame
    correlation: pd.DataFrame
    coverage: Coverage
    text: str
    manifest: dict[str, Any]


def compare_clocks(
    study_file: Path | None, *, data: str | None, seed: int | None, progress: Progress
) -> ClockStudy:
    """Replay the named books of a study that hold crypto under both clocks.

    Raises
    ------
    DataError : prices without closes at weekends. StudyError : no named book holds crypto, or too
        short a history to score.
    """
    inputs = read_inputs(study_file, data=data, seed=seed, clock="business", progress=progress)
    config, coverage = inputs.config, inputs.config.standard()
    market = _around_the_clock(config)
    book = _with_crypto(inputs.book.select(list(range(len(config.books)))), market)
    models = config.margin_models()
    both = []
    for clock, days in (("business clock", inputs.market), ("24/7 clock", market)):
        progress(f"margins, {clock}", 0.0)
        margined = margin_block(days, book, models, coverage)
        both.append((days, margined.loss, margined.required))
    first, last = _scored_dates(both)
    business, around = (
        Clocked(
            "business" if days.traded is None else "24/7",
            days,
            book,
            loss,
            required,
            (days.dates >= first) & (days.dates <= last),
            _spans_weekend(book, days, coverage, market),
        )
        for days, loss, required in both
    )
    progress("accounts", 0.0)
    weekdays, settings = _accounts(business, around, config.terms())
    progress("correlations", 0.0)
    coins = _continuous(market)
    around_data, business_data = describe_data(market), describe_data(inputs.market)
    manifest: dict[str, Any] = {
        "data": around_data | {"files": [asdict(f) for f in inputs.files]},
        "business_data": business_data,
        "study": config.resolved(),
        "scored": {"first": str(first), "last": str(last)},
        "seed": config.seed,
        "software": software(),
    }
    hashes = [each["levels_sha256"] for each in (business_data, around_data)]
    manifest["sha256"] = digest([manifest["study"], *hashes])
    return ClockStudy(
        business,
        around,
        days=pd.DataFrame([_days(c, coverage) for c in (business, around)]).set_index("clock"),
        variance=pd.DataFrame([_variance(market, coin) for coin in coins]).set_index("price"),
        weekdays=weekdays,
        weekends=pd.DataFrame(_weekends((business, around))).set_index(
            ["model", "portfolio", "clock"]
        ),
        settings=settings,
        correlation=correlation_by_horizon(
            inputs.market,
            prices=coins,
            tenors=treasuries_of(inputs.market, TENORS),
            seed=config.seed,
        ),
        coverage=coverage,
        text=inputs.text,
        manifest=manifest,
    )


def _around_the_clock(config: StudyFile) -> Market:
    """The study's prices on every calendar day."""
    return load_with_sources(
        config.data.source,
        factors=config.data.factors or None,
        start=config.data.start,
        end=config.data.end,
        clock="24/7",
        calendar=config.clock.calendar,
    )[0]


def _continuous(market: Market) -> list[str]:
    """Factors that trade on every calendar day."""
    return [f for f in market.factors if market.trades([f]).all()]


def _crypto(book: Book, market: Market) -> list[int]:
    """Columns of the book that trade on every calendar day of a 24/7 `market`."""
    return [i for i, x in enumerate(book.instruments) if market.trades(x.factors).all()]


def _with_crypto(book: Book, market: Market) -> Book:
    """The portfolios that hold something which trades at weekends."""
    held = np.flatnonzero(book.exposure[:, _crypto(book, market)].any(axis=1))
    if len(held) == 0:
        raise StudyError("no named book holds what trades at weekends; name one that holds BTC.")
    return book.select([int(p) for p in held])


def _scored_dates(
    both: list[tuple[Market, DaysByPortfolios, dict[str, DaysByPortfolios]]],
) -> tuple[np.datetime64, np.datetime64]:
    """First and last date on which both clocks know every requirement and loss."""
    known = []
    for market, loss, required in both:
        whole = ~np.isnan(loss).any(axis=1)
        for margin in required.values():
            whole &= ~np.isnan(margin).any(axis=1)
        known.append(market.dates[whole])
    if min(map(len, known)) == 0 or max(d[0] for d in known) > min(d[-1] for d in known):
        raise StudyError("no day can be scored on both clocks; lengthen the history.")
    return max(d[0] for d in known), min(d[-1] for d in known)


def _spans_weekend(book: Book, market: Market, coverage: Coverage, around: Market) -> BoolArray:
    """(days, portfolios) whether (t, close-out] of a crypto position holds a Saturday or Sunday."""
    out = np.zeros((len(market.dates), len(book.portfolios)), dtype=np.bool_)
    for i in _crypto(book, around):
        horizon = coverage.horizon(book.instruments[i].silo)
        after = market.dates[:-horizon] + 1
        weekend = np.busday_count(after, market.dates[horizon:] + 1, weekmask="0000011") > 0
        out[:-horizon] |= weekend[:, None] & (book.exposure[:, i] != 0)
    return out


def _days(clocked: Clocked, coverage: Coverage) -> dict[str, Any]:
    """Margin days of one clock, and how they sit in SIFMA's calendar."""
    market = clocked.market
    trades = market.dates[market.trades(market.factors)]
    expected = sessions("SIFMA", trades[0], trades[-1])
    return {
        "clock": clocked.clock,
        "margin days": len(market.dates),
        "first": str(market.dates[0]),
        "last": str(market.dates[-1]),
        "dropped": len(market.dropped),
        "missing sessions": len(market.missing),
        "scored": int(clocked.rows.sum()),
        "days with Treasuries": len(trades),
        "of them no SIFMA session": int((~is_session("SIFMA", trades)).sum()),
        "SIFMA sessions without": len(np.setdiff1d(expected, trades)),
        "longest MPOR, rows": clocked.book.overlap(market, coverage),
    }


def _variance(market: Market, coin: str) -> dict[str, Any]:
    """How much of a price's daily moves falls on weekend days, its own days only."""
    moves = np.log1p(market.shocks(1)[1:, market.column(coin)])
    steps = np.diff(market.dates).astype(int)
    weekend = pd.DatetimeIndex(market.dates[1:]).day_of_week >= 5
    whole = steps == 1  # a step over a day without a close belongs to no one day
    squares = moves[whole] ** 2
    share = weekend[whole].mean()
    part = squares[weekend[whole]].sum() / squares.sum()
    return {
        "price": coin,
        "days": int(whole.sum()),
        "weekend_days": float(share),
        "weekend_variance": float(part),
        "per_day": float(part / share),
        "sd_weekday": float(np.sqrt(squares[~weekend[whole]].mean())),
        "sd_weekend": float(np.sqrt(squares[weekend[whole]].mean())),
    }


def _weekends(clocks: tuple[Clocked, Clocked]) -> list[dict[str, Any]]:
    """By model, book and clock: what MPORs that hold a weekend are of strikes and of excess."""
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


def _accounts(
    business: Clocked, around: Clocked, terms: AccountTerms
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exceedances and breaches by weekday, and what each way of calling costs and avoids."""
    cash, token = (replace(terms, settlement=s) for s in ("cash", "stablecoin"))
    # Between Treasury days the requirement that stands is that of the last one.
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
    """Scored days of one way of calling: (days, portfolios) USD, and the weekday of each day."""

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
        """Counts by weekday of strike, and of what share of that weekday's strikes."""
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
