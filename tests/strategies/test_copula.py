"""Margins from a Student copula: its draws by scipy, and what they keep of the history."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import backtest as bt
import strategies as st
from backtest.estimators.schedule import refit_days
from backtest.kernels.window_tail import window_tail
from backtest.model.delta_gamma import book_scenarios
from backtest.model.joint_draws import JointDraws
from backtest.types import tail_count
from tests.support.copula import drawn

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
DAY, DRAWS = 250, 2000
SETTINGS = {"lookback": 120, "draws": DRAWS, "seed": 3}


def test_draws_and_margins_are_those_of_scipy_day_by_day(small_market, small_book):
    # Portfolios are drawn together if they hold the same instruments.
    whole = small_book.select([small_book.portfolios.index("long and short")])
    past = book_scenarios(small_market, whole, coverage=COVERAGE)
    joint = JointDraws(past, **SETTINGS)
    begin = past.first + SETTINGS["lookback"] - 1
    due, count = refit_days(past.dates, 20), tail_count(DRAWS, COVERAGE.confidence)
    expected = np.full((2, len(past.unit), 1), np.nan)
    for day in range(begin, len(past.unit)):
        if day == begin or due[day]:
            values = drawn(past, day, **SETTINGS)
            assert_array_equal(joint.on(day), values)
        window_tail(values, past.unit[day], past.exposure, count, *expected[:, day])
    found = st.CopulaVaR(**SETTINGS).forecast(small_market, small_book, COVERAGE)
    assert_allclose(found.value_at_risk[:, -1:], expected[0], rtol=1e-12)
    assert_allclose(found.expected_shortfall[:, -1:], expected[1], rtol=1e-12)


@pytest.mark.parametrize("moving", [0, 1, 2])
def test_factors_that_stand_still_stay_where_they_are(small_market, small_book, moving):
    past = book_scenarios(small_market, small_book, coverage=COVERAGE)
    factors = np.unique(past.factor)[moving:]
    shocks = np.where(np.isin(past.factor, factors), 0.5 * past.power**-2.0, past.shocks)
    past = replace(past, shocks=shocks)
    found = JointDraws(past, **SETTINGS).on(DAY)
    is_still = np.isin(past.factor, factors)
    assert_array_equal(found[is_still], np.tile(shocks[DAY, is_still, None], (1, DRAWS)))
    if moving:
        assert_array_equal(found, drawn(past, DAY, **SETTINGS))


def test_the_copula_keeps_each_distribution_and_their_ranks(small_market, small_book):
    past = book_scenarios(small_market, small_book, coverage=COVERAGE)
    joint = JointDraws(past, lookback=200, draws=20_000, seed=7)
    drawn, window = joint.on(DAY), past.shocks[DAY - 199 : DAY + 1].T
    for c in range(len(window)):
        assert np.isin(drawn[c], window[c] if past.power[c] == 1 else window[c - 1] ** 2 / 2).all()
        levels = np.quantile(drawn[c], [0.05, 0.5, 0.95])
        ordered = np.sort(window[c])
        for level, low, high in zip(levels, (7, 94, 186), (13, 106, 193), strict=True):
            assert ordered[low] <= level <= ordered[high]
    for a, b in ((0, 2), (0, 4), (4, 5)):
        drawn_tau = stats.kendalltau(drawn[a], drawn[b]).statistic
        assert drawn_tau == pytest.approx(stats.kendalltau(window[a], window[b])[0], abs=0.03)
