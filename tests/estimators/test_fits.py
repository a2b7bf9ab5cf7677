"""Certificates: how many fits ended at a bound, had a rival, or beat their reference by little."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import backtest as bt
import strategies as st
from backtest.estimators.caviar import RollingCaviar
from backtest.estimators.cornish_fisher import rises_everywhere
from backtest.estimators.fits import RIVAL, counting_fits
from backtest.estimators.garch import RollingGarch, fit_garch
from backtest.kernels.pareto import LEAST_SHAPE, MOST_SHAPE, OUTCOMES, fit_excesses, peaks_tail


def windows(market, factor, days, step):
    column = market.shocks(1)[1:, market.column(factor)]
    return [np.ascontiguousarray(column[e - days : e]) for e in range(days, len(column), step)]


@pytest.mark.parametrize("leverage", [False, True])
def test_a_certificate_counts_what_single_fits_say(leverage, real_market):
    series = windows(real_market, "10Y", 500, 120)
    with counting_fits() as counted:
        RollingGarch(len(series), leverage=leverage).refit(np.array(series))
    [(law, certificate)] = counted.items()
    assert law == ("GJR-t" if leverage else "GARCH-t")
    fits = [fit_garch(window, leverage=leverage) for window in series]
    second_peaks = np.array([fit.second_peak for fit in fits])
    at_rest = [stats.norm.logpdf(w, scale=np.sqrt(np.mean(w**2))).sum() for w in series]
    gains = [fit.log_likelihood - rest for fit, rest in zip(fits, at_rest, strict=True)]
    assert (certificate.tried, certificate.failed) == (len(series), 0)
    assert certificate.at_bound == sum(fit.at_edge for fit in fits)
    assert certificate.rivals == np.count_nonzero(second_peaks <= RIVAL)
    assert certificate.closest == second_peaks.min()
    assert certificate.least_gain == pytest.approx(min(gains), abs=1e-9) and min(gains) > 0.0


def test_freedom_at_its_floor_is_counted(real_market):
    shocks = np.array(windows(real_market, "BTC", 500, 600)[:1])
    shocks[0, np.arange(500) % 20 > 0] = 0.0
    with counting_fits() as counted:
        RollingGarch(1).refit(shocks)
    assert counted["GARCH-t"].at_floor == counted["GARCH-t"].at_bound == 1


def test_a_tail_law_says_its_bound_its_gain_and_its_second_peak():
    u = (np.arange(400) + 0.5) / 400
    for excess, bound in ((u, 1.0), (u**-1.5 - 1.0, 1.0), (-np.log(u), 0.0), (u**-0.3 - 1.0, 0.0)):
        outcome = np.empty(OUTCOMES)
        peaks_tail(np.append(1.0 + excess, np.zeros(3600)), 399, 0.01, outcome)
        assert outcome[4] == bound
        shape, scale, gain, _ = fit_excesses(excess)
        law = stats.genpareto.logpdf(excess, shape, scale=scale).sum()
        assert gain == pytest.approx(law - stats.expon.logpdf(excess, scale=excess.mean()).sum())
        assert gain > -1e-9


def test_the_second_peak_of_a_tail_law_is_that_of_its_profile():
    """Half of the excesses small, half of them large: a heavy law and a bounded one fit as well."""
    excess = np.append(-0.01 * np.log((np.arange(20) + 0.5) / 20), np.linspace(0.5, 1.0, 24))
    shape, scale, _, gap = fit_excesses(excess)
    ratios = np.expm1(np.linspace(-7.0, 9.0, 20_000)) / excess.max()
    logs = np.array([np.log1p(ratio * excess).mean() for ratio in ratios])
    shapes = np.clip(logs, LEAST_SHAPE, MOST_SHAPE)
    value = len(excess) * (-np.log(shapes / ratios) - (1.0 + 1.0 / shapes) * logs)
    inside = np.flatnonzero((value[1:-1] > value[:-2]) & (value[1:-1] > value[2:])) + 1
    peaks = np.sort(value[inside])[::-1]
    best = stats.genpareto.logpdf(excess, shape, scale=scale).sum()
    assert len(peaks) == 2 and best == pytest.approx(peaks[0], abs=1e-4)
    # The second maximum is that of the coarse grid, a little below its top.
    assert peaks[0] - peaks[1] <= gap < peaks[0] - peaks[1] + 0.5


def test_a_quantile_recursion_says_what_it_gains_on_the_sample_quantile(real_market):
    [series, *_] = windows(real_market, "BTC", 1000, 900)
    fitted = RollingCaviar(1, 0.99)
    with counting_fits() as counted:
        fitted.refit(series[None, :])
    quantile = np.sort(-series)[-10]
    beyond = -series - quantile
    constant = np.where(beyond > 0, 0.99, -0.01) * beyond
    expected = 1000 * np.log(constant.mean() / fitted.outcome[0, 1])
    certificate = counted["CAViaR symmetric"]
    assert certificate.least_gain == pytest.approx(expected, abs=1e-3) and expected > 0.0
    assert certificate.tried == 1


def test_an_expansion_outside_its_domain_is_counted(real_market):
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e8]}, index=["coin"]))
    with counting_fits() as counted:
        st.CornishFisherVaR(lookback=100).margin(real_market, book, bt.Coverage(mpor=1))
    shocks = real_market.shocks(1)[1:, real_market.column("BTC")]
    sample = np.lib.stride_tricks.sliding_window_view(shocks, 100)
    outside = ~rises_everywhere(stats.skew(sample, axis=1), stats.kurtosis(sample, axis=1))
    certificate = counted["Cornish-Fisher"]
    assert (certificate.tried, certificate.at_bound) == (len(sample), outside.sum())
    assert 0 < certificate.at_bound < certificate.tried
