"""Exponentially weighted variances of trailing windows, beside the recursion on every window."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.estimators.ewma import ewma_coefficients
from backtest.kernels.garch import variance_rows
from backtest.kernels.windowed_ewma import windowed_ewma
from strategies import parametric
from tests.support.markets import random_market

DAYS = 900


def series(rng: np.random.Generator) -> np.ndarray:
    """P&Ls that round badly: none, stops, one shock beside which the others vanish, ties."""
    pnl = rng.standard_t(3, (DAYS, 8))
    pnl[:, 1] = 0.0
    pnl[300:700, 2] = 0.0
    pnl[:, 3] *= 1e-3
    pnl[250, 3] = 1e4
    pnl[:, 4] = np.round(pnl[:, 4])
    pnl[:200, 5] = 0.0
    pnl[400:, 6] *= 1e-9
    return pnl


@pytest.mark.parametrize(
    ("decay", "lookback"), [(0.97, 500), (0.94, 50), (0.999, 60), (0.6, 100), (0.9999, 200)]
)
def test_a_window_that_moves_on_is_a_window_begun_anew(decay: float, lookback: int) -> None:
    pnl = series(np.random.default_rng(lookback))
    found = np.full(pnl.shape, np.nan)
    windowed_ewma(pnl, decay, lookback, lookback - 1, found)
    coefficients = np.tile(ewma_coefficients(decay), (pnl.shape[1], 1))
    each = np.empty((pnl.shape[1], lookback + 1))
    assert np.isnan(found[: lookback - 1]).all()
    for day in range(lookback - 1, DAYS):
        window = np.ascontiguousarray(pnl[day - lookback + 1 : day + 1].T)
        variance_rows(window, coefficients, each)
        np.testing.assert_allclose(found[day], each[:, -1], rtol=1e-12)
        assert (found[day] == 0.0).tolist() == (window == 0.0).all(axis=1).tolist()


def test_margins_of_prices_are_those_of_the_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    market = random_market(260, seed=3)
    frame = pd.DataFrame({"BTC": [1e6, -2e6, 0.0], "ETH": [5e5, 1e6, 0.0]}, index=list("abc"))
    book, model = bt.Book.from_frame(frame, market), st.EwmaVaR(lookback=60)
    once = model.forecast(market, book, bt.Coverage())
    monkeypatch.setattr(parametric, "steady_pnl", lambda scenarios, begin: None)
    anew = model.forecast(market, book, bt.Coverage())
    np.testing.assert_allclose(once.value_at_risk, anew.value_at_risk, rtol=1e-12)
    np.testing.assert_allclose(once.expected_shortfall, anew.expected_shortfall, rtol=1e-12)
    np.testing.assert_allclose(once.pit, anew.pit, rtol=1e-9)
    assert (once.value_at_risk[100:, :2] > 0.0).all()
    margin = model.margin(market, book, bt.Coverage())
    np.testing.assert_array_equal(margin, np.maximum(anew.value_at_risk, 0.0))


def test_a_margin_is_the_same_to_the_last_bit_beside_any_number_of_others() -> None:
    """Blocks of portfolios change no number: by a matrix product they would, in the last digits."""
    rng, names = np.random.default_rng(0), list("ABCDEFGH")
    levels = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (200, 8)), axis=0))
    days = pd.bdate_range("2020-01-01", periods=200)
    market = bt.Market.from_frame(pd.DataFrame(levels, columns=names, index=days))
    frame = pd.DataFrame(rng.normal(0, 1e6, (37, 8)), columns=names, index=map(str, range(37)))
    book, model = bt.Book.from_frame(frame, market), st.EwmaVaR(lookback=60)
    whole = model.margin(market, book, bt.Coverage())
    for width in (1, 3, 36):
        parts = [book.select(slice(i, i + width)) for i in range(0, 37, width)]
        alone = np.hstack([model.margin(market, part, bt.Coverage()) for part in parts])
        np.testing.assert_array_equal(alone, whole)
