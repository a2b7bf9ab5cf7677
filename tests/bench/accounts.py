"""The collateral account against numpy."""

from collections.abc import Iterator

import numpy as np

from backtest.kernels.replay import ROUNDING, replay
from backtest.types import FloatArray
from tests.bench.timing import Table, alike


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


def account(portfolios: int, rng: np.random.Generator) -> Table:
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
    return alike(
        f"Collateral account, {portfolios} portfolios x 2500 days, lag 1, per portfolio-day",
        required.size,
        {
            "replay (any lag, minimum, NaN)": ours,
            "numpy day loop, as general": lambda: general_account_loop(*world, 1, 0.0, True),
            "numpy day loop, these terms only": lambda: account_loop(*world),
        },
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    for portfolios in (20, 500):
        yield account(portfolios, rng)
