"""`backtest clocks`: the same books under the business clock and under margining around the clock.

Both clocks hold the same books in USD, sized on the business clock, and are scored over the same
dates. On the 24/7 clock crypto is struck, margined and closed out on every calendar day, while
Treasuries keep their last close between sessions.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.calendars import Clock, is_session, sessions
from backtest.market.market import Market
from backtest.model.certificate import CausalityAudit
from backtest.model.window import ScoredWindow
from backtest.replay.margins import margin_block
from backtest.replay.origin import Prices
from backtest.replay.provenance import Provenance
from backtest.studies.clocks.accounts import ClockHistory, accounts, weekends
from backtest.studies.clocks.correlation import correlation_by_horizon, treasuries_of
from backtest.studies.inputs import Inputs, read_inputs, result_of
from backtest.studies.prices import load_prices
from backtest.types import BoolArray, Progress, StudyError

TENORS = (2.0, 10.0, 30.0)  # years: the short end, the benchmark, the long end


@dataclass(frozen=True, eq=False)
class ClockStudy:
    """Results of `backtest clocks`, one table a question.

    Parameters
    ----------
    business, around : histories of the books under the business clock and under the 24/7 clock.
    days : margin days of each clock. variance : of each crypto price, at weekends and not.
    weekdays : exceedances and breaches by weekday of strike, over all crypto books.
    weekends : by model and book, the share of the excess whose MPOR contains a weekend day.
    settings : margin, calls and breaches by model and way of calling.
    correlation : of crypto with Treasury P&L by horizon.
    """

    business: ClockHistory
    around: ClockHistory
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
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    isolate: bool = False,
    progress: Progress,
) -> ClockStudy:
    """Replay the named books of a study that hold crypto under both clocks.

    Raises
    ------
    DataError : prices without closes at weekends. StudyError : no named book holds crypto, or too
        short a history to score.
    """
    inputs = read_inputs(
        study_file, data=data, seed=seed, isolate=isolate, clock="business", progress=progress
    )
    return result_of(inputs, lambda inputs: _clocks(inputs, progress))


def _clocks(inputs: Inputs, progress: Progress) -> ClockStudy:
    """Every table of the study of `inputs`."""
    config, coverage = inputs.config, inputs.config.standard()
    market, _ = load_prices(config, clock="24/7")
    book, models = _with_crypto(inputs.named_book, market), inputs.models
    markets: dict[Clock, Market] = {"business": inputs.market, "24/7": market}
    blocks, windows = {}, []
    audits = _audits(inputs, market, progress)
    for clock, days in markets.items():
        stage = f"margins, {clock} clock"
        blocks[clock] = block = margin_block(days, book, models, coverage, stage, progress)
        window = ScoredWindow.of(days, block.required, block.loss, models=models).checked()
        windows.append(window.dates)
    # Each clock has its own warm-up: only dates that both score can be compared.
    business, around = (
        ClockHistory(
            clock,
            days,
            book,
            blocks[clock].loss,
            blocks[clock].required,
            ScoredWindow.shared(days, windows).checked().rows,
            _over_weekend(book, days, coverage, market),
        )
        for clock, days in markets.items()
    )
    weekdays, settings = accounts(business, around, config.terms(), progress=progress)
    shares = pd.DataFrame(weekends((business, around), progress=progress))
    coins = [factor for factor in market.factors if market.trades([factor]).all()]
    business_prices = Prices.of(inputs.market)
    origin = Provenance.of(
        market,
        book,
        models,
        coverage=coverage,
        seed=config.seed,
        window=ScoredWindow.shared(market, windows),
        account=config.terms(),
        causality=audits,
        details={"business_data": asdict(business_prices)},
    )
    return ClockStudy(
        business,
        around,
        days=pd.DataFrame([_days(h, coverage) for h in (business, around)]).set_index("clock"),
        variance=pd.DataFrame([_variance(market, coin) for coin in coins]).set_index("price"),
        weekdays=weekdays,
        weekends=shares.set_index(["model", "portfolio", "clock"]),
        settings=settings,
        correlation=correlation_by_horizon(
            inputs.market,
            prices=coins,
            tenors=treasuries_of(inputs.market, TENORS),
            seed=config.seed,
            progress=progress,
        ),
        coverage=coverage,
        text=inputs.text,
        provenance=inputs.described(origin, business_prices.levels_sha256),
    )


def _audits(inputs: Inputs, market: Market, progress: Progress) -> dict[str, CausalityAudit]:
    """Certificates of the models on both clocks; `market` is that of the 24/7 clock."""
    around_the_clock = inputs.audits(progress, market, stage="causality audit, 24/7 clock")
    named = {f"{name} on the 24/7 clock": audit for name, audit in around_the_clock.items()}
    return inputs.audits(progress) | named


def _crypto(book: Book, market: Market) -> list[int]:
    """Columns of the book that trade on every calendar day of a 24/7 `market`."""
    return [i for i, x in enumerate(book.instruments) if market.trades(x.factors).all()]


def _with_crypto(book: Book, market: Market) -> Book:
    """The portfolios that hold something which trades at weekends."""
    portfolios = np.flatnonzero(book.is_held[:, _crypto(book, market)].any(axis=1))
    if len(portfolios) == 0:
        raise StudyError("no named book holds what trades at weekends; name one that holds BTC.")
    return book.select([int(p) for p in portfolios])


def _over_weekend(book: Book, market: Market, coverage: Coverage, around: Market) -> BoolArray:
    """(days, portfolios) whether a Saturday or Sunday lies in the MPOR of a crypto position.

    market : whose days are margin days. around : the 24/7 market, which tells what is crypto.
    """
    out = np.zeros((len(market.dates), len(book.portfolios)), dtype=np.bool_)
    horizons = Closeout(book, coverage).by_instrument
    for i in _crypto(book, around):
        horizon = horizons[i]
        # The MPOR is the half-open span (t, t + horizon], so both ends move on by one day.
        after = market.dates[:-horizon] + 1
        weekend = np.busday_count(after, market.dates[horizon:] + 1, weekmask="0000011") > 0
        held = np.broadcast_to(book.on(market.dates).exposure[..., i] != 0, out.shape)
        out[:-horizon] |= weekend[:, None] & held[:-horizon]
    return out


def _days(history: ClockHistory, coverage: Coverage) -> dict[str, Any]:
    """Margin days of one clock, beside the sessions of SIFMA's calendar."""
    market = history.market
    treasury_days = market.dates[market.trades(market.factors)]
    expected = sessions("SIFMA", treasury_days[0], treasury_days[-1])
    return {
        "clock": history.clock,
        "margin days": len(market.dates),
        "first": str(market.dates[0]),
        "last": str(market.dates[-1]),
        "dropped": len(market.dropped),
        "missing sessions": len(market.missing),
        "scored": len(market.dates[history.rows]),
        "days with Treasuries": len(treasury_days),
        "of them no SIFMA session": int((~is_session("SIFMA", treasury_days)).sum()),
        "SIFMA sessions without": len(np.setdiff1d(expected, treasury_days)),
        "longest MPOR, rows": Closeout(history.book, coverage).rows(market),
    }


def _variance(market: Market, coin: str) -> dict[str, Any]:
    """Share of a price's squared daily log returns that falls on weekend days."""
    # A step over a missing close covers several days and is left out.
    one_day = np.diff(market.dates).astype(int) == 1
    weekend = np.asarray(pd.DatetimeIndex(market.dates[1:]).day_of_week >= 5)[one_day]
    squares = np.log1p(market.shocks(1)[1:, market.column(coin)])[one_day] ** 2
    share = weekend.mean()
    part = squares[weekend].sum() / squares.sum()
    return {
        "price": coin,
        "days": len(squares),
        "weekend_days": float(share),
        "weekend_variance": float(part),
        "per_day": float(part / share),
        "sd_weekday": float(np.sqrt(squares[~weekend].mean())),
        "sd_weekend": float(np.sqrt(squares[weekend].mean())),
    }
