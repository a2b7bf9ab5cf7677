"""Monte Carlo of books of prices alone, beside vectorised pandas and a bare resampling."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

import backtest as bt
import strategies as st
from backtest.book.book import Book
from backtest.estimators.ewma import memory
from backtest.market.market import Market
from backtest.replay.distribution import Distribution
from backtest.simulate.paths import Paths
from backtest.types import FloatArray, tail_count
from tests.bench.plain_scores import CONFIDENCE, Scores, check_alike, plain_scores
from tests.bench.timing import Goal, Table, alike

DAYS, BOOKS, PATHS, SEED = 3000, 10, 30, 7  # as in the study of 2,500 days behind 500 of warm-up
LOOKBACK, DECAY, HORIZON = 500, 0.97, 2
COUNT = tail_count(LOOKBACK, CONFIDENCE)
SIMULATOR = bt.StationaryBootstrap(block_size=20)
MODELS = {
    "plain": st.HistoricalVaR(lookback=LOOKBACK),
    "ewma": st.EwmaVaR(lookback=LOOKBACK, decay=DECAY),
    "filtered": st.FilteredHistorical(lookback=LOOKBACK, decay=DECAY),
}


def one_coin_books(rng: np.random.Generator) -> tuple[Market, Book]:
    """Ten prices, and a book of each, long or short: what pandas margins without a matrix a day."""
    days = pd.bdate_range("2014-01-01", periods=DAYS)
    moves = 0.03 * rng.standard_t(4, (DAYS, BOOKS)).clip(-15.0, 15.0)
    names = [f"COIN{i}" for i in range(BOOKS)]
    prices = pd.DataFrame(100.0 * np.cumprod(1.0 + moves, axis=0), index=days, columns=names)
    market = Market.from_frame(prices, simulated=True)
    positions = np.diag(rng.uniform(1e6, 1e8, BOOKS) * rng.choice([-1.0, 1.0], BOOKS))
    return market, Book.from_frame(pd.DataFrame(positions, index=names, columns=names), market)


def pandas_margins(levels: FloatArray, usd: FloatArray) -> dict[str, pd.DataFrame]:
    """Margins of the three models, (days, books) each: a rolling quantile, and two averages."""
    prices = pd.DataFrame(levels)
    one_day, shock = prices.pct_change(), prices.pct_change(HORIZON)
    rank = (LOOKBACK - COUNT) / (LOOKBACK - 1)

    def tail(losses: pd.DataFrame) -> pd.DataFrame:
        return losses.rolling(LOOKBACK).quantile(rank, interpolation="nearest").clip(lower=0.0)

    squares, first = one_day**2, memory(DECAY)
    seeded = squares.copy()
    seeded.iloc[first] = squares.iloc[1 : first + 1].mean()
    seeded.iloc[:first] = np.nan
    volatility = np.sqrt(seeded.ewm(alpha=1.0 - DECAY, adjust=False).mean())
    width = norm.ppf(CONFIDENCE) * np.sqrt(HORIZON)
    parametric = np.sqrt(squares.ewm(alpha=1.0 - DECAY, adjust=False).mean()) * width * np.abs(usd)
    parametric.iloc[: LOOKBACK + 1 - 1] = np.nan
    return {
        "plain": tail(-shock * usd),
        "ewma": parametric,
        "filtered": tail(-shock / volatility.shift(HORIZON) * usd) * volatility,
    }


def against_pandas(rng: np.random.Generator) -> Table:
    """The same paths through `monte_carlo`, pandas, and a gather of what each day gained."""
    market, book = one_coin_books(rng)
    usd = np.diag(book.to_frame().to_numpy())
    paths = Paths.of(SIMULATOR, market, seed=SEED)
    gained = market.shocks(1)[1:] * usd

    def ours() -> Distribution:
        return bt.monte_carlo(SIMULATOR, market, book, MODELS, paths=PATHS, seed=SEED)

    def pandas() -> list[dict[str, Scores]]:
        found = []
        for path in range(PATHS):
            shocks = paths.shocks(path)
            levels = np.cumprod(np.vstack([market.levels[:1], 1.0 + shocks]), axis=0)
            loss = -pd.DataFrame(levels).pct_change(HORIZON).shift(-HORIZON) * usd
            margins = pandas_margins(levels, usd)
            known = pd.concat([loss, *margins.values()], axis=1).notna().all(axis=1)
            found.append({name: plain_scores(loss, m, known) for name, m in margins.items()})
        return found

    def bare() -> float:
        return sum(
            float(gained[bt.scores.stationary_indices(DAYS - 1, resamples=1, seed=i)[0]].sum())
            for i in range(PATHS)
        )

    check_alike(ours(), pandas())
    return alike(
        f"Monte Carlo of prices alone: {BOOKS} books, {len(MODELS)} models, {DAYS} days, per path",
        PATHS,
        {
            "monte_carlo": ours,
            "pandas, rolling and ewm": pandas,
            "bare draw, gather and sum": bare,
        },
        Goal("pandas, rolling and ewm", 75, 200),
        Goal("bare draw, gather and sum", 8, 3, most=True),
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    yield against_pandas(rng)
