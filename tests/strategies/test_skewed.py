"""Skewed Student innovations against arch: law, likelihood, joint GARCH fit and the forecasts."""

import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from arch.univariate import SkewStudent
from hypothesis import given, settings
from hypothesis import strategies as hs
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

import backtest as bt
import strategies as st
from backtest.estimators.fits import counting_fits
from backtest.estimators.garch import RollingGarch, fit_garch
from backtest.estimators.innovations import unit_tail
from backtest.estimators.skewed import skewed_probability, skewed_tail
from backtest.kernels.garch_fit import loss_and_slope
from backtest.kernels.skewed import skewed_loss, skewed_shape
from backtest.scores.forecasts.density import pit_histogram
from tests.support.contracts import COVERAGE
from tests.support.fits import ended
from tests.support.markets import coin_market

PEER = SkewStudent()


def skewed_path(days: int, *, seed: int, skew: float = -0.3):
    """A GARCH path with skewed Student innovations, 6 degrees of freedom."""
    draws = PEER.ppf(np.random.default_rng(seed).random(days), [6.0, skew])
    out, variance = np.empty(days), 1.0
    for t, z in enumerate(draws):
        out[t] = np.sqrt(variance) * z
        variance = 0.03 + 0.07 * out[t] ** 2 + 0.9 * variance
    return 0.03 * out


@settings(deadline=None)
@given(hs.floats(2.2, 200), hs.floats(-0.9, 0.9), hs.floats(0.02, 0.999))
def test_the_law_is_that_of_arch(freedom, skew, confidence):
    shape, level = [freedom, skew], 1.0 - confidence
    value, shortfall = skewed_tail(confidence, freedom, skew)
    quantile = PEER.ppf(np.array([level]), shape)[0]
    assert value == pytest.approx(-quantile, rel=1e-9, abs=1e-9)
    mean = float(np.squeeze(PEER.partial_moment(1, quantile, shape))) / level
    assert shortfall == pytest.approx(-mean, rel=1e-8, abs=1e-9)
    assert skewed_probability(-value, freedom, skew) == pytest.approx(level, rel=1e-9)
    points = np.linspace(-6, 6, 41)
    assert_allclose(
        skewed_probability(points, freedom, skew), PEER.cdf(points, shape), rtol=1e-9, atol=1e-14
    )


def test_without_skew_it_is_the_student_and_the_normal_law():
    freedom = np.array([2.5, 6.0, 300.0, np.inf])
    assert_allclose(skewed_tail(0.99, freedom, 0.0), unit_tail(0.99, freedom), rtol=1e-12)
    assert_array_equal(skewed_tail(0.99, np.inf, -0.5), unit_tail(0.99, np.inf))
    assert np.isnan(skewed_probability(np.array(np.nan), 5.0, 0.2))
    losses, gains = (skewed_tail(0.99, 5.0, skew)[0] for skew in (-0.4, 0.4))
    assert losses > unit_tail(0.99, 5.0)[0] > gains


@pytest.mark.parametrize(("freedom", "skew"), [(4.0, -0.2), (30.0, 0.4), (2.3, 0.9), (8.0, 0.0)])
def test_the_likelihood_is_that_of_arch_and_its_slopes_those_of_differences(freedom, skew):
    rng = np.random.default_rng(0)
    series, variance = rng.standard_t(5, 300), np.exp(0.3 * rng.standard_normal(300))
    pull, spare = np.empty(300), np.empty(300)
    loss, by_freedom, by_skew = skewed_loss(series, variance, freedom, skew, pull)
    assert loss == pytest.approx(-PEER.loglikelihood([freedom, skew], series, variance), rel=1e-12)

    def difference(step):
        ends = [
            skewed_loss(series, variance, freedom + s * step[0], skew + s * step[1], spare)[0]
            for s in (1, -1)
        ]
        return (ends[0] - ends[1]) / 2e-5

    assert by_freedom == pytest.approx(difference((1e-5, 0)), rel=1e-5, abs=1e-5)
    assert by_skew == pytest.approx(difference((0, 1e-5)), rel=1e-5, abs=1e-5)
    wider = variance.copy()
    wider[17] += 1e-6
    up = skewed_loss(series, wider, freedom, skew, spare)[0]
    assert pull[17] == pytest.approx((up - loss) / 1e-6, rel=1e-3, abs=1e-5)


def test_the_slope_of_the_joint_fit_is_that_of_its_likelihood():
    series = skewed_path(300, seed=2)
    series /= np.sqrt(np.mean(series**2))
    free, scratch, slope = (
        np.array([0.2, 3.5, -1.5, 0.3, 1.2, -0.6]),
        np.empty((2, 301)),
        np.empty(6),
    )
    loss_and_slope(free, series, True, True, scratch, slope)
    for i in range(6):
        ends = []
        for side in (1e-6, -1e-6):
            at = free.copy()
            at[i] += side
            ends.append(loss_and_slope(at, series, True, True, scratch, np.empty(6)))
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("leverage", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_joint_fit_is_that_of_arch(leverage, seed):
    series = skewed_path(1000, seed=seed)
    fit = fit_garch(series, leverage=leverage, skewed=True)
    scale = np.sqrt(np.mean(series**2))
    model = arch_model(
        series / scale, mean="Zero", vol="GARCH", o=int(leverage), dist="skewt", rescale=False
    )
    peer = model.fit(disp="off", backcast=1.0, show_warning=False)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(peer.loglikelihood - 1000 * np.log(scale), abs=1e-4)
    assert fit.skew == pytest.approx(peer.params["lambda"], abs=1e-3)
    assert fit.freedom == pytest.approx(peer.params["eta"], rel=5e-3)
    assert fit.skew == pytest.approx(-0.3, abs=0.12)
    plain = fit_garch(series, leverage=leverage)
    assert plain.skew == 0.0 and fit.log_likelihood > plain.log_likelihood + 5


def test_refits_are_the_fits_of_their_windows():
    series = skewed_path(900, seed=11)
    garch = RollingGarch(1, skewed=True)
    with counting_fits() as fits:
        for end in range(500, 901, 80):
            window = np.ascontiguousarray(series[end - 500 : end])
            garch.refit(window[None, :])
            assert garch.outcome[0, 1] == fit_garch(window, skewed=True).log_likelihood
    assert ended(fits) == (12, 0)


@pytest.mark.parametrize("seed", range(6))
def test_the_likeliest_shape_of_draws_is_that_of_arch(seed):
    rng = np.random.default_rng(seed)
    z = rng.standard_t((3, 6, 12)[seed % 3], 800)
    z = np.where(z > 0, (0.5, 0.8)[seed % 2] * z, z)
    z /= z.std()

    def loss(shape):
        return -PEER.loglikelihood(shape, z, np.ones(800))

    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    bounds = [(2.06, 500), (-0.96, 0.96)]
    peer = minimize(loss, [6, 0], method="Nelder-Mead", bounds=bounds, options=options)
    assert loss(skewed_shape(z)) == pytest.approx(peer.fun, abs=1e-4)


def test_forecasts_of_one_coin_by_arch():
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    market = coin_market(skewed_path(600, seed=5))
    model = st.GarchVaR(lookback=500, refit_every=1000, innovations="skew-t")
    forecast = model.forecast(market, book, COVERAGE)
    fit = fit_garch(market.shocks(1)[1:501, 0] * np.sqrt(2), skewed=True)
    window = market.shocks(1)[1:501, 0] * np.sqrt(2)
    variance = np.mean(window**2)
    variance = fit.omega + (fit.alpha + fit.beta) * variance
    for x in window:
        variance = fit.omega + fit.alpha * x**2 + fit.beta * variance
    shape = [fit.freedom, fit.skew]
    quantile = PEER.ppf(np.array([0.05]), shape)[0]
    value = -np.sqrt(variance) * quantile
    assert forecast.value_at_risk[500, 0] == pytest.approx(value, rel=1e-8)
    pnl = market.levels[502, 0] / market.levels[500, 0] - 1
    expected = PEER.cdf(np.array([pnl / np.sqrt(variance)]), shape)[0]
    assert forecast.pit[500, 0] == pytest.approx(expected, rel=1e-8)


def test_both_sides_of_a_skewed_coin_are_forecast():
    """Long and short of one coin differ as its tails do; the symmetric law knows no such thing."""
    market = coin_market(skewed_path(2500, seed=8))
    frame = pd.DataFrame({"BTC": [1.0, -1.0]}, index=["long", "short"])
    book, one_day = bt.Book.from_frame(frame), bt.Coverage(mpor=1)
    for kind in (st.GarchVaR, st.EwmaVaR):
        right = kind(lookback=1000, refit_every=100, innovations="skew-t")
        plain = kind(lookback=1000, refit_every=100, innovations="t")
        found, same = (m.forecast(market, book, one_day) for m in (right, plain))
        long, short = found.value_at_risk[1000:].T
        assert (long > 1.1 * short).all()
        assert_allclose(*same.value_at_risk[1000:].T, rtol=2e-3)
        if kind is st.GarchVaR:
            assert min(pit_histogram(u, bins=10).pvalue for u in found.pit[1000:-1].T) > 0.05
            assert max(pit_histogram(u, bins=10).pvalue for u in same.pit[1000:-1].T) < 0.01


def test_joint_refits_lose_no_likelihood_against_arch_on_real_prices(real_market):
    shocks, worse, skews = real_market.shocks(1)[1:], [], []
    for factor in ("10Y", "BTC"):
        column = np.ascontiguousarray(shocks[:, real_market.column(factor)])
        garch = RollingGarch(1, skewed=True)
        for end in range(500, len(column), 250):
            window = column[end - 500 : end]
            garch.refit(window[None, :])
            assert garch.outcome[0, 0] == 1.0
            scale = np.sqrt(np.mean(window**2))
            model = arch_model(
                window / scale, mean="Zero", vol="GARCH", dist="skewt", rescale=False
            )
            peer = model.fit(disp="off", backcast=1.0, show_warning=False)
            worse.append(peer.loglikelihood - 500 * np.log(scale) - garch.outcome[0, 1])
            skews.append(garch.skew()[0] - peer.params["lambda"])
    # Such windows have two peaks now and then, and either of us may take the lower one.
    assert np.median(np.abs(worse)) < 1e-3 and np.median(np.abs(skews)) < 1e-3
    assert np.mean(np.array(worse) > 0.05) < 0.1
