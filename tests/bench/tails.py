"""Rolling tails of scenario losses against what one would write instead."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from backtest.estimators.ewma import ewma_variance, memory
from backtest.kernels.compile import kernel
from backtest.kernels.tails import tail_losses
from backtest.types import DaysByPortfolios, FloatArray
from tests.bench.timing import Goal, Table, alike, timed

CONFIDENCE = 0.99
YIELDS = 4  # 2Y 5Y 10Y 30Y: a duration and a convexity column each
DURATION = np.array([1.9, 4.6, 8.5, 18.0])  # years, par bonds near 3 %
CONVEXITY = DURATION**2 * np.array([1.3, 1.2, 1.2, 1.4])
YIELD_MOVE = np.array([6.0, 7.0, 7.0, 6.5]) * 1e-4  # one day, decimal
COIN_MOVE = np.array([0.04, 0.05])


@kernel
def bare_pass(shocks: FloatArray, lookback: int, one: FloatArray, two: FloatArray) -> None:
    """Read what enters and what leaves the window, write two numbers: the least a roll can do."""
    width = shocks.shape[1]
    for t in range(lookback, shocks.shape[0]):
        for begin in range(0, one.shape[1], width):
            for p in range(begin, min(begin + width, one.shape[1])):
                one[t, p] = shocks[t, p - begin]
                two[t, p] = shocks[t - lookback, p - begin]


def bare(shocks: FloatArray, portfolios: int, lookback: int) -> None:
    """Run the bare pass into fresh arrays, as the other arms must."""
    out = np.empty((2, len(shocks), portfolios))
    bare_pass(shocks, lookback, out[0], out[1])


@kernel
def bare_products(unit: FloatArray, exposure: FloatArray, held: int, tails: FloatArray) -> None:
    """Weights of a day and two products with them: what a known tail would still cost each day.

    unit (days, columns); exposure (portfolios, columns), of which `held` are read; tails (2, days,
    portfolios).
    """
    for t in range(len(unit)):
        for p in range(len(exposure)):
            value = mean = 0.0
            for c in range(held):
                weight = exposure[p, c] * unit[t, c]
                value += weight * unit[0, c]
                mean += weight * unit[1, c]
            tails[0, t, p] = value
            tails[1, t, p] = mean


def known_tails(unit: FloatArray, exposure: FloatArray, days: int) -> None:
    """Run the bare products, over the four columns of two bonds, into fresh arrays."""
    bare_products(unit[-days:], exposure, 4, np.empty((2, days, len(exposure))))


def drifting_market(days: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Shocks and unit sensitivities (days, 10) of four par bonds and two coins, t(4) shocks."""
    moves = rng.standard_t(4, (days, YIELDS + 2)) / np.sqrt(2)
    moves[:, :YIELDS] = 0.8 * rng.standard_t(4, (days, 1)) / np.sqrt(2) + 0.6 * moves[:, :YIELDS]
    yields = moves[:, :YIELDS] * YIELD_MOVE
    level = np.clip(0.03 + np.cumsum(yields, axis=0), 0.002, 0.09)
    duration = DURATION * (1 - 3 * (level - 0.03))
    shocks = np.hstack([yields, yields**2 / 2, moves[:, YIELDS:] * COIN_MOVE])
    unit = np.hstack([-duration, CONVEXITY * (duration / DURATION) ** 2, np.ones((days, 2))])
    return shocks, unit


def pairs(portfolios: int, rng: np.random.Generator) -> FloatArray:
    """Exposures (portfolios, 10): two instruments of six, long or short, 1m to 100m USD."""
    exposure = np.zeros((portfolios, 2 * YIELDS + 2))
    for book in exposure:
        for instrument in rng.choice(YIELDS + 2, 2, replace=False):
            usd = rng.choice([-1, 1]) * rng.uniform(1e6, 1e8)
            columns = (
                [instrument, YIELDS + instrument] if instrument < YIELDS else [YIELDS + instrument]
            )
            book[columns] = usd
    return exposure


def gemm_tail(
    shocks: FloatArray, unit: FloatArray, exposure: FloatArray, lookback: int, count: int
) -> tuple[DaysByPortfolios, DaysByPortfolios]:
    """One matrix product and one partition a day; exposure (portfolios, columns), or by day."""
    tails = np.full((2, len(shocks), exposure.shape[-2]), np.nan)
    for t in range(lookback - 1, len(shocks)):
        pnl = ((exposure if exposure.ndim == 2 else exposure[t]) * unit[t]) @ shocks[
            t - lookback + 1 : t + 1
        ].T
        worst = np.partition(pnl, count - 1, axis=1)[:, :count]
        tails[0, t] = -worst[:, count - 1]
        tails[1, t] = -worst.mean(axis=1)
    return tails[0], tails[1]


def constant(title: str, shocks: FloatArray, exposure: FloatArray, lookback: int) -> Table:
    """Sensitivities of one, as of prices; pandas is handed the losses of every book ready."""
    count = round(lookback * (1 - CONFIDENCE))
    days, portfolios = len(shocks), len(exposure)
    unit = np.broadcast_to(1.0, shocks.shape)
    losses = pd.DataFrame(-shocks @ exposure.T)
    rank = (lookback - count) / (lookback - 1)

    def pandas() -> FloatArray:
        return losses.rolling(lookback).quantile(rank, interpolation="nearest").to_numpy()

    def ours() -> FloatArray:
        return tail_losses(shocks, unit, exposure, lookback=lookback, count=count)[0]

    np.testing.assert_allclose(ours(), pandas(), rtol=1e-9, atol=1e-9 * np.abs(losses.values).max())
    return alike(
        f"Constant sensitivities, {title} x {days} days, window {lookback}, per window",
        portfolios * (days - lookback + 1),
        {
            "tail_losses (VaR and ES)": ours,
            "pandas rolling.quantile (VaR only)": pandas,
            "bare pass (reads 2, writes 2)": lambda: bare(shocks, portfolios, lookback),
        },
        Goal("pandas rolling.quantile (VaR only)", 50, 100),
        Goal("bare pass (reads 2, writes 2)", 2, 1.3, most=True),
    )


def own_series(series: int, days: int, lookback: int, rng: np.random.Generator) -> Table:
    """One column a portfolio, as a rolling quantile has it."""
    shocks = rng.standard_t(4, (days, series)) * 0.01
    exposure = np.diag(rng.uniform(1e6, 1e8, series))
    return constant(f"{series} series", shocks, exposure, lookback)


def price_books(portfolios: int, lookback: int, rng: np.random.Generator) -> Table:
    """Books of two coins of six, long or short: what a price-only study hands over."""
    shocks = rng.standard_t(4, (2700, 6)) * 0.04
    exposure = np.zeros((portfolios, 6))
    for book in exposure:
        book[rng.choice(6, 2, replace=False)] = rng.uniform(1e6, 1e8, 2) * rng.choice([-1, 1], 2)
    return constant(f"{portfolios} books of two coins", shocks, exposure, lookback)


def drifting(portfolios: int, lookback: int, days: int, rng: np.random.Generator) -> Table:
    """Books of bonds and coins whose durations move every day; `days` have a full window."""
    count = round(lookback * (1 - CONFIDENCE))
    shocks, unit = drifting_market(lookback - 1 + days, rng)
    exposure = pairs(portfolios, rng)

    def ours() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return tail_losses(shocks, unit, exposure, lookback=lookback, count=count)

    def gemm() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return gemm_tail(shocks, unit, exposure, lookback, count)

    np.testing.assert_allclose(ours(), gemm(), rtol=1e-9)
    return alike(
        f"Drifting sensitivities, {portfolios} books x 10 columns, window {lookback}, "
        "per portfolio-day",
        portfolios * days,
        {
            "tail_losses (VaR and ES)": ours,
            "numpy gemm + partition (both)": gemm,
            "two products with a known tail": lambda: known_tails(unit, exposure, days),
        },
        Goal("numpy gemm + partition (both)", 30, 50),
    )


def traded(portfolios: int, lookback: int, drift: float, rng: np.random.Generator) -> Table:
    """Books of twenty instruments whose positions move every day by `drift` of their size."""
    count, days, width = round(lookback * (1 - CONFIDENCE)), lookback + 200, 20
    shocks, unit = rng.standard_t(4, (days, width)) * 0.02, np.ones((days, width))
    moves = 1.0 + drift * rng.standard_normal((days, portfolios, width))
    exposure = 1e6 * rng.standard_normal((portfolios, width)) * np.cumprod(moves, axis=0)
    square = rng.standard_normal((1000, 1000))

    def ours() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return tail_losses(shocks, unit, exposure, lookback=lookback, count=count)

    def gemm() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return gemm_tail(shocks, unit, exposure, lookback, count)

    np.testing.assert_allclose(ours(), gemm(), rtol=1e-9)
    cells = portfolios * (days - lookback + 1)
    return timed(
        f"Positions by day, {portfolios} books of {width}, window {lookback}, {100 * drift:g} % a "
        "day, per portfolio-day",
        {
            "tail_losses (VaR and ES)": (ours, cells),
            "numpy gemm + partition (both)": (gemm, cells),
            "as many products in a square dgemm": (
                lambda: square @ square,
                len(square) ** 3 / (width * lookback),
            ),
        },
        Goal("numpy gemm + partition (both)", 3),
        # The moonshot: all products at 60 % of the peak of dgemm, and the selection for nothing.
        Goal("as many products in a square dgemm", 1 / 0.6, most=True),
    )


def filtered(portfolios: int, lookback: int, decay: float, rng: np.random.Generator) -> Table:
    """The same books and windows, plain and with the volatility of ten columns put on anew."""
    count, days = round(lookback * (1 - CONFIDENCE)), 2 * lookback + 200
    shocks, unit = drifting_market(days, rng)
    exposure = pairs(portfolios, rng)
    linear, square = [0, 1, 2, 3, 8, 9], [4, 5, 6, 7]
    scale = np.empty_like(shocks)
    scale[:, linear] = np.sqrt(ewma_variance(shocks[:, linear], decay=decay))
    scale[:, square] = scale[:, :YIELDS] ** 2
    known = slice(memory(decay), None)
    z, scale, plain = shocks[known] / scale[memory(decay) - 1 : -1], scale[known], shocks[known]
    unit = unit[known]
    np.testing.assert_allclose(
        tail_losses(z, unit * scale, exposure, lookback=lookback, count=count),
        gemm_tail(z, unit * scale, exposure, lookback, count),
        rtol=1e-9,
    )
    return alike(
        f"Filtered scenarios, {portfolios} books x 10 columns, window {lookback}, decay {decay}, "
        "per portfolio-day",
        portfolios * (len(z) - lookback + 1),
        {
            "filtered historical simulation": lambda: tail_losses(
                z, unit * scale, exposure, lookback=lookback, count=count
            ),
            "historical simulation": lambda: tail_losses(
                plain, unit, exposure, lookback=lookback, count=count
            ),
        },
        Goal("historical simulation", 1.1, 1.0, most=True),
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    for lookback in (500, 1000):
        yield price_books(60, lookback, rng)
        yield price_books(2000, lookback, rng)
    yield own_series(200, 2700, 500, rng)
    yield own_series(1, 1_000_000, 500, rng)
    for lookback in (500, 1000, 2500):
        for portfolios, days in ((60, 1000), (500, 500), (2000, 250)):
            yield drifting(portfolios, lookback, days, rng)
    for portfolios, lookback in ((100, 500), (1000, 500), (100, 1000)):
        yield traded(portfolios, lookback, 0.05, rng)
    for lookback, decay in ((500, 0.97), (500, 0.94), (1000, 0.97)):
        yield filtered(60, lookback, decay, rng)
