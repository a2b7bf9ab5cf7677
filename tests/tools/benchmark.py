"""Kernels against what one would write instead: `python -m tests.tools.benchmark`.

Arms of a table take turns in one process, so that a noisy machine slows them alike; results are
compared before anything is timed. Times are processor time of one thread, so that waiting for a
shared core does not count. Trust ratios inside a table, not nanoseconds across tables.
"""

import os

# One thread for every arm, set before numpy loads: our kernels use one, and a matrix product on
# two threads of a shared machine was seen to run six times slower than on one, to our credit.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.special import xlogy  # noqa: E402
from scipy.stats import chi2  # noqa: E402

from backtest.estimators.ewma import ewma_variance, memory
from backtest.estimators.garch import RollingGarch
from backtest.kernels.compile import kernel
from backtest.kernels.garch_peaks import STARTS
from backtest.kernels.replay import ROUNDING, replay
from backtest.kernels.tails import tail_losses
from backtest.scores.checks import column_blocks
from backtest.scores.exceedances.many_waits import between_statistics
from backtest.scores.exceedances.waiting import time_between_exceedances
from backtest.scores.overlapping.panel import PackedRecords, every_day, pack_records, panel_tests
from backtest.types import BoolArray, DaysByPortfolios, FloatArray
from tests.tools.timing import table, uneven_table

SEED = 20
HISTORIES = 6  # of the GARCH fits: some likelihoods are flat and take longer
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


def constant(title: str, shocks: FloatArray, exposure: FloatArray, lookback: int) -> None:
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
    table(
        f"Constant sensitivities, {title} x {days} days, window {lookback}, per window",
        portfolios * (days - lookback + 1),
        {
            "tail_losses (VaR and ES)": ours,
            "pandas rolling.quantile (VaR only)": pandas,
            "bare pass (reads 2, writes 2)": lambda: bare(shocks, portfolios, lookback),
        },
    )


def own_series(series: int, days: int, lookback: int, rng: np.random.Generator) -> None:
    """One column a portfolio, as a rolling quantile has it."""
    shocks = rng.standard_t(4, (days, series)) * 0.01
    exposure = np.diag(rng.uniform(1e6, 1e8, series))
    constant(f"{series} series", shocks, exposure, lookback)


def price_books(portfolios: int, lookback: int, rng: np.random.Generator) -> None:
    """Books of two coins of six, long or short: what a price-only study hands over."""
    shocks = rng.standard_t(4, (2700, 6)) * 0.04
    exposure = np.zeros((portfolios, 6))
    for book in exposure:
        book[rng.choice(6, 2, replace=False)] = rng.uniform(1e6, 1e8, 2) * rng.choice([-1, 1], 2)
    constant(f"{portfolios} books of two coins", shocks, exposure, lookback)


def drifting(portfolios: int, lookback: int, days: int, rng: np.random.Generator) -> None:
    """Books of bonds and coins whose durations move every day."""
    count = round(lookback * (1 - CONFIDENCE))
    shocks, unit = drifting_market(days, rng)
    exposure = pairs(portfolios, rng)

    def ours() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return tail_losses(shocks, unit, exposure, lookback=lookback, count=count)

    def gemm() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return gemm_tail(shocks, unit, exposure, lookback, count)

    np.testing.assert_allclose(ours(), gemm(), rtol=1e-9)
    table(
        f"Drifting sensitivities, {portfolios} books x 10 columns, window {lookback}, "
        "per portfolio-day",
        portfolios * (days - lookback + 1),
        {
            "tail_losses (VaR and ES)": ours,
            "numpy gemm + partition (both)": gemm,
            "bare pass (reads 2, writes 2)": lambda: bare(shocks, portfolios, lookback),
        },
    )


def traded(portfolios: int, lookback: int, drift: float, rng: np.random.Generator) -> None:
    """Books of twenty instruments whose positions move every day by `drift` of their size."""
    count, days = round(lookback * (1 - CONFIDENCE)), lookback + 200
    shocks, unit = rng.standard_t(4, (days, 20)) * 0.02, np.ones((days, 20))
    moves = 1.0 + drift * rng.standard_normal((days, portfolios, 20))
    exposure = 1e6 * rng.standard_normal((portfolios, 20)) * np.cumprod(moves, axis=0)

    def ours() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return tail_losses(shocks, unit, exposure, lookback=lookback, count=count)

    def gemm() -> tuple[DaysByPortfolios, DaysByPortfolios]:
        return gemm_tail(shocks, unit, exposure, lookback, count)

    np.testing.assert_allclose(ours(), gemm(), rtol=1e-9)
    table(
        f"Positions by day, {portfolios} books of 20, window {lookback}, {100 * drift:g} % a day, "
        "per portfolio-day",
        portfolios * (days - lookback + 1),
        {"tail_losses (VaR and ES)": ours, "numpy gemm + partition (both)": gemm},
    )


def filtered(portfolios: int, lookback: int, decay: float, rng: np.random.Generator) -> None:
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
    table(
        f"Filtered scenarios, {portfolios} books x 10 columns, window {lookback}, decay {decay}, "
        "per portfolio-day",
        portfolios * (len(z) - lookback + 1),
        {
            "historical simulation": lambda: tail_losses(
                plain, unit, exposure, lookback=lookback, count=count
            ),
            "filtered historical simulation": lambda: tail_losses(
                z, unit * scale, exposure, lookback=lookback, count=count
            ),
        },
    )


def garch(lookback: int, rng: np.random.Generator) -> None:
    """Refits of a GARCH-t every 100 days, against arch from the same starts, windows, backcast."""
    from arch import arch_model

    windows = []
    for _ in range(HISTORIES):
        series, variance = np.empty(lookback + 400), 1.0
        for t, draw in enumerate(rng.standard_t(6, len(series)) * np.sqrt(4 / 6)):
            series[t] = np.sqrt(variance) * draw
            variance = 0.02 + 0.06 * series[t] ** 2 + 0.92 * variance
        ends = range(lookback, len(series), 100)
        windows += [
            series[end - lookback : end] / np.std(series[end - lookback : end]) for end in ends
        ]
    starts = [[1.0 - p, p * share, p * (1.0 - share), nu] for p, share, nu, _ in STARTS]

    def ours() -> list[float]:
        fitted, likelihoods = RollingGarch(1), []
        for window in windows:
            fitted.refit(window[None, :])
            likelihoods.append(float(fitted.outcome[0, 1]))
        return likelihoods

    def arch(starts: list[list[float]] | list[None]) -> list[float]:
        likelihoods = []
        for window in windows:
            model = arch_model(window, mean="Zero", vol="GARCH", dist="t", rescale=False)
            ask = {"disp": "off", "show_warning": False, "backcast": float(np.mean(window**2))}
            fits = (model.fit(starting_values=start, **ask) for start in starts)
            likelihoods.append(max(fit.loglikelihood for fit in fits))
        return likelihoods

    less = np.array(arch(starts)) - np.array(ours())
    print(f"\nLog-likelihood below arch: at most {less.max():.4f}, median {np.median(less):.1e}")
    table(
        f"GARCH(1, 1)-t, {len(windows)} windows of {lookback} days, per fit",
        len(windows),
        {
            f"RollingGarch, {len(starts)} starts": ours,
            "arch, the same starts": lambda: arch(starts),
            "arch, one start of its own": lambda: arch([None]),
        },
    )


def account_loop(
    required: FloatArray, loss: FloatArray, growth: FloatArray, closeout: FloatArray
) -> list[FloatArray]:
    """The account at a lag of one day, minimum 0, excess returned, by a loop over days."""
    held, call = required.copy(), np.zeros_like(required)
    for t in range(1, len(required)):
        settled = held[t - 1] * growth[t] + call[t - 1]
        held[t] = np.minimum(settled, required[t])
        call[t] = np.maximum(required[t] - settled, 0.0)
    return [held, call, np.maximum(loss - held * closeout, 0.0)]


def general_account_loop(
    required: FloatArray,
    loss: FloatArray,
    growth: FloatArray,
    closeout: FloatArray,
    lag: int,
    minimum: float,
    returned: bool,
) -> list[FloatArray]:
    """The account on the terms that `replay` takes, warm-up included, by a loop over days."""
    known = ~np.isnan(required)
    held, paid = required.copy(), np.zeros_like(required)
    for t in range(1, len(required)):
        need = required[t]
        value = held[t - 1] * growth[t]
        if 0 < lag <= t:
            value += paid[t - lag]
        missing = need - value - paid[max(0, t - lag + 1) : t].sum(axis=0)
        back = returned & (value > need) & (value - need >= minimum)
        called = ~back & (missing > ROUNDING * need) & (missing >= minimum)
        paid[t] = np.where(called, missing, 0.0)
        value = np.where(back | (called & (lag == 0)), need, value)
        held[t] = np.where(known[t - 1], value, need)
    call = np.where(known, paid, np.nan)
    return [held, call, np.maximum(loss - held * closeout, 0.0)]


def account(portfolios: int, rng: np.random.Generator) -> None:
    """The collateral account against numpy."""
    required = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.02, (2500, portfolios)), axis=0))
    loss = rng.normal(0, 50, required.shape)
    growth, closeout = np.exp(rng.normal(0, 0.004, (2, 2500)))
    closeout = closeout[:, None]
    world = (required, loss, growth, closeout)

    def ours(lag: int = 1, minimum: float = 0.0, returned: bool = True) -> list[FloatArray]:
        out = [np.empty_like(required) for _ in range(3)]
        arrival = np.arange(len(required)) + lag
        replay(*world, arrival, minimum, returned, *out)
        return out

    for terms in ((1, 0.0, True), (0, 2.0, True), (3, 1.0, False)):
        np.testing.assert_allclose(
            ours(*terms), general_account_loop(*world, *terms), rtol=1e-9, atol=1e-9
        )
    np.testing.assert_allclose(ours(), account_loop(*world), rtol=1e-9, atol=1e-9)
    table(
        f"Collateral account, {portfolios} portfolios x 2500 days, lag 1, per portfolio-day",
        required.size,
        {
            "replay (any lag, minimum, NaN)": ours,
            "numpy day loop, as general": lambda: general_account_loop(*world, 1, 0.0, True),
            "numpy day loop, these terms only": lambda: account_loop(*world),
        },
    )


@kernel
def bare_words(words: NDArray[np.uint64]) -> np.uint64:
    """Read every word once: the least that counting can do."""
    total = np.uint64(0)
    for row in words:
        for word in row:
            total ^= word
    return total


def one_by_one(panel: BoolArray) -> FloatArray:
    """Kupiec and Christoffersen of each record in turn, as one writes them with scipy."""
    found = np.empty((3, panel.shape[1]))
    for r, hit in enumerate(panel.T):
        days, count = len(hit), hit.sum()
        before, after = hit[:-1], hit[1:]
        n11, n10 = (before & after).sum(), (before & ~after).sum()
        n01, n00 = (~before & after).sum(), (~before & ~after).sum()
        seen, rate = count / days, 1 - CONFIDENCE
        calm = n01 / max(n00 + n01, 1)
        stressed = n11 / max(n10 + n11, 1)
        overall = (n01 + n11) / (days - 1)
        kupiec = 2 * (xlogy(days - count, (1 - seen) / CONFIDENCE) + xlogy(count, seen / rate))
        chain = xlogy(n00, 1 - calm) + xlogy(n01, calm) + xlogy(n10, 1 - stressed)
        chain += xlogy(n11, stressed)
        alone = xlogy(n00 + n10, 1 - overall) + xlogy(n01 + n11, overall)
        independence = max(2 * (chain - alone), 0.0) if n10 + n11 else np.nan
        found[:, r] = (
            chi2.sf(kupiec, 1),
            chi2.sf(independence, 1),
            chi2.sf(kupiec + independence, 2),
        )
    return found


def panels(records: int, days: int, rng: np.random.Generator) -> None:
    """Coverage tests of a million records, from bits and from bytes, against scipy's loop."""
    words = np.empty((-(-days // 64), records), np.uint64)
    for columns in column_blocks(days, records):
        block = rng.random((days, columns.stop - columns.start), dtype=np.float32) < 1 - CONFIDENCE
        words[:, columns] = pack_records(block).exceeded
    packed = PackedRecords(days, words, every_day(days))
    # Two records a thousand miss a day: the plane of known days is read as well.
    known = np.repeat(every_day(days), records, axis=1)
    known[0, ::500] &= ~words[0, ::500] & ~np.uint64(2)
    gaps = PackedRecords(days, words & known, known)
    few, some = 500, 20_000
    bits = np.unpackbits(words[:, :some].T.copy().view(np.uint8), axis=1, bitorder="little")
    panel = bits[:, :days].T == 1
    sample = np.ascontiguousarray(panel[:, :few])

    def ours() -> FloatArray:
        found = panel_tests(packed, confidence=CONFIDENCE)
        return np.array(
            [found.kupiec_p[:few], found.independence_p[:few], found.conditional_p[:few]]
        )

    np.testing.assert_allclose(ours(), one_by_one(sample), rtol=1e-9, atol=1e-300)
    uneven_table(
        f"Kupiec and Christoffersen, {records:,} records x {days} days, per record",
        {
            "panel_tests, from packed bits": (ours, records),
            "the same, some days missing": (lambda: panel_tests(gaps), records),
            f"packing and tests, {some:,} records": (
                lambda: panel_tests(pack_records(panel)),
                some,
            ),
            f"scipy, one by one ({few} records)": (lambda: one_by_one(sample), few),
            "bare pass (reads every word)": (lambda: bare_words(words), records),
        },
    )


def waits(records: int, days: int, rng: np.random.Generator) -> None:
    """Tests of waiting times of all accounts of a validation, against one account after another."""
    marked = rng.random((days, records)) < 1 - CONFIDENCE
    few = marked[:, :200]

    def alone() -> FloatArray:
        results = [time_between_exceedances(record, confidence=CONFIDENCE) for record in few.T]
        return np.array([result.statistic for result in results])

    np.testing.assert_allclose(between_statistics(few, CONFIDENCE), alone(), rtol=1e-9)
    uneven_table(
        f"Waiting times, {records:,} records x {days} days, per record",
        {
            "all at once": (lambda: between_statistics(marked, CONFIDENCE), records),
            "one by one (200 records)": (alone, few.shape[1]),
        },
    )


def main() -> None:
    """Print every table."""
    rng = np.random.default_rng(SEED)
    for lookback in (500, 1000):
        price_books(60, lookback, rng)
        price_books(2000, lookback, rng)
    own_series(200, 2700, 500, rng)
    own_series(1, 1_000_000, 500, rng)
    for lookback in (500, 1000):
        drifting(60, lookback, 1500, rng)
    drifting(500, 500, 700, rng)
    for portfolios, lookback in ((100, 500), (1000, 500), (100, 1000)):
        traded(portfolios, lookback, 0.05, rng)
    for lookback, decay in ((500, 0.97), (500, 0.94), (1000, 0.97)):
        filtered(60, lookback, decay, rng)
    for lookback in (500, 1000):
        garch(lookback, rng)
    account(20, rng)
    account(500, rng)
    panels(1_000_000, 1000, rng)
    waits(10_000, 1250, rng)


if __name__ == "__main__":
    main()
