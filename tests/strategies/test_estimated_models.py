"""The models built from estimators: slow twins, single instruments by hand, and their laws."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import backtest as bt
import strategies as st
from backtest.book.closeout import Closeout
from backtest.config.models import build_model
from backtest.estimators.ewma import memory
from backtest.estimators.fits import counting_fits
from backtest.instruments import by_factor
from backtest.kernels.aged_tail import aged_tail
from backtest.model.delta_gamma import book_scenarios
from backtest.model.protocol import Forecast, HasForecast
from backtest.model.revaluation import priced_scenarios
from backtest.model.volatility_scaled import FactorVolatility, volatility_scaled
from backtest.replay.forecasts import forecast_table, model_forecasts
from backtest.scores.forecasts.density import berkowitz
from backtest.studies.run.tables import forecasts_table
from tests.support.fits import ended
from tests.support.markets import coin_market, garch_path, random_market

COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
DAY = 250
CONTRACT = {
    "age_weighted": [{"lookback": 60}, {"lookback": 60, "decay": 0.97, "measure": "es"}],
    "filtered_historical": [
        {"lookback": 60},
        {"lookback": 60, "scaling": "sqrt", "measure": "es", "decay": 0.94},
        {"lookback": 60, "volatility": "gjr", "fit_lookback": 80, "refit_every": 15},
    ],
    "ewma_var": [
        {"lookback": 60},
        {"lookback": 60, "innovations": "t", "measure": "es"},
        {"lookback": 60, "innovations": "skew-t"},
    ],
    "garch_var": [
        {"lookback": 80, "refit_every": 15},
        {"lookback": 80, "leverage": True, "innovations": "normal", "measure": "es"},
        {"lookback": 80, "refit_every": 15, "innovations": "skew-t"},
    ],
    "cornish_fisher_var": [{"lookback": 60}, {"lookback": 60, "measure": "es"}],
    "extreme_value_var": [
        {"lookback": 120, "peaks": 0.2, "volatility": "ewma"},
        {"lookback": 120, "peaks": 0.2, "refit_every": 15, "measure": "es"},
    ],
    "variance_covariance": [
        {"lookback": 60},
        {"lookback": 60, "correlation": "ewma", "freedom": 5.0, "measure": "es"},
        {"lookback": 60, "correlation": "dcc", "volatility": "garch", "fit_lookback": 80},
        {"lookback": 60, "correlation": "shrunk"},
        {"lookback": 60, "correlation": "tail", "tail": 0.1},
        {"lookback": 60, "correlation": "stressed", "stress": 0.5},
    ],
    "copula_var": [{"lookback": 60, "draws": 500}],
    "stressed_var": [
        {"lookback": 60, "windows": [["2020-03-01", "2020-06-30"]]},
        {
            "lookback": 60,
            "windows": [["2020-05-01", "2020-08-30"]],
            "weight": 0.25,
            "floored": False,
            "measure": "es",
        },
    ],
}


@pytest.fixture(scope="module")
def bitcoin(small_market):
    """One dollar of one coin, and its one-day shocks."""
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    return book, small_market.shocks(1)[:, small_market.column("BTC")]


def ewma_by_hand(shocks, decay):
    out, begin = np.full(len(shocks), np.nan), memory(decay)
    out[begin] = np.mean(shocks[1 : begin + 1] ** 2)
    for t in range(begin + 1, len(shocks)):
        out[t] = decay * out[t - 1] + (1 - decay) * shocks[t] ** 2
    return np.sqrt(out)


class Foreseen(FactorVolatility):
    """The same given volatility (days,) of every factor."""

    def __init__(self, market, volatility):
        super().__init__(market)
        self._estimated.update(dict.fromkeys(range(len(market.factors)), volatility))


def test_filtered_scenarios_equal_a_plain_loop(small_market, small_book):
    model = st.FilteredHistorical(lookback=100, decay=0.94, measure="es")
    found = model.margin(small_market, small_book, COVERAGE)
    shocks = small_market.shocks(2)
    one = small_market.shocks(1)
    sigma = np.column_stack([ewma_by_hand(column, 0.94) for column in one.T])
    sensitivities = [by_factor(i, small_market) for i in small_book.instruments]
    losses = np.zeros((100, 4))
    for row, s in enumerate(range(DAY - 99, DAY + 1)):
        for i, instrument in enumerate(small_book.instruments):
            f = small_market.column(instrument.factor)
            shock = shocks[s, f] / sigma[s - 2, f] * sigma[DAY, f]
            delta, gamma = sensitivities[i][instrument.factor][DAY]
            losses[row] -= small_book.exposure[:, i] * (delta * shock + gamma * shock**2 / 2)
    assert_allclose(found[DAY], np.sort(losses, axis=0)[-5:].mean(axis=0), rtol=1e-9)


def test_a_volatility_that_never_moves_filters_nothing(option_market):
    frame = pd.DataFrame({"SPY-PUT-30D": [-1e7], "SPY": [2e6], "UST10Y": [1e7]}, index=["all"])
    book = bt.Book.from_frame(frame, option_market)
    past = priced_scenarios(option_market, book, coverage=COVERAGE)
    flat = Foreseen(option_market, np.full(len(option_market.dates), 0.37))
    plain, same = past.tails(60, count=3), volatility_scaled(past, flat).tails(60, count=3)
    for one, two in zip(plain, same, strict=True):
        assert_array_equal(np.isnan(one), np.isnan(two))
        assert_allclose(two, one, rtol=1e-9)


def test_an_option_is_revalued_at_the_volatility_of_today(option_market):
    frame = pd.DataFrame({"SPY-PUT-30D": [-1e7]}, index=["short put"])
    book = bt.Book.from_frame(frame, option_market)
    past = priced_scenarios(option_market, book, coverage=COVERAGE)
    twice = np.full(len(option_market.dates), 0.01)
    twice[DAY] = 0.02
    scaled = volatility_scaled(past, Foreseen(option_market, twice))
    window = slice(DAY - 59, DAY + 1)
    put = book.instruments[0]
    expected = put.scenarios(
        option_market, DAY, 2.0 * past.joint[0][window], elapsed=past.elapsed[0][window]
    )
    assert_allclose(scaled.values(DAY, lookback=60)[0], expected, rtol=1e-12)


def test_weights_that_do_not_age_are_historical_simulation(small_market, small_book):
    coverage = bt.Coverage(confidence=0.96)  # 2.4 of 60: no weight stands at the very level
    plain = st.HistoricalVaR(lookback=60).margin(small_market, small_book, coverage)
    flat = st.AgeWeighted(lookback=60, decay=1 - 1e-9)
    assert_allclose(flat.margin(small_market, small_book, coverage), plain, rtol=1e-12)
    assert st.AgeWeighted(lookback=60, decay=0.9).weights().sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(8))
def test_weighted_tails_equal_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(-3, 4, (1, 40)).astype(float)
    weight = rng.random(40)
    weight /= weight.sum()
    found = np.empty((2, 1))
    aged_tail(values, np.ones(1), np.ones((1, 1)), weight, 0.1, *found)
    pairs = sorted(zip(-values[0], weight, strict=True), reverse=True)
    reached = total = 0.0
    for loss, share in pairs:
        taken = min(share, 0.1 - reached)
        total += taken * loss
        reached += taken
        if reached >= 0.1 - 1e-12:
            break
    assert_allclose(found[:, 0], (loss, total / 0.1), rtol=1e-9, atol=1e-12)


def test_ewma_of_one_coin_by_hand(small_market, bitcoin):
    book, shocks = bitcoin
    found = st.EwmaVaR(lookback=100, decay=0.94).margin(small_market, book, COVERAGE)
    window = shocks[DAY - 99 : DAY + 1]
    weights = 0.06 * 0.94 ** np.arange(100)[::-1]
    variance = weights @ window**2 + 0.94**100 * np.mean(window**2)
    expected = np.sqrt(2 * variance) * stats.norm.ppf(0.95)
    assert found[DAY, 0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("leverage", [False, True])
def test_garch_of_one_coin_is_the_forecast_of_arch(leverage, bitcoin):
    from arch import arch_model

    book, _ = bitcoin
    market = coin_market(garch_path(600, seed=5, leverage=0.06))
    shocks = market.shocks(1)[:, 0]
    lookback = 500
    model = st.GarchVaR(lookback=lookback, leverage=leverage, refit_every=1000)
    with counting_fits() as fits:
        forecast = model.forecast(market, book, COVERAGE)
    window = shocks[1 : lookback + 1]
    scale = np.sqrt(np.mean(window**2))
    peer = arch_model(
        window / scale, mean="Zero", vol="GARCH", o=int(leverage), dist="t", rescale=False
    )
    fitted = peer.fit(disp="off", backcast=1.0, show_warning=False)
    variance = fitted.forecast(horizon=1).variance.to_numpy()[-1, 0]
    freedom = fitted.params["nu"]
    unit = stats.t.ppf(0.95, freedom) * np.sqrt((freedom - 2) / freedom)
    expected = scale * np.sqrt(2 * variance) * unit
    assert forecast.value_at_risk[lookback, 0] == pytest.approx(expected, rel=0.01)
    assert ended(fits) == (1, 0)


@pytest.mark.parametrize(
    "model",
    [
        st.GarchVaR(lookback=250),
        st.CaviarVaR(lookback=250),
        st.EwmaVaR(lookback=250, innovations="t"),
        st.ExtremeValueVaR(lookback=250),
        st.FilteredHistorical(lookback=60, volatility="garch", fit_lookback=250),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("later", [7, 20, 33])
def test_a_later_start_changes_no_later_margin(model, later, real_market):
    """Margins once depended on the first day of a study: 1,339,841 on the 10-year for 928,881."""
    window = real_market.rows(slice(1400, 2000))
    book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [1e7]}, index=["both"]))
    early = model.margin(window, book, bt.Coverage())[later:, 0]
    late = model.margin(window.rows(slice(later, None)), book, bt.Coverage())[:, 0]
    # From the second fit on: the first is made as soon as its window is full.
    since = int(np.isnan(late).sum()) + 21
    if isinstance(model, st.FilteredHistorical):
        since += model.lookback  # scenarios are scaled by the volatility of their own days
    np.testing.assert_allclose(late[since:], early[since:], rtol=1e-9)


def test_stale_prices_are_refused_by_name(real_market):
    """Weekly closes carried forward ended at the floor of the freedom and 16,000 USD on 100m."""
    frame = real_market.to_frame()[["10Y", "BTC"]]
    weekly = frame["BTC"].where(np.arange(len(frame)) % 5 == 0).ffill()
    stale = bt.Market.from_frame(frame.assign(BTC=weekly))
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e8]}, index=["coin"]))
    with pytest.raises(bt.StudyError, match=r"GarchVaR\(.*80% of 500 P&Ls are zero.*stale"):
        st.GarchVaR().margin(stale, book, bt.Coverage())
    st.GarchVaR().margin(real_market, book, bt.Coverage())
    for model, named in (
        (st.GarchVaR(leverage=True), r"GarchVaR\(.*, up to 20"),
        (st.GarchVaR(innovations="skew-t"), r"GarchVaR\(.*P&Ls are zero"),
        (st.EwmaVaR(innovations="t"), r"EwmaVaR\(.*P&Ls are zero"),
        (st.EwmaVaR(innovations="skew-t"), r"EwmaVaR\(.*P&Ls are zero"),
        (st.FilteredHistorical(volatility="garch"), "the volatility of BTC .*shocks are zero"),
        (st.VarianceCovariance(volatility="gjr"), "the volatility of BTC .*shocks are zero"),
    ):
        with pytest.raises(bt.StudyError, match=named):
            model.margin(stale, book, bt.Coverage())


def test_a_tail_law_without_losses_is_refused_by_name(real_market):
    """Monthly closes carried forward had a threshold of zero and a margin of 80,000 on 100m."""
    frame = real_market.to_frame()[["10Y", "BTC"]].iloc[1000:1700]
    monthly = frame["BTC"].where(np.arange(len(frame)) % 21 == 0).ffill()
    stale = bt.Market.from_frame(frame.assign(BTC=monthly))
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e8]}, index=["coin"]))
    with pytest.raises(bt.StudyError, match=r"ExtremeValueVaR\(.* losses beyond the threshold, 20"):
        st.ExtremeValueVaR().margin(stale, book, bt.Coverage())


def test_cornish_fisher_of_normal_shocks_is_nearly_normal():
    market = coin_market(0.01 * np.random.default_rng(5).standard_normal(4000))
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    model = st.CornishFisherVaR(lookback=4000, scaling="sqrt")
    found = model.forecast(market, book, bt.Coverage(mpor=1))
    assert found.value_at_risk[-1, 0] == pytest.approx(0.01 * 2.326348, rel=0.05)
    assert found.expected_shortfall[-1, 0] == pytest.approx(0.01 * 2.665214, rel=0.05)


def test_extremes_of_one_coin_by_scipy(small_market, bitcoin):
    book, shocks = bitcoin
    model = st.ExtremeValueVaR(lookback=200, volatility="ewma", decay=0.97, peaks=0.2)
    forecast = model.forecast(small_market, book, bt.Coverage())
    window = shocks[DAY - 199 : DAY + 1]
    variance = np.empty(201)
    variance[0] = np.mean(window**2)
    for t, x in enumerate(window):
        variance[t + 1] = 0.97 * variance[t] + 0.03 * x**2
    losses = np.sort(-window / np.sqrt(variance[:-1]))[::-1]
    threshold = losses[40]
    shape, _, scale = stats.genpareto.fit(losses[:40] - threshold, floc=0)
    value = threshold + scale / shape * ((0.01 * 200 / 40) ** -shape - 1)
    shortfall = (value + scale - shape * threshold) / (1 - shape)
    sigma = np.sqrt(2 * variance[-1])
    assert forecast.value_at_risk[DAY, 0] == pytest.approx(sigma * value, rel=1e-3)
    assert forecast.expected_shortfall[DAY, 0] == pytest.approx(sigma * shortfall, rel=1e-3)


def test_extremes_refuse_what_their_tail_does_not_hold(small_market, bitcoin):
    book, _ = bitcoin
    with pytest.raises(bt.StudyError, match="below the threshold"):
        st.ExtremeValueVaR(lookback=200).margin(small_market, book, bt.Coverage(confidence=0.85))
    with pytest.raises(bt.StudyError, match="raise peaks or lookback"):
        st.ExtremeValueVaR(lookback=200, peaks=0.05).margin(small_market, book, COVERAGE)


def test_variance_covariance_equals_a_plain_loop(small_market, small_book):
    coverage = bt.Coverage(confidence=0.95, mpor={"FICC": 3, "CME": 2})
    model = st.VarianceCovariance(lookback=100, decay=0.94)
    found = model.margin(small_market, small_book, coverage)
    shocks = small_market.shocks(1)
    sigma = np.column_stack([ewma_by_hand(column, 0.94) for column in shocks.T])
    z = shocks[DAY - 99 : DAY + 1] / sigma[DAY - 100 : DAY]
    correlation = np.corrcoef(z.T)
    w = np.zeros((4, len(small_market.factors)))
    sensitivities = [by_factor(i, small_market) for i in small_book.instruments]
    for i, (instrument, days) in enumerate(
        zip(small_book.instruments, Closeout(small_book, coverage).by_instrument, strict=True)
    ):
        f = small_market.column(instrument.factor)
        delta = sensitivities[i][instrument.factor][DAY, 0]
        w[:, f] += small_book.exposure[:, i] * delta * sigma[DAY, f] * np.sqrt(days)
    expected = np.sqrt([row @ correlation @ row for row in w]) * stats.norm.ppf(0.95)
    assert_allclose(found[DAY], expected, rtol=1e-9)
    gross = np.abs(w).sum(axis=1) * stats.norm.ppf(0.95)
    worst = st.VarianceCovariance(lookback=100, decay=0.94, correlation="stressed", stress=1.0)
    assert_allclose(worst.margin(small_market, small_book, coverage)[DAY], gross, rtol=1e-9)


def test_a_factor_held_twice_over_unequal_days_is_one_factor(small_market):
    frame = pd.DataFrame({"UST10Y": [1e8], "UST10Y@CME": [-1e8]}, index=["basis"])
    book = bt.Book.from_frame(frame, small_market)
    model = st.VarianceCovariance(lookback=60)
    equal = model.margin(small_market, book, bt.Coverage(mpor=2))
    unequal = model.margin(small_market, book, bt.Coverage(mpor={"FICC": 8, "CME": 2}))
    alone = model.margin(small_market, book.in_silo("CME"), bt.Coverage(mpor=2))
    known = ~np.isnan(equal[:, 0])
    assert (equal[known] < 1e-6 * alone[known]).all()
    assert_allclose(unequal[known], alone[known], rtol=1e-9)  # sqrt(8) - sqrt(2) = sqrt(2)


def test_stress_counts_once_it_is_known(small_market, small_book):
    window = ("2020-05-01", "2020-06-30")
    plain = st.HistoricalVaR(lookback=60).margin(small_market, small_book, COVERAGE)
    stressed = st.StressedVaR(lookback=60, windows=(window,), weight=1.0, floored=False)
    found = stressed.margin(small_market, small_book, COVERAGE)
    dates = small_market.dates
    chosen = (dates >= np.datetime64(window[0])) & (dates <= np.datetime64(window[1]))
    known = chosen.cumsum() >= 20
    assert_array_equal(found[~known], plain[~known])
    past = book_scenarios(small_market, small_book, coverage=COVERAGE)
    losses = -past.shocks[chosen] @ (past.exposure * past.unit[DAY]).T
    count = int(np.ceil(chosen.sum() * 0.05))
    assert_allclose(found[DAY], np.sort(losses, axis=0)[-count], rtol=1e-9)
    larger = st.StressedVaR(lookback=60, windows=(window,)).margin(
        small_market, small_book, COVERAGE
    )
    assert_allclose(larger, np.maximum(plain, found), rtol=1e-12)


@pytest.mark.parametrize(
    "windows",
    [
        (("2020-13-01", "2020-12-31"),),
        (("2020-05-01", "2020-04-01"),),
        (("2020-01-01", "2020-03-01"), ("2020-02-01", "2020-04-01")),
    ],
)
def test_windows_that_make_no_sense_are_refused(windows):
    with pytest.raises(bt.StudyError, match="stressed_var.windows is"):
        build_model({"kind": "stressed_var", "windows": windows})


DENSITIES = [
    st.EwmaVaR(lookback=60, innovations="t"),
    st.EwmaVaR(lookback=60, innovations="skew-t"),
    st.GarchVaR(lookback=80, leverage=True),
    st.GarchVaR(lookback=80, innovations="skew-t"),
    st.VarianceCovariance(lookback=60, freedom=5.0),
]


@pytest.mark.parametrize("model", DENSITIES, ids=lambda m: type(m).__name__)
def test_a_pit_below_the_level_is_an_exceedance(model, small_market, small_book):
    forecast = model.forecast(small_market, small_book, COVERAGE)
    loss = small_book.loss(small_market, COVERAGE).sum(axis=2)
    known = ~np.isnan(forecast.value_at_risk) & ~np.isnan(loss)
    assert isinstance(model, HasForecast)
    assert_array_equal(np.isnan(forecast.pit), ~known)
    exceeds = loss[known] > forecast.value_at_risk[known]
    assert_array_equal(forecast.pit[known] < 0.05, exceeds)
    assert exceeds.any()
    assert (forecast.expected_shortfall[known] > forecast.value_at_risk[known]).all()


@pytest.mark.parametrize("model", DENSITIES, ids=lambda m: type(m).__name__)
def test_a_pit_knows_no_more_than_the_loss_it_judges(model, small_market, small_book):
    whole = model.forecast(small_market, small_book, COVERAGE).pit
    for cut in (150, 220):
        known = model.forecast(small_market.until(cut), small_book, COVERAGE).pit
        assert_array_equal(np.isnan(known[-2:]), True)
        assert_allclose(known[:-2], whole[: cut - 1], rtol=1e-9)


def test_the_pit_is_uniform_where_the_model_is_right():
    market = random_market(1500, seed=12)
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    model = st.EwmaVaR(lookback=500, decay=0.99, innovations="t")
    pit = model.forecast(market, book, bt.Coverage(mpor=1)).pit[500:-1, 0]
    assert stats.kstest(pit, "uniform").pvalue > 0.01


def test_the_pit_tells_the_right_density_from_wrong_ones():
    """On a GARCH-t the GARCH-t passes every test; constant and normal densities fail some."""
    market = coin_market(garch_path(3000, seed=32))
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["coin"]))
    one_day = bt.Coverage(mpor=1)
    models = {
        "right": st.GarchVaR(lookback=1000, refit_every=100),
        "normal": st.GarchVaR(lookback=1000, refit_every=100, innovations="normal"),
        "slow": st.EwmaVaR(lookback=1000, decay=0.999, innovations="t"),
    }
    forecasts = model_forecasts(models, market, book, coverage=one_day)
    scored = forecasts[forecasts["date"].isin(market.dates[1000:-1])]
    table = forecast_table(scored, confidence=0.99, horizon=1).droplevel("portfolio")
    tests = ["shortfall_p", "berkowitz_p", "berkowitz_tail_p", "histogram_p"]
    assert (table["observations"] == 2000).all()
    assert (table.loc["right", tests] > 0.05).all()
    assert table.loc["normal", "shortfall_p"] < 0.05
    assert table.loc["normal", "berkowitz_tail_p"] < 0.01
    assert (table.loc["right", "fz0"] < table.loc[["normal", "slow"], "fz0"]).all()
    pit = scored.loc[scored["model"] == "right", "pit"].to_numpy()
    assert table.loc["right", "berkowitz_p"] == berkowitz(pit).pvalue


@pytest.mark.parametrize(
    ("pit", "words"), [(np.ones(3), "forecasts a pit of shape"), (None, "pit of 2; it is a prob")]
)
def test_forecasts_that_make_no_sense_are_refused(pit, words, small_market, bitcoin):
    known = np.ones((260, 1))

    class Odd:
        def margin(self, market, book, coverage):
            return known

        def forecast(self, market, book, coverage):
            return Forecast(known, known, 2.0 * known if pit is None else pit)

    with pytest.raises(bt.StudyError, match=words):
        model_forecasts({"odd": Odd()}, small_market, bitcoin[0], coverage=COVERAGE)


def test_models_without_a_forecast_have_no_table(small_market, bitcoin):
    models = {"siloed": st.Siloed(), "haircut": st.HaircutOnly()}
    forecasts = model_forecasts(models, small_market, bitcoin[0], coverage=COVERAGE)
    assert forecast_table(forecasts, confidence=0.95, horizon=2) is None


def test_fits_are_counted_in_models_inside_models(small_market, small_book):
    inside = st.Siloed(base=st.GarchVaR(lookback=80, refit_every=50))
    study = bt.run(
        small_market, small_book, {"plain": st.HaircutOnly(), "garch": inside}, audit=False
    )
    # Two of the four books hold both silos; 180 windows of 80 days are fitted
    # once, and then on four days of the schedule.
    fits = study.provenance.fits
    assert list(fits) == ["garch"] and list(fits["garch"]) == ["GARCH-t"]
    assert (fits["garch"]["GARCH-t"].tried, fits["garch"]["GARCH-t"].failed) == (5 * 6, 0)


def test_a_book_that_holds_nothing_needs_nothing(small_market):
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [0.0], "UST10Y": [0.0]}, index=["empty"]))
    for kind in (st.GarchVaR, st.EwmaVaR, st.ExtremeValueVaR, st.CornishFisherVaR, st.AgeWeighted):
        required = kind(lookback=200).margin(small_market, book, COVERAGE)
        assert (required[~np.isnan(required)] == 0.0).all() and not np.isnan(required[-1, 0])


def test_historical_forecast_is_the_margin_without_its_floor(small_market, small_book) -> None:
    coverage = bt.Coverage(mpor=2)
    model = st.HistoricalVaR(lookback=60)
    forecast = model.forecast(small_market, small_book, coverage)
    value, shortfall = forecast.value_at_risk, forecast.expected_shortfall
    for measure, tail in (("var", value), ("es", shortfall)):
        margin = st.HistoricalVaR(lookback=60, measure=measure).margin(
            small_market, small_book, coverage
        )
        assert np.array_equal(margin, np.maximum(tail, 0.0), equal_nan=True)
    known = ~np.isnan(value)
    assert known.any() and (shortfall[known] >= value[known]).all() and forecast.pit is None


@pytest.mark.parametrize("density", [False, True])
def test_the_table_asks_of_a_density_only_where_there_is_one(density, small_market, bitcoin):
    models = {"var": st.HistoricalVaR(lookback=60)}
    if density:
        models["ewma"] = st.EwmaVaR(lookback=60)
    book = bitcoin[0]
    forecasts = model_forecasts(models, small_market, book, coverage=COVERAGE).dropna(
        subset=["value_at_risk", "loss"]
    )
    tested = forecast_table(forecasts, confidence=0.95, horizon=2)
    assert set(tested["phases"]) == {"Cauchy combination of 2"}
    shown = forecasts_table(tested, list(book.portfolios))
    heads = ("book", "model", "FZ loss", "expected shortfall p")
    assert shown.heads[:4] == heads and (len(shown.heads) > 4) == density
    assert ("Berkowitz" in shown.note) == density
    assert all(len(row) == len(shown.heads) - 1 for _, rows in shown.groups for row in rows)
