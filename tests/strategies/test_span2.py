"""SPAN 2-like: the slow twin, what rescaling does, what floors and thresholds do."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.book.liquidation import daily_volatility, load_costs
from backtest.model.volatility_scaled import SEED_DAYS, FactorVolatility, FlooredShocks
from tests.support.markets import random_market

SHORT = {"lookback": 100, "min_lookback": 60}
COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
CONTRACT = {
    "span2": [
        {"lookback": 60, "min_lookback": 40},
        {"lookback": 100, "min_lookback": 60, "weight": 0.5, "floor": 0.0},
    ],
}


def book_of(market, **usd):
    return bt.Book.from_frame(pd.DataFrame(usd, index=["p"]), market)


def two_regimes(calm_last: bool) -> bt.Market:
    """400 days of Bitcoin, a quarter as volatile in one half as in the other."""
    generator = np.random.default_rng(8)
    scale = np.where((np.arange(400) < 200) == calm_last, 0.04, 0.01)
    level = 100 * np.exp(np.cumsum(scale * generator.standard_normal(400)))
    days = pd.bdate_range("2020-01-01", periods=400)
    return bt.Market.from_frame(pd.DataFrame({"BTC": level}, index=days))


def slow_variance(one: np.ndarray, t: int, decay: float) -> float:
    """The recursion at t written out as a weighted sum."""
    seed = np.mean(one[1 : SEED_DAYS + 1] ** 2)
    later = one[SEED_DAYS + 1 : t + 1]
    weights = (1 - decay) * decay ** np.arange(len(later))[::-1]
    return decay ** len(later) * seed + weights @ later**2


def test_volatility_is_the_weighted_sum_of_past_squares(small_market):
    volatility = FactorVolatility(small_market, decay=0.9, seed_days=SEED_DAYS)
    found = FlooredShocks.of(volatility, "BTC", horizon=2, floor=0.0, lookback=500)
    one, two = small_market.shocks(1)[:, 5], small_market.shocks(2)[:, 5]
    assert np.isnan(found.volatility[:SEED_DAYS]).all() and np.isnan(found.z[: SEED_DAYS + 2]).all()
    for t in (60, 61, 150, 259):
        assert found.volatility[t] == pytest.approx(slow_variance(one, t, 0.9) ** 0.5, rel=1e-12)
    for t in (62, 150, 259):
        met = slow_variance(one, t - 2, 0.9) ** 0.5
        assert found.z[t] == pytest.approx(two[t] / met, rel=1e-12)
    assert found.highest_volatility[-1] == np.nanmax(found.volatility)


def slow_twin(model, market, usd, day):
    """Margin of one day in plain loops: bonds by duration and convexity, coins by price."""
    first = SEED_DAYS + 2
    window = range(max(first, day - model.terms.lookback + 1), day + 1)
    losses = {"now": [], "highest": []}
    sigmas = {}
    for name in usd:
        one = market.shocks(1)[:, market.factors.index(name.removeprefix("UST"))]
        variances = [slow_variance(one, t, model.terms.decay) for t in range(SEED_DAYS, day + 1)]
        sigmas[name] = np.sqrt(variances)
    for s in window:
        gain = dict.fromkeys(losses, 0.0)
        for name, exposure in usd.items():
            factor = name.removeprefix("UST")
            j = market.factors.index(factor)
            one, two = market.shocks(1)[:, j], market.shocks(2)[:, j]
            sigma = sigmas[name]
            past = one[max(1, day - model.terms.lookback + 1) : day + 1]
            floored = max(sigma[-1], model.terms.floor * np.mean(past**2) ** 0.5)
            z = two[s] / sigma[s - 2 - SEED_DAYS]
            for which, scale in (("now", floored), ("highest", max(sigma))):
                shock = z * scale
                if name != factor:
                    bond = bt.Treasury(float(factor[:-1]))
                    shock = bond.scenarios(market, day, np.array([shock]))[0]
                gain[which] += exposure * shock
        for which in losses:
            losses[which].append(-gain[which])
    k = int(np.ceil(round(0.05 * len(window), 9)))
    tail = {which: max(0.0, sorted(some)[-k]) for which, some in losses.items()}
    spread = sum(
        abs(x) * load_costs(model.costs).contract[n].half_spread_bp * 1e-4 for n, x in usd.items()
    )
    return model.terms.weight * tail["now"] + (1 - model.terms.weight) * tail["highest"] + spread


def test_equals_the_slow_twin(small_market):
    usd = {"UST2Y": 4e7, "UST10Y": -1e7, "BTC": 1e6}
    model = st.Span2(**SHORT, weight=0.6, floor=0.9)
    found = model.margin(small_market, book_of(small_market, **usd), COVERAGE)[:, 0]
    first = SEED_DAYS + 2 + 59  # 60 standardised shocks, the first of them two days after the seed
    assert np.isnan(found[:first]).all() and not np.isnan(found[first:]).any()
    for day in (first, 150, 259):
        assert found[day] == pytest.approx(slow_twin(model, small_market, usd, day), rel=1e-9)


def test_margins_follow_volatility_down_no_further_than_the_floor():
    market = two_regimes(calm_last=True)
    book = book_of(market, BTC=1e6)
    free, floored = (
        st.Span2(lookback=300, min_lookback=60, weight=1.0, floor=floor).margin(
            market, book, COVERAGE
        )[:, 0]
        for floor in (0.0, 1.0)
    )
    assert free[-1] < 0.4 * free[190]
    one = market.shocks(1)[:, 0]
    ratio = np.mean(one[-300:] ** 2) ** 0.5 / slow_variance(one, 399, 0.97) ** 0.5
    spread = 1e6 * load_costs("liquidation/2025").contract["BTC"].half_spread_bp * 1e-4
    assert floored[-1] - spread == pytest.approx(ratio * (free[-1] - spread), rel=1e-9)
    assert (floored[~np.isnan(floored)] >= free[~np.isnan(free)]).all()


def test_stress_remembers_the_highest_volatility():
    market = two_regimes(calm_last=True)
    model = st.Span2(lookback=300, min_lookback=60, floor=0.0)
    historical, stressed = model.tails(market, book_of(market, BTC=1e6), COVERAGE)
    known = ~np.isnan(historical[:, 0])
    assert (stressed[known] >= historical[known]).all()
    assert stressed[-1, 0] > 3.0 * historical[-1, 0]


def test_only_what_exceeds_the_threshold_is_concentrated(small_market):
    cost = load_costs("liquidation/2025").contract["BTC"]
    volume, model = cost.adv_usd, st.Span2(**SHORT, threshold=0.1)
    for size in (0.05, 0.1, 0.35):
        found = model.closeout(small_market, book_of(small_market, BTC=-size * volume))[-1, 0]
        beyond = max(size - 0.1, 0.0)
        sigma = daily_volatility(bt.Spot("BTC"), small_market)[-1]
        expected = size * volume * cost.half_spread_bp * 1e-4 + sigma * beyond**1.5 * volume
        assert found == pytest.approx(expected, rel=1e-9)


def test_an_option_is_revalued_under_the_shocks_of_its_day(option_market):
    model = st.Span2(**SHORT, weight=1.0)
    usd = -1e6
    book = book_of(option_market, **{"SPY-PUT-30D": usd})
    found = model.tails(option_market, book, COVERAGE)[0][-1, 0]
    volatility = FactorVolatility(option_market, decay=0.97, seed_days=SEED_DAYS)
    factors = [
        FlooredShocks.of(volatility, f, horizon=2, floor=1.0, lookback=100) for f in ("SPY", "VIX")
    ]
    shocks = np.column_stack([f.z[-100:] * f.volatility[-1] for f in factors])
    dates = option_market.dates
    elapsed = (dates[-100:] - dates[-102:-2]).astype(float)
    gain = book.instruments[0].scenarios(option_market, 259, shocks, elapsed=elapsed)
    assert found == pytest.approx(np.sort(-usd * gain)[-5], rel=1e-9)


def test_legs_keep_days_of_their_own():
    business = random_market(200, seed=6)
    days = pd.date_range("2020-01-01", periods=260)
    frame = business.to_frame().reindex(days).ffill()
    traded = np.ones(frame.shape, dtype=bool)
    traded[:, :5] = ~(days.day_of_week >= 5)[:, None]
    generator = np.random.default_rng(2)
    frame["BTC"] = 100 * np.exp(np.cumsum(generator.normal(0, 0.03, len(days))))
    market = bt.Market.from_frame(frame, traded=traded, simulated=True)
    frame = pd.DataFrame({"UST10Y": [1e7, 0.0], "BTC": [0.0, 1e6]}, index=["bond", "coin"])
    book = bt.Book.from_frame(frame, market)
    found = st.Span2(**SHORT).margin(market, book, COVERAGE)
    alone = st.Span2(**SHORT).margin(
        market.own_days(["10Y"])[0], book_of(market, UST10Y=1e7), COVERAGE
    )[:, 0]
    open_days = traded[:, 3]
    np.testing.assert_allclose(found[open_days, 0], alone, rtol=1e-9)
    closed = np.flatnonzero(~open_days & ~np.isnan(found[:, 0]))
    liquid = st.Span2(**SHORT).tails(market, book, COVERAGE)[0]
    assert (liquid[closed[1:], 0] == liquid[closed[1:] - 1, 0]).all()
    bt.check_causal(st.Span2(**SHORT), market, book, coverage=COVERAGE)


def test_a_lookback_shorter_than_the_seed_of_the_volatility_is_refused():
    with pytest.raises(bt.BacktestError, match=rf"lookback is {SEED_DAYS - 1}: .* {SEED_DAYS}"):
        st.Span2(lookback=SEED_DAYS - 1, min_lookback=20)
