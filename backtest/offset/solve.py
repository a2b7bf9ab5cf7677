"""The haircut and the correlation floor that just hold coverage; both need margins set anew."""

import time

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.protocol import MarginModel, required_margin
from backtest.model.window import ScoredWindow
from backtest.scores import equal_coverage_scale
from backtest.types import DaysByPortfolios, FloatArray, tail_count
from strategies.haircut import HaircutOnly
from strategies.offset import CorrelationOffset

STEPS = 12  # halvings of the correlation floor: resolves it to 0.0005


def just_covering(
    market: Market,
    book: Book,
    *,
    base: MarginModel,
    coverage: Coverage,
    lookback: int = 500,
    haircuts: HaircutOnly | None = None,
) -> pd.DataFrame:
    """One row a portfolio: the settings at which exceedances just reach what is allowed.

    `haircut_scale` multiplies every haircut of the schedule (exact: a haircut margin is linear);
    `correlation_floor` is the lowest floor under `CorrelationOffset(cap=1)` that holds, NaN where
    even +1 does not, found by halving, each step margining every book again. Beside each its mean
    margin, and what the search took. In-sample: both are known only in hindsight.

    lookback : scenarios behind each correlation.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["p"]))
    >>> row = just_covering(market, book, base=st.HistoricalVaR(), coverage=bt.Coverage()).loc["p"]
    >>> bool(0 < row["haircut_scale"] < 1)
    True
    """
    haircuts = haircuts or HaircutOnly()
    loss = book.loss(market, coverage).sum(axis=2)
    began = time.perf_counter()

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

    marginings = 2
    lowest = floored(-1.0)
    possible, at_once = holds(highest), holds(lowest)
    low, high = np.full(len(possible), -1.0), np.ones(len(possible))
    cost = np.where(at_once, mean(lowest), mean(highest))
    for _ in range(STEPS):
        middle = (low + high) / 2.0
        for p in np.flatnonzero(possible & ~at_once):
            model, alone = offset_model(middle[p]), book.select([int(p)])
            required = required_margin(model, market, alone, coverage)
            marginings += 1
            if (loss[scored, p] > required[scored, 0]).sum() <= allowed:
                high[p], cost[p] = middle[p], float(required[scored, 0].mean())
            else:
                low[p] = middle[p]
    floor = np.where(at_once, -1.0, np.where(possible, high, np.nan))
    charged = required_margin(haircuts, market, book, coverage)
    scale = equal_coverage_scale(loss[scored], charged[scored], confidence=coverage.confidence)
    return pd.DataFrame(
        {
            "haircut_scale": scale,
            "haircut_mean_margin": scale * mean(charged),
            "correlation_floor": floor,
            "floor_mean_margin": np.where(possible, cost, np.nan),
            "marginings": marginings,
            "seconds": round(time.perf_counter() - began, 2),
        },
        index=pd.Index(book.portfolios, name="portfolio"),
    )
