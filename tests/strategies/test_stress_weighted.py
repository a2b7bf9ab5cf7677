"""EMIR Article 28(1)(b) by its letter: stressed observations have a weight of their own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import backtest as bt
import strategies as st
from backtest.model.delta_gamma import book_scenarios

HS = st.HistoricalVaR(lookback=60)
COVERAGE = bt.Coverage(confidence=0.95)
CONTRACT = {
    "stress_weighted": [
        {"lookback": 60, "windows": [["2020-03-01", "2020-06-30"]]},
        {
            "lookback": 60,
            "windows": [["2020-05-01", "2020-08-30"]],
            "weight": 0.5,
            "measure": "es",
        },
    ],
}


def test_stressed_observations_have_a_quarter_of_the_weight(small_market, small_book):
    """Losses of the last 60 days and of two months, sorted, until their weights reach 5 %."""
    window = ("2020-04-01", "2020-05-29")
    model = st.StressWeighted(lookback=60, windows=(window,))
    required = model.margin(small_market, small_book, COVERAGE)
    plain = HS.margin(small_market, small_book, COVERAGE)
    past = book_scenarios(small_market, small_book, coverage=COVERAGE)
    dates = small_market.dates
    stressed = (dates >= np.datetime64(window[0])) & (dates <= np.datetime64(window[1]))
    late = 0
    for day in range(61, 260, 9):
        losses = -past.shocks[: day + 1] @ (past.exposure * past.unit[day]).T
        weights = np.zeros(day + 1)
        known = stressed[: day + 1]
        share = 0.25 if known.sum() >= 20 else 0.0
        weights[day - 59 :] += (1 - share) / 60
        weights[known] += share / max(known.sum(), 1)
        assert weights.sum() == pytest.approx(1.0)
        for p in range(4):
            order = sorted(range(2, day + 1), key=lambda s, p=p: -losses[s, p])
            reached = 0.0
            for s in order:
                reached += weights[s]
                if reached >= 0.05 - 1e-12:
                    break
            assert required[day, p] == pytest.approx(max(losses[s, p], 0.0), rel=1e-9)
        if share == 0.0:
            assert_allclose(required[day], plain[day], rtol=1e-12)
        late += share > 0.0
    assert late > 10
