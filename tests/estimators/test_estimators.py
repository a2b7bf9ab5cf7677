"""Estimators against arch, scipy, published numbers and plain loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as h
from numpy.testing import assert_allclose, assert_array_equal, assert_array_less
from scipy import stats
from scipy.optimize import minimize
from scipy.special import ndtri, psi

import backtest as bt
import strategies as st
from backtest.estimators.cornish_fisher import cornish_fisher_tail, rises_everywhere
from backtest.estimators.correlation import (
    correlation_of,
    dcc_covariance,
    ewma_covariance,
    shrunk_covariance,
    tail_correlation,
)
from backtest.estimators.ewma import ewma_variance
from backtest.estimators.extreme import fit_pareto
from backtest.estimators.fits import counting_fits
from backtest.estimators.garch import RollingGarch, fit_garch, rolling_variance
from backtest.estimators.innovations import unit_probability, unit_tail
from backtest.kernels.garch import digamma, invert, student_freedom
from backtest.kernels.garch_fit import WALL, climbs_known, loss_and_slope, minimise
from backtest.kernels.garch_peaks import STARTS, begin
from backtest.kernels.pareto import LEAST_SHAPE, MOST_SHAPE, OUTCOMES, peaks_tail
from backtest.types import StudyError
from tests.support.fits import ended
from tests.support.markets import garch_path
from tests.support.places import PEER_DATA, needs_peer_data

VARIANTS = [(False, False), (False, True), (True, False), (True, True)]


def arch_fit(series, *, leverage, student):
    from arch import arch_model

    scale = np.sqrt(np.mean(series**2))
    model = arch_model(
        series / scale,
        mean="Zero",
        vol="GARCH",
        p=1,
        o=int(leverage),
        q=1,
        dist="t" if student else "normal",
        rescale=False,
    )
    fitted = model.fit(disp="off", backcast=1.0, show_warning=False)
    return fitted, fitted.loglikelihood - len(series) * np.log(scale), scale


@needs_peer_data
def test_garch_meets_the_published_benchmark():
    returns = np.loadtxt(PEER_DATA / "dmbp.csv", skiprows=1)
    fit = fit_garch(returns + 0.00619041, student=False)  # the published mean, at its optimum
    # Bollerslev & Ghysels (1996): the figures are published to six digits.
    published = (0.0107613, 0.153134, 0.805974)
    assert_allclose((fit.omega, fit.alpha, fit.beta), published, atol=1e-5)
    # Their backcast is taken about the sample mean, which is not the mean of the optimum.
    assert fit.log_likelihood == pytest.approx(-1106.6066, abs=2e-3)


@pytest.mark.parametrize(("leverage", "student"), VARIANTS)
def test_garch_is_that_of_arch(leverage, student):
    series = garch_path(1000, seed=5, leverage=0.06)
    fit = fit_garch(series, leverage=leverage, student=student)
    peer, likelihood, scale = arch_fit(series, leverage=leverage, student=student)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-4)
    found = [fit.omega / scale**2, fit.alpha, fit.gamma, fit.beta]
    expected = [peer.params.get(n, 0.0) for n in ("omega", "alpha[1]", "gamma[1]", "beta[1]")]
    assert_allclose(found, expected, atol=2e-3)
    if student:
        assert fit.freedom == pytest.approx(peer.params["nu"], rel=5e-3)


def arch_best(series):
    """Largest log-likelihood that arch reaches from its own start and from six more."""
    from arch import arch_model

    scale = np.sqrt(np.mean(series**2))
    model = arch_model(series / scale, mean="Zero", vol="GARCH", dist="t", rescale=False)
    starts = [(p, s, nu) for p, s in ((0.99, 0.05), (0.6, 0.3), (0.3, 0.8)) for nu in (3.0, 8.0)]
    reached = []
    for start in (None, *([1 - p, p * s, p * (1 - s), nu] for p, s, nu in starts)):
        fit = model.fit(disp="off", backcast=1.0, show_warning=False, starting_values=start)
        reached.append(fit.loglikelihood)
    return max(reached) - len(series) * np.log(scale)


def test_refits_lose_no_likelihood_against_arch():
    series = garch_path(900, seed=11)
    garch = RollingGarch(1)
    with counting_fits() as fits:
        for end in range(500, 901, 80):
            window = series[end - 500 : end]
            garch.refit(np.ascontiguousarray(window)[None, :])
            assert garch.outcome[0, 1] >= arch_best(window) - 0.01
    assert ended(fits) == (6, 0)


def test_refits_reach_the_highest_peak_on_real_prices(real_market):
    """Begun where the last fit ended, 5 of 44 on the 10-year lay .3 or more below another peak."""
    shocks = real_market.shocks(1)[1:]
    garch = RollingGarch(1)
    for factor in ("10Y", "BTC"):
        column = np.ascontiguousarray(shocks[:, real_market.column(factor)])
        for end in range(500, len(column), 300):
            window = column[end - 500 : end]
            garch.refit(window[None, :])
            assert garch.outcome[0, 0] == 1.0
            assert garch.outcome[0, 1] >= arch_best(window) - 0.01


def climbed(series, leverage, student, size, rng):
    """Minus the log-likelihood at the end of one search from a random place."""
    free = rng.uniform([-7, -1.5, -4, -2, -3, -1], [0.5, 6, 2, 2, 4, 1])[:size]
    free[3] = free[3] if leverage else 0.0
    curvature, scratch = np.eye(size) * 20.0 / len(series), np.empty((2, len(series) + 1))
    return minimise(
        series, leverage, student, free, curvature, scratch, 1e-7, free[None][:0], free[:0]
    )[0]


@given(size=h.integers(0, 70), seed=h.integers(0, 2**32 - 1))
def test_shared_divisions_give_reciprocals(size, seed):
    values = np.exp(np.random.default_rng(seed).uniform(-50, 50, 70))
    found = values.copy()
    invert(found, size)
    assert_allclose(found[:size], 1.0 / values[:size], rtol=1e-14)
    assert_array_equal(found[size:], values[size:])


def test_searches_of_a_normal_law_stand_apart_in_what_it_has_alone():
    """Were they begun at other degrees of freedom, one peak would pass for two."""
    free = np.empty(5)
    for start in STARTS:
        begin(start, False, False, free)
        assert free[4] == 0.0


def test_a_search_ends_early_on_a_known_peak_alone():
    peaks, heights = np.zeros((2, 5)), np.array([10.0, np.inf])
    near, far, gain = np.full(5, 0.05), np.full(5, 0.5), 1e-3
    assert climbs_known(10.001, gain, near, peaks, heights)
    assert not climbs_known(9.999, gain, near, peaks, heights)  # already above it
    assert not climbs_known(10.001, 0.1, near, peaks, heights)  # much to gain yet
    assert not climbs_known(10.001, gain, far, peaks, heights)
    assert not climbs_known(10.001, gain, near, peaks[1:], heights[1:])  # still under way itself
    peaks[0, 4], near[4] = 5.0, WALL  # normal tails at both
    assert climbs_known(10.001, gain, near, peaks, heights)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("leverage", "student", "skewed", "missed"),
    [(False, True, False, 0.0), (True, True, False, 0.02), (False, False, False, 0.0),
     (False, True, True, 0.01), (True, True, True, 0.02)],
)  # fmt: skip
def test_how_many_fits_miss_the_highest_peak(leverage, student, skewed, missed, real_market):
    """Share of windows more than .01 below the best of forty random starts; docs/fits.md."""
    rng, shocks, short = np.random.default_rng(4), real_market.shocks(1)[1:], []
    size = 6 if skewed else 5
    for days in (250, 500, 1000):
        for factor in ("3M", "2Y", "10Y", "30Y", "BTC", "ETH"):
            column = shocks[:, real_market.column(factor)]
            for end in range(days + 11, len(column), 300):
                window = column[end - days : end]
                window = np.ascontiguousarray(window / np.sqrt(np.mean(window**2)))
                best = min(climbed(window, leverage, student, size, rng) for _ in range(40))
                garch = RollingGarch(1, leverage=leverage, student=student, skewed=skewed)
                garch.refit(window[None, :])
                short.append(-garch.outcome[0, 1] - best)
    assert np.mean(np.array(short) > 0.01) <= missed


@pytest.mark.parametrize("leverage", [False, True])
def test_a_refit_is_a_function_of_its_window_alone(leverage, real_market):
    """Not of the windows before it, or a margin would depend on the first day of the study."""
    column = real_market.shocks(1)[1:, real_market.column("10Y")]
    young, old = (RollingGarch(1, leverage=leverage) for _ in range(2))
    for end in (700, 720, 740):
        old.refit(np.ascontiguousarray(column[end - 500 : end])[None, :])
    young.refit(np.ascontiguousarray(column[240:740])[None, :])
    assert_array_equal(young.coefficients, old.coefficients)
    assert_array_equal(young.outcome, old.outcome)


def test_a_fit_says_that_it_has_a_rival_or_stands_at_an_edge(real_market):
    series = garch_path(2000, seed=3)
    fit = fit_garch(series)
    assert fit.second_peak == np.inf and not fit.at_edge
    column = real_market.shocks(1)[1:, real_market.column("10Y")]
    fits = [fit_garch(column[end - 500 : end]) for end in range(500, len(column), 100)]
    rivals = [fit.second_peak for fit in fits if np.isfinite(fit.second_peak)]
    assert rivals and min(rivals) > 0.0


@pytest.mark.parametrize(("leverage", "student"), VARIANTS)
@pytest.mark.parametrize("persistence", [0.5, 3.5, 9.0])
def test_the_slope_is_that_of_the_likelihood(leverage, student, persistence):
    series = garch_path(300, seed=2)
    series /= np.sqrt(np.mean(series**2))
    free = np.array([0.2, persistence, -1.5, 0.3 if leverage else 0.0, 1.2])
    scratch, slope = np.empty((2, 301)), np.empty(5)
    loss_and_slope(free, series, leverage, student, scratch, slope)
    for i in range(5):
        if (i == 3 and not leverage) or (i == 4 and not student):
            assert slope[i] == 0.0
            continue
        up, down = free.copy(), free.copy()
        up[i] += 1e-6
        down[i] -= 1e-6
        ends = [
            loss_and_slope(at, series, leverage, student, scratch, np.empty(5)) for at in (up, down)
        ]
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-4)


def test_a_volatility_that_never_changes_is_fitted_all_the_same():
    """Without clusters the likelihood is flat in most directions: no fit may fail for that."""
    rows = np.random.default_rng(21).standard_t(8, (40, 500))
    for leverage, student in VARIANTS:
        garch = RollingGarch(40, leverage=leverage, student=student)
        garch.refit(rows)
        assert (garch.outcome[:, 0] == 1.0).all()
    peers = [arch_fit(row, leverage=False, student=True)[1] for row in rows]
    garch = RollingGarch(40)
    garch.refit(rows)
    assert_array_less(np.array(peers) - garch.outcome[:, 1], 0.05)


def test_a_failed_fit_is_counted_and_keeps_the_last_good_one():
    good = garch_path(400, seed=3)[None, :]
    garch = RollingGarch(1)
    with counting_fits() as fits:
        garch.refit(good)
        kept = garch.coefficients.copy()
        bad = good.copy()
        bad[0, 7] = np.nan
        garch.refit(bad)
        assert ended(fits) == (2, 1)
        assert_array_equal(garch.coefficients, kept)
        garch.refit(np.zeros_like(good))  # what never moves is not a failure
    assert ended(fits) == (2, 1)
    assert (garch.variances(np.zeros_like(good)) == 0.0).all()


def test_a_fit_scales_with_its_series_and_refuses_what_it_cannot_fit():
    series = garch_path(600, seed=8)
    one, four = fit_garch(series), fit_garch(4.0 * series)
    assert four.omega == pytest.approx(16.0 * one.omega, rel=1e-12)
    assert (four.alpha, four.beta, four.freedom) == (one.alpha, one.beta, one.freedom)
    for bad in (np.zeros(600), series[:40], np.append(series, np.nan)):
        with pytest.raises(StudyError, match="give 50 or more finite values"):
            fit_garch(bad)


def test_rolling_variance_runs_the_recursion_between_refits():
    series = garch_path(420, seed=4)
    with counting_fits() as fits:
        variance = rolling_variance(series, np.zeros(420, dtype=bool), lookback=300)
    fit = fit_garch(series[:300])
    assert ended(fits) == (1, 0) and np.isnan(variance[:299]).all()
    value = fit.omega + (fit.alpha + fit.beta) * np.mean(series[:300] ** 2)
    for t in range(420):
        value = fit.omega + fit.alpha * series[t] ** 2 + fit.beta * value
        if t >= 299:
            assert variance[t] == pytest.approx(value, rel=1e-10)


def test_ewma_has_its_closed_form():
    x = np.random.default_rng(1).standard_normal(200)
    found = ewma_variance(x[:, None], decay=0.94)[:, 0]
    seed, later = np.mean(x[:17] ** 2), x[17:] ** 2
    weights = 0.06 * 0.94 ** np.arange(len(later))[::-1]
    assert found[-1] == pytest.approx(0.94 ** len(later) * seed + weights @ later, rel=1e-12)
    assert np.isnan(found[:16]).all() and found[16] == pytest.approx(seed, rel=1e-14)


@pytest.mark.parametrize(
    ("confidence", "freedom", "var", "es"),
    [
        (0.975, np.inf, 1.959964, 2.337803),
        (0.99, np.inf, 2.326348, 2.665214),
        (0.995, np.inf, 2.575829, 2.891949),
        (0.975, 4.0, 1.963243, 2.823871),
        (0.99, 4.0, 2.649492, 3.691510),
        (0.995, 4.0, 3.255587, 4.472331),
        (0.975, 6.0, 1.997895, 2.658636),
        (0.99, 6.0, 2.565978, 3.292545),
        (0.995, 6.0, 3.027102, 3.817643),
        (0.975, 3.0, 1.837386, 2.909605),
        (0.99, 3.0, 2.621576, 4.043231),
        (0.995, 3.0, 3.372251, 5.145619),
    ],
)
def test_unit_tails_are_the_tabled_ones(confidence, freedom, var, es):
    found = unit_tail(confidence, freedom)
    assert_allclose(found, (var, es), atol=6e-7)
    assert unit_probability(-found[0], np.array(freedom)) == pytest.approx(1 - confidence)


@pytest.mark.parametrize("moments", [(2.0, 3.0), (-2.0, 6.0), (0.3, -0.5), (-3.0, 15.0)])
@pytest.mark.parametrize("confidence", [0.975, 0.99])
def test_cornish_fisher_outside_its_domain_is_put_in_order(moments, confidence):
    skewness, kurtosis = map(np.array, moments)
    assert not rises_everywhere(skewness, kurtosis)
    z = ndtri((np.arange(1_000_000) + 0.5) / 1e6)
    values = z + (z**2 - 1) * skewness / 6 + (z**3 - 3 * z) * kurtosis / 24
    values -= (2 * z**3 - 5 * z) * skewness**2 / 36
    worst = np.sort(values)[: round(1e6 * (1 - confidence))]
    found = cornish_fisher_tail(confidence, skewness, kurtosis)
    assert_allclose(found, (-worst[-1], -worst.mean()), rtol=1e-4)


@given(h.integers(-40, 40), h.integers(-15, 300), h.sampled_from([0.9, 0.99, 0.999]))
def test_cornish_fisher_in_order_is_what_roots_and_quadrature_give(skewness, kurtosis, confidence):
    """The law of the cubic of a normal draw, from numpy's roots and scipy's normal law."""
    skewness, kurtosis = skewness / 10, kurtosis / 10
    assume(not rises_everywhere(np.array(skewness), np.array(kurtosis)))
    value, shortfall = cornish_fisher_tail(confidence, np.array(skewness), np.array(kurtosis))
    cubic = np.polynomial.Polynomial(
        [-skewness / 6, 1 - kurtosis / 8 + 5 * skewness**2 / 36, skewness / 6]
        + [kurtosis / 24 - skewness**2 / 18]
    )
    roots = (cubic + float(value)).roots()
    real = np.sort(roots.real[np.abs(roots.imag) <= 1e-6 * (1 + np.abs(roots))])
    ends = np.unique(np.clip(np.r_[-9.0, real, 9.0], -9.0, 9.0))
    parts = [(a, b) for a, b in zip(ends, ends[1:], strict=False) if cubic((a + b) / 2) <= -value]
    mass = sum(stats.norm.cdf(b) - stats.norm.cdf(a) for a, b in parts)
    assert mass == pytest.approx(1 - confidence, abs=1e-7)
    z, weight = np.polynomial.legendre.leggauss(200)
    mean = 0.0
    for a, b in parts:
        at = (a + b) / 2 + (b - a) / 2 * z
        mean += (b - a) / 2 * float(weight @ (cubic(at) * stats.norm.pdf(at)))
    assert shortfall == pytest.approx(-mean / (1 - confidence), rel=1e-5, abs=1e-6)


@given(h.floats(-4, 4), h.floats(-1.5, 30))
def test_cornish_fisher_never_asks_less_for_more(skewness, kurtosis):
    tails = [
        cornish_fisher_tail(c, np.array(skewness), np.array(kurtosis))
        for c in (0.9, 0.95, 0.99, 0.999)
    ]
    value, shortfall = np.array(tails).T
    assert (np.diff(value) >= -1e-9).all() and (shortfall >= value - 1e-6).all()


def test_cornish_fisher_of_moments_beyond_all_numbers_warns_of_nothing():
    moments = np.array([1e150, -1e150, 1e200]), np.array([1e300, 0.0, 1e300])
    value, shortfall = cornish_fisher_tail(0.99, *moments)  # a warning is an error in tests
    assert np.isfinite([value[0], shortfall[0]]).all()
    assert not np.isinf([value, shortfall]).any()


def test_cornish_fisher_on_real_prices_has_no_es_below_its_var(real_market):
    """On Bitcoin with 100 days it had, on 43 days, and a margin of zero at 99.9 %."""
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e8]}, index=["coin"]))
    model = st.CornishFisherVaR(lookback=100)
    for confidence in (0.99, 0.999):
        forecast = model.forecast(real_market, book, bt.Coverage(confidence=confidence))
        value, shortfall = forecast.value_at_risk[102:], forecast.expected_shortfall[102:]
        assert (shortfall >= value * (1 - 1e-6)).all() and (value > 0).all()


def test_cornish_fisher_is_the_mean_of_its_quantiles():
    skewness, kurtosis = np.array([-0.5, 0.0, 0.4]), np.array([3.0, 0.0, 2.0])
    value, shortfall = cornish_fisher_tail(0.99, skewness, kurtosis)
    assert value[0] == pytest.approx(3.301284, abs=5e-7)
    assert (value[1], shortfall[1]) == pytest.approx((2.326348, 2.665214), abs=1e-6)
    below = (np.arange(20_000) + 0.5) / 20_000 * 0.01
    quantiles = np.array([cornish_fisher_tail(1 - u, skewness, kurtosis)[0] for u in below])
    assert_allclose(shortfall, quantiles.mean(axis=0), rtol=1e-4)


def test_special_functions_and_freedom_are_those_of_scipy():
    for x in (0.05, 1.0, 2.7, 30.0, 400.0):
        assert digamma(x) == pytest.approx(psi(x), rel=1e-9)
    z = stats.t.rvs(5, size=3000, random_state=9) * np.sqrt(3 / 5)

    def minus_likelihood(nu):
        return -stats.t.logpdf(z, nu, scale=np.sqrt((nu - 2) / nu)).sum()

    from scipy.optimize import minimize_scalar

    expected = minimize_scalar(minus_likelihood, bounds=(2.1, 60), method="bounded").x
    assert student_freedom(z) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2, 0.6])
@pytest.mark.parametrize("count", [50, 400])
def test_pareto_is_as_likely_as_that_of_scipy(shape, count):
    excess = stats.genpareto.rvs(shape, scale=2.0, size=count, random_state=count)
    found = fit_pareto(excess)
    peer_shape, _, peer_scale = stats.genpareto.fit(excess, shape, floc=0, scale=2.0)
    likelihood = stats.genpareto.logpdf(excess, found[0], scale=found[1]).sum()
    peer = stats.genpareto.logpdf(excess, peer_shape, scale=peer_scale).sum()
    assert likelihood >= peer - 1e-6
    if -0.5 < peer_shape < 0.95:
        assert_allclose(found, (peer_shape, peer_scale), rtol=2e-3, atol=2e-3)
    assert_allclose(fit_pareto(3.0 * excess), (found[0], 3.0 * found[1]), rtol=1e-6, atol=1e-7)


def likelihood_of(excess, shape, scale):
    return stats.genpareto.logpdf(excess, shape, scale=scale).sum()


def likeliest(excess):
    """The largest likelihood within the bounds of the shape, by a simplex from ninety places."""

    def minus(place):
        shape, scale = np.clip(place[0], LEAST_SHAPE, MOST_SHAPE), np.exp(place[1])
        return -np.clip(likelihood_of(excess, shape, scale), -1e9, None)

    starts = [
        (shape, np.log(max(np.quantile(excess, q), -1.01 * shape * excess.max(), 1e-6)))
        for shape in np.linspace(LEAST_SHAPE, MOST_SHAPE, 10)
        for q in (0.3, 0.5, 0.8)
    ]
    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    return max(-minimize(minus, s, method="Nelder-Mead", options=options).fun for s in starts)


def excesses(case):
    """Fifty excesses: with an outlier, or with the likeliest shape beyond its bounds."""
    u = (np.arange(49) + 0.5) / 49
    if case == "outlier":
        return np.append(-np.log1p(-u), 1e4)
    if case == "uniform":
        return u
    if case == "heavy":
        return (u**-1.5 - 1) / 1.5
    draws = stats.genpareto.rvs(0.4, size=50, random_state=case)
    draws[0] *= 10.0**case
    return draws.round(1)


@pytest.mark.parametrize("case", ["outlier", "uniform", "heavy", 1, 2, 3, 4])
def test_pareto_is_the_likeliest_within_its_bounds(case):
    excess = excesses(case)
    shape, scale = fit_pareto(excess)
    assert LEAST_SHAPE <= shape <= MOST_SHAPE
    assert likelihood_of(excess, shape, scale) >= likeliest(excess) - 1e-6


def test_pareto_at_an_edge_of_the_shape_has_the_scale_that_belongs_to_it():
    u = (np.arange(2000) + 0.5) / 2000
    assert_allclose(fit_pareto(u), (LEAST_SHAPE, 0.6275), rtol=1e-4)
    assert_allclose(fit_pareto((u**-1.5 - 1) / 1.5), (MOST_SHAPE, 1.3262), rtol=1e-4)


def tail_by_peaks(losses, peaks, level):
    outcome = np.empty(OUTCOMES)
    peaks_tail(losses, peaks, level, outcome)
    return outcome[:2]


def test_peaks_give_the_tail_of_the_law_they_come_from():
    losses = stats.t.rvs(4, size=200_000, random_state=3)
    value, shortfall = tail_by_peaks(losses, 10_000, 0.001)
    exact = stats.t.isf(0.001, 4)
    density = stats.t.pdf(exact, 4)
    assert value == pytest.approx(exact, rel=0.03)
    assert shortfall == pytest.approx(density / 0.001 * (4 + exact**2) / 3, rel=0.05)
    # At the share of the peaks themselves the value at risk is their threshold.
    assert tail_by_peaks(losses, 10_000, 0.05)[0] == pytest.approx(np.sort(losses)[-10_001])


def test_shrinkage_is_the_published_formula():
    x = np.random.default_rng(6).standard_normal((60, 4)) @ np.diag([1.0, 2.0, 0.5, 1.0])
    x[:3, 1] = np.nan
    found, n, p = shrunk_covariance(x, 40), 40, 4
    for day in range(42, 60):
        window = x[day - n + 1 : day + 1]
        centred = window - window.mean(axis=0)
        sample = centred.T @ centred / n
        m = np.trace(sample) / p
        d2 = np.sum((sample - m * np.eye(p)) ** 2) / p
        b2 = sum(np.sum((np.outer(row, row) - sample) ** 2) / p for row in centred) / n**2
        b2 = min(b2, d2)
        expected = b2 / d2 * m * np.eye(p) + (d2 - b2) / d2 * sample
        assert 0.05 < b2 / d2 < 0.95
        assert_allclose(found[day], expected, rtol=1e-12)
    assert np.isnan(found[:42]).all()


@pytest.mark.parametrize("width", [1, 3])
def test_shrinkage_keeps_the_total_variance(width):
    still = np.full((30, width), 0.3)
    assert_array_equal(shrunk_covariance(still, 20)[19:], 0.0)
    x = np.random.default_rng(2).standard_normal((20, width))
    (found,) = shrunk_covariance(x, 20)[19:]
    variance = x.var(axis=0)
    if width == 1:  # its own target
        assert_allclose(found, variance[:, None], rtol=1e-12)
    assert np.trace(found) == pytest.approx(variance.sum(), rel=1e-12)


def test_correlations_that_move_equal_their_loops():
    z = np.random.default_rng(7).standard_normal((60, 3))
    z[:2] = np.nan
    ewma = ewma_covariance(z, 0.9, seed_days=10)
    state = z[2:12].T @ z[2:12] / 10
    for day in range(12, 60):
        state = 0.9 * state + 0.1 * z[day][:, None] * z[day][None, :]
    assert_allclose(ewma[-1], state, rtol=1e-12)
    dcc = dcc_covariance(z, reaction=0.05, persistence=0.95, lookback=20)
    q = np.cov(z[2:22].T, bias=True)
    for day in range(22, 60):
        target = np.cov(z[day - 19 : day + 1].T, bias=True)
        q = 0.05 * target + 0.05 * np.outer(z[day], z[day]) + 0.90 * q
    assert_allclose(dcc[-1], q, rtol=1e-12)
    for found in (correlation_of(ewma), correlation_of(dcc)):
        assert np.isnan(found[10]).all() and (np.diagonal(found[-1]) == 1.0).all()
        assert np.linalg.eigvalsh(found[-1]).min() > 0.0


def test_tail_correlation_is_the_usual_one_but_where_crashes_are_shared():
    rng = np.random.default_rng(13)
    mixing = np.sqrt(4 / rng.chisquare(4, 20_000))[:, None]
    joint = rng.multivariate_normal([0, 0], [[1, -0.4], [-0.4, 1]], 20_000) * mixing
    assert tail_correlation(joint, 20_000, tail=0.05)[-1, 0, 1] == pytest.approx(-0.4, abs=0.04)
    apart = rng.standard_normal((4000, 2))
    crash = rng.random(4000) < 0.03
    apart[crash] = -4.0 + 0.5 * rng.standard_normal((crash.sum(), 2))
    usual = np.corrcoef(apart.T)[0, 1]
    assert tail_correlation(apart, 4000, tail=0.02)[-1, 0, 1] > usual + 0.2
    z = apart[100:160] / np.sqrt((apart[100:160] ** 2).mean(axis=0))
    plus, minus = (np.sort(np.abs(z[:, 0] + side * z[:, 1]))[-6] ** 2 for side in (1, -1))
    found = tail_correlation(apart[:160], 60, tail=0.1)
    assert found[-1, 0, 1] == pytest.approx((plus - minus) / (plus + minus), rel=1e-12)
    assert np.isnan(found[:59]).all()
