"""Black-76 against QuantLib, and options through books and models against plain loops."""

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as some

import backtest as bt
import strategies as st
from backtest.instruments import parse_instrument
from backtest.instruments.black import black_greeks, black_price
from backtest.model.delta_gamma import Scenarios, book_scenarios
from backtest.model.protocol import model
from backtest.model.revaluation import Revaluation, priced_scenarios

NAMES = ("SPY-PUT-30D",)  # for the laws of all instruments
COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
SHORT_STRADDLE = {"SPY-CALL-30D": -1e8, "SPY-PUT-30D": -1e8}
KINDS = {"call": ql.Option.Call, "put": ql.Option.Put}


def book_of(**usd):
    return bt.Book.from_frame(pd.DataFrame(usd, index=["held"]))


@given(
    kind=some.sampled_from(["call", "put"]),
    forward=some.floats(10, 1000),
    moneyness=some.floats(0.5, 2.0),
    volatility=some.floats(0.03, 2.0),
    years=some.floats(1 / 365, 3.0),
)
def test_price_delta_and_gamma_equal_quantlib(kind, forward, moneyness, volatility, years):
    strike = forward * moneyness
    payoff = ql.PlainVanillaPayoff(KINDS[kind], strike)
    spread = volatility * np.sqrt(years)
    theirs = ql.BlackCalculator(payoff, forward, spread, 1.0)
    arrays = {"volatility": np.array([volatility]), "years": years, "kind": kind}
    price = black_price(np.array([forward]), np.array([strike]), **arrays)[0]
    greeks = black_greeks(np.array([forward]), np.array([strike]), **arrays)
    assert price == pytest.approx(theirs.value(), abs=1e-8)
    assert greeks.delta[0] == pytest.approx(theirs.deltaForward(), abs=1e-8)
    assert greeks.gamma[0] == pytest.approx(theirs.gammaForward(), abs=1e-8)
    assert greeks.vega[0] == pytest.approx(theirs.vega(years), abs=1e-8)
    vegas = [
        ql.BlackCalculator(payoff, forward, (volatility + bump) * np.sqrt(years), 1.0).vega(years)
        for bump in (1e-5, -1e-5)
    ]
    assert greeks.volga[0] == pytest.approx((vegas[0] - vegas[1]) / 2e-5, rel=1e-4, abs=1e-3)


@given(
    forward=some.floats(0, 1000),
    strike=some.floats(1, 1000),
    volatility=some.floats(0, 3),
    years=some.floats(0, 3),
)
def test_puts_and_calls_keep_parity_and_their_bounds(forward, strike, volatility, years):
    call, put = (
        black_price(
            np.array(forward), np.array(strike), volatility=np.array(volatility), years=years,
            kind=kind,
        )
        for kind in ("call", "put")
    )  # fmt: skip
    assert call - put == pytest.approx(forward - strike, abs=1e-9)
    assert max(forward - strike, 0) - 1e-9 <= call <= forward + 1e-9
    assert max(strike - forward, 0) - 1e-9 <= put <= strike + 1e-9


def test_an_option_without_time_or_volatility_pays_its_intrinsic_value():
    forward, strike = np.array([90.0, 100.0, 110.0]), np.full(3, 100.0)
    for volatility, years in ((0.0, 1.0), (0.3, 0.0)):
        sure = {"volatility": np.full(3, volatility), "years": years}
        assert black_price(forward, strike, **sure, kind="call").tolist() == [0, 0, 10]
        assert black_price(forward, strike, **sure, kind="put").tolist() == [10, 0, 0]
        for greek in black_greeks(forward, strike, **sure, kind="put")[1:]:
            assert greek.tolist() == [0, 0, 0]


def quantlib_value(option, spot, strike, volatility, days):
    payoff = ql.PlainVanillaPayoff(KINDS[option.kind], strike)
    return ql.BlackCalculator(payoff, spot, volatility * np.sqrt(days / 365.0), 1.0).value()


@pytest.mark.parametrize(
    "option",
    [
        bt.Option("SPY"),
        bt.Option("SPY", kind="put", moneyness=0.95, days=90),
        bt.Option("SPY", kind="put", expiry="2020-12-31", strike=105.0),
    ],
)
def test_pnl_and_scenarios_equal_quantlib_repricing(option, option_market):
    market, horizon = option_market, 3
    pnl = option.pnl(market, horizon)
    spot, volatility = market.level("SPY"), market.level("VIX")
    shocks, elapsed = np.array([[-0.1, 0.8], [0.0, 0.0], [0.04, -0.2]]), np.array([2.0, 4.0, 0.0])
    for t in range(0, len(market.dates) - horizon, 37):
        fresh = option.expiry is None
        strike = option.moneyness * spot[t] if fresh else option.strike
        left = (
            option.days if fresh else (np.datetime64(option.expiry) - market.dates[t]).astype(int)
        )
        held = (market.dates[t + horizon] - market.dates[t]).astype(int)
        now = quantlib_value(option, spot[t], strike, volatility[t], left)
        then = quantlib_value(
            option, spot[t + horizon], strike, volatility[t + horizon], left - held
        )
        assert pnl[t] == pytest.approx((then - now) / spot[t], abs=1e-10)
        found = option.scenarios(market, t, shocks, elapsed=elapsed)
        for (price, vol), days, value in zip(shocks, elapsed, found, strict=True):
            moved = quantlib_value(
                option, spot[t] * (1 + price), strike, volatility[t] * (1 + vol), left - days
            )
            assert value == pytest.approx((moved - now) / spot[t], abs=1e-10)
    assert np.isnan(pnl[-horizon:]).all() and not np.isnan(pnl[:-horizon]).any()


@pytest.mark.parametrize(("factor", "axis"), [("SPY", 0), ("VIX", 1)])
def test_sensitivities_are_the_slope_and_bend_of_the_scenarios(option_market, factor, axis):
    option, step = bt.Option("SPY", kind="put", moneyness=0.95), 1e-3
    shocks = np.zeros((3, 2))
    shocks[:, axis] = step, 0.0, -step
    up, none, down = option.scenarios(option_market, 50, shocks)
    slope, bend = option.sensitivity(option_market)[factor][50]
    assert none == 0.0
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4)
    assert bend == pytest.approx((up - 2 * none + down) / step**2, rel=1e-3)


def test_historical_var_of_options_equals_a_plain_loop(option_market):
    book = bt.Book.from_frame(
        pd.DataFrame(
            {
                "UST10Y": [0.0, 5e7, 0.0],
                "SPY-CALL-30D": [-1e8, 2e7, 0.0],
                "SPY": [0.0, -1e7, 1e7],
                "SPY-PUT-60D-90": [-1e8, 0.0, 0.0],
            },
            index=["short strangle", "mixed", "no option"],
        )
    )
    coverage, lookback, count = bt.Coverage(mpor={"FICC": 2, "OCC": 1, "CME": 2}), 60, 1
    for scaling in ("overlapping", "sqrt"):
        found = st.HistoricalVaR(lookback=lookback, scaling=scaling).margin(
            option_market, book, coverage
        )
        for t in (62, 100, 259):
            losses = np.zeros((lookback, 3))
            for x, exposure in zip(book.instruments, book.exposure.T, strict=True):
                horizon = coverage.mpor[x.silo]
                step, scale = (horizon, 1.0) if scaling == "overlapping" else (1, horizon**0.5)
                window = option_market.shocks(step)[t - lookback + 1 : t + 1] * scale
                if isinstance(x, bt.Option):
                    days = [
                        (option_market.dates[s] - option_market.dates[s - step]).astype(int)
                        for s in range(t - lookback + 1, t + 1)
                    ]
                    aged = np.array(days) * (1 if scaling == "overlapping" else horizon)
                    shocks = window[:, [option_market.column(f) for f in ("SPY", "VIX")]]
                    values = x.scenarios(option_market, t, shocks, elapsed=aged)
                else:
                    shocks = window[:, option_market.column(x.factor)]
                    values = x.scenarios(option_market, t, shocks)
                losses -= np.outer(values, exposure)
            expected = np.maximum(np.sort(losses, axis=0)[-count], 0.0)
            np.testing.assert_allclose(found[t], expected, rtol=1e-9)


def test_books_without_options_take_the_kernel_route_and_agree_with_it_beside_one(option_market):
    frame = pd.DataFrame({"UST10Y": [5e7], "BTC": [5e6]}, index=["plain"])
    alone = bt.Book.from_frame(frame)
    beside = bt.Book.from_frame(frame.assign(**{"SPY-CALL-30D": 0.0}))
    assert isinstance(priced_scenarios(option_market, alone, coverage=COVERAGE), Scenarios)
    assert isinstance(priced_scenarios(option_market, beside, coverage=COVERAGE), Revaluation)
    for each in (
        st.HistoricalVaR(lookback=60),
        st.HistoricalVaR(lookback=60, measure="es"),
        st.CorrelationOffset(base=st.HistoricalVaR(lookback=60), lookback=60, by="instrument"),
    ):
        np.testing.assert_allclose(
            each.margin(option_market, beside, COVERAGE),
            each.margin(option_market, alone, COVERAGE),
            rtol=1e-9,
        )


def test_offset_nets_by_the_correlation_of_revalued_pnls(option_market):
    book = book_of(UST10Y=[1e8], **{k: [v] for k, v in SHORT_STRADDLE.items()})
    base = st.HistoricalVaR(lookback=60)
    netted = st.CorrelationOffset(base=base, lookback=60).margin(option_market, book, COVERAGE)
    t = 200
    shocks = option_market.shocks(2)[t - 59 : t + 1]
    columns = {f: shocks[:, option_market.column(f)] for f in ("10Y", "SPY", "VIX")}
    bond = bt.Treasury(10).scenarios(option_market, t, columns["10Y"]) * 1e8
    joint = np.column_stack([columns["SPY"], columns["VIX"]])
    dates = option_market.dates
    elapsed = (dates[t - 59 : t + 1] - dates[t - 61 : t - 1]).astype(int)
    options = sum(
        parse_instrument(name).scenarios(option_market, t, joint, elapsed=elapsed) * usd
        for name, usd in SHORT_STRADDLE.items()
    )
    rho = np.corrcoef(bond, options)[0, 1]
    m = [base.margin(option_market, book.in_silo(s), COVERAGE)[t, 0] for s in ("FICC", "OCC")]
    expected = np.sqrt(m[0] ** 2 + m[1] ** 2 + 2 * rho * m[0] * m[1])
    assert netted[t, 0] == pytest.approx(max(expected, 0.2 * sum(m)), rel=1e-9)


@model
class SensitivityVaR:
    """Historical VaR by sensitivities alone, to compare with."""

    lookback: int = 60

    def margin(self, market, book, coverage):
        past = book_scenarios(market, book, coverage=coverage)
        return np.maximum(past.tails(self.lookback, count=3)[0], 0.0)


def test_a_long_option_is_margined_for_the_time_it_loses():
    # Nothing moves for 64 weekdays, so decay is all that a long straddle can lose.
    book = book_of(**{k: [-v] for k, v in SHORT_STRADDLE.items()})
    margin = st.HistoricalVaR(lookback=60).margin(shocked(), book, bt.Coverage(0.95, 1))[-1, 0]
    # The third largest of 60 losses is that of a weekend, three days of thirty.
    worth = [2 * quantlib_value(bt.Option("SPY"), 1.0, 1.0, 0.2, days) for days in (30, 27)]
    assert margin / 1e8 == pytest.approx(worth[0] - worth[1], rel=1e-9)


def shocked(*shocks):
    """A market of SPY at 100 and VIX at 20 % with joint shocks on its last days, quiet before."""
    moves = np.zeros((64, 2))
    moves[64 - len(shocks) :] = np.reshape(shocks, (-1, 2))
    levels = np.array([100.0, 0.2]) * np.cumprod(1.0 + moves, axis=0)
    days = pd.bdate_range("2020-01-01", periods=64).to_numpy()
    return bt.Market(days, ("SPY", "VIX"), levels, ("price", "price"))


def test_delta_gamma_misjudges_short_options_both_ways():
    coverage = bt.Coverage(0.95, 1)

    def margins(market, book):
        full = st.HistoricalVaR(lookback=60).margin(market, book, coverage)[-1, 0]
        return full / 1e8, SensitivityVaR().margin(market, book, coverage)[-1, 0] / 1e8

    # Three falls of 20 % (and recoveries) at constant volatility. At 20 % over 30 days a straddle
    # is worth 2 (2 N(s / 2) - 1) of its notional, s = 0.2 sqrt(30 / 365); far from the strike it
    # is worth its intrinsic value, and the parabola is far above both.
    normal = ql.CumulativeNormalDistribution()
    spread = 0.2 * np.sqrt(30 / 365)
    delta, gamma = 2 * normal(spread / 2) - 1, 2 * normal.derivative(spread / 2) / spread
    straddle = book_of(**{k: [v] for k, v in SHORT_STRADDLE.items()})
    full, parabola = margins(shocked(*[[-0.2, 0.0], [0.25, 0.0]] * 3), straddle)
    assert full == pytest.approx(0.25 - 2 * delta, abs=2e-4)
    assert parabola == pytest.approx(delta * 0.25 + gamma * 0.25**2 / 2, rel=1e-9)
    assert parabola > 2 * full

    # The same falls with volatility at three times its level, against a put far out of the money:
    # it ends in the money, which today's delta, gamma, vega and volga do not see.
    put = bt.Option("SPY", kind="put", moneyness=0.9)
    before = quantlib_value(put, 1.0, 0.9, 0.2, 30)
    market = shocked(*[[-0.2, 2.0], [0.25, -2 / 3]] * 3)
    took = max((market.dates[-6::2] - market.dates[-7:-1:2]).astype(int))
    after = quantlib_value(put, 0.8, 0.9, 0.6, 30 - took)
    full, parabola = margins(market, book_of(**{put.name: [-1e8]}))
    assert full == pytest.approx(after - before, rel=1e-9)
    assert parabola < 0.6 * full


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("SPY-CALL-30D", bt.Option("SPY")),
        ("SPY-PUT-90D-97.5", bt.Option("SPY", kind="put", moneyness=0.975, days=90)),
        ("BTC-CALL-7D-110@CME", bt.Option("BTC", moneyness=1.1, days=7, silo="CME")),
        ("BTC-PUT-30D-BTC-REALISED", bt.Option("BTC", "BTC-REALISED", kind="put")),
        ("SPY-CALL-2026-06-26-700", bt.Option("SPY", expiry="2026-06-26", strike=700.0)),
        ("BTC-PERP", bt.Perpetual("BTC")),
        ("BTC-INV-BITMEX", bt.Perpetual("BTC", inverse=True, venue="BITMEX")),
        ("ETH-PERP@CME", bt.Perpetual("ETH", silo="CME")),
    ],
)
def test_names_make_derivatives_and_derivatives_names(name, made):
    assert parse_instrument(name) == made and made.name == name


@pytest.mark.parametrize("name", ["VIX", "BTC-VOL", "BTC-REALISED", "BTC-FUNDING-BITMEX"])
def test_what_pays_nothing_outright_is_not_held(name):
    with pytest.raises(bt.StudyError, match="hold an option"):
        parse_instrument(name)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "straddle"}, "known: 'call', 'put'"),
        ({"expiry": "2026-06-26"}, "give both"),
        ({"strike": 100.0}, "give both"),
        ({"expiry": "June", "strike": 100.0}, "YYYY-MM-DD"),
        ({"moneyness": 0.0}, "above zero"),
        ({"days": 0}, "1 or more"),
    ],
)
def test_an_option_that_cannot_be_is_refused(fields, message):
    with pytest.raises(bt.StudyError, match=message):
        bt.Option("SPY", **fields)


def test_a_study_past_expiry_names_option_and_day(option_market):
    option = bt.Option("SPY", expiry="2020-06-19", strike=100.0)
    until = option_market.until("2020-06-19")
    assert np.isfinite(option.pnl(until, 2)[:-2]).all()
    message = "SPY-CALL-2020-06-19-100 expires on 2020-06-19 and the study runs to 2020-12-29"
    with pytest.raises(bt.StudyError, match=message):
        option.pnl(option_market, 2)
    with pytest.raises(bt.StudyError, match=message):
        st.HistoricalVaR(lookback=60).margin(
            option_market, bt.Book(("long",), (option,), np.ones((1, 1))), COVERAGE
        )


def test_a_fresh_option_must_outlive_its_holding_period(option_market):
    bt.Option("SPY", days=4).pnl(option_market, 2)  # a weekend and two days
    with pytest.raises(bt.StudyError, match="has 3 calendar days to run and is held for 4"):
        bt.Option("SPY", days=3).pnl(option_market, 2)


def test_volatility_must_be_there_and_in_decimals(option_market, small_market):
    frame = pd.DataFrame({"SPY-CALL-30D": [1.0], "BTC": [1.0]}, index=["long"])
    spy_alone = small_market.to_frame().rename(columns={"ETH": "SPY"})
    with pytest.raises(bt.StudyError, match="needs the factor 'VIX'"):
        bt.Book.from_frame(frame, bt.Market.from_frame(spy_alone))
    percent = option_market.to_frame()
    percent["VIX"] *= 100
    with pytest.raises(bt.DataError, match="VIX on 2020-01-01 is 18 .* hold decimals"):
        bt.Option("SPY").pnl(bt.Market.from_frame(percent, simulated=True), 2)
    with pytest.raises(bt.DataError, match="volatilities look like percent; frames hold .18"):
        bt.Market.from_frame(percent)


def test_published_haircuts_are_not_applied_to_options(option_market):
    with pytest.raises(bt.StudyError, match="no haircut for BTC-CALL-30D-VIX"):
        book = bt.Book(("long",), (bt.Option("BTC", "VIX"),), np.ones((1, 1)))
        st.HaircutOnly().margin(option_market, book, COVERAGE)
