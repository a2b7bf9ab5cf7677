"""`backtest clocks`: the same books under the business clock and under margining around the clock.

Both clocks hold the same books in USD, sized on the business clock, and are scored over the same
dates. On the 24/7 clock crypto is struck, margined and closed out on every calendar day while
Treasuries stand still between their sessions.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.config.schema import StudyFile
from backtest.data.load import load_with_sources
from backtest.market.calendars import is_session, sessions
from backtest.market.market import Market
from backtest.model.window import ScoredWindow
from backtest.replay.origin import Prices
from backtest.replay.provenance import Provenance
from backtest.replay.run import margin_block
from backtest.studies.clocks.accounts import Clocked, accounts, weekends
from backtest.studies.clocks.correlation import correlation_by_horizon, treasuries_of
from backtest.studies.inputs import Inputs, computed, read_inputs
from backtest.types import BoolArray, Progress, StudyError

TENORS = (2.0, 10.0, 30.0)  # years: the short end, the benchmark, the long end


@dataclass(frozen=True, eq=False)
class ClockStudy:
    """Results of `backtest clocks`, one table a question.

    Parameters
    ----------
    days : of each clock. variance : of each crypto price, at weekends and not.
    weekdays : exceedances and breaches by weekday of strike, over all crypto books.
    weekends : by model and book, the share of the excess whose MPOR contains a weekend day.
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
    provenance: Provenance


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
    return computed(inputs, lambda inputs: _clocks(inputs, progress))


def _clocks(inputs: Inputs, progress: Progress) -> ClockStudy:
    """Every table of the study of `inputs`."""
    config, coverage = inputs.config, inputs.config.standard()
    market = _around_the_clock(config)
    book = _with_crypto(inputs.book.select(list(range(len(config.books)))), market)
    models = inputs.models
    both = []
    for clock, days in (("business clock", inputs.market), ("24/7 clock", market)):
        progress(f"margins, {clock}", 0.0)
        margined = margin_block(days, book, models, coverage)
        window = ScoredWindow.of(days, margined.required, margined.loss, models=models).checked()
        both.append((days, margined, window.dates))
    scored = [dates for *_, dates in both]
    business, around = (
        Clocked(
            "business" if days.traded is None else "24/7",
            days,
            book,
            margined.loss,
            margined.required,
            ScoredWindow.shared(days, scored).checked().rows,
            _spans_weekend(book, days, coverage, market),
        )
        for days, margined, _ in both
    )
    progress("accounts", 0.0)
    weekdays, settings = accounts(business, around, config.terms())
    progress("correlations", 0.0)
    coins = _continuous(market)
    on_business = Prices.of(inputs.market)
    origin = Provenance.of(
        market,
        book,
        models,
        coverage=coverage,
        seed=config.seed,
        window=ScoredWindow.shared(market, scored),
        account=config.terms(),
        details={"business_data": asdict(on_business)},
    )
    return ClockStudy(
        business,
        around,
        days=pd.DataFrame([_days(c, coverage) for c in (business, around)]).set_index("clock"),
        variance=pd.DataFrame([_variance(market, coin) for coin in coins]).set_index("price"),
        weekdays=weekdays,
        weekends=pd.DataFrame(weekends((business, around))).set_index(
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
        provenance=inputs.described(origin, on_business.levels_sha256),
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


def _spans_weekend(book: Book, market: Market, coverage: Coverage, around: Market) -> BoolArray:
    """(days, portfolios) whether (t, close-out] of a crypto position holds a Saturday or Sunday."""
    out = np.zeros((len(market.dates), len(book.portfolios)), dtype=np.bool_)
    horizons = Closeout(book, coverage).by_instrument
    for i in _crypto(book, around):
        horizon = horizons[i]
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
        "scored": len(market.dates[clocked.rows]),
        "days with Treasuries": len(trades),
        "of them no SIFMA session": int((~is_session("SIFMA", trades)).sum()),
        "SIFMA sessions without": len(np.setdiff1d(expected, trades)),
        "longest MPOR, rows": Closeout(clocked.book, coverage).rows(market),
    }


def _variance(market: Market, coin: str) -> dict[str, Any]:
    """How much of a price's daily moves falls on weekend days, its own days only."""
    moves = np.log1p(market.shocks(1)[1:, market.column(coin)])
    steps = np.diff(market.dates).astype(int)
    weekend = pd.DatetimeIndex(market.dates[1:]).day_of_week >= 5
    whole = steps == 1  # a step over a missing close covers several days and is left out
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
