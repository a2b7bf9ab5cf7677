"""Margins from grids of moves, and the dependence stress: by hand, and against scipy's Black."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import backtest as bt
import strategies as st
from backtest.instruments import coin_pnl
from strategies.venue_grid import load_grid
from tests.support.contracts import HISTORICAL

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
CONTRACT = {
    "portfolio_margin": [{}],
    "stans_like": [{"base": HISTORICAL | {"measure": "es"}}, {"base": HISTORICAL, "share": 1.0}],
    "venue_grid": [{}],
}
WAIVERS = {
    ("portfolio_margin", "unchanged when price units change"): (
        "the minimum is in dollars an option; it binds in protected books"
    ),
}


def black(price, strike, volatility, years, call):
    """Black-76 at zero interest rate."""
    spread = volatility * np.sqrt(years)
    above = np.log(price / strike) / spread + spread / 2
    value = price * norm.cdf(above) - strike * norm.cdf(above - spread)
    return value if call else value - price + strike


def margin(kind, market, day=-1, **usd):
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]), market)
    return float(kind.margin(market, book, COVERAGE)[day, 0])


@pytest.mark.parametrize(
    ("usd", "required"),
    [
        ({"SPY": 100.0}, 8.0),
        ({"SPY": -100.0}, 6.0),
        ({"BTC": 100.0}, 15.0),
        ({"BTC": 100.0, "ETH": -100.0}, 3.75),  # 15 - 75 % of 15
        ({"BTC": 100.0, "SPY": -100.0}, 21.0),  # two groups: nothing nets
        ({"BTC": 100.0, "BTC-PERP": -100.0}, 0.0),
        ({"UST10Y": -100.0, "UST2Y": 100.0}, 6.0),
        ({"UST10Y": 100.0, "UST10Y@CME": -40.0}, 2.4),
    ],
)
def test_portfolio_margin_by_hand(option_market, usd, required):
    found = margin(st.PortfolioMargin(), option_market, **usd)
    assert found == pytest.approx(required, rel=1e-12, abs=1e-12)


def test_protected_equity_is_its_worst_of_ten_points(option_market):
    price, volatility = option_market.level("SPY")[-1], option_market.level("VIX")[-1]
    put = black(1.0, 0.95, volatility, 60 / 365, call=False)
    points = [-0.08, -0.064, -0.048, -0.032, -0.016, 0.012, 0.024, 0.036, 0.048, 0.06]
    losses = [
        -(m + black(1 + m, 0.95, volatility, 60 / 365, call=False) - put) * 1e6 for m in points
    ]
    usd = {"SPY": 1e6, "SPY-PUT-60D-95": 1e6}
    found = margin(st.PortfolioMargin(), option_market, **usd)
    assert found == pytest.approx(max(losses), rel=1e-9)
    assert max(losses) < 0.07e6
    minimum = margin(st.PortfolioMargin(), option_market, **{"SPY-CALL-30D-150": 1e6})
    assert minimum == pytest.approx(0.375 / price * 1e6, rel=1e-9)


def test_venue_grid_by_hand(option_market):
    grid = st.VenueGrid()
    assert margin(grid, option_market, BTC=100.0) == pytest.approx(16.0)
    assert margin(grid, option_market, BTC=100.0, ETH=-100.0) == pytest.approx(32.0)
    assert margin(grid, option_market, BTC=100.0, UST10Y=-100.0) == pytest.approx(20.5)


def test_venue_grid_has_the_prices_of_a_published_risk_vector():
    """Deribit API, private/pme/simulate, example: BTC-PERPETUAL in BTC, size not stated."""
    vector = [-0.05991206933333334, -0.04289159509090909, -0.027351162086956524]
    vector += [-0.013105765166666668, 0.0, 0.012097629384615385]
    prices = load_grid("deribit_pm/2024").moves[::3, 0]
    gained = coin_pnl(100.0, entry=np.array(100.0), close=100.0 * (1 + prices))
    size = vector[0] / gained[0]
    np.testing.assert_allclose(size * gained[: len(vector)], vector, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("days", [15, 30, 90])
def test_short_straddle_on_the_venue_grid(option_market, days):
    levels = option_market.to_frame()
    levels["BTC-VOL"] = 4 * levels["VIX"]
    market = bt.Market.from_frame(levels)
    volatility = levels["BTC-VOL"].iloc[-1]
    scale = (30 / days) ** (0.30 if days < 30 else 0.13)
    worst = 0.0
    for move in np.arange(-4, 5) * 0.04:
        for shift in (-0.25, 0.0, 0.50):
            stressed = volatility * (1 + scale * shift)
            gained = sum(
                black(1 + move, 1.0, stressed, days / 365, call)
                - black(1.0, 1.0, volatility, days / 365, call)
                for call in (True, False)
            )
            worst = max(worst, gained * 1e6)
    usd = {f"BTC-{kind}-{days}D": -1e6 for kind in ("CALL", "PUT")}
    assert margin(st.VenueGrid(), market, **usd) == pytest.approx(worst, rel=1e-9)


def test_dependence_stress_is_its_slow_twin(small_market, small_book):
    base = st.HistoricalVaR(lookback=60, measure="es")
    required = st.StansLike(base=base, share=0.25).margin(small_market, small_book, COVERAGE)
    joint = base.margin(small_market, small_book, COVERAGE)
    alone = [base.margin(small_market, b, COVERAGE) for b in small_book.by_instrument()]
    added = 0
    for day in range(61, 260, 9):
        for p in range(4):
            own = [a[day, p] for a in alone]
            together = abs(sum(np.sign(small_book.exposure[p, i]) * m for i, m in enumerate(own)))
            worst = max(sum(m * m for m in own) ** 0.5, together)
            wanted = joint[day, p] + 0.25 * max(0.0, worst - joint[day, p])
            added += wanted > joint[day, p]
            assert required[day, p] == pytest.approx(wanted, rel=1e-12)
    assert added > 20


def test_one_risk_factor_at_two_houses_is_one_risk(small_market):
    usd = {"UST10Y": [1e8], "UST10Y@CME": [-1e8]}
    book = bt.Book.from_frame(pd.DataFrame(usd, index=["flat"]))
    model = st.StansLike(base=st.HistoricalVaR(lookback=60, measure="es"))
    assert model.margin(small_market, book, COVERAGE)[-1, 0] == pytest.approx(0.0, abs=1e-6)
