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
from backtest.replay.distribution import COLUMNS, POOLED, Distribution
from backtest.simulate.paths import Paths
from backtest.types import FloatArray, tail_count
from tests.bench.timing import Goal, Table, alike

DAYS, BOOKS, PATHS, SEED = 3000, 10, 30, 7  # as in the study of 2,500 days behind 500 of warm-up
LOOKBACK, DECAY, CONFIDENCE, HORIZON = 500, 0.97, 0.99, 2
COUNT = tail_count(LOOKBACK, CONFIDENCE)
SIMULATOR = bt.StationaryBootstrap(block_size=20)
Scores = tuple[dict[str, FloatArray], dict[str, float]]  # by book, and of all together
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


def pandas_scores(loss: pd.DataFrame, margin: pd.DataFrame, known: pd.Series) -> Scores:
    """Every score that Monte Carlo keeps, of one model, and those of all books together.

    Calls arrive on the next day, and collateral is cash: what is held is the lower of the
    requirements of today and of the day before.
    """
    held = np.minimum(margin, margin.shift(1).fillna(margin))
    loss, margin, held = loss[known], margin[known], held[known]
    days, mean = len(loss), margin.mean()
    ratio = (loss / margin).clip(lower=0.0)
    allowed = tail_count(days, CONFIDENCE, "floor")
    over, short = (loss - margin).where(loss > margin), (loss - held).where(loss > held)
    scale = np.sort(ratio.to_numpy(), axis=0)[days - 1 - allowed]
    ones = np.ones(BOOKS)
    by_book = {
        "observations": days * ones,
        "exceedances": over.count(),
        "allowed": allowed * ones,
        "exceedance_rate": over.count() / days,
        "breaches": short.count(),
        "breach_rate": short.count() / days,
        "mean_margin": mean,
        "peak_margin": margin.max(),
        "saving_vs_siloed": np.nan * ones,
        "equal_coverage_margin": scale * mean,
        "mean_excess": over.mean(),
        "max_excess": over.max(),
        "mean_shortfall": short.mean(),
        "max_shortfall": short.max(),
        "peak_to_trough": margin.max() / margin.min(),
    }
    pooled_allowed = tail_count(loss.size, CONFIDENCE, "floor")
    of_all = np.partition(ratio.to_numpy().ravel(), loss.size - 1 - pooled_allowed)
    one_scale = of_all[loss.size - 1 - pooled_allowed]
    rates = np.sort((ratio > one_scale).mean())[::-1]
    pooled = {
        "scale": one_scale,
        "mean_margin": mean.mean(),
        "equal_coverage_margin": one_scale * mean.mean(),
        "worst_rate": rates[0],
        "tenth_percentile_rate": rates[tail_count(BOOKS, 0.9, "floor")],
    }
    return {name: np.asarray(values, float) for name, values in by_book.items()}, pooled


def check_alike(ours: Distribution, theirs: list[dict[str, Scores]]) -> None:
    """Hold our scores to those of pandas, to 1e-6: the EWMA of pandas has no window.

    A resampled loss is often one that a requirement was made of, equal to it to the bit. What is
    held is then a requirement too, which `monte_carlo` adds up from calls and pandas does not: on
    such a day one of them may see a breach, of rounding.
    """
    breaches = COLUMNS.index("breaches")
    ties = 0
    for path, by_model in enumerate(theirs):
        for m, (by_book, pooled) in enumerate(by_model.values()):
            mine = ours.scores[path, m]
            gap = np.abs(mine[:, breaches] - by_book["breaches"])
            ties += int(gap.sum())
            for c, column in enumerate(COLUMNS):
                same = gap == 0 if "breach" in column or "shortfall" in column else gap >= 0
                np.testing.assert_allclose(
                    mine[same, c], by_book[column][same], rtol=1e-6, err_msg=column
                )
            for c, column in enumerate(POOLED):
                np.testing.assert_allclose(ours.pooled[path, m, c], pooled[column], rtol=1e-6)
    if ties > 0.002 * ours.score("breaches").sum():
        raise AssertionError(f"{ties} breaches differ")


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
            stream = np.random.SeedSequence(SEED, spawn_key=(path,))
            shocks = paths.draw(np.random.default_rng(stream))
            levels = np.cumprod(np.vstack([market.levels[:1], 1.0 + shocks]), axis=0)
            loss = -pd.DataFrame(levels).pct_change(HORIZON).shift(-HORIZON) * usd
            margins = pandas_margins(levels, usd)
            known = pd.concat([loss, *margins.values()], axis=1).notna().all(axis=1)
            found.append({name: pandas_scores(loss, m, known) for name, m in margins.items()})
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
