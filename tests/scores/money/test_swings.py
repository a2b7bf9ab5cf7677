"""How requirements swing, what they ask in cash, what is left beyond a fund."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as hs
from hypothesis.extra import numpy as hn
from scipy.special import ndtri

import strategies as st
from backtest.replay.reaction import impulse_response
from backtest.scores.money.liquidity import funding_cost, liquidity_at_risk, liquidity_need
from backtest.scores.money.money import share_beyond, total_excess, total_shortfall
from backtest.scores.money.procyclicality import (
    expected_rise,
    large_call_rate,
    largest_rise,
    largest_rise_within,
    peak_to_trough,
    rises,
    time_above_mean,
)
from backtest.scores.money.severity import max_excess, mean_excess
from backtest.types import StudyError

margins = hn.arrays(
    np.float64, hs.tuples(hs.integers(4, 12), hs.just(2)), elements=hs.floats(0.5, 50.0)
)
amounts = hn.arrays(np.float64, (9, 2), elements=hs.floats(-50.0, 50.0))


@given(margins, hs.integers(1, 3), hs.floats(0.1, 100.0))
def test_rises_by_a_loop_and_whatever_the_scale(required, days, scale):
    exact, within = [], []
    for column in required.T:
        pairs = [(t, t + k) for t in range(len(column)) for k in range(1, days + 1)]
        known = [(t, s) for t, s in pairs if s < len(column)]
        within.append(max(column[s] / column[t] - 1 for t, s in known))
        exact.append(max(column[s] / column[t] - 1 for t, s in known if s == t + days))
    np.testing.assert_allclose(largest_rise(required, days=days), exact, rtol=1e-9, atol=1e-12)
    found = largest_rise_within(required, days=days)
    np.testing.assert_allclose(found, within, rtol=1e-9, atol=1e-12)
    assert (found >= largest_rise(required, days=days) - 1e-12).all()
    scaled = largest_rise_within(scale * required, days=days)
    np.testing.assert_allclose(scaled, found, rtol=1e-9, atol=1e-9)
    assert (peak_to_trough(required) >= 1 + found - 1e-9).all()


def test_a_peak_that_has_gone_counts_within_and_not_to_the_day():
    required = np.array([[1.0], [1.0], [5.0], [1.0], [1.0], [1.0]])
    assert largest_rise(required, days=3)[0] == 0.0
    assert largest_rise_within(required, days=3)[0] == 4.0
    mean, percentile = expected_rise(required, days=1)
    assert mean[0] == pytest.approx(4 / 5) and percentile[0] == 4.0
    assert large_call_rate(required, threshold=0.5)[0] == pytest.approx(1 / 5)
    assert large_call_rate(required, threshold=4.0)[0] == 0.0  # more than, not as much as


def test_a_requirement_that_was_zero():
    change = rises(np.array([[0.0], [0.0], [2.0], [0.0]]), days=1)
    assert change[:, 0].tolist() == [0.0, np.inf, -1.0]


def test_a_constant_requirement_never_rises_and_is_never_above_its_mean():
    constant = np.full((2196, 3), 0.1) * np.array([1.0, 3.0, 7.0])
    assert time_above_mean(constant).tolist() == [0.0, 0.0, 0.0]
    assert largest_rise_within(constant, days=30).tolist() == [0.0, 0.0, 0.0]


@dataclass(frozen=True)
class Ewma:
    """Normal margin at an exponentially weighted volatility; the textbook one."""

    decay: float = 0.97

    def margin(self, market, book, coverage):
        shocks = market.shocks(1)[:, 0]
        variance = np.full(len(shocks), np.nan)
        variance[1] = shocks[1] ** 2
        for t in range(2, len(shocks)):
            variance[t] = self.decay * variance[t - 1] + (1 - self.decay) * shocks[t] ** 2
        return (ndtri(coverage.confidence) * np.sqrt(variance) * book.exposure[0, 0])[:, None]


@pytest.mark.parametrize("decay", [0.9, 0.97])
@pytest.mark.parametrize("size", [0.5, 2.0, 4.0])
def test_impulse_response_of_an_ewma_is_its_closed_form(decay, size):
    found = impulse_response(Ewma(decay), size=size, before=50, after=200)
    kept = decay ** np.arange(201)
    np.testing.assert_allclose(found, np.sqrt(kept + (1 - kept) * size**2), rtol=1e-8)


@pytest.mark.parametrize("lookback", [250, 500, 501])
def test_historical_simulation_jumps_once_its_tail_is_full_of_new_losses(lookback):
    found = impulse_response(st.HistoricalVaR(lookback=lookback), size=3.0)
    needed = ceil(round(0.01 * lookback, 9))
    first = 2 * needed - 1  # a loss on every second day, the first on the first
    np.testing.assert_allclose(found[:first], 1.0, rtol=1e-9)
    np.testing.assert_allclose(found[first:], 3.0, rtol=1e-9)


def test_haircuts_do_not_answer_volatility():
    np.testing.assert_array_equal(impulse_response(st.HaircutOnly(), size=3.0), 1.0)


def test_a_step_that_cannot_be_is_refused():
    for wrong in ({"size": 0.0}, {"size": 60.0}, {"before": 1}, {"after": 0}):
        with pytest.raises(StudyError):
            impulse_response(Ewma(), **wrong)
    with pytest.raises(StudyError, match="more days before"):
        impulse_response(st.HistoricalVaR(lookback=500), before=100)


@given(amounts, margins.map(lambda m: np.resize(m, (9, 2))), hs.integers(1, 4))
def test_cash_is_margin_change_and_variation_margin(loss, required, horizon):
    need = liquidity_need(loss, required, horizon=horizon)
    for t in range(9 - horizon):
        np.testing.assert_allclose(need[t], required[t + horizon] - required[t] + loss[t])
    worst = np.maximum(need.max(axis=0), 0.0)
    found = liquidity_at_risk(loss, required, horizon=horizon, confidence=0.99)
    np.testing.assert_allclose(found, worst)  # one in a hundred of nine days is the worst


def test_liquidity_at_risk_is_an_order_statistic():
    loss = np.random.default_rng(0).permutation(1001.0 * np.arange(1001) / 1001)[:, None]
    found = liquidity_at_risk(loss, np.ones((1001, 1)), horizon=1, confidence=0.99)
    assert found[0] == np.sort(loss[:-1, 0])[-10]
    with pytest.raises(StudyError):
        liquidity_need(loss, loss, horizon=1001)


def test_funding_is_linear_in_margin_and_spread():
    margin = np.array([[1.0, 10.0], [3.0, 30.0]])
    np.testing.assert_allclose(funding_cost(margin, spread=0.02), [0.04, 0.4])


@given(amounts, amounts.map(np.abs), hs.floats(0.0, 20.0), hs.floats(0.0, 20.0))
def test_money_adds_up_and_a_layer_only_takes(loss, cover, layer, more):
    gap = np.maximum(loss - cover, 0.0)
    np.testing.assert_allclose(total_excess(loss, cover), gap.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(total_shortfall(loss, cover), total_excess(loss, cover))
    counted = (loss > cover).sum(axis=0)
    mean = np.nan_to_num(mean_excess(loss, cover))
    np.testing.assert_allclose(total_excess(loss, cover), counted * mean, atol=1e-9)
    share = share_beyond(loss, cover, layer=layer)
    assert np.isnan(share[counted == 0]).all()
    assume((counted > 0).all())
    assert ((share >= 0) & (share <= 1)).all()
    assert (share_beyond(loss, cover, layer=layer + more) <= share + 1e-12).all()
    np.testing.assert_array_equal(share_beyond(loss, cover, layer=max_excess(loss, cover)), 0.0)


def test_a_negative_layer_is_refused():
    with pytest.raises(StudyError, match="layer"):
        share_beyond(np.ones((2, 1)), np.zeros((2, 1)), layer=-1.0)
