"""The haircut and the correlation floor that just keep the coverage standard."""

from datetime import date

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.model.window import ScoredWindow
from backtest.parameters.in_force import in_force
from backtest.scores import equal_coverage_scale
from backtest.types import (
    DaysByPortfolios,
    FloatArray,
    Progress,
    StudyError,
    counted,
    tail_count,
    unheard,
    within,
)
from strategies.haircut import HaircutOnly
from strategies.offset import CorrelationOffset

STAGE = "haircut and floor that just cover"
STEPS = 12  # bisections of the correlation floor: a resolution of 0.0005


def just_covering(
    market: Market,
    book: Book,
    *,
    base: MarginModel,
    coverage: Coverage,
    lookback: int = 500,
    haircuts: MarginModel | None = None,
    day: date | None = None,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """One row for each portfolio: the settings at which exceedances reach the allowed number.

    `haircut_scale` multiplies every haircut of the schedule (exact: a haircut margin is linear).
    `correlation_floor` is the lowest floor of `CorrelationOffset(cap=1)` that keeps the standard,
    NaN where even +1 does not. It is found by bisection; each step computes the margin again. The
    table also holds the mean margins, and as `marginings` how often the search margined all books
    or one of them. Both settings are in-sample: they are known only in hindsight.

    lookback : scenarios in each correlation.
    haircuts : whose scale is sought; None takes the default schedules, as of `day` or the latest,
        and where these have no haircut for an instrument of the book there is none to scale: NaN.

    Raises
    ------
    StudyError : `haircuts` that are given have none for an instrument.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> row = just_covering(market, book, base=st.HistoricalVaR(), coverage=bt.Coverage()).loc["p"]
    >>> bool(0 < row["haircut_scale"] < 1)
    True
    """
    loss = book.loss(market, coverage).sum(axis=2)

    def offset_model(floor: float) -> CorrelationOffset:
        return CorrelationOffset(
            base=base, lookback=lookback, cap=1.0, correlation_floor=float(floor)
        )

    def floored(floor: float) -> DaysByPortfolios:
        return required_margin(offset_model(floor), market, book, coverage)

    highest = floored(1.0)
    window = ScoredWindow.of(
        market, {"offset": highest}, loss, models={"offset": offset_model(1.0)}
    ).checked()
    scored = window.rows
    allowed = tail_count(len(window.dates), coverage.confidence, "floor")

    def holds(required: DaysByPortfolios) -> np.ndarray:
        return (loss[scored] > required[scored]).sum(axis=0) <= allowed

    def mean(required: DaysByPortfolios) -> FloatArray:
        return required[scored].mean(axis=0)

    # The requirement grows with the floor, so coverage at +1 and at -1 decides whether to search.
    marginings = 2
    lowest = floored(-1.0)
    possible, needs_none = holds(highest), holds(lowest)
    low, high = np.full(len(possible), -1.0), np.ones(len(possible))
    cost = np.where(needs_none, mean(lowest), mean(highest))
    searched = np.flatnonzero(possible & ~needs_none)
    for step in range(STEPS):
        middle = (low + high) / 2.0
        stage = within(progress, STAGE, step / STEPS, (step + 1) / STEPS)
        for p in counted(stage, "", searched, len(searched)):
            model, one_book = offset_model(middle[p]), book.select([int(p)])
            required = required_margin(model, market, one_book, coverage)
            marginings += 1
            if (loss[scored, p] > required[scored, 0]).sum() <= allowed:
                high[p], cost[p] = middle[p], float(required[scored, 0].mean())
            else:
                low[p] = middle[p]
    floor = np.where(needs_none, -1.0, np.where(possible, high, np.nan))
    haircut_margin = _haircut_margin(haircuts, market, book, coverage, day)
    known = not np.isnan(haircut_margin).any()
    scale = (
        equal_coverage_scale(loss[scored], haircut_margin[scored], confidence=coverage.confidence)
        if known
        else np.full(len(possible), np.nan)
    )
    return pd.DataFrame(
        {
            "haircut_scale": scale,
            "haircut_mean_margin": scale * mean(haircut_margin),
            "correlation_floor": floor,
            "floor_mean_margin": np.where(possible, cost, np.nan),
            "marginings": marginings,
        },
        index=pd.Index(book.portfolios, name="portfolio"),
    )


def _haircut_margin(
    haircuts: MarginModel | None,
    market: Market,
    book: Book,
    coverage: Coverage,
    day: date | None,
) -> DaysByPortfolios:
    if haircuts is not None:
        return required_margin(haircuts, market, book, coverage)
    default = HaircutOnly() if day is None else in_force(HaircutOnly(), day)
    try:
        return required_margin(default, market, book, coverage)
    except StudyError:  # nobody asked for these schedules
        return np.full((len(market.dates), len(book.portfolios)), np.nan)
