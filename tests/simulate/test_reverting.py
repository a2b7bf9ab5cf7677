"""Funding and implied volatility: they return to their mean and move with the price."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import backtest as bt
from backtest import simulate
from backtest.kernels.recursion import revert
from backtest.simulate import Paths
from backtest.simulate.reverting import _forms, _States
from backtest.types import DataError, StudyError
from tests.support.worlds import draw

WHOLE = simulate.MeanReverting(base=simulate.History())


def option_world(seed: int = 0, days: int = 2500) -> bt.Market:
    """ln VIX: mean ln .18, persistence .95, innovations -.7 with SPY; funding 3e-4 a day, .8."""
    rng = np.random.default_rng(seed)
    e = rng.multivariate_normal([0, 0, 0], [[1, -0.7, 0.3], [-0.7, 1, 0], [0.3, 0, 1]], days)
    dates = pd.bdate_range("2012-01-02", periods=days + 1)
    steps = np.diff(dates.to_numpy().astype("M8[D]")).astype(float)
    vol, rate = np.empty(days + 1), np.empty(days)
    vol[0], previous = np.log(0.2), 3e-4
    for t in range(days):
        vol[t + 1] = np.log(0.18) + 0.95 * (vol[t] - np.log(0.18)) + 0.06 * e[t, 1]
        previous = rate[t] = 3e-4 + 0.8 * (previous - 3e-4) + 2e-4 * e[t, 2]
    frame = {
        "SPY": 100 * np.exp(np.append(0.0, np.cumsum(0.01 * e[:, 0]))),
        "VIX": np.exp(vol),
        "BTC-FUNDING": np.exp(np.append(0.0, np.cumsum(rate * steps))),
    }
    return bt.Market.from_frame(pd.DataFrame(frame, index=dates), simulated=True)


def test_the_recursion_equals_its_slow_twin():
    rng = np.random.default_rng(0)
    e, out, state = rng.normal(size=(200, 2)), np.empty((200, 2)), np.array([0.5, -9.0])
    mean, persistence = np.array([1.0, 0.0]), np.array([0.9, 0.0])
    low, high = np.array([-1.0, -2.0]), np.array([2.0, 2.0])
    s, expected = state.copy(), []
    for row in e:
        s = np.clip(mean + persistence * (s - mean) + row, low, high)
        expected.append(s)
    revert(e, state, mean, persistence, low, high, out)
    assert_allclose(out, expected, rtol=1e-14)
    assert_allclose(state, expected[-1], rtol=1e-14)
    assert (out == high).any() and (out == low).any()


def test_a_known_world_is_recovered_and_its_history_comes_back():
    market = option_world()
    shocks = market.shocks(1)[1:]
    states = _States.of(market, shocks, _forms(market, ()))
    assert_allclose(states.persistence, [0.95, 0.8], atol=0.025)
    assert_allclose(states.mean, [np.log(0.18), 3e-4], rtol=0.06)
    assert_allclose(states.innovations.std(axis=0), [0.06, 2e-4], rtol=0.05)
    assert_allclose(draw(WHOLE, market), shocks, atol=1e-12)


@pytest.mark.parametrize("base", [simulate.StationaryBootstrap(block_size=20), simulate.GjrT()])
def test_levels_stay_in_their_range_and_keep_their_tie_to_the_price(base):
    market = option_world()
    made = Paths.of(simulate.MeanReverting(base=base), market, seed=2)
    paths = [made.path(i) for i in range(20)]
    data = market.levels[:, 1]
    levels = np.array([p.levels[:, 1] for p in paths])
    assert_allclose(
        np.quantile(levels, [0.1, 0.5, 0.9]), np.quantile(data, [0.1, 0.5, 0.9]), rtol=0.2
    )
    width = np.ptp(np.log(data)) / 2
    assert np.abs(np.log(levels) - np.log(data).mean()).max() < np.ptp(np.log(data)) + width
    tie = [np.corrcoef(p.shocks(1)[1:, :2].T)[0, 1] for p in paths]
    assert np.mean(tie) == pytest.approx(np.corrcoef(market.shocks(1)[1:, :2].T)[0, 1], abs=0.08)
    paid = [np.log(p.levels[-1, 2]) for p in paths]
    assert np.mean(paid) == pytest.approx(np.log(market.levels[-1, 2]), rel=0.1)
    # Without the layer the level of a volatility is a walk that never turns.
    walk = Paths.of(base, market, seed=2)
    spread = [np.ptp(np.log(walk.path(i).levels[:, 1])) for i in range(20)]
    assert np.median(spread) > 1.5 * np.ptp(np.log(data))


def test_over_a_base_without_drift_a_volatility_rests_at_its_mean():
    """Innovations passed on as relative changes would have a mean below zero: 4 % less here."""
    market = option_world()
    column = market.column("VIX")
    states = _States.of(market, market.shocks(1)[1:], _forms(market, ()))
    paths = Paths.of(simulate.MeanReverting(base=simulate.GarchT()), market, seed=1)
    found = [np.log(paths.path(i).levels[500:, column]).mean() for i in range(60)]
    error = np.std(found) / np.sqrt(len(found))
    assert error < 0.005 and abs(np.mean(found) - states.mean[0]) < 3.5 * error


def test_funding_accrues_over_the_calendar_days_of_the_path():
    market = option_world()
    path = Paths.of(simulate.MeanReverting(), market, seed=5).path(0)
    accrued = np.diff(np.log(path.levels[:, 2]))
    steps = np.diff(path.dates).astype(float)
    assert accrued[steps == 3].mean() == pytest.approx(3 * accrued[steps == 1].mean(), rel=0.15)


def test_named_factors_revert_too_and_others_are_left_to_the_base(small_market):
    coin = simulate.MeanReverting(base=simulate.History(), factors=("10Y", "ETH"))
    assert_allclose(draw(coin, small_market), small_market.shocks(1)[1:], atol=1e-12)
    blocks = simulate.StationaryBootstrap(block_size=20)
    both = (blocks, simulate.MeanReverting(base=blocks, factors=("10Y",)))
    drawn = [draw(simulator, small_market) for simulator in both]
    others = [0, 1, 2, 4, 5, 6]
    assert_allclose(drawn[0][:, others], drawn[1][:, others], atol=1e-12)
    assert not np.allclose(drawn[0][:, 3], drawn[1][:, 3])


@pytest.mark.parametrize("first", [0.0, -0.004])
def test_a_rate_that_begins_at_zero_or_below_reverts_as_any_other(first, small_market):
    """Its innovations are given to the base as changes of a price, which must be above zero."""
    levels, column = small_market.levels.copy(), small_market.column("10Y")
    levels[:, column] += first - levels[0, column]
    market = replace(small_market, levels=levels)
    whole = simulate.MeanReverting(base=simulate.History(), factors=("10Y",))
    assert_allclose(draw(whole, market), market.shocks(1)[1:], atol=1e-12)


def test_a_market_without_such_factors_is_refused_in_one_line(small_market):
    with pytest.raises(StudyError, match="no funding rate.*no implied volatility.*only 3M, 2Y"):
        simulate.MeanReverting().sampler(small_market)
    with pytest.raises(DataError, match="no factor 'VIX'"):
        simulate.MeanReverting(factors=("VIX",)).sampler(small_market)


def test_a_constant_funding_rate_stays_constant():
    market = option_world(days=300)
    frame = market.to_frame()
    days = (frame.index - frame.index[0]).days.to_numpy()
    frame["BTC-FUNDING"] = np.exp(1e-4 * days)
    path = Paths.of(simulate.MeanReverting(), bt.Market.from_frame(frame, simulated=True), seed=1)
    assert_allclose(path.path(0).levels[:, 2], np.exp(1e-4 * days), rtol=1e-9)


@pytest.mark.slow
def test_the_vix_of_paths_stays_among_that_of_the_data_with_its_tie_to_the_index(real_data):
    market = bt.load_market(real_data, factors=["SPY", "VIX", "10Y"])
    made = Paths.of(simulate.MeanReverting(), market, seed=3)
    levels = np.array([made.path(i).levels[:, 1] for i in range(20)])
    data = market.level("VIX")
    assert_allclose(
        np.quantile(levels, [0.05, 0.5, 0.95]), np.quantile(data, [0.05, 0.5, 0.95]), rtol=0.2
    )
    assert levels.max() < 3 * data.max()
    plain = Paths.of(simulate.StationaryBootstrap(block_size=20), market, seed=3)
    wild = max(plain.path(i).level("VIX").max() for i in range(20))
    assert wild > 5.0  # 500 %
