"""Weekends and holidays: how much factors move over them, on the days of the path."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import backtest as bt
from backtest import simulate
from backtest.simulate import Paths
from backtest.simulate.paths import path_days
from backtest.simulate.weekend import closed_day_variance, closed_days
from backtest.types import StudyError
from tests.support.worlds import BLOCKS, Odd, draw, market_of


def weekend_world(seed: int, *, days: int = 2600, share: float = 0.6) -> np.ndarray:
    """Column 0 moves over closed days, column 1 does not; volatility of both wanders."""
    rng = np.random.default_rng(seed)
    closed = closed_days(market_of(np.zeros((days, 1)), "y").dates)
    volatility = 0.01 * np.exp(0.4 * np.sin(np.arange(days) / 90.0))
    shocks = rng.standard_t(4, (days, 2)) * volatility[:, None]
    shocks[:, 0] *= np.sqrt(1.0 + share * closed)
    return np.clip(shocks, -0.6, 0.6)


def test_the_variance_of_a_closed_day_is_found_and_none_where_there_is_none():
    found = np.array(
        [
            closed_day_variance(world, closed_days(market_of(world, "pp").dates))
            for world in map(weekend_world, range(30))
        ]
    )
    assert found[:, 0].mean() == pytest.approx(0.6, abs=0.05)
    assert found[:, 1].mean() < 0.04 and (found >= 0.0).all()


def test_the_ratio_of_sizes_equals_its_slow_twin():
    world = weekend_world(3, days=120)
    closed = closed_days(market_of(world, "pp").dates)
    share = closed_day_variance(world, closed)
    ordinary = [t for t in range(120) if closed[t] == 0]
    ratio = np.zeros_like(world)
    for t in range(120):
        before = [s for s in ordinary if s < t][-5:]
        after = [s for s in ordinary if s > t][:5]
        ratio[t] = np.abs(world[t]) / np.abs(world[before + after]).mean(axis=0)
    wanted = ratio[closed > 0].sum(axis=0) / ratio[closed == 0].mean(axis=0)
    expected = np.sqrt(1.0 + np.outer(closed[closed > 0], share)).sum(axis=0)
    assert share[0] > 0.0
    assert_allclose(expected[share > 0], wanted[share > 0], rtol=1e-9)


def test_steps_without_closed_days_or_without_others_say_nothing():
    shocks = np.random.default_rng(0).normal(size=(100, 2))
    assert closed_day_variance(shocks, np.zeros(100)).tolist() == [0.0, 0.0]
    assert closed_day_variance(shocks, np.ones(100)).tolist() == [0.0, 0.0]


def test_history_itself_comes_back_and_a_bootstrap_moves_over_the_weekends_of_the_path():
    market = market_of(weekend_world(1), "pp")
    data = market.shocks(1)[1:]
    same = draw(simulate.WeekendVariance(base=simulate.History()), market)
    assert_allclose(same, data, rtol=1e-9, atol=1e-12)
    weekend = closed_days(market.dates) > 0

    def ratio(simulator, factor):
        drawn = np.array([draw(simulator, market, s)[:, factor] for s in range(15)])
        size = np.abs(drawn).mean(axis=0)
        return size[weekend].mean() / size[~weekend].mean()

    singles = simulate.StationaryBootstrap(block_size=1)
    aware = simulate.WeekendVariance(base=singles)
    assert ratio(aware, 0) == pytest.approx(np.sqrt(1 + 2 * 0.6), abs=0.08)
    assert ratio(singles, 0) == pytest.approx(1.0, abs=0.05)
    assert ratio(aware, 1) == pytest.approx(1.0, abs=0.12)


def test_a_share_that_is_given_counts_for_prices_alone(small_market):
    given = simulate.WeekendVariance(base=simulate.History(), prices=3.0)
    own = simulate.WeekendVariance(base=simulate.History())
    weekend = closed_days(small_market.dates) > 0
    # The base, history without its weekends, has smaller weekends the larger the share.
    seen = {}
    for name, simulator in (("given", given), ("own", own)):
        base = Spy()
        type(simulator)(base=base, prices=simulator.prices).sampler(small_market)
        seen[name] = base.market.shocks(1)[1:]
    assert_allclose(seen["given"][:, :5], seen["own"][:, :5], rtol=1e-12)
    data = small_market.shocks(1)[1:]
    assert_allclose(seen["given"][weekend, 5:] * np.sqrt(7), data[weekend, 5:], rtol=1e-9)


class Spy(Odd):
    """Keeps the market that it is fitted to."""

    def __init__(self) -> None:
        super().__init__(np.zeros((5, 7)))

    def sampler(self, market: bt.Market):
        self.market = market
        return super().sampler(market)


def test_a_spliced_future_has_its_own_weekends_and_belongs_inside(small_market):
    inside = simulate.WeekendVariance(base=simulate.Spliced(base=BLOCKS, days=40), prices=50.0)
    path = Paths.of(inside, small_market, seed=1).path(0)
    steps = len(small_market.dates) - 1
    assert_allclose(path.shocks(1)[1 : steps + 1], small_market.shocks(1)[1:], atol=1e-12)
    closed = closed_days(path_days(small_market.dates, steps + 41))[steps:]
    future = np.abs(path.shocks(1)[steps + 1 :, 5])
    assert future[closed > 0].mean() > 3 * future[closed == 0].mean()
    for base in (simulate.WeekendVariance(), simulate.Jumps(base=simulate.WeekendVariance())):
        with pytest.raises(StudyError, match="put the Spliced inside"):
            Paths.of(simulate.Spliced(base=base), small_market, seed=1)


@pytest.mark.slow
def test_bitcoin_s_weekends_are_quieter_than_its_weeks_and_yields_hardly_have_any(real_data):
    market = bt.load_market(real_data)
    share = closed_day_variance(market.shocks(1)[1:], closed_days(market.dates))
    found = dict(zip(market.factors, share.round(2), strict=True))
    assert 0.4 < found["BTC"] < 0.8 and 0.4 < found["ETH"] < 0.9, found
    assert max(found[f] for f in ("2Y", "5Y", "10Y", "30Y")) < 0.1, found
