"""The world in which a lower bound of the offset fails: a hedge that holds until stress comes."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest import simulate
from backtest.simulate import Paths

CALM, STRESS, VOLATILITY, LENGTHS = 0.8, -0.8, (1.0, 3.0), (1500.0, 40.0)
PATHS, LOOKBACK = 300, 502


def share_of_bounds_that_fail(market: bt.Market, cross: tuple[float, float]) -> float:
    """Paths on which the bound of the first half is above the offset of the second."""
    world = simulate.RegimeSwitching(cross=cross, volatility=VOLATILITY, lengths=LENGTHS)
    frame = pd.DataFrame({"UST10Y": [1e8], "BTC": [1e7]}, index=["long both"])
    book, paths, fails = bt.Book.from_frame(frame, market), Paths.of(world, market, seed=1), []
    for number in range(PATHS):
        path = paths.path(number)
        half = len(path.dates) // 2
        first = bt.supportable_offset(path.until(half), book, resamples=200).to_frame()
        later = path.rows(slice(half - LOOKBACK, None))
        second = bt.supportable_offset(later, book, bounds=False).to_frame()
        fails.append(first["dependence_bound"].iloc[0] > second["dependence"].iloc[0])
    return float(np.mean(fails))


@pytest.mark.slow
def test_bounds_fail_where_the_hedge_breaks_and_hold_where_one_correlation_has_the_same_covariance(
    real_data,
):
    market = bt.load_market(real_data)
    days = np.array(LENGTHS) / sum(LENGTHS) * np.square(VOLATILITY)
    same = float(days @ [CALM, STRESS] / days.sum())
    assert share_of_bounds_that_fail(market, (CALM, STRESS)) > 0.12
    assert share_of_bounds_that_fail(market, (same, same)) < 0.07
