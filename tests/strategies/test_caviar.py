"""CAViaR against plain loops, a global search by scipy, and processes whose quantile is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.optimize import differential_evolution, minimize, minimize_scalar

import backtest as bt
import strategies as st
from backtest.estimators.caviar import RollingCaviar, fit_caviar
from backtest.estimators.fits import counting_fits
from backtest.kernels.caviar import quantiles, tail_rows, tick_loss
from backtest.kernels.caviar_fit import Problem, search_again
from backtest.scores.exceedances.dynamic_quantile import dynamic_quantile
from backtest.scores.forecasts.losses import fz0_loss
from tests.support.fits import ended
from tests.support.markets import coin_market

FORMS = ("symmetric", "asymmetric", "indirect-garch")
UNIT = np.sqrt(3 / 5)  # of t(5) draws to unit variance
TRUE = {  # constant, persistence, reaction to a gain and to a loss: of sigma, or of its square
    "symmetric": (0.05, 0.85, 0.125, 0.125),
    "asymmetric": (0.05, 0.85, 0.05, 0.20),
    "indirect-garch": (0.05, 0.85, 0.10, 0.10),
}
CONTRACT = {
    "caviar_var": [
        {"lookback": 120, "refit_every": 15},
        {"lookback": 120, "form": "asymmetric", "measure": "es"},
        {"lookback": 120, "form": "indirect-garch"},
    ],
}
WAIVERS = {
    ("caviar_var", "more confidence never lowers it"): (
        "the quantile of each confidence is fitted on its own, and two of them may cross"
    ),
}


def known_path(form, days, *, seed):
    """P&L whose volatility follows the recursion of a form; its quantile then does too."""
    draws = UNIT * np.random.default_rng(seed).standard_t(5, days)
    constant, persistence, gain, loss = TRUE[form]
    out, sigma, state = np.empty(days), np.empty(days), 1.0
    for t, z in enumerate(draws):
        sigma[t] = np.sqrt(state) if form == "indirect-garch" else state
        out[t] = sigma[t] * z
        size = out[t] ** 2 if form == "indirect-garch" else abs(out[t])
        state = constant + persistence * state + (gain if z >= 0 else loss) * size
    return out, sigma


def by_hand(series, coefficients, form, start):
    """The recursions as Engle and Manganelli write them."""
    constant, persistence, gain, loss = coefficients
    out = [start]
    for x in series:
        if form == "indirect-garch":
            out.append(np.sqrt(constant + persistence * out[-1] ** 2 + gain * x**2))
        else:
            out.append(constant + persistence * out[-1] + gain * max(x, 0) + loss * max(-x, 0))
    return np.array(out)


def sample_quantile(series, confidence):
    return np.sort(-series)[-int(np.ceil(round(len(series) * (1 - confidence), 9)))]


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(seed=hs.integers(0, 10**6), gain=hs.floats(0, 1), loss=hs.floats(0, 1))
def test_recursion_and_loss_equal_plain_loops(form, seed, gain, loss):
    series = np.random.default_rng(seed).standard_t(4, 50)
    coefficients = np.array([0.1, 0.8, gain, loss if form == "asymmetric" else gain])
    path = np.empty(51)
    quantiles(series, coefficients, form == "indirect-garch", 1.5, path)
    expected = by_hand(series, coefficients, form, 1.5)
    assert_allclose(path, expected, rtol=1e-12)
    total = sum((0.05 - (x < -q)) * (x + q) for x, q in zip(series, expected[:-1], strict=True))
    assert tick_loss(series, path, 0.05) == pytest.approx(total / 50, rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_known_quantile_is_recovered(form):
    series, sigma = known_path(form, 30_000, seed=4)
    fit = fit_caviar(series, confidence=0.95, form=form)
    z = -UNIT * stats.t.ppf(0.05, 5)
    scale = z**2 if form == "indirect-garch" else z
    constant, persistence, gain, loss = TRUE[form]
    assert fit.converged
    assert fit.persistence == pytest.approx(persistence, abs=0.03)
    found = (fit.constant, fit.gain, fit.fall)
    assert_allclose(found, scale * np.array([constant, gain, loss]), atol=0.06)
    coefficients = (fit.constant, fit.persistence, fit.gain, fit.fall)
    path = by_hand(series, coefficients, form, sample_quantile(series, 0.95))[:-1]
    assert np.sqrt(np.mean((path / (z * sigma) - 1) ** 2)) < 0.03


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("days", "confidence"), [(500, 0.99), (1000, 0.95)])
def test_no_global_search_finds_less_loss(form, days, confidence):
    series, _ = known_path("asymmetric", days, seed=days)
    fit = fit_caviar(series, confidence=confidence, form=form)
    start, squared = sample_quantile(series, confidence), form == "indirect-garch"
    path = np.empty(days + 1)

    def loss(values):
        coefficients = np.array([*values[:3], values[-1]])
        quantiles(series, coefficients, squared, start, path)
        return tick_loss(series, path, 1 - confidence)

    bounds = [(0, start ** (1 + squared)), (0, 0.9999), (0, 5)] + [(0, 5)] * (form == "asymmetric")
    peer = differential_evolution(loss, bounds, rng=1, popsize=20, tol=1e-8, polish=False)
    polished = minimize(loss, peer.x, method="Nelder-Mead", bounds=bounds)
    assert fit.tick_loss <= min(peer.fun, polished.fun) * (1 + 1e-3)
    assert loss(polished.x) < loss([start ** (1 + squared), 0, 0, 0])  # a still quantile loses more


def test_refits_are_the_fits_of_their_windows():
    series, _ = known_path("asymmetric", 1500, seed=6)
    for form in FORMS:
        rolling = RollingCaviar(1, confidence=0.95, form=form)
        with counting_fits() as fits:
            for end in range(1000, 1501, 100):
                window = np.ascontiguousarray(series[end - 1000 : end])
                rolling.refit(window[None, :])
                alone = fit_caviar(window, confidence=0.95, form=form).tick_loss
                assert rolling.outcome[0, 1] == alone
        assert ended(fits) == (12, 0)


@pytest.mark.parametrize("form", FORMS)
def test_no_random_start_loses_less_on_real_prices(form, real_market):
    """Begun where the last fit ended, two of eight windows stopped in a higher valley."""
    rng, shocks = np.random.default_rng(2), real_market.shocks(1)[1:]
    squared, confidence, days = form == "indirect-garch", 0.99, 1000
    for factor in ("BTC", "10Y"):
        column = shocks[:, real_market.column(factor)]
        for end in range(days, len(column), 450):
            series = np.ascontiguousarray(column[end - days : end])
            series = series / np.sqrt(np.mean(series**2))
            start = sample_quantile(series, confidence)
            size = np.mean(series**2) if squared else np.abs(series).mean()
            problem = Problem(series, squared, 1 - confidence, start, size, np.empty(days + 1))
            least = np.inf
            for _ in range(30):
                free = rng.normal([np.log(start) * (1 + squared), 2.0, 0.0, 0.0], [0.7, 2, 2, 1])
                free[3] = free[3] if form == "asymmetric" else 0.0
                axes = 4 if form == "asymmetric" else 3
                least = min(least, search_again(free, 0.8, axes, problem)[0])
            fit = fit_caviar(series, confidence=confidence, form=form)
            assert fit.tick_loss <= least * (1 + 1e-3)


def test_a_failed_fit_is_counted_and_keeps_the_last_good_one():
    series, _ = known_path("symmetric", 400, seed=3)
    good = series[None, :].copy()
    rolling = RollingCaviar(1, confidence=0.95)
    still = sample_quantile(series, 0.95)
    assert rolling.tails(good)[0, 0] == pytest.approx(still)  # before any fit
    with counting_fits() as fits:
        rolling.refit(good)
        kept, bad = rolling.coefficients.copy(), good.copy()
        bad[0, 7] = np.nan
        rolling.refit(bad)
        assert ended(fits) == (2, 1)
        assert_array_equal(rolling.coefficients, kept)
        rolling.refit(np.abs(good))  # what never loses is not a failure
    assert ended(fits) == (2, 1)
    worst = np.sort(-np.abs(series))[-20:]
    assert_allclose(rolling.tails(np.abs(good))[:, 0], (worst[0], worst.mean()))
    assert_array_equal(rolling.tails(np.zeros_like(good)), 0.0)


@pytest.mark.parametrize("form", FORMS)
def test_a_fit_scales_with_its_series_and_refuses_what_it_cannot_fit(form):
    series, _ = known_path(form, 600, seed=8)
    one, four = (fit_caviar(x, confidence=0.95, form=form) for x in (series, 4.0 * series))
    power = 16.0 if form == "indirect-garch" else 4.0
    assert four.constant == pytest.approx(power * one.constant, rel=1e-12)
    assert (four.persistence, four.gain, four.fall) == (one.persistence, one.gain, one.fall)
    assert four.tick_loss == pytest.approx(4.0 * one.tick_loss, rel=1e-12)
    with pytest.raises(bt.StudyError, match="not finite"):
        fit_caviar(np.append(series, np.nan), confidence=0.95, form=form)
    with pytest.raises(bt.StudyError, match="without losses"):
        fit_caviar(np.abs(series), confidence=0.95, form=form)
    with pytest.raises(bt.StudyError, match="hold no day beyond it"):
        fit_caviar(series[:90], confidence=0.99, form=form)


def test_the_shortfall_has_the_least_loss_given_the_quantile_and_is_the_true_one():
    series, sigma = known_path("symmetric", 30_000, seed=9)
    z = -UNIT * stats.t.ppf(0.05, 5)
    coefficients, out = np.array([TRUE["symmetric"]]), np.empty((2, 1))
    coefficients[0] *= (z, 1.0, z, z)
    tail_rows(series[None, :], coefficients, False, 0.05, 1500, out)
    path = by_hand(series, coefficients[0], "symmetric", sample_quantile(series, 0.95))[:-1]

    def loss(ratio):
        return fz0_loss(-series, path, ratio * path, confidence=0.95).mean()

    ratio = out[1, 0] / out[0, 0]
    best = minimize_scalar(loss, bounds=(1.01, 3), method="bounded", options={"xatol": 1e-9}).x
    assert ratio == pytest.approx(best, rel=1e-6)
    t = stats.t.ppf(0.05, 5)
    true = UNIT * stats.t.pdf(t, 5) / 0.05 * (5 + t**2) / 4
    assert ratio == pytest.approx(true / z, rel=0.03)


@pytest.mark.parametrize("form", FORMS)
def test_forecasts_of_one_coin_by_hand(form):
    series, _ = known_path("asymmetric", 420, seed=12)
    market = coin_market(0.01 * series)
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    model = st.CaviarVaR(lookback=400, form=form, refit_every=1000)
    forecast = model.forecast(market, book, bt.Coverage(confidence=0.95, mpor=2))
    shocks = market.shocks(1)[:, 0] * np.sqrt(2)
    fit = fit_caviar(shocks[1:401], confidence=0.95, form=form)
    window = shocks[11:411]
    coefficients = (fit.constant, fit.persistence, fit.gain, fit.fall)
    path = by_hand(window, coefficients, form, sample_quantile(window, 0.95))
    assert forecast.value_at_risk[410, 0] == pytest.approx(path[-1], rel=1e-9)
    beyond = np.maximum(-window / path[:-1] - 1, 0).sum() / 20
    assert forecast.expected_shortfall[410, 0] == pytest.approx(path[-1] * (1 + beyond), rel=1e-9)
    assert forecast.pit is None and np.isnan(forecast.value_at_risk[:400]).all()


def test_its_exceedances_cannot_be_foretold_where_those_of_history_can():
    series, _ = known_path("indirect-garch", 4000, seed=21)
    market = coin_market(0.01 * series)
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    coverage = bt.Coverage(confidence=0.95, mpor=1)
    loss = book.loss(market, coverage).sum(axis=2)[1000:-1, 0]
    pvalues = {}
    for name, model in {
        "caviar": st.CaviarVaR(form="indirect-garch", refit_every=100),
        "history": st.HistoricalVaR(lookback=1000),
    }.items():
        required = model.margin(market, book, coverage)[1000:-1, 0]
        pvalues[name] = dynamic_quantile(loss > required, required, confidence=0.95).pvalue
        if name == "caviar":
            assert (loss > required).mean() == pytest.approx(0.05, abs=0.01)
    assert pvalues["caviar"] > 0.05
    assert pvalues["history"] < 1e-4
