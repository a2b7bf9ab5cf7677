"""Monte Carlo of books with Treasuries, beside one matrix product and one partition a day."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st
from backtest.book.book import Book
from backtest.market.market import Market
from backtest.replay.distribution import Distribution
from backtest.simulate.paths import Paths
from backtest.types import FloatArray, tail_count
from tests.bench.plain_scores import CONFIDENCE, Scores, check_alike, plain_scores
from tests.bench.timing import Goal, Table, alike

DAYS, PATHS, SEED, LOOKBACK, HORIZON = 2700, 15, 7, 500, 2
TENORS = np.array([2.0, 5.0, 10.0, 30.0])
COINS = ["BTC", "ETH"]
NAMES = [*(f"UST{tenor:.0f}Y" for tenor in TENORS), *COINS]
SIMULATOR = bt.StationaryBootstrap(block_size=20)


def pairs_of_bonds_and_coins(books: int, rng: np.random.Generator) -> tuple[Market, Book]:
    """Four yields and two prices, and books of two of them each, long or short."""
    days = pd.bdate_range("2014-01-01", periods=DAYS)
    moves = rng.standard_t(4, (DAYS, 6)).clip(-15.0, 15.0) / np.sqrt(2.0)
    moves[:, :4] = 0.8 * moves[:, :1] + 0.6 * moves[:, :4]
    yields = np.clip(0.03 + np.cumsum(6e-4 * moves[:, :4], axis=0), 0.002, 0.15)
    prices = 100.0 * np.cumprod(1.0 + 0.03 * moves[:, 4:], axis=0)
    factors = [*(f"{tenor:.0f}Y" for tenor in TENORS), *COINS]
    frame = pd.DataFrame(np.hstack([yields, prices]), index=days, columns=factors)
    market = Market.from_frame(frame, simulated=True)
    usd = np.zeros((books, len(NAMES)))
    for book in usd:
        held = rng.choice(len(NAMES), 2, replace=False)
        book[held] = rng.uniform(1e6, 1e8, 2) * rng.choice([-1.0, 1.0], 2)
    labels = [f"book {i}" for i in range(books)]
    return market, Book.from_frame(pd.DataFrame(usd, index=labels, columns=NAMES), market)


def numpy_slopes(level: FloatArray, tenor: float) -> tuple[FloatArray, FloatArray]:
    """Minus the modified duration, and the convexity, of each day's par bond, over its coupons."""
    half = level[:, None] / 2.0
    times = np.arange(1, int(2 * tenor) + 1) / 2.0
    worth = np.where(times == tenor, 1.0 + half, half) * (1.0 + half) ** (-2.0 * times)
    duration = (worth * times).sum(axis=1) / (1.0 + level / 2.0)
    convexity = (worth * times * (times + 0.5)).sum(axis=1) / (1.0 + level / 2.0) ** 2
    return -duration, convexity


def numpy_pnl(levels: FloatArray, years: FloatArray) -> FloatArray:
    """(days - 2, 6) P&L per USD over two days: bonds at the later curve, coins by their price."""
    now, later = levels[:-HORIZON], levels[HORIZON:]
    columns = []
    for j, tenor in enumerate(TENORS):
        # Never above the longest tenor, and less than one step of the curve below its own.
        before = max(j - 1, 0)
        weight = 1.0 if j == 0 else (tenor - years - TENORS[before]) / (tenor - TENORS[before])
        yield_ = (1.0 - weight) * later[:, before] + weight * later[:, j]
        yield_ = np.maximum(yield_, 1e-9)  # paths stop at zero, where the annuity is 0 / 0
        growth = 1.0 + yield_ / 2.0
        annuity = (1.0 - growth ** (-2.0 * tenor)) / (yield_ / 2.0)
        price = growth ** (2.0 * years) * (now[:, j] / 2.0 * annuity + growth ** (-2.0 * tenor))
        columns.append(price - 1.0)
    return np.column_stack([*columns, later[:, 4:] / now[:, 4:] - 1.0])


def numpy_margin(levels: FloatArray, usd: FloatArray) -> FloatArray:
    """(days, books) historical simulation: a product and a partition on every day."""
    count = tail_count(LOOKBACK, CONFIDENCE)
    shock = np.full((len(levels), 6), np.nan)
    shock[HORIZON:, :4] = levels[HORIZON:, :4] - levels[:-HORIZON, :4]
    shock[HORIZON:, 4:] = levels[HORIZON:, 4:] / levels[:-HORIZON, 4:] - 1.0
    shocks = np.hstack([shock, shock[:, :4] ** 2 / 2.0])
    slopes = [numpy_slopes(levels[:, j], tenor) for j, tenor in enumerate(TENORS)]
    delta, gamma = (np.column_stack(each) for each in zip(*slopes, strict=True))
    unit = np.hstack([delta, np.ones((len(levels), 2)), gamma])
    exposure = np.hstack([usd, usd[:, :4]])
    margin = np.full((len(levels), len(usd)), np.nan)
    for t in range(LOOKBACK + HORIZON - 1, len(levels)):
        pnl = (exposure * unit[t]) @ shocks[t - LOOKBACK + 1 : t + 1].T
        margin[t] = np.maximum(-np.partition(pnl, count - 1, axis=1)[:, count - 1], 0.0)
    return margin


def against_numpy(books: int, rng: np.random.Generator) -> Table:
    """The same paths through `monte_carlo` and through numpy."""
    market, book = pairs_of_bonds_and_coins(books, rng)
    usd, models = book.to_frame()[NAMES].to_numpy(), {"var": st.HistoricalVaR(lookback=LOOKBACK)}
    paths = Paths.of(SIMULATOR, market, seed=SEED)
    years = (market.dates[HORIZON:] - market.dates[:-HORIZON]).astype(float) / 365.25
    low, high = 0.0, 0.20  # where yields of a path stop

    def ours() -> Distribution:
        return bt.monte_carlo(SIMULATOR, market, book, models, paths=PATHS, seed=SEED)

    def numpy() -> list[dict[str, Scores]]:
        found = []
        for path in range(PATHS):
            shocks = paths.shocks(path)
            levels = np.empty_like(market.levels)
            levels[0] = market.levels[0]
            for t, shock in enumerate(shocks[:, :4]):
                levels[t + 1, :4] = np.clip(levels[t, :4] + shock, low, high)
            levels[:, 4:] = np.cumprod(np.vstack([levels[:1, 4:], 1.0 + shocks[:, 4:]]), axis=0)
            loss = np.full((DAYS, books), np.nan)
            loss[:-HORIZON] = -numpy_pnl(levels, years) @ usd.T
            margin = pd.DataFrame(numpy_margin(levels, usd))
            known = margin.notna().all(axis=1) & pd.DataFrame(loss).notna().all(axis=1)
            found.append({"var": plain_scores(pd.DataFrame(loss), margin, known)})
        return found

    check_alike(ours(), numpy())
    return alike(
        f"Monte Carlo with Treasuries: {books} books, historical simulation, {DAYS} days, per path",
        PATHS,
        {"monte_carlo": ours, "numpy, a product and a partition a day": numpy},
        Goal("numpy, a product and a partition a day", 8, 20),
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    for books in (10, 60):
        yield against_numpy(books, rng)
