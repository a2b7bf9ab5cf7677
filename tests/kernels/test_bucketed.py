"""Filtered returns in buckets, beside lists that are read bucket by bucket."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as draw
from hypothesis.extra.numpy import arrays

from backtest.estimators.bucketed import FilteredReturns, decaying_weights
from backtest.kernels.bucketed import bucketed_tail
from tests.support import reference

PNL = arrays(np.float64, (2, 37), elements=draw.sampled_from([-3.0, -1.5, 0.0, 0.25, 2.0, np.nan]))


@pytest.mark.parametrize("demeaned", [True, False])
@pytest.mark.parametrize(("step", "lookback", "burn_in"), [(1, 30, 20), (2, 41, 30), (3, 50, 20)])
def test_filter_is_that_of_each_bucket_alone(
    demeaned: bool, step: int, lookback: int, burn_in: int
) -> None:
    returns = np.random.default_rng(step).standard_t(4, 200) * 0.01
    returns[:step] = np.nan
    returns[90:93] *= 8.0
    settings = {"step": step, "lookback": lookback, "burn_in": burn_in, "decay": 0.9}
    found = FilteredReturns.of(returns, demeaned=demeaned, **settings)
    filtered, scale = reference.filtered_returns(returns, demeaned=demeaned, **settings)
    np.testing.assert_allclose(found.filtered, filtered, rtol=1e-10)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-12)
    assert np.isnan(scale).any() and not np.isnan(scale[-1]).any()


def test_scale_is_never_below_the_median_of_its_bucket() -> None:
    calm = np.random.default_rng(1).normal(0.0, 0.01, 300)
    calm[200:] *= 0.01
    settings = {"step": 3, "lookback": 90, "burn_in": 30, "decay": 0.9, "demeaned": False}
    found = FilteredReturns.of(calm, **settings)
    latest = np.mean(found.volatility[238:241])
    assert (found.scale[240] > 5.0 * latest).all()


def test_a_series_that_never_moves_is_filtered_to_zeros() -> None:
    still = np.zeros(50)
    found = FilteredReturns.of(still, step=2, lookback=10, burn_in=8, decay=0.9, demeaned=True)
    assert (found.filtered[-20:] == 0.0).all() and (found.scale[-20:] == 0.0).all()


def test_weights_sum_to_one_where_buckets_share_the_burn_in() -> None:
    assert decaying_weights(750, step=3, decay=0.97).sum() == pytest.approx(1.0, rel=1e-12)
    short = decaying_weights(200, step=3, decay=0.97)
    assert len(short) == 66
    assert short.sum() == pytest.approx((1 - 0.97**66) / (1 - 0.97 ** (200 / 3)), rel=1e-12)


@given(PNL, draw.integers(1, 5), draw.sampled_from([0.01, 0.022, 0.1, 0.25, 0.5]))
def test_tail_is_the_weighted_mean_of_quantiles(pnl: np.ndarray, step: int, share: float) -> None:
    buckets, found = np.arange(37)[::-1] % step, np.empty(2)
    bucketed_tail(pnl, buckets, step, share, found)
    for own, tail in zip(pnl, found, strict=True):
        if np.isnan(own).all():
            assert np.isnan(tail)
        else:
            assert tail == pytest.approx(reference.bucketed_tail(own, buckets, share), abs=1e-12)


def test_a_whole_place_is_the_mean_of_two_neighbours() -> None:
    pnl, found = np.arange(100.0)[None, :], np.empty(1)
    buckets = np.zeros(100, dtype=np.int64)
    for share, quantile in [(1 - 0.99, 0.5), (1 - 0.978, 2.0), (0.05, 4.5), (0.005, 0.0)]:
        bucketed_tail(pnl, buckets, 1, share, found)
        assert found[0] == -quantile
