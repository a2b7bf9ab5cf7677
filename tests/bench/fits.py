"""Rolling GARCH fits against arch, and Student copulas against scipy."""

from collections.abc import Iterator

import numpy as np

import backtest as bt
import strategies as st
from backtest.config.load import build_book, load_study
from backtest.estimators.garch import RollingGarch
from backtest.estimators.schedule import refit_days
from backtest.estimators.student_curves import quantile_curves
from backtest.kernels.garch_peaks import STARTS
from backtest.model.delta_gamma import Scenarios, book_scenarios
from backtest.model.joint_draws import JointDraws, mixed_draws
from backtest.model.tails import same_holdings
from tests.bench.timing import Goal, Seconds, Table, alike, timed
from tests.support.copula import drawn

HISTORIES = 6  # some likelihoods are flat and take longer


def garch(lookback: int, rng: np.random.Generator) -> Table:
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
    return alike(
        f"GARCH(1, 1)-t, {len(windows)} windows of {lookback} days, per fit",
        len(windows),
        {
            f"RollingGarch, {len(starts)} starts": ours,
            "arch, the same starts": lambda: arch(starts),
            "arch, one start of its own": lambda: arch([None]),
        },
        Goal("arch, the same starts", {500: 150, 1000: 300}[lookback], 500),
    )


def copula() -> Table:
    """The copula model for ten named books of the packaged study, against fits with scipy."""
    study, _ = load_study(None)
    market = bt.load_market("sample", factors=study.data.factors)
    book, coverage = build_book(study, market).select(range(10)), bt.Coverage(mpor=2)
    model = st.CopulaVaR()
    settings = {"lookback": model.lookback, "draws": model.draws, "seed": model.seed}
    fits: list[tuple[Scenarios, int]] = []
    for group in same_holdings(market, book):
        past = book_scenarios(market, group.book, coverage=coverage)
        due, first = refit_days(past.dates, model.refit_every), past.first + model.lookback - 1
        fits += [(past, day) for day in range(first, len(due)) if day == first or due[day]]
    few = fits[:: len(fits) // 40]

    def ours() -> object:
        mixed_draws.cache_clear()
        quantile_curves.cache_clear()
        return model.forecast(market, book, coverage)

    for past, day in few:
        np.testing.assert_array_equal(
            JointDraws(past, **settings).on(day), drawn(past, day, **settings)
        )
    return timed(
        f"t copula, ten books, {len(market.dates):,} days, {len(fits)} fits, per study",
        {
            "CopulaVaR, first call of a process": (ours, 1),
            "curves known already": (lambda: model.forecast(market, book, coverage), 1),
            f"fits and draws by scipy ({len(few)} of them)": (
                lambda: [drawn(past, day, **settings) for past, day in few],
                len(few) / len(fits),
            ),
        },
        Seconds(1.0, 0.3),
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    for lookback in (500, 1000):
        yield garch(lookback, rng)
    yield copula()
